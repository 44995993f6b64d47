// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.dwarf;

import dev.fathom.base.BadDataException;
import dev.fathom.base.ByteSource;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The fast pass over units that {@link DwarfNames} is made with: finds what has a name outside of
 * functions. It reads a copy of the unit on the heap, looks only at the values that count, and
 * skips what is below functions and C structures. Used by one thread.
 */
final class UnitScanner {
  /** How deep namespaces and classes may nest; deeper ones are not looked into. */
  private static final int MAX_SCOPES = 64;

  private static final int MAX_ORIGINS = 8;

  /** So that a number that begins inside the unit can be read without a check. */
  private static final int SLACK = 16;

  private static final VarHandle U16L = view(short[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle U16B = view(short[].class, ByteOrder.BIG_ENDIAN);
  private static final VarHandle U32L = view(int[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle U32B = view(int[].class, ByteOrder.BIG_ENDIAN);
  private static final VarHandle U64L = view(long[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle U64B = view(long[].class, ByteOrder.BIG_ENDIAN);

  private static VarHandle view(Class<?> array, ByteOrder order) {
    return MethodHandles.byteArrayViewVarHandle(array, order);
  }

  private final NameCollector collector;
  private final Map<Abbreviations, Map<Encoding, ScanPlan[]>> plans = new HashMap<>();

  private byte[] bytes = new byte[1 << 20];
  private int end;
  private int at;
  private Unit unit;
  private boolean little;
  private boolean plainStrings;
  private ScanPlan[] dense;
  private ByteSource text;

  /** Set apart by unit what is an index into a table of the unit's. */
  private long ofUnit;

  /**
   * Definitions of what is declared behind them, as clang has them, with the scopes they are in.
   */
  private final List<Early> early = new ArrayList<>();

  private record Early(int entry, long parent) {}

  /** Whether all scopes of the unit are known. */
  private boolean late;

  // The scopes that the pass is in, and those it has seen, for names of what is defined elsewhere.
  private final long[] hashes = new long[MAX_SCOPES + 1];
  private int[] seenStart = new int[64];
  private int[] seenEnd = new int[64];
  private long[] seenHash = new long[64];
  private int seen;
  private boolean scoped;

  // What the entry at hand has.
  private static final int NO_NAME = 0;
  private static final int POOLED = 1;
  private static final int IN_PLACE = 2;
  private static final int ELSEWHERE = 3;
  private int nameIs;
  private long nameAt;
  private byte[] nameBytes = new byte[256];
  private int nameLength;
  private long size;
  private long line;
  private long code;
  private long place;
  private long sibling;
  private long origin;
  private boolean originIsFar;
  private boolean declaration;
  private boolean external;
  private boolean hasCode;
  private boolean hasPlace;
  private boolean hasInline;
  private boolean hasOrigin;

  UnitScanner(NameCollector collector) {
    this.collector = collector;
  }

  /**
   * Hands all names of a unit to the collector.
   *
   * @throws BadDataException when the unit cannot be followed to its end; what came before was
   *     handed over, but for definitions of what is declared behind them
   */
  void scan(Unit scanned, int ordinal) {
    unit = scanned;
    ofUnit = (ordinal + 1L) << 32;
    early.clear();
    late = false;
    long length = unit.end() - unit.offset();
    if (length > Integer.MAX_VALUE - 64) {
      throw unit.bad(unit.offset(), "unit has " + length + " bytes, expected less than 2 GiB");
    }
    end = (int) length;
    if (bytes.length < end + SLACK) {
      bytes = new byte[end + SLACK + (end >> 2)];
    }
    unit.section().copy(unit.offset(), length, MemorySegment.ofArray(bytes), 0);
    Arrays.fill(bytes, end, end + SLACK, (byte) 0);
    little = unit.encoding().order() == ByteOrder.LITTLE_ENDIAN;
    dense = plans(unit);
    text = unit.dwarf().section(".debug_str").orElse(null);
    plainStrings = collector.isPool(unit.dwarf());
    seen = 0;
    scoped = false;
    at = (int) (unit.firstDie() - unit.offset());
    try {
      pass(ordinal);
      takeEarly(ordinal);
    } catch (IndexOutOfBoundsException e) {
      throw unit.bad(unit.offset() + at, "entry goes on past the end of its unit");
    }
  }

  private ScanPlan[] plans(Unit of) {
    return plans
        .computeIfAbsent(of.abbreviations(), _ -> new HashMap<>())
        .computeIfAbsent(
            of.encoding(),
            encoding ->
                of.abbreviations().dense().stream()
                    .map(a -> ScanPlan.of(a, encoding))
                    .toArray(ScanPlan[]::new));
  }

  private ScanPlan plan(long abbreviationCode, int entry) {
    if (abbreviationCode > 0 && abbreviationCode <= dense.length) {
      return dense[(int) abbreviationCode - 1];
    }
    return ScanPlan.of(
        unit.abbreviations().get(abbreviationCode, unit.section(), unit.offset() + entry),
        unit.encoding());
  }

  private void pass(int ordinal) {
    long root = uleb();
    ScanPlan rootPlan = plan(root, at);
    values(rootPlan);
    if (!rootPlan.hasChildren) {
      return;
    }
    scoped = hasScopes();
    int depth = 0;
    hashes[0] = NameHash.START;
    // Of each scope that is an enumeration where it begins; of others 0, which is no entry.
    var enumerations = new int[MAX_SCOPES + 1];
    var recorded = new int[MAX_SCOPES + 1];
    while (at < end) {
      int entry = at;
      long abbreviationCode = uleb();
      if (abbreviationCode == 0) {
        if (depth == 0) {
          return;
        }
        if (recorded[depth] >= 0) {
          seenEnd[recorded[depth]] = at;
        }
        depth--;
        continue;
      }
      ScanPlan plan = plan(abbreviationCode, entry);
      values(plan);
      if (at > end) {
        throw unit.bad(unit.offset() + entry, "entry goes on past the end of its unit");
      }
      boolean enter = false;
      if (plan.kind != ScanPlan.Names.NOTHING) {
        enter = take(plan, entry, ordinal, hashes[depth], enumerations[depth]);
      }
      if (!plan.hasChildren) {
        continue;
      }
      if (enter && depth < MAX_SCOPES) {
        depth++;
        boolean isEnum = plan.kind == ScanPlan.Names.ENUM;
        enumerations[depth] = isEnum ? entry : 0;
        // C's enumerators belong to what the enumeration is in.
        hashes[depth] = isEnum ? hashes[depth - 1] : scope(hashes[depth - 1]);
        recorded[depth] = scoped && !isEnum ? record(entry, hashes[depth]) : -1;
      } else {
        skipChildren(entry);
      }
    }
  }

  /** Hands over what had to wait until all scopes were known. */
  private void takeEarly(int ordinal) {
    late = true;
    for (var one : early) {
      at = one.entry();
      var plan = plan(uleb(), one.entry());
      values(plan);
      take(plan, one.entry(), ordinal, one.parent(), 0);
    }
  }

  private long scope(long parent) {
    if (nameIs == NO_NAME) {
      return parent; // anonymous namespaces and structures are seen through
    }
    long hash = hashName(parent);
    return NameHash.join(hash);
  }

  private int record(int start, long hash) {
    if (seen == seenStart.length) {
      seenStart = Arrays.copyOf(seenStart, 2 * seen);
      seenEnd = Arrays.copyOf(seenEnd, 2 * seen);
      seenHash = Arrays.copyOf(seenHash, 2 * seen);
    }
    seenStart[seen] = start;
    seenEnd[seen] = Integer.MAX_VALUE;
    seenHash[seen] = hash;
    return seen++;
  }

  /**
   * The hash of the innermost scope around an offset; scopes are recorded in order of their start.
   */
  private long scopeAround(long offset) {
    int low = 0;
    int high = seen - 1;
    while (low <= high) {
      int middle = (low + high) >>> 1;
      if (seenStart[middle] <= offset) {
        low = middle + 1;
      } else {
        high = middle - 1;
      }
    }
    for (int i = high, tries = 0; i >= 0 && tries < 1 << 16; i--, tries++) {
      if (offset < seenEnd[i]) {
        return seenHash[i];
      }
    }
    return NameHash.START;
  }

  private boolean hasScopes() {
    long language = unit.language().orElse(0);
    return switch ((int) language) {
      // DW_LANG_C89, C, C99, C11, C17, Mips_Assembler
      case 0x01, 0x02, 0x0c, 0x1d, 0x2c, 0x8001 -> false;
      default -> true;
    };
  }

  /** Hands an entry to the collector; whether its children are to be looked at. */
  private boolean take(ScanPlan plan, int entry, int ordinal, long parent, int inEnum) {
    switch (plan.kind) {
      case NOTHING -> {
        return false;
      }
      case SCOPE -> {
        return true;
      }
      case ENUMERATOR -> {
        if (inEnum != 0 && nameIs != NO_NAME) {
          add(DwarfNames.Kind.ENUMERATOR, inEnum, ordinal, parent, place);
        }
        return false;
      }
      case BASE -> {
        if (nameIs != NO_NAME) {
          add(DwarfNames.Kind.BASE, entry, ordinal, parent, size);
        }
        return false;
      }
      case TYPEDEF -> {
        if (nameIs != NO_NAME) {
          add(DwarfNames.Kind.TYPEDEF, entry, ordinal, parent, line);
        }
        return false;
      }
      case STRUCT, UNION, ENUM -> {
        var kind =
            switch (plan.kind) {
              case UNION -> DwarfNames.Kind.UNION;
              case ENUM -> DwarfNames.Kind.ENUM;
              default -> DwarfNames.Kind.STRUCT;
            };
        boolean first = nameIs == NO_NAME;
        if (nameIs != NO_NAME) {
          first = add(kind, entry, ordinal, parent, declaration ? 0 : (size << 32) ^ line);
        }
        return kind == DwarfNames.Kind.ENUM ? first : scoped;
      }
      case VARIABLE -> {
        if (plan.tag == Tag.VARIABLE && (hasPlace || nameIs != NO_NAME)) {
          declaration = !hasPlace;
          addOrOrigin(DwarfNames.Kind.VARIABLE, entry, ordinal, parent, declaration ? line : place);
        }
        return false;
      }
      case FUNCTION -> {
        if (hasCode || (hasInline && !hasOrigin)) {
          addOrOrigin(DwarfNames.Kind.FUNCTION, entry, ordinal, parent, hasCode ? code : line);
        }
        return false;
      }
    }
    return false;
  }

  private void addOrOrigin(
      DwarfNames.Kind kind, int entry, int ordinal, long parent, long difference) {
    if (!late && scoped && hasOrigin && !originIsFar && origin > entry) {
      early.add(new Early(entry, parent));
      return;
    }
    boolean wasExternal = external;
    boolean wasDeclaration = declaration;
    boolean named = nameIs != NO_NAME;
    long scope = parent;
    int behind = at;
    long wasSibling = sibling;
    if (hasOrigin) {
      boolean own = named;
      int wasIs = nameIs;
      long wasAt = nameAt;
      scope = followOrigin(scope);
      wasExternal |= external;
      if (own) {
        nameIs = wasIs;
        nameAt = wasAt;
      }
      named = nameIs != NO_NAME;
      declaration = wasDeclaration;
    }
    external = wasExternal;
    if (named) {
      add(kind, entry, ordinal, scope, difference);
    }
    at = behind;
    sibling = wasSibling;
  }

  /** Reads the name of what the entry at hand completes; the hash of the scope which that is in. */
  private long followOrigin(long parent) {
    for (int step = 0; step < MAX_ORIGINS; step++) {
      if (originIsFar) {
        farName();
        return parent;
      }
      if (origin < unit.firstDie() - unit.offset() || origin >= end) {
        throw unit.bad(
            unit.offset() + at,
            "reference 0x" + Long.toHexString(origin) + " leads outside of its unit");
      }
      int target = (int) origin;
      at = target;
      ScanPlan plan = plan(uleb(), target);
      values(plan);
      if (nameIs != NO_NAME || !hasOrigin) {
        return scoped ? scopeAround(target) : NameHash.START;
      }
    }
    nameIs = NO_NAME;
    return parent;
  }

  /** The name of an entry in another unit, which links of whole programs have. */
  private void farName() {
    Die die = unit.dwarf().die(origin + unit.contributions().info());
    var owner = die.owner(At.NAME);
    var name = owner.flatMap(Die::name);
    if (name.isEmpty()) {
      nameIs = NO_NAME;
      return;
    }
    nameBytes = name.get().getBytes(StandardCharsets.UTF_8);
    nameLength = nameBytes.length;
    nameIs = ELSEWHERE;
  }

  private boolean add(DwarfNames.Kind kind, int entry, int ordinal, long parent, long difference) {
    long key;
    boolean pooled = nameIs == POOLED && plainStrings && parent == NameHash.START;
    key = pooled ? nameAt : hashName(parent) | (1L << 63);
    if (!collector.isNew(key, kind, declaration, difference)) {
      return false;
    }
    long hash = pooled ? hashName(parent) : key;
    collector.add(NameHash.fold(hash), kind, declaration, external, ordinal, entry);
    return true;
  }

  /** The hash of the entry's name behind that of its scope. */
  private long hashName(long parent) {
    switch (nameIs) {
      case POOLED -> {
        loadPooled();
        return NameHash.of(parent, nameBytes, 0, nameLength) & Long.MAX_VALUE;
      }
      case IN_PLACE -> {
        int start = (int) nameAt;
        int stop = start;
        while (stop < end && bytes[stop] != 0) {
          stop++;
        }
        return NameHash.of(parent, bytes, start, stop) & Long.MAX_VALUE;
      }
      default -> {
        return NameHash.of(parent, nameBytes, 0, nameLength) & Long.MAX_VALUE;
      }
    }
  }

  private void loadPooled() {
    if (text == null || nameAt < 0 || nameAt >= text.size()) {
      throw new BadDataException(
          text == null ? unit.section().name() : text.name(), nameAt, "no string there");
    }
    int length = 64;
    while (true) {
      int wanted = (int) Math.min(length, text.size() - nameAt);
      if (nameBytes.length < wanted) {
        nameBytes = new byte[length];
      }
      text.copy(nameAt, wanted, MemorySegment.ofArray(nameBytes), 0);
      for (int i = 0; i < wanted; i++) {
        if (nameBytes[i] == 0) {
          nameLength = i;
          return;
        }
      }
      if (wanted < length || length >= Forms.MAX_STRING) {
        throw new BadDataException(text.name(), nameAt, "string does not end");
      }
      length *= 4;
    }
  }

  private void skipChildren(int entry) {
    if (sibling != 0) {
      if (sibling <= entry || sibling > end) {
        throw unit.bad(
            unit.offset() + entry,
            "sibling at 0x"
                + Long.toHexString(unit.offset() + sibling)
                + " is not behind the entry");
      }
      at = (int) sibling;
      return;
    }
    int depth = 1;
    while (depth > 0 && at < end) {
      int child = at;
      long abbreviationCode = uleb();
      if (abbreviationCode == 0) {
        depth--;
        continue;
      }
      ScanPlan plan = plan(abbreviationCode, child);
      if (plan.fixedSize >= 0) {
        at += plan.fixedSize;
      } else {
        skip(plan);
      }
      if (at > end) {
        throw unit.bad(unit.offset() + child, "entry goes on past the end of its unit");
      }
      if (plan.hasChildren) {
        depth++;
      }
    }
  }

  private void skip(ScanPlan plan) {
    int[] sizes = plan.sizes;
    for (int i = 0; i < sizes.length; i++) {
      if (sizes[i] >= 0) {
        at += sizes[i];
      } else {
        skipForm(plan.forms[i]);
      }
    }
  }

  /** Reads the values of an entry that count. */
  private void values(ScanPlan plan) {
    nameIs = NO_NAME;
    size = 0;
    line = 0;
    code = 0;
    place = 0;
    sibling = 0;
    declaration = false;
    external = false;
    hasCode = false;
    hasPlace = false;
    hasInline = false;
    hasOrigin = false;
    if (plan.fixedSize >= 0) {
      at += plan.fixedSize;
      return;
    }
    int[] roles = plan.roles;
    int[] sizes = plan.sizes;
    for (int i = 0; i < roles.length; i++) {
      int fixed = sizes[i];
      switch (roles[i]) {
        case ScanPlan.SKIP -> {
          if (fixed >= 0) {
            at += fixed;
          } else {
            skipForm(plan.forms[i]);
          }
        }
        case ScanPlan.NAME -> name(plan.forms[i], fixed);
        case ScanPlan.SIZE -> size = value(plan, i, fixed);
        case ScanPlan.LINE -> line = value(plan, i, fixed);
        case ScanPlan.DECLARATION -> declaration = flag(plan, i, fixed);
        case ScanPlan.EXTERNAL -> external = flag(plan, i, fixed);
        case ScanPlan.SIBLING -> sibling = value(plan, i, fixed);
        case ScanPlan.ORIGIN -> {
          hasOrigin = true;
          int form = plan.forms[i];
          originIsFar =
              form == Form.REF_ADDR
                  || form == Form.GNU_REF_ALT
                  || form == Form.REF_SUP4
                  || form == Form.REF_SUP8
                  || form == Form.REF_SIG8;
          origin = value(plan, i, fixed);
          if (originIsFar && form != Form.REF_ADDR) {
            hasOrigin = false; // its file's own units tell the name
          }
        }
        case ScanPlan.CODE -> {
          hasCode = true;
          code = 31 * code + value(plan, i, fixed) + (isIndex(plan.forms[i]) ? ofUnit : 0);
        }
        case ScanPlan.PLACE -> {
          hasPlace = true;
          place = 31 * place + value(plan, i, fixed);
        }
        case ScanPlan.INLINE -> hasInline = value(plan, i, fixed) != 0;
        case ScanPlan.TYPE -> {
          // a declaration whose definition is in a type unit
          declaration = true;
          var _ = value(plan, i, fixed);
        }
        default -> throw new IllegalStateException("role " + roles[i]);
      }
    }
  }

  /** Whether a value means something else in each unit. */
  private static boolean isIndex(int form) {
    return switch (form) {
      case Form.ADDRX,
          Form.ADDRX1,
          Form.ADDRX2,
          Form.ADDRX3,
          Form.ADDRX4,
          Form.GNU_ADDR_INDEX,
          Form.RNGLISTX ->
          true;
      default -> false;
    };
  }

  private boolean flag(ScanPlan plan, int step, int fixed) {
    return plan.forms[step] == Form.FLAG_PRESENT || value(plan, step, fixed) != 0;
  }

  private void name(int form, int fixed) {
    switch (form) {
      case Form.STRP -> {
        nameIs = POOLED;
        nameAt = number(fixed);
      }
      case Form.STRING -> {
        nameIs = IN_PLACE;
        nameAt = at;
        skipForm(form);
      }
      default -> {
        var read = formValue(form);
        byte[] utf8 = unit.string(read).getBytes(StandardCharsets.UTF_8);
        nameIs = ELSEWHERE;
        nameBytes = utf8.length == 0 ? new byte[1] : utf8;
        nameLength = utf8.length;
      }
    }
  }

  /** A value that is read the slow way. */
  private FormValue formValue(int form) {
    var in = unit.cursor(unit.offset() + at);
    var read = Forms.read(in, unit.encoding(), form, 0);
    at = (int) (in.offset() - unit.offset());
    return read;
  }

  /** The number of a value; of a block a hash of its bytes. */
  private long value(ScanPlan plan, int step, int fixed) {
    int form = plan.forms[step];
    if (fixed >= 0) {
      if (form == Form.IMPLICIT_CONST) {
        return plan.constants[step];
      }
      if (form == Form.FLAG_PRESENT) {
        return 1;
      }
      if (form == Form.DATA16) {
        at += 16;
        return 0;
      }
      return number(fixed);
    }
    switch (form) {
      case Form.EXPRLOC, Form.BLOCK -> {
        return hashBlock(uleb());
      }
      case Form.BLOCK1 -> {
        return hashBlock(number(1));
      }
      case Form.UDATA, Form.REF_UDATA, Form.ADDRX, Form.LOCLISTX, Form.RNGLISTX -> {
        return uleb();
      }
      default -> {
        return formValue(form).value();
      }
    }
  }

  private long hashBlock(long length) {
    if (length < 0 || length > end - at) {
      throw unit.bad(
          unit.offset() + at, "block of " + length + " bytes in a unit that ends before");
    }
    boolean indexed = length > 0 && DwOp.isIndexed(bytes[at] & 0xff);
    long hash = length + (indexed ? ofUnit : 0);
    int stop = at + (int) length;
    for (int i = at; i < stop; i++) {
      hash = 31 * hash + bytes[i];
    }
    at = stop;
    return hash;
  }

  private void skipForm(int form) {
    switch (form) {
      case Form.EXPRLOC, Form.BLOCK -> skipBlock(uleb());
      case Form.BLOCK1 -> skipBlock(number(1));
      case Form.BLOCK2 -> skipBlock(number(2));
      case Form.BLOCK4 -> skipBlock(number(4));
      case Form.STRING -> {
        while (bytes[at] != 0 && at < end) {
          at++;
        }
        at++;
      }
      case Form.SDATA,
          Form.UDATA,
          Form.REF_UDATA,
          Form.STRX,
          Form.ADDRX,
          Form.LOCLISTX,
          Form.RNGLISTX,
          Form.GNU_ADDR_INDEX,
          Form.GNU_STR_INDEX -> {
        while (bytes[at++] < 0) {
          if (at > end) {
            throw unit.bad(unit.offset() + end, "number goes on past the end of its unit");
          }
        }
      }
      default -> {
        var _ = formValue(form);
      }
    }
  }

  private void skipBlock(long length) {
    if (length < 0 || length > end - at) {
      throw unit.bad(
          unit.offset() + at, "block of " + length + " bytes in a unit that ends before");
    }
    at += (int) length;
  }

  private long uleb() {
    int b = bytes[at++];
    if (b >= 0) {
      return b;
    }
    long value = b & 0x7f;
    for (int shift = 7; shift < 64; shift += 7) {
      b = bytes[at++];
      value |= (long) (b & 0x7f) << shift;
      if (b >= 0) {
        return value;
      }
    }
    throw unit.bad(unit.offset() + at, "LEB128 number is longer than 64 bits");
  }

  /** An unsigned number of that many bytes; more than eight are skipped. */
  private long number(int count) {
    if (at > end) {
      throw unit.bad(unit.offset() + end, "entry goes on past the end of its unit");
    }
    int from = at;
    at += count;
    return switch (count) {
      case 1 -> bytes[from] & 0xff;
      case 2 -> (short) (little ? U16L : U16B).get(bytes, from) & 0xffff;
      case 4 -> (int) (little ? U32L : U32B).get(bytes, from) & 0xffffffffL;
      case 8 -> (long) (little ? U64L : U64B).get(bytes, from);
      case 3 ->
          little
              ? ((bytes[from + 2] & 0xff) << 16)
                  | ((bytes[from + 1] & 0xff) << 8)
                  | (bytes[from] & 0xff)
              : ((bytes[from] & 0xff) << 16)
                  | ((bytes[from + 1] & 0xff) << 8)
                  | (bytes[from + 2] & 0xff);
      default -> 0;
    };
  }
}
