// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.dwarf;

import dev.fathom.base.BadDataException;
import dev.fathom.base.ByteCursor;
import dev.fathom.base.ByteSource;
import dev.fathom.base.Range;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Optional;

/**
 * {@code .gdb_index} of versions 7 to 9, which gdb, gold, lld and mold write (GDB's manual, "Index
 * Section Format"). Older ones are not read by gdb either. Always little-endian.
 *
 * <pre>
 *   section  = version, offsets of what follows: units, type units, addresses, symbols,
 *              (version 9: main,) pool
 *   unit     = offset:8 length:8
 *   type     = offset:8 offset of the type in it:8 signature:8
 *   address  = low:8 high:8 unit:4
 *   symbol   = name in the pool:4, vector in the pool:4; both 0 in an empty slot of the hash table
 *   vector   = count:4 (unit:24, reserved:4, kind:3, static:1)...
 * </pre>
 *
 * <p>gdb 13 lists only the first unit that has a name, be it a declaration.
 */
public final class GdbIndex implements NameTable {
  private static final int UNIT_BYTES = 16;
  private static final int TYPE_BYTES = 24;
  private static final int ADDRESS_BYTES = 20;
  private static final int SLOT_BYTES = 8;
  private static final int UNIT_MASK = 0xffffff;
  private static final int KIND_SHIFT = 28;
  private static final int KIND_MASK = 7;
  private static final int TYPE = 1;
  private static final int VARIABLE = 2;
  private static final int FUNCTION = 3;

  /** More than any file has. */
  private static final int MAX_ADDRESSES = 1 << 22;

  private final ByteSource section;
  private final List<Unit> units;
  private final long addresses;
  private final long symbols;
  private final long slots;
  private final long pool;

  private GdbIndex(
      ByteSource section, List<Unit> units, long addresses, long symbols, long slots, long pool) {
    this.section = section;
    this.units = units;
    this.addresses = addresses;
    this.symbols = symbols;
    this.slots = slots;
    this.pool = pool;
  }

  /**
   * Reads the header and the lists of units.
   *
   * @throws BadDataException when they are malformed, or the units are not those of the file
   */
  static GdbIndex read(ByteSource section, Dwarf dwarf) {
    var in = section.cursor(0, ByteOrder.LITTLE_ENDIAN);
    long version = in.u32();
    if (version < 7 || version > 9) {
      throw in.bad(0, "version " + version + ", expected 7 to 9");
    }
    var areas = new long[version == 9 ? 6 : 5];
    for (int i = 0; i < areas.length; i++) {
      long from = i == 0 ? 4 + 4L * areas.length : areas[i - 1];
      areas[i] = in.u32();
      if (areas[i] < from || areas[i] > section.size()) {
        throw in.bad(
            4 + 4L * i,
            "area "
                + i
                + " begins at 0x"
                + Long.toHexString(areas[i])
                + ", expected 0x"
                + Long.toHexString(from)
                + " to the section's end 0x"
                + Long.toHexString(section.size()));
      }
    }
    long unitBytes = areas[1] - areas[0];
    long typeBytes = areas[2] - areas[1];
    long slots = (areas[4] - areas[3]) / SLOT_BYTES;
    if (unitBytes % UNIT_BYTES != 0 || typeBytes % TYPE_BYTES != 0) {
      throw in.bad(4, "list of units of 0x" + Long.toHexString(unitBytes) + " bytes");
    }
    if (Long.bitCount(slots) > 1 || (areas[4] - areas[3]) % SLOT_BYTES != 0) {
      throw in.bad(4 + 4 * 3, slots + " slots, expected a power of 2");
    }
    var units = new ArrayList<Unit>();
    in.seek(areas[0]);
    listed(in, unitBytes / UNIT_BYTES, dwarf, units);
    types(in, typeBytes / TYPE_BYTES, dwarf, units);
    return new GdbIndex(section, units, areas[2], areas[3], slots, areas[areas.length - 1]);
  }

  private static void listed(ByteCursor in, long count, Dwarf dwarf, List<Unit> found) {
    var known = new HashMap<Long, Unit>();
    for (var unit : dwarf.units()) {
      if (unit.typeSignature().isEmpty()) {
        known.put(unit.offset(), unit);
      }
    }
    for (long i = 0; i < count; i++) {
      long at = in.offset();
      var unit = known.remove(in.u64());
      long length = in.u64();
      if (unit == null || length != unit.end() - unit.offset()) {
        throw in.bad(at, "unit " + i + " is not where the index has it; it is of another file");
      }
      found.add(unit);
    }
    for (var unit : known.values()) {
      if (NameTables.isListed(unit)) {
        throw in.bad(in.offset(), "does not have the unit at 0x" + Long.toHexString(unit.offset()));
      }
    }
  }

  private static void types(ByteCursor in, long count, Dwarf dwarf, List<Unit> found) {
    for (long i = 0; i < count; i++) {
      long at = in.offset();
      long offset = in.u64();
      in.skip(8);
      var unit = dwarf.typeUnit(in.u64());
      if (unit.isEmpty() || unit.get().offset() != offset) {
        throw in.bad(at, "type unit " + i + " is not where the index has it");
      }
      found.add(unit.get());
    }
  }

  @Override
  public String name() {
    return section.name();
  }

  @Override
  public Listed find(String qualifiedName) {
    byte[] wanted = qualifiedName.getBytes(StandardCharsets.UTF_8);
    int hash = hash(wanted);
    long mask = slots - 1;
    long step = ((hash * 17L) & mask) | 1;
    long slot = hash & mask;
    var in = section.cursor(symbols, ByteOrder.LITTLE_ENDIAN);
    for (long i = 0; i < slots; i++) {
      in.seek(symbols + slot * SLOT_BYTES);
      long name = in.u32();
      long vector = in.u32();
      if (name == 0 && vector == 0) {
        break;
      }
      if (isAt(pool + name, wanted)) {
        return vector(pool + vector);
      }
      slot = (slot + step) & mask;
    }
    return new Listed(List.of(), List.of());
  }

  private boolean isAt(long at, byte[] wanted) {
    if (at >= section.size() - wanted.length) {
      section.check(at, 1);
      return false;
    }
    byte[] bytes = section.bytes(at, wanted.length + 1);
    for (int i = 0; i < wanted.length; i++) {
      if (bytes[i] != wanted[i]) {
        return false;
      }
    }
    return bytes[wanted.length] == 0;
  }

  private Listed vector(long at) {
    var in = section.cursor(at, ByteOrder.LITTLE_ENDIAN);
    long count = in.u32();
    if (count > in.remaining() / 4) {
      throw in.bad(at, "vector of " + count + " units, but the section ends");
    }
    var types = new BitSet();
    var values = new BitSet();
    for (long i = 0; i < count; i++) {
      int item = (int) in.u32();
      int unit = item & UNIT_MASK;
      if (unit >= units.size()) {
        throw in.bad(in.offset() - 4, "unit " + unit + ", but there are " + units.size());
      }
      int kind = (item >>> KIND_SHIFT) & KIND_MASK;
      if (kind != VARIABLE && kind != FUNCTION) {
        types.set(unit);
      }
      if (kind != TYPE) {
        values.set(unit);
      }
    }
    return new Listed(
        types.stream().mapToObj(units::get).toList(),
        values.stream().mapToObj(units::get).toList());
  }

  /** Letters of either case have the same hash. */
  static int hash(byte[] name) {
    int hash = 0;
    for (byte b : name) {
      int c = b >= 'A' && b <= 'Z' ? b + 'a' - 'A' : b & 0xff;
      hash = hash * 67 + c - 113;
    }
    return hash;
  }

  @Override
  public Optional<AddressRanges> addresses() {
    long count = (symbols - addresses) / ADDRESS_BYTES;
    if (count > MAX_ADDRESSES) {
      throw new BadDataException(name(), addresses, count + " ranges of addresses");
    }
    var in = section.cursor(addresses, ByteOrder.LITTLE_ENDIAN);
    var found = new ArrayList<AddressRanges.Entry>();
    for (long i = 0; i < count; i++) {
      long low = in.u64();
      long high = in.u64();
      long unit = in.u32();
      if (unit >= units.size()) {
        throw in.bad(in.offset() - 4, "unit " + unit + ", but there are " + units.size());
      }
      if (Long.compareUnsigned(low, high) < 0) {
        found.add(new AddressRanges.Entry(new Range(low, high), units.get((int) unit).offset()));
      }
    }
    return Optional.of(new AddressRanges(found));
  }
}
