// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux.stack;

import dev.fathom.model.Memory;
import dev.fathom.model.Register;
import dev.fathom.model.Registers;
import dev.fathom.model.arch.x86_64.X86_64;
import dev.fathom.model.type.TypeSystem;
import java.util.HashMap;
import java.util.Map;

/**
 * {@code struct inactive_task_frame} (arch/x86/include/asm/switch_to.h, 4.9 and later): what {@code
 * __switch_to_asm} leaves at {@code thread.sp}. Without types the layout of most kernels is taken:
 * r15, r14, r13, r12, bx, bp, ret_addr; 5.2 to 5.8 have the flags before it.
 *
 * @param offsets where each register is
 * @param bytes the size: the stack pointer of the function that is switched back to is that much
 *     higher
 */
record InactiveFrame(Map<Register, Long> offsets, long bytes) {
  private static final String TAG = "inactive_task_frame";

  InactiveFrame {
    offsets = Map.copyOf(offsets);
  }

  static InactiveFrame of(TypeSystem types) {
    var members =
        Map.of(
            "r15", X86_64.R15,
            "r14", X86_64.R14,
            "r13", X86_64.R13,
            "r12", X86_64.R12,
            "bx", X86_64.RBX,
            "bp", X86_64.RBP,
            "ret_addr", X86_64.RIP);
    var offsets = new HashMap<Register, Long>();
    for (var member : members.entrySet()) {
      var offset = types.findOffset(TAG, member.getKey());
      if (offset.isPresent()) {
        offsets.put(member.getValue(), offset.getAsLong());
      }
    }
    var type = types.findStruct(TAG);
    return type.isPresent() && offsets.containsKey(X86_64.RIP)
        ? new InactiveFrame(offsets, type.get().bytes())
        : new InactiveFrame(
            Map.of(
                X86_64.R15, 0L,
                X86_64.R14, 8L,
                X86_64.R13, 16L,
                X86_64.R12, 24L,
                X86_64.RBX, 32L,
                X86_64.RBP, 40L,
                X86_64.RIP, 48L),
            56);
  }

  /**
   * The registers in the frame at {@code sp}.
   *
   * @throws dev.fathom.base.FaultException when one cannot be read
   */
  Registers read(Memory memory, long sp) {
    var registers = Registers.builder(X86_64.INSTANCE.registers()).set(X86_64.RSP, sp + bytes);
    for (var entry : offsets.entrySet()) {
      registers.set(entry.getKey(), memory.u64(sp + entry.getValue()));
    }
    return registers.build();
  }
}
