// SPDX-License-Identifier: Apache-2.0
package dev.fathom.testkit;

import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Writes tables of names of DWARF: {@code .gdb_index} (GDB's manual, "Index Section Format") and
 * {@code .debug_names} (DWARF 5, section 6.1.1). Names stand in units, which are numbers: first the
 * units in the order in which they were added, then the type units.
 */
public final class NameTableWriter {
  /** What a name is in a unit; {@code .gdb_index} has the first number, the other table a tag. */
  public enum Kind {
    TYPE(1, 0x13),
    VARIABLE(2, 0x34),
    FUNCTION(3, 0x2e);

    private final int code;
    private final int tag;

    Kind(int code, int tag) {
      this.code = code;
      this.tag = tag;
    }
  }

  private record Listed(long offset, long length) {}

  private record TypeUnit(long offset, long typeOffset, long signature) {}

  private record Place(Kind kind, int unit) {}

  private record Code(long low, long high, int unit) {}

  private final List<Listed> units = new ArrayList<>();
  private final List<TypeUnit> typeUnits = new ArrayList<>();
  private final Map<String, List<Place>> names = new LinkedHashMap<>();
  private final List<Code> codes = new ArrayList<>();

  /** Adds a unit; {@code length} counts its whole header. */
  public NameTableWriter unit(long offset, long length) {
    units.add(new Listed(offset, length));
    return this;
  }

  /** Adds a type unit. */
  public NameTableWriter typeUnit(long offset, long typeOffset, long signature) {
    typeUnits.add(new TypeUnit(offset, typeOffset, signature));
    return this;
  }

  /** Says that a name is in a unit. */
  public NameTableWriter name(String name, Kind kind, int unit) {
    names.computeIfAbsent(name, _ -> new ArrayList<>()).add(new Place(kind, unit));
    return this;
  }

  /** Says that a unit has code. */
  public NameTableWriter code(long low, long high, int unit) {
    codes.add(new Code(low, high, unit));
    return this;
  }

  /** The section {@code .gdb_index}. */
  public byte[] gdbIndex(int version) {
    int slots = 4;
    while (slots < 2 * names.size()) {
      slots *= 2;
    }
    var little = ByteOrder.LITTLE_ENDIAN;
    var pool = new DwarfWriter.Bytes(little);
    var table = new int[2 * slots];
    for (var entry : names.entrySet()) {
      int vector = pool.size();
      pool.number(4, entry.getValue().size());
      for (var place : entry.getValue()) {
        pool.number(4, (long) place.kind().code << 28 | place.unit());
      }
      int name = pool.size();
      pool.cString(entry.getKey());
      int hash = gdbHash(entry.getKey());
      int slot = hash & (slots - 1);
      while (table[2 * slot] != 0) {
        slot = (slot + (((hash * 17) & (slots - 1)) | 1)) & (slots - 1);
      }
      table[2 * slot] = name;
      table[2 * slot + 1] = vector;
    }
    int header = version >= 9 ? 28 : 24;
    int types = header + 16 * units.size();
    int addresses = types + 24 * typeUnits.size();
    int symbols = addresses + 20 * codes.size();
    int end = symbols + 8 * slots;
    var out = new DwarfWriter.Bytes(little).number(4, version).number(4, header);
    out.number(4, types).number(4, addresses).number(4, symbols).number(4, end);
    if (version >= 9) {
      out.number(4, end + 8L);
    }
    units.forEach(unit -> out.number(8, unit.offset()).number(8, unit.length()));
    typeUnits.forEach(
        t -> out.number(8, t.offset()).number(8, t.typeOffset()).number(8, t.signature()));
    codes.forEach(c -> out.number(8, c.low()).number(8, c.high()).number(4, c.unit()));
    for (int word : table) {
      out.number(4, word);
    }
    if (version >= 9) {
      out.number(8, 0);
    }
    return out.bytes(pool.toByteArray()).toByteArray();
  }

  private static int gdbHash(String name) {
    int hash = 0;
    for (byte b : name.toLowerCase(Locale.ROOT).getBytes(StandardCharsets.UTF_8)) {
      hash = hash * 67 + (b & 0xff) - 113;
    }
    return hash;
  }

  private static int djbHash(String name) {
    int hash = 5381;
    for (byte b : name.toLowerCase(Locale.ROOT).getBytes(StandardCharsets.UTF_8)) {
      hash = hash * 33 + (b & 0xff);
    }
    return hash;
  }

  /**
   * The section {@code .debug_names}, one index.
   *
   * @param strings where the names get their offsets in {@code .debug_str} from
   * @param buckets 0 for no hash table
   */
  public byte[] debugNames(DwarfWriter strings, ByteOrder order, int offsetSize, int buckets) {
    var sorted = new ArrayList<>(names.keySet());
    if (buckets > 0) {
      sorted.sort(
          Comparator.comparingLong(name -> Integer.toUnsignedLong(djbHash(name)) % buckets));
    }
    var pool = new DwarfWriter.Bytes(order);
    var series = new ArrayList<Integer>();
    for (var name : sorted) {
      series.add(pool.size());
      for (var place : names.get(name)) {
        boolean inType = place.unit() >= units.size();
        pool.uleb(1 + place.kind().ordinal() * 2L + (inType ? 1 : 0));
        pool.number(2, inType ? place.unit() - units.size() : place.unit());
        pool.number(4, 0x1234); // DW_IDX_die_offset
      }
      pool.uleb(0);
    }
    var shapes = new DwarfWriter.Bytes(order);
    for (var kind : Kind.values()) {
      for (int index : new int[] {1, 2}) { // DW_IDX_compile_unit, type_unit
        shapes.uleb(kind.ordinal() * 2L + index).uleb(kind.tag);
        shapes.uleb(index).uleb(0x05).uleb(3).uleb(0x13).uleb(0).uleb(0); // data2, ref4
      }
    }
    shapes.uleb(0);
    var body = new DwarfWriter.Bytes(order).number(2, 5).number(2, 0);
    body.number(4, units.size()).number(4, typeUnits.size()).number(4, 0).number(4, buckets);
    body.number(4, sorted.size()).number(4, shapes.size()).number(4, 8);
    body.bytes("LLVM0700".getBytes(StandardCharsets.US_ASCII));
    units.forEach(unit -> body.number(offsetSize, unit.offset()));
    typeUnits.forEach(unit -> body.number(offsetSize, unit.offset()));
    for (int bucket = 0; bucket < buckets; bucket++) {
      int first = 0;
      for (int i = sorted.size() - 1; i >= 0; i--) {
        if (Integer.toUnsignedLong(djbHash(sorted.get(i))) % buckets == bucket) {
          first = i + 1;
        }
      }
      body.number(4, first);
    }
    if (buckets > 0) {
      sorted.forEach(name -> body.number(4, djbHash(name)));
    }
    sorted.forEach(name -> body.number(offsetSize, strings.string(name)));
    series.forEach(at -> body.number(offsetSize, at));
    body.bytes(shapes.toByteArray()).bytes(pool.toByteArray());
    return new DwarfWriter.Bytes(order)
        .length(offsetSize, body.size())
        .bytes(body.toByteArray())
        .toByteArray();
  }
}
