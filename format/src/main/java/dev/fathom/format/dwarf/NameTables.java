// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.dwarf;

import dev.fathom.base.BadDataException;
import dev.fathom.base.ByteSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.BiFunction;

/**
 * Decides which of a file's tables of names is used: the first that is whole, is about the units
 * that the file has, and has the functions that a sample of them defines.
 *
 * @param table the one to use
 * @param problems why others are not
 */
public record NameTables(Optional<NameTable> table, List<BadDataException> problems) {
  /** Units that are compared with the table. */
  private static final int SAMPLE = 8;

  /** Functions of such a unit that are looked up. */
  private static final int FUNCTIONS = 8;

  /** Entries of such a unit that are looked at for them. */
  private static final int MAX_ENTRIES = 4096;

  public NameTables {
    problems = List.copyOf(problems);
  }

  /** The tables of a file. Of one with a supplementary file none is used, they leave that out. */
  static NameTables of(Dwarf dwarf) {
    var problems = new ArrayList<BadDataException>();
    var table = read(dwarf, ".debug_names", DebugNames::read, problems);
    if (table.isEmpty()) {
      table = read(dwarf, ".gdb_index", GdbIndex::read, problems);
    }
    return new NameTables(table, problems);
  }

  private static Optional<NameTable> read(
      Dwarf dwarf,
      String section,
      BiFunction<ByteSource, Dwarf, NameTable> reader,
      List<BadDataException> problems) {
    try {
      var bytes = dwarf.section(section);
      if (bytes.isEmpty() || dwarf.supplementary().isPresent()) {
        return Optional.empty();
      }
      var table = reader.apply(bytes.get(), dwarf);
      compare(table, dwarf);
      return Optional.of(table);
    } catch (BadDataException e) {
      problems.add(e);
      return Optional.empty();
    }
  }

  /** Whether a unit is one that all tables must be about. */
  static boolean isListed(Unit unit) {
    return unit.kind() == Unit.Kind.COMPILE || unit.kind() == Unit.Kind.SKELETON;
  }

  private static void compare(NameTable table, Dwarf dwarf) {
    var units = dwarf.units().stream().filter(NameTables::isListed).toList();
    int count = Math.min(SAMPLE, units.size());
    for (int i = 0; i < count; i++) {
      var unit = units.get((int) ((long) i * units.size() / count));
      for (var function : functions(unit.split().orElse(unit))) {
        if (!table.find(function).values().contains(unit)) {
          throw new BadDataException(
              table.name(),
              0,
              "does not say that '"
                  + function
                  + "' is in the unit at 0x"
                  + Long.toHexString(unit.offset())
                  + ", which defines it");
        }
      }
    }
  }

  /** Some functions that a unit defines for others, of those whose names are the same in C. */
  private static List<String> functions(Unit unit) {
    var found = new ArrayList<String>();
    var child = unit.root().firstChild();
    for (int i = 0; i < MAX_ENTRIES && child.isPresent() && found.size() < FUNCTIONS; i++) {
      var die = child.get();
      if (die.tag() == Tag.SUBPROGRAM
          && die.flag(At.EXTERNAL)
          && die.has(At.LOW_PC)
          && !die.has(At.LINKAGE_NAME)
          && !die.has(At.MIPS_LINKAGE_NAME)) {
        die.name().ifPresent(found::add);
      }
      child = die.next();
    }
    return found;
  }
}
