// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.kdump;

/**
 * {@code struct page_desc}: where and how one page is stored.
 *
 * @param at file offset of the descriptor itself
 * @param offset file offset of the page's data; 0 when makedumpfile ran out of space before it
 *     wrote the page
 * @param size bytes of data in the file
 * @param flags {@code flags}: which compression, see {@link #compression}
 * @param pageFlags {@code page_flags}: the kernel's flags of the page, 0 from current writers
 */
public record PageDescriptor(long at, long offset, int size, int flags, long pageFlags) {
  /** How a page is stored. */
  public enum Compression {
    NONE,
    ZLIB,
    LZO,
    SNAPPY,
    ZSTD,
    /** A combination of flags that no known writer makes. */
    UNKNOWN
  }

  public Compression compression() {
    return switch (flags) {
      case 0 -> Compression.NONE;
      case 0x1 -> Compression.ZLIB;
      case 0x2 -> Compression.LZO;
      case 0x4 -> Compression.SNAPPY;
      case 0x20 -> Compression.ZSTD;
      default -> Compression.UNKNOWN;
    };
  }

  /** Whether the writer never came to this page. */
  public boolean unwritten() {
    return offset == 0;
  }
}
