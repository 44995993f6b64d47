// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux.stack;

import dev.fathom.model.Register;
import dev.fathom.model.Registers;
import dev.fathom.model.arch.x86_64.X86_64;
import dev.fathom.model.unwind.Rule;
import dev.fathom.model.unwind.UnwindRow;
import dev.fathom.model.unwind.Words;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * {@code struct pt_regs} of x86-64 (arch/x86/include/asm/ptrace.h, unchanged in all kernels): what
 * entry code pushes, and above it what the CPU itself had pushed. Since 6.9 the words of cs and ss
 * hold more than the selectors when the CPU uses FRED.
 *
 * <pre>
 *   0 r15  8 r14  16 r13  24 r12  32 bp  40 bx  48 r11  56 r10  64 r9  72 r8
 *   80 ax  88 cx  96 dx  104 si  112 di  120 orig_ax
 *   128 ip  136 cs  144 flags  152 sp  160 ss
 * </pre>
 */
final class PtRegs {
  static final int BYTES = 168;

  /** The offset of what the CPU pushes. */
  static final int HARDWARE = 128;

  private static final List<Register> ORDER =
      List.of(
          X86_64.R15,
          X86_64.R14,
          X86_64.R13,
          X86_64.R12,
          X86_64.RBP,
          X86_64.RBX,
          X86_64.R11,
          X86_64.R10,
          X86_64.R9,
          X86_64.R8,
          X86_64.RAX,
          X86_64.RCX,
          X86_64.RDX,
          X86_64.RSI,
          X86_64.RDI,
          X86_64.ORIG_RAX,
          X86_64.RIP,
          X86_64.CS,
          X86_64.RFLAGS,
          X86_64.RSP,
          X86_64.SS);

  private static final Map<Register, Rule> RULES = rules();

  private PtRegs() {}

  private static Map<Register, Rule> rules() {
    var rules = new HashMap<Register, Rule>();
    for (int i = 0; i < ORDER.size(); i++) {
      rules.put(ORDER.get(i), new Rule.AtCfa(8L * i));
    }
    return Map.copyOf(rules);
  }

  /** The row for a whole structure at {@code address}. */
  static UnwindRow at(long address) {
    return new UnwindRow(new Rule.Constant(address), RULES, UnwindRow.Kind.INTERRUPTED);
  }

  /** The structure at {@code address}; what cannot be read is absent. */
  static Registers read(Words words, long address) {
    var registers = Registers.builder(X86_64.INSTANCE.registers());
    for (int i = 0; i < ORDER.size(); i++) {
      var value = words.at(address + 8L * i);
      if (value.isPresent()) {
        int unused = 64 - ORDER.get(i).bits();
        registers.set(ORDER.get(i), value.getAsLong() << unused >>> unused);
      }
    }
    return registers.build();
  }
}
