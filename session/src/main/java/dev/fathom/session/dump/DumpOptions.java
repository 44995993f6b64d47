// SPDX-License-Identifier: Apache-2.0
package dev.fathom.session.dump;

import java.util.Set;

/**
 * What a dump is to be like.
 *
 * @param format the file's format
 * @param compression how kdump's pages are compressed; {@link Compression#NONE} for ELF
 * @param flattened whether the file is written as a flattened stream
 * @param excluded which pages are left out
 * @param resume whether to go on with what an interrupted dump left
 * @param force whether a file of that name is replaced
 */
public record DumpOptions(
    Format format,
    Compression compression,
    boolean flattened,
    Set<Exclusion> excluded,
    boolean resume,
    boolean force) {

  public DumpOptions {
    excluded = Set.copyOf(excluded);
  }

  /** A file format. */
  public enum Format {
    KDUMP,
    ELF
  }

  /** A compression of pages. */
  public enum Compression {
    NONE(0),
    ZLIB(0x1),
    LZO(0x2),
    SNAPPY(0x4),
    ZSTD(0x20);

    private final int flag;

    Compression(int flag) {
      this.flag = flag;
    }

    /** The flag of page descriptors. */
    int flag() {
      return flag;
    }
  }

  /** What can be left out, in the order of makedumpfile's bits. */
  public enum Exclusion {
    /** Pages of zeros: in kdump one page that all share, with this or without. */
    ZERO,
    /** Files' contents that can be read again. */
    CACHE,
    /** All of the page cache, also what file systems keep private data about. */
    PRIVATE,
    /** Processes' own memory. */
    USER,
    /** Free pages. */
    FREE;

    /** The bit of makedumpfile's dump level. */
    public int bit() {
      return 1 << ordinal();
    }
  }

  /** makedumpfile's dump level. */
  int level() {
    int level = 0;
    for (var exclusion : excluded) {
      level |= exclusion.bit();
    }
    return level;
  }
}
