// SPDX-License-Identifier: Apache-2.0
package dev.fathom.session.dump;

import dev.fathom.format.compress.Compressor;
import java.util.Arrays;

/** Pages on their way from the machine to the dump. */
final class Batch {
  /** The most pages of one. */
  static final int PAGES = 256;

  private static final byte[] ZEROS = new byte[Selection.PAGE];

  /** What became of a page. */
  enum Fate {
    STORED,
    ZERO,
    /** The source left it out. */
    MISSING,
    /** The machine does not have it. */
    UNMAPPED,
    UNREADABLE
  }

  final long[] pages = new long[PAGES];
  final Fate[] fates = new Fate[PAGES];
  final byte[] raw = new byte[PAGES * Selection.PAGE];
  final byte[] packed = new byte[PAGES * Selection.PAGE + Compressor.room(Selection.PAGE)];

  /** Bytes of each stored page in {@link #packed}, one behind the other. */
  final int[] sizes = new int[PAGES];

  int count;
  int packedBytes;

  /** Whether all of its pages were read. */
  boolean whole() {
    for (int i = 0; i < count; i++) {
      if (fates[i] != Fate.STORED && fates[i] != Fate.ZERO) {
        return false;
      }
    }
    return true;
  }

  /** Looks for pages of zeros. */
  void sift() {
    for (int i = 0; i < count; i++) {
      int at = i * Selection.PAGE;
      if (fates[i] == Fate.STORED
          && raw[at] == 0
          && Arrays.equals(raw, at, at + Selection.PAGE, ZEROS, 0, Selection.PAGE)) {
        fates[i] = Fate.ZERO;
      }
    }
  }

  /** Compresses the pages that are stored; those that do not become smaller stay as they are. */
  void pack(Compressor compressor) {
    packedBytes = 0;
    for (int i = 0; i < count; i++) {
      if (fates[i] == Fate.STORED) {
        int at = i * Selection.PAGE;
        int size = compressor.compress(raw, at, at + Selection.PAGE, packed, packedBytes);
        if (size >= Selection.PAGE) {
          System.arraycopy(raw, at, packed, packedBytes, Selection.PAGE);
          size = Selection.PAGE;
        }
        sizes[i] = size;
        packedBytes += size;
      }
    }
  }
}
