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
import java.util.Optional;

/**
 * The namespaces and classes around entries, which entries themselves do not tell. Those of a unit
 * are looked up when first asked for and kept, and so are those in a function. Anonymous ones are
 * seen through. Within a function names count from there. Used by one thread.
 */
final class Scopes {
  /** As deep as the index of names looks. */
  private static final int MAX_DEPTH = 64;

  private static final int NO_PARENT = -1;

  /**
   * The scopes of a unit, or in one of its functions, in order of their start.
   *
   * @param parent the number of the scope around it; {@link #NO_PARENT} at the top
   * @param isClosed whether it is a function that is not looked into yet
   */
  private record Scope(long start, long end, String name, int parent, boolean isClosed) {}

  private final Map<Unit, List<Scope>> known = new IdentityHashMap<>();
  private final Map<Scope, List<Scope>> inFunctions = new IdentityHashMap<>();

  /** The name of an entry with what it is in, such as {@code std::vector<int>::iterator}. */
  String qualified(Die die, String name) {
    if (!hasScopes(die.unit())) {
      return name;
    }
    var scopes = known.computeIfAbsent(die.unit(), Scopes::read);
    var around = around(scopes, die);
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

  /** Whether a unit is of an assembler, which tells of functions where they are and no more. */
  static boolean isAssembler(Unit unit) {
    return unit.language().orElse(0) == 0x8001; // DW_LANG_Mips_Assembler, of all assemblers
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

  private String around(List<Scope> scopes, Die die) {
    var scope = innermost(scopes, die.offset());
    if (scope.isPresent() && scope.get().isClosed()) {
      var inside =
          inFunctions.computeIfAbsent(
              scope.get(), function -> read(die.unit().die(function.start()), function.end()));
      scope = innermost(inside, die.offset());
    }
    return scope.map(Scope::name).orElse("");
  }

  private static Optional<Scope> innermost(List<Scope> scopes, long offset) {
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
    // What is before that and does not hold it has ended before it.
    while (high >= 0 && offset >= scopes.get(high).end()) {
      high = scopes.get(high).parent();
    }
    return high >= 0 ? Optional.of(scopes.get(high)) : Optional.empty();
  }

  private static List<Scope> read(Unit unit) {
    var found = new ArrayList<Scope>();
    collect(unit.root(), new Scope(0, unit.end(), "", NO_PARENT, false), found, 0, false);
    return found;
  }

  private static List<Scope> read(Die function, long end) {
    var found = new ArrayList<Scope>();
    collect(function, new Scope(0, end, "", NO_PARENT, false), found, 0, true);
    return found;
  }

  /**
   * @param around what the entries are in; its parent is the number of the scope for which they are
   * @param inside whether that is a function, which is looked through with its blocks; functions
   *     elsewhere are left to be looked into when one of their entries is asked about
   */
  private static void collect(
      Die parent, Scope around, List<Scope> found, int depth, boolean inside) {
    for (var child = parent.firstChild(); child.isPresent(); ) {
      var die = child.get();
      var next = die.next();
      if (die.hasChildren() && depth < MAX_DEPTH) {
        long stop = next.map(Die::offset).orElse(around.end());
        if (isScope(die.tag())) {
          var own = die.owner(At.NAME).flatMap(Die::name).orElse("");
          var name = around.name();
          var whole = own.isEmpty() ? name : name.isEmpty() ? own : name + "::" + own;
          collect(die, add(die, stop, whole, around, found, false), found, depth + 1, inside);
        } else if (die.tag() == Tag.SUBPROGRAM && !die.has(At.DECLARATION)) {
          var function = add(die, stop, "", around, found, !inside);
          if (inside) {
            collect(die, function, found, depth + 1, true);
          }
        } else if (inside && die.tag() == Tag.LEXICAL_BLOCK) {
          collect(
              die,
              new Scope(die.offset(), stop, around.name(), around.parent(), false),
              found,
              depth + 1,
              true);
        }
      }
      child = next;
    }
  }

  /** Adds a scope; what is in it has the answer around it, whose parent is the scope's number. */
  private static Scope add(
      Die die, long stop, String name, Scope around, List<Scope> found, boolean closed) {
    found.add(new Scope(die.offset(), stop, name, around.parent(), closed));
    return new Scope(die.offset(), stop, name, found.size() - 1, false);
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
