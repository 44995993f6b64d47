// SPDX-License-Identifier: Apache-2.0
package dev.fathom.lang;

import dev.fathom.model.CxxNames;
import dev.fathom.model.Value;
import dev.fathom.model.type.CompositeType;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;

/** The operators that classes of C++ have: functions that are called for their objects. */
final class ClassOperators {
  private ClassOperators() {}

  /** Whether a value is an object that operators may be made for. */
  static boolean isObject(Value value) {
    return value instanceof Value.Ref
        && value.type().resolved() instanceof CompositeType c
        && c.isCxx()
        && !c.isComplex();
  }

  /**
   * The functions of an operator outside of classes, in what the operands' classes are in (C++17
   * section 6.4.2).
   *
   * @param name such as {@code operator+}
   */
  static List<Scope.Function> functions(Scope scope, String name, List<Value> operands) {
    var names = new LinkedHashSet<String>();
    for (var operand : operands) {
      if (operand.type().resolved() instanceof CompositeType c) {
        int end = CxxNames.scopeEnd(c.name());
        names.add(end < 0 ? name : c.name().substring(0, end) + "::" + name);
      }
    }
    names.add(name);
    var found = new ArrayList<Scope.Function>();
    var seen = new HashSet<Long>();
    for (var whole : names) {
      scope.functions(whole).stream()
          .filter(function -> isCalled(function.name(), whole))
          .filter(function -> seen.add(function.code().address()))
          .forEach(found::add);
    }
    return found;
  }

  /** Whether a function is called so; those that templates made have their result in front. */
  private static boolean isCalled(String function, String name) {
    return function.startsWith(name + "(")
        || function.startsWith(name + "<")
        || function.contains(" " + name + "<");
  }
}
