// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.elf;

import dev.fathom.base.BadDataException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The descriptor of a 64-bit Arm NT_PRSTATUS note: {@code struct elf_prstatus} (Linux {@code
 * include/linux/elfcore.h}) with {@code struct user_pt_regs} (Linux {@code
 * arch/arm64/include/uapi/asm/ptrace.h}), 392 bytes. QEMU writes the same layout with only {@code
 * pr_pid} and {@code pr_reg} filled.
 */
public final class Aarch64PrStatus {
  /** {@link #get} has x0 to x30 by their numbers, and these. */
  public static final int SP = 31;

  public static final int PC = 32;
  public static final int PSTATE = 33;

  private static final int REGISTERS = 34;

  /** The descriptor's size. */
  public static final int BYTES = 392;

  private static final int PR_PID = 32;
  private static final int PR_REG = 112;

  private final int pid;
  private final ByteBuffer registers;

  private Aarch64PrStatus(int pid, ByteBuffer registers) {
    this.pid = pid;
    this.registers = registers;
  }

  /**
   * Decodes the descriptor of a 64-bit Arm NT_PRSTATUS note.
   *
   * @throws BadDataException when it is too short
   */
  public static Aarch64PrStatus decode(ElfNote note) {
    var descriptor = note.descriptor();
    if (descriptor.size() < BYTES) {
      throw new BadDataException(
          descriptor.name(),
          note.offset(),
          "NT_PRSTATUS of " + descriptor.size() + " bytes, expected " + BYTES);
    }
    ByteBuffer b = ByteBuffer.wrap(descriptor.bytes(0, BYTES)).order(ByteOrder.LITTLE_ENDIAN);
    return new Aarch64PrStatus(
        b.getInt(PR_PID), b.slice(PR_REG, REGISTERS * 8).order(ByteOrder.LITTLE_ENDIAN));
  }

  /**
   * {@code pr_pid}: the thread that ran on the CPU; the CPU's number plus one when QEMU wrote the
   * note.
   */
  public int pid() {
    return pid;
  }

  /**
   * A register by its number: 0 to 30, {@link #SP}, {@link #PC} or {@link #PSTATE}.
   *
   * @throws IndexOutOfBoundsException for another number
   */
  public long get(int register) {
    return registers.getLong(register * 8);
  }
}
