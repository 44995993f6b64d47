// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model.arch.x86_64;

import dev.fathom.model.Register;
import java.util.List;

/**
 * {@code struct pt_regs} of Linux on x86-64 (arch/x86/include/asm/ptrace.h, unchanged in all
 * kernels): 21 words, which {@code struct user_regs_struct} begins with too
 * (arch/x86/include/asm/user_64.h).
 *
 * <pre>
 *   0 r15  8 r14  16 r13  24 r12  32 bp  40 bx  48 r11  56 r10  64 r9  72 r8
 *   80 ax  88 cx  96 dx  104 si  112 di  120 orig_ax
 *   128 ip  136 cs  144 flags  152 sp  160 ss
 * </pre>
 */
public final class PtRegs {
  /** The registers in their order, eight bytes each. */
  public static final List<Register> ORDER =
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

  /** Its size. */
  public static final int BYTES = 8 * ORDER.size();

  /** The offset of what the CPU itself pushes on an interrupt: ip, cs, flags, sp, ss. */
  public static final int HARDWARE = 8 * ORDER.indexOf(X86_64.RIP);

  private PtRegs() {}
}
