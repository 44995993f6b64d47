// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.dwarf;

import dev.fathom.base.BadDataException;
import dev.fathom.base.ByteCursor;
import dev.fathom.base.ByteSource;
import java.nio.ByteOrder;
import java.util.Optional;

/**
 * The index of a package file, {@code .debug_cu_index} or {@code .debug_tu_index} (DWARF 5, section
 * 7.3.5.3; before it, gcc.gnu.org/wiki/DebugFissionDWP).
 *
 * <pre>
 *   u16 version 5, u16 0 (or u32 version 2), u32 columns, u32 units, u32 slots
 *   slots x u64 signature, slots x u32 row (1 is the first), columns x u32 section id,
 *   units x columns x u32 offset, units x columns x u32 size
 * </pre>
 */
final class PackageIndex {
  private static final int HEADER = 16;
  private static final int MAX_COLUMNS = 16;
  private static final int INFO = 1;
  private static final int TYPES = 2;
  private static final int ABBREV = 3;
  private static final int LINE = 4;
  private static final int LOCATIONS = 5;
  private static final int STR_OFFSETS = 6;
  private static final int RANGE_LISTS = 8;

  private final ByteSource section;
  private final ByteOrder order;
  private final int version;
  private final long columns;
  private final long units;
  private final long slots;

  private PackageIndex(
      ByteSource section, ByteOrder order, int version, long columns, long units, long slots) {
    this.section = section;
    this.order = order;
    this.version = version;
    this.columns = columns;
    this.units = units;
    this.slots = slots;
  }

  /**
   * Reads the header.
   *
   * @throws BadDataException when the version is not known or the tables do not fit
   */
  static PackageIndex read(ByteSource section, ByteOrder order) {
    ByteCursor in = section.cursor(0, order);
    long word = in.u32();
    // Version 5 has two bytes of version and two of padding.
    int version = word == 2 ? 2 : section.cursor(0, order).u16();
    if (version != 2 && version != 5) {
      throw in.bad(0, "package index has version " + version + ", expected 2 or 5");
    }
    long columns = in.u32();
    long units = in.u32();
    long slots = in.u32();
    if (columns > MAX_COLUMNS) {
      throw in.bad(4, columns + " sections in a package index, expected at most " + MAX_COLUMNS);
    }
    if (Long.bitCount(slots) > 1 || units > slots) {
      throw in.bad(
          12, slots + " slots for " + units + " units, expected a power of two that holds them");
    }
    section.check(0, HEADER + slots * 12 + columns * 4 + units * columns * 8);
    return new PackageIndex(section, order, version, columns, units, slots);
  }

  int version() {
    return version;
  }

  /** A unit's signature and where it is. */
  record Row(long signature, Contributions contributions) {}

  /** The unit in a slot of the hash table. */
  Optional<Row> slot(long slot) {
    ByteCursor in = section.cursor(HEADER + slot * 8, order);
    long signature = in.u64();
    long row = in.seek(HEADER + slots * 8 + slot * 4).u32();
    if (row == 0) {
      return Optional.empty();
    }
    if (row > units) {
      throw in.bad(in.offset() - 4, "row " + row + " of a package index with " + units);
    }
    return Optional.of(new Row(signature, contributions(row - 1)));
  }

  long slots() {
    return slots;
  }

  /** The parts of the unit with a signature. */
  Optional<Contributions> find(long signature) {
    if (slots == 0) {
      return Optional.empty();
    }
    long mask = slots - 1;
    long slot = signature & mask;
    long step = ((signature >>> 32) & mask) | 1;
    for (long tries = 0; tries < slots; tries++) {
      var row = slot(slot);
      if (row.isEmpty()) {
        return Optional.empty();
      }
      if (row.get().signature() == signature) {
        return Optional.of(row.get().contributions());
      }
      slot = (slot + step) & mask;
    }
    return Optional.empty();
  }

  private Contributions contributions(long row) {
    long ids = HEADER + slots * 12;
    long offsets = ids + columns * 4 + row * columns * 4;
    ByteCursor in = section.cursor(ids, order);
    var at = new long[RANGE_LISTS + 1];
    for (int column = 0; column < columns; column++) {
      long id = in.seek(ids + 4L * column).u32();
      long offset = in.seek(offsets + 4L * column).u32();
      if (id > 0 && id < at.length) {
        at[(int) id] = offset;
      }
    }
    return new Contributions(
        version == 2 && at[TYPES] != 0 ? at[TYPES] : at[INFO],
        at[ABBREV],
        at[LINE],
        at[LOCATIONS],
        at[STR_OFFSETS],
        version == 2 ? 0 : at[RANGE_LISTS]);
  }
}
