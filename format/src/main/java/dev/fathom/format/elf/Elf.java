// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.elf;

/**
 * Numbers of the ELF specification (System V ABI, chapters 4 and 5; Linux {@code
 * include/uapi/linux/elf.h}).
 */
public final class Elf {
  /** {@code e_type}: a relocatable file, as the compiler writes; Linux's modules are such files. */
  public static final int ET_REL = 1;

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
  public static final int PT_DYNAMIC = 2;
  public static final int PT_INTERP = 3;
  public static final int PT_NOTE = 4;
  public static final int PT_TLS = 7;
  public static final int PT_GNU_EH_FRAME = 0x6474e550;

  public static final int SHT_NULL = 0;
  public static final int SHT_PROGBITS = 1;
  public static final int SHT_SYMTAB = 2;
  public static final int SHT_STRTAB = 3;

  /** Relocations with explicit addends. */
  public static final int SHT_RELA = 4;

  public static final int SHT_HASH = 5;
  public static final int SHT_DYNAMIC = 6;
  public static final int SHT_NOTE = 7;

  /** A section without bytes in the file. */
  public static final int SHT_NOBITS = 8;

  /** Relocations whose addends stand where they apply. */
  public static final int SHT_REL = 9;

  public static final int SHT_DYNSYM = 11;

  /** The sections of symbols whose {@code st_shndx} is {@link #SHN_XINDEX}. */
  public static final int SHT_SYMTAB_SHNDX = 18;

  public static final long SHF_WRITE = 1;
  public static final long SHF_ALLOC = 2;
  public static final long SHF_EXECINSTR = 4;
  public static final long SHF_TLS = 0x400;
  public static final long SHF_COMPRESSED = 0x800;

  public static final int SHN_UNDEF = 0;

  /** From here on section numbers in symbols have meanings of their own. */
  public static final int SHN_LORESERVE = 0xff00;

  public static final int SHN_ABS = 0xfff1;
  public static final int SHN_COMMON = 0xfff2;

  /** The section's number did not fit and stands elsewhere. */
  public static final int SHN_XINDEX = 0xffff;

  public static final int STB_LOCAL = 0;
  public static final int STB_GLOBAL = 1;
  public static final int STB_WEAK = 2;
  public static final int STB_GNU_UNIQUE = 10;

  public static final int STT_NOTYPE = 0;
  public static final int STT_OBJECT = 1;
  public static final int STT_FUNC = 2;
  public static final int STT_SECTION = 3;
  public static final int STT_FILE = 4;
  public static final int STT_COMMON = 5;
  public static final int STT_TLS = 6;
  public static final int STT_GNU_IFUNC = 10;

  /** {@code ch_type}: a zlib stream. */
  public static final int ELFCOMPRESS_ZLIB = 1;

  /** {@code ch_type}: Zstandard frames. */
  public static final int ELFCOMPRESS_ZSTD = 2;

  public static final long DT_NULL = 0;
  public static final long DT_NEEDED = 1;
  public static final long DT_HASH = 4;
  public static final long DT_STRTAB = 5;
  public static final long DT_SYMTAB = 6;
  public static final long DT_STRSZ = 10;
  public static final long DT_SYMENT = 11;
  public static final long DT_SONAME = 14;
  public static final long DT_RPATH = 15;

  /** In a running process the address of the dynamic linker's {@code struct r_debug}. */
  public static final long DT_DEBUG = 21;

  public static final long DT_RUNPATH = 29;
  public static final long DT_GNU_HASH = 0x6ffffef5L;

  /** Note type of an owner {@code GNU}: the build-id. */
  public static final int NT_GNU_BUILD_ID = 3;

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
