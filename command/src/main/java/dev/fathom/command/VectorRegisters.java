// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command;

import dev.fathom.base.Cell;
import dev.fathom.base.Datum;
import dev.fathom.base.UnsupportedException;
import dev.fathom.model.RegisterFile;
import dev.fathom.session.Session;
import dev.fathom.target.RawRegisters;
import java.util.ArrayList;
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
    var raw =
        session
            .target()
            .find(RawRegisters.class)
            .orElseThrow(
                () -> new UnsupportedException("this target does not tell of its vector registers"))
            .registers(cpu);
    var fields = new ArrayList<Datum.Field>();
    for (var register : raw) {
      // What the file has under another name, such as eflags, is no vector either.
      if (register.bits() > Long.SIZE || isOfFpu(register, shown)) {
        fields.add(
            new Datum.Field(
                register.name(), "%" + register.name(), Cell.text(digits(register.value()))));
      }
    }
    if (fields.isEmpty()) {
      throw new UnsupportedException("this target does not tell of its vector registers");
    }
    return fields;
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
