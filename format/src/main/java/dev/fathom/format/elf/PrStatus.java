// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.elf;

import dev.fathom.base.BadDataException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The descriptor of an x86-64 NT_PRSTATUS note: {@code struct elf_prstatus} (Linux {@code
 * include/linux/elfcore.h}, the same since 2.6), 336 bytes. QEMU writes the same layout with only
 * {@code pr_pid} and {@code pr_reg} filled.
 */
public final class PrStatus {
  /**
   * Members of {@code struct user_regs_struct} (Linux {@code arch/x86/include/asm/user_64.h}), in
   * their order.
   */
  public enum Reg {
    R15,
    R14,
    R13,
    R12,
    RBP,
    RBX,
    R11,
    R10,
    R9,
    R8,
    RAX,
    RCX,
    RDX,
    RSI,
    RDI,
    ORIG_RAX,
    RIP,
    CS,
    EFLAGS,
    RSP,
    SS,
    FS_BASE,
    GS_BASE,
    DS,
    ES,
    FS,
    GS
  }

  private static final int SIZE = 336;
  private static final int PR_CURSIG = 12;
  private static final int PR_PID = 32;
  private static final int PR_REG = 112;

  private final int signal;
  private final int pid;
  private final ByteBuffer registers;

  private PrStatus(int signal, int pid, ByteBuffer registers) {
    this.signal = signal;
    this.pid = pid;
    this.registers = registers;
  }

  /**
   * Decodes the descriptor of an x86-64 NT_PRSTATUS note.
   *
   * @throws BadDataException when it is too short
   */
  public static PrStatus decode(ElfNote note) {
    var descriptor = note.descriptor();
    if (descriptor.size() < SIZE) {
      throw new BadDataException(
          descriptor.name(),
          note.offset(),
          "NT_PRSTATUS of " + descriptor.size() + " bytes, expected " + SIZE);
    }
    ByteBuffer b = ByteBuffer.wrap(descriptor.bytes(0, SIZE)).order(ByteOrder.LITTLE_ENDIAN);
    return new PrStatus(
        b.getShort(PR_CURSIG),
        b.getInt(PR_PID),
        b.slice(PR_REG, Reg.GS.ordinal() * 8 + 8).order(ByteOrder.LITTLE_ENDIAN));
  }

  /**
   * Makes a descriptor.
   *
   * @param pid {@code pr_pid}, see {@link #pid()}
   * @param registers as many values as there are {@link Reg}s, in their order
   */
  public static byte[] encode(int pid, long... registers) {
    ByteBuffer b = ByteBuffer.allocate(SIZE).order(ByteOrder.LITTLE_ENDIAN);
    b.putInt(PR_PID, pid);
    for (Reg reg : Reg.values()) {
      b.putLong(PR_REG + 8 * reg.ordinal(), registers[reg.ordinal()]);
    }
    return b.array();
  }

  /** {@code pr_cursig}. */
  public int signal() {
    return signal;
  }

  /**
   * {@code pr_pid}: the thread that ran on the CPU; the CPU's number plus one when QEMU wrote the
   * note.
   */
  public int pid() {
    return pid;
  }

  public long get(Reg register) {
    return registers.getLong(register.ordinal() * 8);
  }
}
