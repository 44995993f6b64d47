// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.kdump;

import dev.fathom.base.ByteSource;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * One of the two bitmaps: bit {@code pfn % 8} of byte {@code pfn / 8}. Counts the set bits before
 * any page frame by keeping a running total per chunk of 32768 page frames, made as far as it was
 * asked for. Bits beyond the end of a truncated file are not {@linkplain #known known}.
 *
 * <p>Memory: 8 bytes per chunk (1 MiB for a machine of 16 TiB) and at most 1024 unpacked chunks of
 * 6 KiB.
 *
 * <p>Not thread-safe.
 */
final class PageBitmap {
  private static final int CHUNK_BYTES = 4096;
  private static final int CHUNK_WORDS = CHUNK_BYTES / 8;
  private static final int CHUNK_SHIFT = 15;
  private static final int SLOTS = 1024;

  private record Chunk(long index, long[] words, int[] before) {}

  private final ByteSource source;
  private final long offset;
  private final long pages;
  private final long knownBytes;
  private final Chunk[] slots = new Chunk[SLOTS];

  /** totals[i]: set bits before chunk i, valid for i at most counted. */
  private long[] totals = new long[64];

  private long counted;

  /**
   * @param offset file offset of the bitmap
   * @param pages number of page frames that it covers
   */
  PageBitmap(ByteSource source, long offset, long pages) {
    this.source = source;
    this.offset = offset;
    this.pages = pages;
    long bytes = (pages + 7) / 8;
    this.knownBytes = offset >= source.size() ? 0 : Math.min(bytes, source.size() - offset);
  }

  /** Whether the file holds the bits of {@code pfn} and all before it. */
  boolean known(long pfn) {
    return pfn >= 0 && pfn < pages && pfn >> 3 < knownBytes;
  }

  /** Whether the file holds the whole bitmap. */
  boolean complete() {
    return knownBytes == (pages + 7) / 8;
  }

  /** Whether the bit of {@code pfn} is set; a bit that is not known counts as not set. */
  boolean get(long pfn) {
    if (!known(pfn)) {
      return false;
    }
    Chunk chunk = chunk(pfn >> CHUNK_SHIFT);
    return (chunk.words[word(pfn)] >>> (pfn & 63) & 1) != 0;
  }

  /** The number of set bits below {@code pfn}, which is at most the number of pages. */
  long rank(long pfn) {
    long index = pfn >> CHUNK_SHIFT;
    long last = lastChunk();
    if (index > last) {
      return total(last + 1);
    }
    Chunk chunk = chunk(index);
    long below = (1L << (pfn & 63)) - 1;
    return total(index) + chunk.before[word(pfn)] + Long.bitCount(chunk.words[word(pfn)] & below);
  }

  /**
   * The first page frame at or above {@code pfn} whose bit is set, or {@code limit} when there is
   * none below it.
   */
  long next(long pfn, long limit) {
    return find(pfn, limit, 0);
  }

  /** As {@link #next}, for a bit that is not set; bits that are not known are not. */
  long nextClear(long pfn, long limit) {
    return find(pfn, limit, -1L);
  }

  private long find(long pfn, long limit, long invert) {
    long at = pfn;
    while (at < limit && known(at)) {
      Chunk chunk = chunk(at >> CHUNK_SHIFT);
      long word = (chunk.words[word(at)] ^ invert) >>> (at & 63);
      if (word != 0) {
        return Math.min(limit, at + Long.numberOfTrailingZeros(word));
      }
      at = (at | 63) + 1;
    }
    return invert == 0 ? limit : Math.min(at, limit);
  }

  private static int word(long pfn) {
    return (int) (pfn >> 6) & (CHUNK_WORDS - 1);
  }

  private long lastChunk() {
    return knownBytes == 0 ? -1 : (knownBytes - 1) / CHUNK_BYTES;
  }

  private long total(long index) {
    if (index >= totals.length) {
      long wanted = Math.max(index + 1, Math.min(totals.length * 2L, lastChunk() + 2));
      totals = Arrays.copyOf(totals, Math.toIntExact(wanted));
    }
    if (counted < index) {
      var words = new long[CHUNK_WORDS];
      for (; counted < index; counted++) {
        load(counted, words);
        int bits = 0;
        for (long word : words) {
          bits += Long.bitCount(word);
        }
        totals[(int) counted + 1] = totals[(int) counted] + bits;
      }
    }
    return totals[(int) index];
  }

  private Chunk chunk(long index) {
    int slot = (int) index & (SLOTS - 1);
    Chunk chunk = slots[slot];
    if (chunk == null || chunk.index != index) {
      var words = new long[CHUNK_WORDS];
      load(index, words);
      var before = new int[CHUNK_WORDS];
      int bits = 0;
      for (int i = 0; i < CHUNK_WORDS; i++) {
        before[i] = bits;
        bits += Long.bitCount(words[i]);
      }
      chunk = new Chunk(index, words, before);
      slots[slot] = chunk;
    }
    return chunk;
  }

  /** Fills {@code words} with a chunk; bits at or above the number of pages are cleared. */
  private void load(long index, long[] words) {
    long from = index * CHUNK_BYTES;
    int there = (int) Math.max(0, Math.min(CHUNK_BYTES, knownBytes - from));
    Arrays.fill(words, 0);
    source.copy(offset + from, there, MemorySegment.ofArray(words), 0);
    if (ByteOrder.nativeOrder() != ByteOrder.LITTLE_ENDIAN) {
      for (int i = 0; i < words.length; i++) {
        words[i] = Long.reverseBytes(words[i]);
      }
    }
    long firstInvalid = pages - (index << CHUNK_SHIFT);
    if (firstInvalid < (long) CHUNK_WORDS * 64) {
      int word = (int) (firstInvalid >> 6);
      words[word] &= (1L << (firstInvalid & 63)) - 1;
      Arrays.fill(words, word + 1, CHUNK_WORDS, 0);
    }
  }
}
