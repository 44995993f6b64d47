// SPDX-License-Identifier: Apache-2.0
package dev.fathom.testkit.lab;

/** The dumps that QEMU's {@code dump-guest-memory} makes of one stopped guest. */
public enum Flavour {
  /** An ELF core with physical addresses. */
  ELF("dump.elf", "elf", false),
  /** An ELF core that has the kernel's virtual addresses too (QEMU's {@code -p}). */
  ELF_PAGING("dump-paging.elf", "elf", true),
  /** kdump-compressed with zlib, in the flattened form. */
  KDUMP_ZLIB("dump-zlib.flat", "kdump-zlib", false),
  /** kdump-compressed with LZO, in the flattened form; Debian's QEMU has it not built in. */
  KDUMP_LZO("dump-lzo.flat", "kdump-lzo", false),
  /** kdump-compressed with snappy, in the flattened form; Debian's QEMU has it not built in. */
  KDUMP_SNAPPY("dump-snappy.flat", "kdump-snappy", false);

  private final String fileName;
  private final String format;
  private final boolean paging;

  Flavour(String fileName, String format, boolean paging) {
    this.fileName = fileName;
    this.format = format;
    this.paging = paging;
  }

  /** The dump's file name in its recipe's directory. */
  public String fileName() {
    return fileName;
  }

  /** QEMU's name for the format. */
  String format() {
    return format;
  }

  boolean paging() {
    return paging;
  }
}
