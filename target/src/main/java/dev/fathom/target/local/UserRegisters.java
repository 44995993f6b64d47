// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.local;

import dev.fathom.model.Register;
import dev.fathom.model.Registers;
import dev.fathom.model.arch.Architecture;
import dev.fathom.model.arch.aarch64.Aarch64;
import dev.fathom.model.arch.x86_64.PtRegs;
import dev.fathom.model.arch.x86_64.X86_64;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A thread's general registers as ptrace and core files lay them out: {@code struct
 * user_regs_struct} (Linux {@code arch/x86/include/asm/user_64.h}) and {@code struct user_pt_regs}
 * (Linux {@code arch/arm64/include/uapi/asm/ptrace.h}).
 */
public final class UserRegisters {
  private static final int WORD = 8;

  private final Architecture architecture;
  private final List<Register> order;
  private final Map<Register, Integer> places = new HashMap<>();

  private UserRegisters(Architecture architecture, List<Register> order) {
    this.architecture = architecture;
    this.order = order;
    for (int i = 0; i < order.size(); i++) {
      places.put(order.get(i), i);
    }
  }

  /** The layout on an architecture that is known here, by its name as in {@code uname -m}. */
  public static Optional<UserRegisters> of(String architecture) {
    return switch (architecture) {
      case "x86_64" -> {
        var order = new ArrayList<>(PtRegs.ORDER);
        order.addAll(
            List.of(X86_64.FS_BASE, X86_64.GS_BASE, X86_64.DS, X86_64.ES, X86_64.FS, X86_64.GS));
        yield Optional.of(new UserRegisters(X86_64.INSTANCE, List.copyOf(order)));
      }
      case "aarch64" -> {
        var order = new ArrayList<Register>();
        for (int i = 0; i < 31; i++) {
          order.add(Aarch64.x(i));
        }
        order.addAll(List.of(Aarch64.SP, Aarch64.PC, Aarch64.PSTATE));
        yield Optional.of(new UserRegisters(Aarch64.INSTANCE, List.copyOf(order)));
      }
      default -> Optional.empty();
    };
  }

  public Architecture architecture() {
    return architecture;
  }

  /** The size of the whole. */
  public int bytes() {
    return order.size() * WORD;
  }

  /** The registers in {@code bytes} from {@code offset} on, as many as there are. */
  public Registers decode(byte[] bytes, int offset) {
    var words = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    var registers = Registers.builder(architecture.registers());
    int at = offset;
    for (var register : order) {
      if (at > bytes.length - WORD) {
        break;
      }
      int unused = Long.SIZE - register.bits();
      registers.set(register, words.getLong(at) << unused >>> unused);
      at += WORD;
    }
    return registers.build();
  }

  /**
   * Sets one register in what {@link #decode} reads.
   *
   * @return false when it is not among them
   */
  public boolean set(byte[] bytes, Register register, long value) {
    var index = places.get(register);
    if (index == null || bytes.length < (index + 1) * WORD) {
      return false;
    }
    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putLong(index * WORD, value);
    return true;
  }
}
