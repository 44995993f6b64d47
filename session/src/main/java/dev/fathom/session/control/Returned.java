// SPDX-License-Identifier: Apache-2.0
package dev.fathom.session.control;

import dev.fathom.base.UnsupportedException;
import dev.fathom.model.Value;
import dev.fathom.model.arch.x86_64.SystemVCall;
import dev.fathom.model.arch.x86_64.X86_64;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.VoidType;
import dev.fathom.session.Session;
import dev.fathom.target.FloatingRegisters;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Supplier;

/**
 * What a function of x86-64 leaves its caller, by the System V convention ({@link SystemVCall}).
 */
public final class Returned {
  private Returned() {}

  /**
   * The result of a function that has returned at this moment; empty for {@code void}, where the
   * target does not tell of the registers that have it, and on other processors.
   *
   * @param cpu the CPU or thread that it ran on
   */
  public static Optional<Value> value(Session session, int cpu, CType type) {
    var program = session.kernel().program();
    if (program.architecture() != X86_64.INSTANCE
        || type.resolved() instanceof VoidType
        || type.bytes() <= 0
        || type.bytes() > SystemVCall.MAX_BYTES) {
      return Optional.empty();
    }
    var floating = session.target().find(FloatingRegisters.class);
    try {
      if (needsFloating(type) && floating.isEmpty()) {
        return Optional.empty();
      }
      byte[] bytes = bytes(session, cpu, type, OptionalLong.empty(), floating::orElseThrow);
      return Optional.of(Value.held(program, type, bytes));
    } catch (UnsupportedException _) {
      return Optional.empty(); // Nobody can say where values of that type are.
    }
  }

  static boolean needsFloating(CType type) {
    return switch (SystemVCall.result(type)) {
      case REGISTERS -> SystemVCall.usesVectors(type);
      case FLOATING, COMPLEX -> true;
      case MEMORY -> false;
    };
  }

  /**
   * The bytes of a result.
   *
   * @param memory where the caller has it put if it is returned in memory; empty when only the
   *     function's last words, in RAX, tell of that
   */
  static byte[] bytes(
      Session session,
      int cpu,
      CType type,
      OptionalLong memory,
      Supplier<FloatingRegisters> floating) {
    var now = session.target().cpu(cpu).orElseThrow();
    return switch (SystemVCall.result(type)) {
      case MEMORY ->
          session
              .kernel()
              .program()
              .memory()
              .bytes(
                  memory.isPresent() ? memory.getAsLong() : Calls.need(now, X86_64.RAX),
                  (int) type.bytes());
      case FLOATING -> Arrays.copyOf(floating.get().floating(cpu, 0), (int) type.bytes());
      case COMPLEX -> {
        int half = (int) type.bytes() / 2;
        byte[] both = Arrays.copyOf(floating.get().floating(cpu, 0), 2 * half);
        System.arraycopy(
            floating.get().floating(cpu, 1), 0, both, half, FloatingRegisters.FLOATING_BYTES);
        yield both;
      }
      case REGISTERS -> {
        var words = List.of(Calls.need(now, X86_64.RAX), Calls.need(now, X86_64.RDX));
        var vectors =
            SystemVCall.usesVectors(type)
                ? List.of(floating.get().vector(cpu, 0), floating.get().vector(cpu, 1))
                : List.<byte[]>of();
        yield SystemVCall.collect(type, words, vectors);
      }
    };
  }
}
