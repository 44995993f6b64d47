// SPDX-License-Identifier: Apache-2.0
package dev.fathom.symbols.source;

import dev.fathom.base.BadDataException;
import dev.fathom.base.Range;
import dev.fathom.format.dwarf.At;
import dev.fathom.format.dwarf.Die;
import dev.fathom.format.dwarf.Tag;
import dev.fathom.format.dwarf.Unit;
import dev.fathom.format.dwarf.UnitLists;
import dev.fathom.model.source.SourceInfo.FunctionCode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Looks for the code of functions of one name: their own, and the copies that were inlined. These
 * are in units that have code of the file which the function is declared in; only such units are
 * read.
 */
final class FunctionSearch {
  // DW_INL_*, DWARF 5, section 7.20
  private static final int INLINED = 1;
  private static final int DECLARED_INLINED = 3;

  /** Deeper than any function's blocks and inlined functions. */
  private static final int MAX_DEPTH = 256;

  private final DwarfSource source;
  private final int limit;
  private final Map<Long, FunctionCode> found = new LinkedHashMap<>();

  /** Whether copies of what an entry describes are looked for, for those that were asked about. */
  private final Map<Die, Boolean> wanted = new HashMap<>();

  private final List<Abstract> abstracts = new ArrayList<>();

  /** A function of which there are copies, whichever unit describes it. */
  private record Abstract(String name, String path, long line) {}

  /**
   * @param limit the search ends when it has found as many places
   */
  FunctionSearch(DwarfSource source, int limit) {
    this.source = source;
    this.limit = limit;
  }

  /**
   * @param name without parameters
   * @param parameters what the names of symbols have behind that; empty for all functions
   */
  List<FunctionCode> find(String name, Optional<String> parameters) {
    var units = new LinkedHashMap<Long, Unit>();
    var seen = new HashSet<Abstract>();
    for (var die : source.functionsNamed(name)) {
      try {
        if (parameters.isPresent() && !hasParameters(die, name + parameters.get())) {
          continue;
        }
        if (hasCode(die)) {
          add(die, name, false);
        }
        var origin = die.withOrigins().getLast();
        var declared = inlined(die) ? describe(die, name) : Optional.<Abstract>empty();
        if (declared.isPresent() && seen.add(declared.get())) {
          abstracts.add(declared.get());
          source.unitsOf(declared.get().path()).forEach(unit -> units.put(unit.offset(), unit));
          units.put(origin.unit().offset(), origin.unit());
        }
      } catch (BadDataException e) {
        source.problem(e);
      }
    }
    for (var unit : units.values()) {
      look(unit);
    }
    return List.copyOf(found.values());
  }

  /** Whether a function is called so by its symbol. */
  private static boolean hasParameters(Die function, String whole) {
    return DwarfSource.linkageName(function).filter(whole::equals).isPresent();
  }

  private static boolean hasCode(Die die) {
    return (die.has(At.LOW_PC) || die.has(At.RANGES)) && !UnitLists.ranges(die).isEmpty();
  }

  private static boolean inlined(Die function) {
    for (var die : function.withOrigins()) {
      long how = die.number(At.INLINE).orElse(0);
      if (how == INLINED || how == DECLARED_INLINED) {
        return true;
      }
    }
    return false;
  }

  private Optional<Abstract> describe(Die function, String name) {
    return source.declared(function).map(line -> new Abstract(name, line.path(), line.line()));
  }

  private void look(Unit unit) {
    try {
      Set<Long> seen = new HashSet<>();
      for (var function : source.functionsOf(unit)) {
        if (seen.add(function.offset())) {
          look(function, 0);
        }
      }
    } catch (BadDataException e) {
      source.problem(e);
    }
  }

  private void look(Die parent, int depth) {
    for (var child = parent.firstChild();
        child.isPresent() && found.size() < limit;
        child = child.get().next()) {
      var die = child.get();
      switch (die.tag()) {
        case Tag.INLINED_SUBROUTINE, Tag.LEXICAL_BLOCK, Tag.TRY_BLOCK, Tag.CATCH_BLOCK -> {
          if (die.tag() == Tag.INLINED_SUBROUTINE) {
            name(die).filter(_ -> hasCode(die)).ifPresent(name -> add(die, name, true));
          }
          if (depth < MAX_DEPTH) {
            look(die, depth + 1);
          }
        }
        default -> {}
      }
    }
  }

  /** The name of the function that was inlined, where it is one of those that are looked for. */
  private Optional<String> name(Die inlined) {
    var origin = inlined.reference(At.ABSTRACT_ORIGIN);
    if (origin.isEmpty() || !wanted.computeIfAbsent(origin.get(), this::isWanted)) {
      return Optional.empty();
    }
    return source.nameOf(origin.get());
  }

  private boolean isWanted(Die origin) {
    var name = source.nameOf(origin);
    return name.isPresent()
        && abstracts.stream().anyMatch(one -> one.name().equals(name.get()))
        && describe(origin, name.get()).filter(abstracts::contains).isPresent();
  }

  /**
   * Where a copy is entered. gcc may tell a place between its pieces, to which other functions'
   * instructions were moved: then it is the next piece.
   */
  private static long entryOfCopy(Die die) {
    var ranges = UnitLists.ranges(die);
    var entry = die.attribute(At.ENTRY_PC);
    long first = ranges.getFirst().start();
    if (entry.isEmpty() || entry.get().isConstant()) {
      return first;
    }
    long told = die.unit().address(entry.get());
    if (ranges.stream().anyMatch(range -> range.contains(told))) {
      return told;
    }
    return ranges.stream()
        .map(Range::start)
        .filter(start -> Long.compareUnsigned(start, told) > 0)
        .min(Long::compareUnsigned)
        .orElse(first);
  }

  private void add(Die die, String name, boolean inlined) {
    var address = source.placed(inlined ? entryOfCopy(die) : source.entryOf(die));
    if (address.isPresent() && found.size() < limit) {
      found.putIfAbsent(
          address.getAsLong(),
          new FunctionCode(address.getAsLong(), name, inlined, source.declared(die)));
    }
  }
}
