// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.elf;

import dev.fathom.base.BadDataException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.OptionalLong;

/**
 * The descriptor of an x86 note of owner {@code QEMU}: {@code QEMUCPUState} (QEMU {@code
 * target/i386/arch_dump.c}), {@code { u32 version, size; u64 gpr[16], rip, rflags; segment cs ds es
 * fs gs ss ldt tr gdt idt; u64 cr[5]; u64 kernel_gs_base }}. QEMU before 3.1 has no {@code
 * kernel_gs_base}; its {@code size} says so.
 */
public final class QemuCpuState {
  /** The owner of the note. */
  public static final String OWNER = "QEMU";

  /** General registers in the structure's order. */
  public enum Reg {
    RAX,
    RBX,
    RCX,
    RDX,
    RSI,
    RDI,
    RSP,
    RBP,
    R8,
    R9,
    R10,
    R11,
    R12,
    R13,
    R14,
    R15,
    RIP,
    RFLAGS
  }

  /** Segment registers and descriptor tables in the structure's order. */
  public enum Seg {
    CS,
    DS,
    ES,
    FS,
    GS,
    SS,
    LDT,
    TR,
    GDT,
    IDT
  }

  /**
   * One segment or descriptor table.
   *
   * @param selector the visible part
   * @param limit the limit in bytes
   * @param flags the descriptor's second word, as QEMU caches it
   * @param base the base, a linear address
   */
  public record Segment(int selector, int limit, int flags, long base) {}

  private static final int VERSION = 1;
  private static final int REGS = 8;
  private static final int SEGMENTS = REGS + 18 * 8;
  private static final int SEGMENT = 24;
  private static final int CONTROL = SEGMENTS + 10 * SEGMENT;
  private static final int KERNEL_GS_BASE = CONTROL + 5 * 8;
  private static final int OLD_SIZE = KERNEL_GS_BASE;
  private static final int SIZE = KERNEL_GS_BASE + 8;

  private final ByteBuffer bytes;
  private final boolean hasKernelGsBase;

  private QemuCpuState(ByteBuffer bytes, boolean hasKernelGsBase) {
    this.bytes = bytes;
    this.hasKernelGsBase = hasKernelGsBase;
  }

  /**
   * Decodes the descriptor of a {@code QEMU} note.
   *
   * @throws BadDataException when it is too short or of a version that is not known
   */
  public static QemuCpuState decode(ElfNote note) {
    var descriptor = note.descriptor();
    if (descriptor.size() < OLD_SIZE) {
      throw new BadDataException(
          descriptor.name(),
          note.offset(),
          "QEMU CPU state of " + descriptor.size() + " bytes, expected at least " + OLD_SIZE);
    }
    int length = (int) Math.min(descriptor.size(), SIZE);
    ByteBuffer b = ByteBuffer.wrap(descriptor.bytes(0, length)).order(ByteOrder.LITTLE_ENDIAN);
    if (b.getInt(0) != VERSION) {
      throw new BadDataException(
          descriptor.name(),
          note.offset(),
          "QEMU CPU state of version "
              + Integer.toUnsignedString(b.getInt(0))
              + ", expected "
              + VERSION);
    }
    return new QemuCpuState(b, length == SIZE && Integer.compareUnsigned(b.getInt(4), SIZE) >= 0);
  }

  /**
   * Makes a descriptor.
   *
   * @param registers as many values as there are {@link Reg}s, in their order
   * @param segments as many as there are {@link Seg}s, in their order
   * @param controls control registers 0 to 4
   */
  public static byte[] encode(
      long[] registers, Segment[] segments, long[] controls, OptionalLong kernelGsBase) {
    int size = kernelGsBase.isPresent() ? SIZE : OLD_SIZE;
    ByteBuffer b = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    b.putInt(VERSION).putInt(size);
    for (Reg reg : Reg.values()) {
      b.putLong(registers[reg.ordinal()]);
    }
    for (Seg seg : Seg.values()) {
      Segment s = segments[seg.ordinal()];
      b.putInt(s.selector).putInt(s.limit).putInt(s.flags).putInt(0).putLong(s.base);
    }
    for (int i = 0; i < 5; i++) {
      b.putLong(controls[i]);
    }
    kernelGsBase.ifPresent(b::putLong);
    return b.array();
  }

  public long get(Reg register) {
    return bytes.getLong(REGS + register.ordinal() * 8);
  }

  public Segment segment(Seg which) {
    int at = SEGMENTS + which.ordinal() * SEGMENT;
    return new Segment(
        bytes.getInt(at), bytes.getInt(at + 4), bytes.getInt(at + 8), bytes.getLong(at + 16));
  }

  /** Control register 0, 2, 3 or 4 ({@code cr[1]} exists and is 0). */
  public long cr(int number) {
    if (number < 0 || number > 4) {
      throw new IllegalArgumentException("no control register " + number);
    }
    return bytes.getLong(CONTROL + number * 8);
  }

  /**
   * MSR_KERNEL_GS_BASE: the base that {@code swapgs} would put into GS; absent when QEMU did not
   * write it.
   */
  public OptionalLong kernelGsBase() {
    return hasKernelGsBase ? OptionalLong.of(bytes.getLong(KERNEL_GS_BASE)) : OptionalLong.empty();
  }
}
