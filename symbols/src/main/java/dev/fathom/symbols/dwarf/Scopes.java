// SPDX-License-Identifier: Apache-2.0
package dev.fathom.symbols.dwarf;

import dev.fathom.format.dwarf.At;
import dev.fathom.format.dwarf.Die;
import dev.fathom.format.dwarf.Tag;
import dev.fathom.format.dwarf.Unit;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/**
 * The namespaces and classes around entries, which entries themselves do not tell. Those of a unit
 * are looked up when first asked for and kept. Anonymous ones are seen through. Used by one thread.
 */
final class Scopes {
  /** As deep as the index of names looks. */
  private static final int MAX_DEPTH = 64;

  /** The scopes of a unit in order of their start; a scope's parent comes before it. */
  private record Scope(long start, long end, String name) {}

  private final Map<Unit, List<Scope>> known = new IdentityHashMap<>();

  /** The name of an entry with what it is in, such as {@code std::vector<int>::iterator}. */
  String qualified(Die die, String name) {
    if (!hasScopes(die.unit())) {
      return name;
    }
    var scopes = known.computeIfAbsent(die.unit(), Scopes::read);
    var around = around(scopes, die.offset());
    return around.isEmpty() ? name : around + "::" + name;
  }

  /** Whether a unit is of C++, where the name of a class alone is a type. */
  static boolean isCxx(Unit unit) {
    return switch ((int) unit.language().orElse(0)) {
      // DW_LANG_C_plus_plus, ObjC_plus_plus, C_plus_plus_11, _14, _17, _20
      case 0x04, 0x11, 0x1a, 0x21, 0x2a, 0x2b -> true;
      default -> false;
    };
  }

  /** What an entry is in, with {@code ::} behind it; empty at the top. */
  String scope(Die die) {
    return qualified(die, "");
  }

  /** Whether a unit's language has scopes; C has none, and skipping it saves a pass. */
  private static boolean hasScopes(Unit unit) {
    return switch ((int) unit.language().orElse(0)) {
      // DW_LANG_C89, C, C99, C11, C17, Mips_Assembler
      case 0x01, 0x02, 0x0c, 0x1d, 0x2c, 0x8001 -> false;
      default -> true;
    };
  }

  private static String around(List<Scope> scopes, long offset) {
    int low = 0;
    int high = scopes.size() - 1;
    while (low <= high) {
      int middle = (low + high) >>> 1;
      if (scopes.get(middle).start() < offset) {
        low = middle + 1;
      } else {
        high = middle - 1;
      }
    }
    for (int i = high; i >= 0; i--) {
      if (offset < scopes.get(i).end()) {
        return scopes.get(i).name();
      }
    }
    return "";
  }

  private static List<Scope> read(Unit unit) {
    var found = new ArrayList<Scope>();
    collect(unit.root(), "", unit.end(), found, 0);
    return found;
  }

  private static void collect(Die parent, String name, long end, List<Scope> found, int depth) {
    for (var child = parent.firstChild(); child.isPresent(); ) {
      var die = child.get();
      var next = die.next();
      if (die.hasChildren() && isScope(die.tag()) && depth < MAX_DEPTH) {
        var own = die.owner(At.NAME).flatMap(Die::name).orElse("");
        var whole = own.isEmpty() ? name : name.isEmpty() ? own : name + "::" + own;
        long stop = next.map(Die::offset).orElse(end);
        found.add(new Scope(die.offset(), stop, whole));
        collect(die, whole, stop, found, depth + 1);
      }
      child = next;
    }
  }

  private static boolean isScope(int tag) {
    return switch (tag) {
      case Tag.NAMESPACE,
          Tag.MODULE,
          Tag.CLASS_TYPE,
          Tag.STRUCTURE_TYPE,
          Tag.INTERFACE_TYPE,
          Tag.UNION_TYPE ->
          true;
      default -> false;
    };
  }
}
