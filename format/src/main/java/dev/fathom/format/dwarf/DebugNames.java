// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.dwarf;

import dev.fathom.base.BadDataException;
import dev.fathom.base.ByteCursor;
import dev.fathom.base.ByteSource;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * {@code .debug_names} (DWARF 5, section 6.1.1), which clang, lld and gdb write; one index, or one
 * after the other where a linker did not join them.
 *
 * <pre>
 *   index  = length version:2 padding:2, counts:4 of units, own type units, type units elsewhere,
 *            buckets, names, bytes of abbreviations, bytes of augmentation; augmentation,
 *            unit..., type unit..., signature:8..., bucket:4..., hash:4..., string..., series...,
 *            abbreviations, pool
 *   abbrev = { uleb code, uleb tag, { uleb attribute, uleb form }..., 0, 0 }..., 0
 *   series = { uleb code, value... }..., 0
 * </pre>
 *
 * <p>Names are without the scopes that they are in; gdb before version 15 wrote them with these.
 */
public final class DebugNames implements NameTable {
  private static final int VERSION = 5;

  // DW_IDX_*, DWARF 5, section 7.19
  private static final int IDX_COMPILE_UNIT = 1;
  private static final int IDX_TYPE_UNIT = 2;

  private static final int MAX_ABBREVIATIONS = 1 << 16;
  private static final int MAX_ATTRIBUTES = 64;
  private static final int MAX_INDEXES = 1 << 18;

  /** Entries that are read for one name, in all indexes; the largest kernel has 3,000 with one. */
  private static final int MAX_ENTRIES = 1 << 20;

  /** The forms that one abbreviation's values have, and which attributes they are of. */
  private record Shape(boolean isType, List<Integer> attributes, List<Integer> forms) {}

  /** What one name leads to: units by their offsets. */
  private static final class Found {
    private final Map<Long, Unit> types = new TreeMap<>();
    private final Map<Long, Unit> values = new TreeMap<>();
    private int entries;

    void add(boolean isType, Unit unit) {
      (isType ? types : values).put(unit.offset(), unit);
    }

    void count(ByteCursor in, long at) {
      entries++;
      if (entries > MAX_ENTRIES) {
        throw in.bad(at, "more than " + MAX_ENTRIES + " entries of one name");
      }
    }

    Listed listed() {
      return new Listed(List.copyOf(types.values()), List.copyOf(values.values()));
    }
  }

  /** One index, and where its parts begin. */
  private record Index(
      List<Unit> units,
      List<Unit> types,
      Encoding encoding,
      long buckets,
      long bucketCount,
      long hashes,
      long strings,
      long series,
      long nameCount,
      Map<Long, Shape> shapes,
      long pool,
      long end) {}

  private final ByteSource section;
  private final Optional<ByteSource> text;
  private final List<Index> indexes;

  private DebugNames(ByteSource section, Optional<ByteSource> text, List<Index> indexes) {
    this.section = section;
    this.text = text;
    this.indexes = indexes;
  }

  /**
   * Reads the headers, the lists of units and the abbreviations.
   *
   * @throws BadDataException when they are malformed, or the units are not those of the file
   */
  static DebugNames read(ByteSource section, Dwarf dwarf) {
    var units = new HashMap<Long, Unit>();
    for (var unit : dwarf.units()) {
      if (unit.typeSignature().isEmpty() || unit.version() >= VERSION) {
        units.put(unit.offset(), unit);
      }
    }
    var indexes = new ArrayList<Index>();
    var seen = new HashSet<Long>();
    for (long at = 0; at < section.size(); ) {
      var index = index(section, at, dwarf, units, seen);
      indexes.add(index);
      if (indexes.size() > MAX_INDEXES) {
        throw new BadDataException(section.name(), at, "more than " + MAX_INDEXES + " indexes");
      }
      at = index.end();
    }
    for (var unit : units.values()) {
      // What has no names, such as assembler text, need not be there.
      if (NameTables.isListed(unit) && !seen.contains(unit.offset()) && unit.root().hasChildren()) {
        throw new BadDataException(
            section.name(), 0, "does not have the unit at 0x" + Long.toHexString(unit.offset()));
      }
    }
    return new DebugNames(section, dwarf.section(".debug_str"), indexes);
  }

  private static Index index(
      ByteSource section, long start, Dwarf dwarf, Map<Long, Unit> units, Set<Long> seen) {
    var in = section.cursor(start, dwarf.sections().order());
    long length = in.u32();
    int word = 4;
    if (length == 0xffffffffL) {
      length = in.u64();
      word = 8;
    }
    long end = DwarfNumbers.length(in, start, length, "index of names") + in.offset();
    int version = in.u16();
    if (version != VERSION) {
      throw in.bad(start, "index of names of version " + version + ", expected " + VERSION);
    }
    in.skip(2);
    long unitCount = in.u32();
    long typeCount = in.u32();
    long foreignCount = in.u32();
    long bucketCount = in.u32();
    long nameCount = in.u32();
    long abbreviationBytes = in.u32();
    long augmentationBytes = in.u32();
    long lists = in.offset() + ((augmentationBytes + 3) & ~3L);
    long buckets = lists + word * (unitCount + typeCount) + 8 * foreignCount;
    long hashes = buckets + 4 * bucketCount;
    long strings = hashes + (bucketCount == 0 ? 0 : 4 * nameCount);
    long series = strings + word * nameCount;
    long abbreviations = series + word * nameCount;
    long pool = abbreviations + abbreviationBytes;
    if (pool > end) {
      throw in.bad(
          start,
          "index of names with "
              + nameCount
              + " names ends before its entries, which begin at 0x"
              + Long.toHexString(pool));
    }
    in.seek(lists);
    var own = new ArrayList<Unit>();
    listed(in, unitCount, word, units, own);
    var types = new ArrayList<Unit>();
    listed(in, typeCount, word, units, types);
    own.forEach(unit -> seen.add(unit.offset()));
    in.seek(abbreviations);
    return new Index(
        own,
        types,
        new Encoding(dwarf.sections().order(), VERSION, word, 8),
        buckets,
        bucketCount,
        hashes,
        strings,
        series,
        nameCount,
        shapes(in, pool),
        pool,
        end);
  }

  private static void listed(
      ByteCursor in, long count, int word, Map<Long, Unit> units, List<Unit> found) {
    for (long i = 0; i < count; i++) {
      long at = in.offset();
      long offset = Forms.number(in, word);
      var unit = units.get(offset);
      if (unit == null) {
        throw in.bad(
            at,
            "unit at 0x"
                + Long.toHexString(offset)
                + ", where none is; the index is of another file");
      }
      found.add(unit);
    }
  }

  private static Map<Long, Shape> shapes(ByteCursor in, long end) {
    var shapes = new HashMap<Long, Shape>();
    while (in.offset() < end) {
      long at = in.offset();
      long code = in.uleb();
      if (code == 0) {
        break;
      }
      long tag = in.uleb();
      var attributes = new ArrayList<Integer>();
      var forms = new ArrayList<Integer>();
      while (true) {
        long attribute = in.uleb();
        long form = in.uleb();
        if (attribute == 0 && form == 0) {
          break;
        }
        if (attribute < 0 || attribute > 0xffff || form < 0 || form > 0xffff) {
          throw in.bad(at, "attribute 0x" + Long.toHexString(attribute) + " of an abbreviation");
        }
        attributes.add((int) attribute);
        forms.add((int) form);
        if (attributes.size() > MAX_ATTRIBUTES) {
          throw in.bad(at, "abbreviation with more than " + MAX_ATTRIBUTES + " attributes");
        }
      }
      shapes.put(code, new Shape(isType(tag), attributes, forms));
      if (in.offset() > end || shapes.size() > MAX_ABBREVIATIONS) {
        throw in.bad(at, "abbreviations go on past their end");
      }
    }
    return shapes;
  }

  /** gdb before version 15 has one tag for all types. */
  private static boolean isType(long tag) {
    return switch (Math.clamp(tag, 0, Integer.MAX_VALUE)) {
      case Tag.VARIABLE,
          Tag.SUBPROGRAM,
          Tag.INLINED_SUBROUTINE,
          Tag.ENUMERATOR,
          Tag.NAMESPACE,
          Tag.MEMBER ->
          false;
      default -> true;
    };
  }

  @Override
  public String name() {
    return section.name();
  }

  @Override
  public Optional<AddressRanges> addresses() {
    return Optional.empty();
  }

  @Override
  public Listed find(String qualifiedName) {
    var found = new Found();
    for (var wanted : new LinkedHashSet<>(List.of(qualifiedName, lastName(qualifiedName)))) {
      byte[] bytes = wanted.getBytes(StandardCharsets.UTF_8);
      for (var index : indexes) {
        find(index, bytes, found);
      }
    }
    return found.listed();
  }

  /** What is behind the last {@code ::} that is in no brackets. */
  private static String lastName(String name) {
    int depth = 0;
    for (int i = name.length() - 1; i > 0; i--) {
      switch (name.charAt(i)) {
        case ')', '>' -> depth++;
        case '(', '<' -> depth--;
        case ':' -> {
          if (depth == 0 && name.charAt(i - 1) == ':') {
            return name.substring(i + 1);
          }
        }
        default -> {}
      }
    }
    return name;
  }

  private void find(Index index, byte[] wanted, Found found) {
    var in = section.cursor(index.buckets(), index.encoding().order());
    long first = 1;
    long hash = 0;
    if (index.bucketCount() > 0) {
      hash = Integer.toUnsignedLong(hash(wanted));
      in.seek(index.buckets() + 4 * (hash % index.bucketCount()));
      first = in.u32(); // names count from 1
    }
    for (long name = first; name > 0 && name <= index.nameCount(); name++) {
      if (index.bucketCount() > 0) {
        in.seek(index.hashes() + 4 * (name - 1));
        long own = in.u32();
        if (own % index.bucketCount() != hash % index.bucketCount()) {
          break;
        }
        if (own != hash) {
          continue;
        }
      }
      int word = index.encoding().offsetSize();
      in.seek(index.strings() + word * (name - 1));
      if (isText(Forms.number(in, word), wanted)) {
        in.seek(index.series() + word * (name - 1));
        series(index, Forms.number(in, word), found);
      }
    }
  }

  private boolean isText(long at, byte[] wanted) {
    var strings = text.orElseThrow(() -> new BadDataException(name(), 0, "there is no .debug_str"));
    if (at < 0 || at >= strings.size()) {
      throw new BadDataException(
          name(), 0, "name at 0x" + Long.toHexString(at) + ", outside of " + strings.name());
    }
    if (at >= strings.size() - wanted.length) {
      return false;
    }
    byte[] bytes = strings.bytes(at, wanted.length + 1);
    for (int i = 0; i < wanted.length; i++) {
      if (bytes[i] != wanted[i]) {
        return false;
      }
    }
    return bytes[wanted.length] == 0;
  }

  /** Adds the units of the entries of one name. */
  private void series(Index index, long offset, Found found) {
    if (offset < 0 || offset >= index.end() - index.pool()) {
      throw new BadDataException(
          name(), index.pool(), "entries at 0x" + Long.toHexString(offset) + ", outside of it");
    }
    var in = section.cursor(index.pool() + offset, index.encoding().order());
    while (in.offset() < index.end()) {
      long at = in.offset();
      long code = in.uleb();
      if (code == 0) {
        return;
      }
      found.count(in, at);
      var shape = index.shapes().get(code);
      if (shape == null) {
        throw in.bad(at, "entry has abbreviation " + Long.toUnsignedString(code));
      }
      entry(index, in, at, shape).ifPresent(unit -> found.add(shape.isType(), unit));
    }
    throw in.bad(index.pool() + offset, "entries go on past the end of the index");
  }

  /** The unit of one entry; none when that is a type unit in another file. */
  private static Optional<Unit> entry(Index index, ByteCursor in, long at, Shape shape) {
    // With one unit only, entries need not name it.
    long number = 0;
    boolean named = index.units().size() == 1;
    boolean inType = false;
    for (int i = 0; i < shape.attributes().size(); i++) {
      int attribute = shape.attributes().get(i);
      long value = Forms.read(in, index.encoding(), shape.forms().get(i), 0).value();
      boolean type = attribute == IDX_TYPE_UNIT;
      if (type || (attribute == IDX_COMPILE_UNIT && !inType)) {
        inType = type;
        number = value;
        named = true;
      }
    }
    if (!named) {
      throw in.bad(at, "entry does not say of which unit it is");
    }
    var list = inType ? index.types() : index.units();
    if (number >= 0 && number < list.size()) {
      return Optional.of(list.get((int) number));
    }
    if (inType && number > 0) {
      return Optional.empty();
    }
    throw in.bad(at, "entry of unit " + number + ", but there are " + list.size());
  }

  /** Letters of either case have the same hash (DWARF 5, section 7.33; only ASCII's are folded). */
  static int hash(byte[] name) {
    int hash = 5381;
    for (byte b : name) {
      int c = b >= 'A' && b <= 'Z' ? b + 'a' - 'A' : b & 0xff;
      hash = hash * 33 + c;
    }
    return hash;
  }
}
