// SPDX-License-Identifier: Apache-2.0
package dev.fathom.symbols;

import dev.fathom.model.Register;
import dev.fathom.model.arch.Architecture;
import dev.fathom.model.arch.aarch64.Aarch64;
import dev.fathom.model.arch.x86_64.X86_64;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * The numbers that DWARF gives an architecture's registers, and what becomes of those that a
 * function's unwind rules do not mention.
 */
public final class DwarfRegisters {
  /** System V ABI, AMD64 supplement 1.0, figure 3.36. */
  private static final Map<Integer, Register> X86 =
      Map.ofEntries(
          Map.entry(49, X86_64.RFLAGS),
          Map.entry(50, X86_64.ES),
          Map.entry(51, X86_64.CS),
          Map.entry(52, X86_64.SS),
          Map.entry(53, X86_64.DS),
          Map.entry(54, X86_64.FS),
          Map.entry(55, X86_64.GS),
          Map.entry(58, X86_64.FS_BASE),
          Map.entry(59, X86_64.GS_BASE));

  private static final int X86_LAST = 16;
  private static final int XMM0 = 17;
  private static final int XMM15 = 32;

  /** DWARF for the Arm 64-bit Architecture, section 4.1: x0 to x30, sp, pc. */
  private static final int ARM_LAST = 32;

  private final Architecture architecture;

  public DwarfRegisters(Architecture architecture) {
    this.architecture = architecture;
  }

  /** The register with that DWARF number; empty for one that is not kept here. */
  public Optional<Register> of(int number) {
    var all = architecture.registers().registers();
    if (architecture instanceof X86_64) {
      return number <= X86_LAST
          ? Optional.of(all.get(number))
          : Optional.ofNullable(X86.get(number));
    }
    return architecture instanceof Aarch64 && number <= ARM_LAST
        ? Optional.of(all.get(number))
        : Optional.empty();
  }

  /** Which of x86-64's vector registers has that DWARF number; empty for others. */
  public OptionalInt vector(int number) {
    return architecture instanceof X86_64 && number >= XMM0 && number <= XMM15
        ? OptionalInt.of(number - XMM0)
        : OptionalInt.empty();
  }

  /** A register's name, or {@code register 33} for one that is not kept here. */
  public String name(int number) {
    var vector = vector(number);
    return vector.isPresent()
        ? "xmm" + vector.getAsInt()
        : of(number).map(Register::name).orElse("register " + number);
  }

  /**
   * Whether the register keeps its value in a caller when a function's rules do not mention it. A
   * function may change most of them by the calling convention, but where a compiler counts on that
   * it says that a variable is no longer there, and where it knows better (GCC's {@code -fipa-ra})
   * the value is still right.
   */
  boolean keptUnlessMentioned(Register register) {
    if (architecture instanceof X86_64) {
      return register.index() < X86_LAST
          || register.equals(X86_64.FS_BASE)
          || register.equals(X86_64.GS_BASE);
    }
    return architecture instanceof Aarch64 && register.index() < ARM_LAST - 2;
  }
}
