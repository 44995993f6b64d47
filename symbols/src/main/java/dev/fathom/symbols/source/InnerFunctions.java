// SPDX-License-Identifier: Apache-2.0
package dev.fathom.symbols.source;

import dev.fathom.base.Range;
import dev.fathom.format.dwarf.At;
import dev.fathom.format.dwarf.Die;
import dev.fathom.format.dwarf.Tag;
import dev.fathom.format.dwarf.Unit;
import dev.fathom.format.dwarf.UnitLists;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The functions whose entries stand in those of other functions, of their blocks or of classes:
 * lambdas, methods of classes that a function declares, and the nested functions of GNU C.
 */
final class InnerFunctions {
  /** Deeper than any program nests blocks and functions. */
  private static final int MAX_DEPTH = 256;

  private final List<Map.Entry<Range, Die>> found = new ArrayList<>();

  private InnerFunctions() {}

  /** Those of a unit with the code of each. */
  static List<Map.Entry<Range, Die>> of(Unit unit) {
    var all = new InnerFunctions();
    all.collect(unit.root(), false, 0);
    return all.found;
  }

  private void collect(Die parent, boolean within, int depth) {
    if (depth > MAX_DEPTH) {
      return;
    }
    for (var child = parent.firstChild(); child.isPresent(); child = child.get().next()) {
      var die = child.get();
      switch (die.tag()) {
        case Tag.SUBPROGRAM -> {
          if (within && (die.has(At.LOW_PC) || die.has(At.RANGES))) {
            UnitLists.ranges(die).forEach(range -> found.add(Map.entry(range, die)));
          }
          collect(die, true, depth + 1);
        }
        case Tag.CLASS_TYPE,
            Tag.STRUCTURE_TYPE,
            Tag.UNION_TYPE,
            Tag.LEXICAL_BLOCK,
            Tag.TRY_BLOCK,
            Tag.CATCH_BLOCK ->
            collect(die, true, depth + 1);
        case Tag.NAMESPACE, Tag.MODULE -> collect(die, within, depth + 1);
        default -> {}
      }
    }
  }
}
