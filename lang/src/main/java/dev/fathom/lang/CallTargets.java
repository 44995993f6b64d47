// SPDX-License-Identifier: Apache-2.0
package dev.fathom.lang;

import dev.fathom.base.EvalException;
import dev.fathom.model.Program;
import dev.fathom.model.Value;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.FunctionType;
import dev.fathom.model.type.VoidType;
import java.util.List;
import java.util.Optional;

/**
 * What a call calls in the end. A name may stand for a function that another one chooses, which is
 * asked in the program, as its own code does when it starts. What nothing is known of returns what
 * the call is cast to.
 */
final class CallTargets {
  /** A function to call. */
  record Target(long entry, FunctionType type) {}

  private final Scope scope;
  private final Program program;

  CallTargets(Scope scope) {
    this.scope = scope;
    this.program = scope.program();
  }

  /**
   * @param entry where the function begins, or the one that chooses it
   * @param cast what the call is cast to
   * @throws EvalException when what it returns is not known
   */
  Target of(Expr.Call call, long entry, FunctionType type, Optional<CType> cast) {
    if (type.isUnknown() && cast.isEmpty()) {
      throw Cursor.wrong(
          call.span(),
          "what " + name(call) + " returns is not known: cast the call, as in (int)" + text(call));
    }
    long target = type.isByResolver() ? chosen(call, entry) : entry;
    return new Target(
        target, type.isUnknown() ? new FunctionType(cast::orElseThrow, List::of, true) : type);
  }

  private long chosen(Expr.Call call, long resolver) {
    var pointer = program.types().pointerTo(VoidType.VOID);
    var returned = scope.call(resolver, pointer, List.of()).bytes();
    long target = Value.held(program, pointer, returned).asLong();
    if (target == 0) {
      throw Cursor.wrong(
          call.span(),
          "the function at 0x" + Long.toHexString(resolver) + " chooses none for " + name(call));
    }
    return target;
  }

  private static String name(Expr.Call call) {
    return call.function() instanceof Expr.Name n ? "'" + n.name() + "'" : "the function";
  }

  private static String text(Expr.Call call) {
    return call.function() instanceof Expr.Name n ? n.name() + "(...)" : "FUNCTION(...)";
  }
}
