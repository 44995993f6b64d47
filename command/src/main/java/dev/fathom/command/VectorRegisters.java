// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command;

import dev.fathom.base.Cell;
import dev.fathom.base.Datum;
import dev.fathom.base.EvalException;
import dev.fathom.base.UnsupportedException;
import dev.fathom.kernel.Task;
import dev.fathom.model.RegisterFile;
import dev.fathom.session.Session;
import dev.fathom.target.RawRegisters;
import java.util.HexFormat;
import java.util.List;

/** What a target tells of a CPU beyond the architecture's register file: vectors, the FPU. */
public final class VectorRegisters {
  private VectorRegisters() {}

  /**
   * Those registers as fields, hexadecimal, the most significant digits first.
   *
   * @param cpu as the target numbers it
   * @param shown the file of those that are shown anyway
   * @throws UnsupportedException when the target does not tell of any
   */
  public static List<Datum.Field> of(Session session, int cpu, RegisterFile shown) {
    return raw(session, cpu, shown).stream()
        .map(
            register ->
                new Datum.Field(
                    register.name(), "%" + register.name(), Cell.text(digits(register.value()))))
        .toList();
  }

  /** As {@link #of}, as the target tells them. */
  static List<RawRegisters.Raw> raw(Session session, int cpu, RegisterFile shown) {
    var raw = session.target().find(RawRegisters.class);
    var told = raw.isPresent() ? raw.get().registers(cpu) : List.<RawRegisters.Raw>of();
    // What the file has under another name, such as eflags, is no vector either.
    var vectors =
        told.stream().filter(one -> one.bits() > Long.SIZE || isOfFpu(one, shown)).toList();
    if (vectors.isEmpty()) {
      throw new UnsupportedException("this target does not tell of its vector registers");
    }
    return vectors;
  }

  /**
   * The CPU that a thread is on, as the target numbers it.
   *
   * @throws EvalException when it is on none
   */
  public static int cpu(Invocation call, Task task) {
    for (var cpu : call.session().target().cpus()) {
      var running = call.kernel().running(cpu);
      if (running.isPresent() && running.get().object().address() == task.object().address()) {
        return cpu.id();
      }
    }
    throw new EvalException(
        "the vector registers of " + task.name() + " are not known: it is on no CPU");
  }

  private static boolean isOfFpu(RawRegisters.Raw register, RegisterFile shown) {
    return shown.named(register.name()).isEmpty()
        && (register.type().startsWith("i387")
            || register.type().endsWith("mxcsr")
            || register.name().matches("f(ctrl|stat|tag|iseg|ioff|oseg|ooff|op|pcr|psr)|mxcsr"));
  }

  private static String digits(byte[] value) {
    var reversed = new byte[value.length];
    for (int i = 0; i < value.length; i++) {
      reversed[i] = value[value.length - 1 - i];
    }
    return "0x" + HexFormat.of().formatHex(reversed);
  }
}
