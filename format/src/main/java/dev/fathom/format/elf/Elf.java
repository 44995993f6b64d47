// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.elf;

/**
 * Numbers of the ELF specification (System V ABI, chapters 4 and 5; Linux {@code
 * include/uapi/linux/elf.h}).
 */
public final class Elf {
  /** {@code e_type}: an executable. */
  public static final int ET_EXEC = 2;

  /** {@code e_type}: a shared object or position-independent executable. */
  public static final int ET_DYN = 3;

  /** {@code e_type}: a core file. */
  public static final int ET_CORE = 4;

  public static final int EM_386 = 3;
  public static final int EM_S390 = 22;
  public static final int EM_ARM = 40;
  public static final int EM_X86_64 = 62;
  public static final int EM_AARCH64 = 183;
  public static final int EM_RISCV = 243;

  /**
   * {@code e_phnum} when the real number does not fit: it stands in {@code sh_info} of section
   * header 0.
   */
  public static final int PN_XNUM = 0xffff;

  public static final int PT_LOAD = 1;
  public static final int PT_NOTE = 4;

  /** Note type of an owner {@code CORE}: a CPU's (or thread's) status and registers. */
  public static final int NT_PRSTATUS = 1;

  /** The floating-point registers. */
  public static final int NT_FPREGSET = 2;

  private Elf() {}

  /** The name of a machine number as Linux spells it, or the number. */
  public static String machineName(int machine) {
    return switch (machine) {
      case EM_386 -> "i386";
      case EM_S390 -> "s390";
      case EM_ARM -> "arm";
      case EM_X86_64 -> "x86_64";
      case EM_AARCH64 -> "aarch64";
      case EM_RISCV -> "riscv";
      default -> "machine " + machine;
    };
  }
}
