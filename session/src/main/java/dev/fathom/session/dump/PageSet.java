// SPDX-License-Identifier: Apache-2.0
package dev.fathom.session.dump;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * A set of page numbers from 0 to a limit, as the bitmaps of kdump have it, in chunks of 32768
 * pages; chunks without any page take no memory.
 */
final class PageSet {
  /** Pages of a chunk. */
  static final int CHUNK = 1 << 15;

  /** Bytes of a chunk. */
  static final int CHUNK_BYTES = CHUNK / 8;

  private static final int SHIFT = 15;
  private static final int WORDS = CHUNK / 64;

  private final long limit;
  private final long[][] chunks;

  PageSet(long limit) {
    this.limit = limit;
    this.chunks = new long[Math.toIntExact((limit + CHUNK - 1) >> SHIFT)][];
  }

  long limit() {
    return limit;
  }

  int chunkCount() {
    return chunks.length;
  }

  boolean get(long page) {
    long[] words = chunks[(int) (page >> SHIFT)];
    return words != null && (words[word(page)] >>> (page & 63) & 1) != 0;
  }

  void set(long page) {
    int chunk = (int) (page >> SHIFT);
    if (chunks[chunk] == null) {
      chunks[chunk] = new long[WORDS];
    }
    chunks[chunk][word(page)] |= 1L << (page & 63);
  }

  void clear(long page) {
    long[] words = chunks[(int) (page >> SHIFT)];
    if (words != null) {
      words[word(page)] &= ~(1L << (page & 63));
    }
  }

  /** Adds the pages from {@code start} to before {@code end}. */
  void set(long start, long end) {
    long page = start;
    while (page < end) {
      set(page);
      if ((page & 63) == 0 && page + 64 <= end) {
        chunks[(int) (page >> SHIFT)][word(page)] = -1L;
        page += 64;
      } else {
        page++;
      }
    }
  }

  /** The first page of the set at or above {@code page}, or the limit. */
  long next(long page) {
    long at = page;
    while (at < limit) {
      long[] words = chunks[(int) (at >> SHIFT)];
      if (words == null) {
        at = ((at >> SHIFT) + 1) << SHIFT;
        continue;
      }
      long word = words[word(at)] >>> (at & 63);
      if (word != 0) {
        return Math.min(limit, at + Long.numberOfTrailingZeros(word));
      }
      at = (at | 63) + 1;
    }
    return limit;
  }

  /** How many pages the set has from {@code page} on. */
  long count(long page) {
    long count = 0;
    for (long at = page; at < limit; at = (at | 63) + 1) {
      long[] words = chunks[(int) (at >> SHIFT)];
      if (words == null) {
        at |= CHUNK - 1;
      } else {
        count += Long.bitCount(words[word(at)] >>> (at & 63));
      }
    }
    return count;
  }

  PageSet copy() {
    var copy = new PageSet(limit);
    for (int i = 0; i < chunks.length; i++) {
      copy.chunks[i] = chunks[i] == null ? null : chunks[i].clone();
    }
    return copy;
  }

  /** Whether a chunk has any page. */
  boolean has(int chunk) {
    return chunks[chunk] != null;
  }

  /** A chunk as a bitmap: page {@code n} in bit {@code n % 8} of byte {@code n / 8}. */
  byte[] bitmap(int chunk) {
    ByteBuffer b = ByteBuffer.allocate(CHUNK_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    if (chunks[chunk] != null) {
      b.asLongBuffer().put(chunks[chunk]);
    }
    return b.array();
  }

  /** Makes a chunk what its bitmap says. */
  void bitmap(int chunk, byte[] bitmap) {
    var words = new long[WORDS];
    ByteBuffer.wrap(bitmap).order(ByteOrder.LITTLE_ENDIAN).asLongBuffer().get(words);
    long any = 0;
    for (long word : words) {
      any |= word;
    }
    chunks[chunk] = any == 0 ? null : words;
  }

  private static int word(long page) {
    return (int) (page >> 6) & (WORDS - 1);
  }
}
