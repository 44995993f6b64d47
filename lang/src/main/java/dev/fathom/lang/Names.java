// SPDX-License-Identifier: Apache-2.0
package dev.fathom.lang;

import java.util.List;
import java.util.stream.Stream;

/** Finds the names in an expression that must mean something. */
final class Names {
  private Names() {}

  /** All but those that are called and those of per-CPU variables, in their order. */
  static Stream<Expr.Name> in(Expr expression) {
    if (expression instanceof Expr.Name name) {
      return Stream.of(name);
    }
    var parts =
        expression instanceof Expr.Call call
            ? call.arguments()
            : expression instanceof Expr.PerCpu perCpu ? List.of(perCpu.cpu()) : expression.parts();
    return parts.stream().flatMap(Names::in);
  }
}
