// SPDX-License-Identifier: Apache-2.0
package dev.fathom.lang;

import dev.fathom.model.Value;
import dev.fathom.model.type.CompositeType;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** The tables of virtual functions that an object of C++ has, one for each part with its own. */
public final class VirtualTables {
  /** More parts than an object has. */
  private static final int PARTS_LIMIT = 1000;

  /**
   * A table.
   *
   * @param part of the object: the largest that begins there
   * @param address where the part's first word leads
   * @param functions how many functions its classes declare, at least one; hostile debug
   *     information says what it likes
   */
  public record Table(Value.Ref part, long address, long functions) {}

  private static final class Found {
    private final Value.Ref part;
    private long functions;

    Found(Value.Ref part) {
      this.part = part;
    }
  }

  private VirtualTables() {}

  /**
   * The tables in the order of the parts. Reads memory.
   *
   * @return none where the object's class has no virtual functions
   */
  public static List<Table> of(Value.Ref object) {
    var found = new ArrayList<Found>();
    add(object, found, new HashSet<>());
    found.sort(Comparator.comparing(f -> f.part.address(), Long::compareUnsigned));
    var tables = new ArrayList<Table>();
    int word = object.program().memory().layout().wordBytes();
    for (var one : found) {
      if (one.functions > 0) {
        long table = one.part.space().unsigned(one.part.address(), word);
        tables.add(new Table(one.part, table, one.functions));
      }
    }
    return tables;
  }

  private static void add(Value.Ref at, List<Found> found, Set<String> seen) {
    if (!(at.type().resolved() instanceof CompositeType type)
        || !type.isCxx()
        || !DynamicTypes.isDynamic(type)
        || seen.size() >= PARTS_LIMIT
        || !seen.add(type.name() + "@" + at.address())) {
      return;
    }
    var own = found.stream().filter(f -> f.part.address() == at.address()).findFirst().orElse(null);
    if (own == null) {
      own = new Found(at);
      found.add(own);
    }
    for (var method : type.methods()) {
      if (method.isVirtual() && method.slot().isPresent()) {
        own.functions = Math.max(own.functions, method.slot().getAsLong() + 1);
      }
    }
    for (var base : BaseClasses.of(at)) {
      add(base, found, seen);
    }
  }
}
