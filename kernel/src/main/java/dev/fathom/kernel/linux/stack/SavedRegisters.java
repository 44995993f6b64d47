// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux.stack;

import dev.fathom.model.Register;
import dev.fathom.model.Registers;
import dev.fathom.model.arch.x86_64.PtRegs;
import dev.fathom.model.arch.x86_64.X86_64;
import dev.fathom.model.unwind.Rule;
import dev.fathom.model.unwind.UnwindRow;
import dev.fathom.model.unwind.Words;
import java.util.HashMap;
import java.util.Map;

/**
 * Registers saved as {@link PtRegs}: what entry code pushes, and above it what the CPU itself had
 * pushed. Since 6.9 the words of cs and ss hold more than the selectors when the CPU uses FRED.
 */
final class SavedRegisters {
  private static final Map<Register, Rule> RULES = rules();

  private SavedRegisters() {}

  private static Map<Register, Rule> rules() {
    var rules = new HashMap<Register, Rule>();
    for (int i = 0; i < PtRegs.ORDER.size(); i++) {
      rules.put(PtRegs.ORDER.get(i), new Rule.AtCfa(8L * i));
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
    for (int i = 0; i < PtRegs.ORDER.size(); i++) {
      var value = words.at(address + 8L * i);
      if (value.isPresent()) {
        int unused = 64 - PtRegs.ORDER.get(i).bits();
        registers.set(PtRegs.ORDER.get(i), value.getAsLong() << unused >>> unused);
      }
    }
    return registers.build();
  }
}
