// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.flattened;

import dev.fathom.base.BadDataException;
import dev.fathom.base.ByteSource;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.PriorityQueue;

/**
 * The file that a flattened stream stands for, read in place. The stream, all numbers big-endian
 * ({@code struct makedumpfile_header} and {@code makedumpfile_data_header}, makedumpfile {@code
 * makedumpfile.h}):
 *
 * <pre>
 *   header: char signature[16] "makedumpfile"; i64 type 1; i64 version 1; zeros up to 4096 bytes
 *   block*: i64 offset; i64 buf_size; buf_size bytes that belong at offset
 *   end:    i64 -1; i64 -1
 * </pre>
 *
 * <p>Blocks come in any order; where they overlap the later one wins, as it would when the file is
 * written out. What no block covers reads as zeros, like a hole of that file. The index takes 20
 * bytes for each block and is made when the stream is opened, by reading each block's header.
 *
 * <p>A stream that was cut off has what came before the cut, and {@link #complete()} is false.
 */
public final class FlattenedImage implements ByteSource {
  private static final byte[] SIGNATURE =
      "makedumpfile\0\0\0\0".getBytes(StandardCharsets.US_ASCII);
  private static final int HEADER = 4096;
  private static final int BLOCK_HEADER = 16;
  private static final long TYPE = 1;

  /** Blocks longer than this are indexed as several pieces. */
  private static final long MAX_PIECE = 1L << 30;

  /** The most that one slice across several blocks may copy. */
  private static final long MAX_COPY = 1L << 30;

  private final ByteSource stream;
  private final Pieces pieces;
  private final long size;
  private final long end;
  private final boolean complete;

  private FlattenedImage(ByteSource stream, Pieces pieces, long size, long end, boolean complete) {
    this.stream = stream;
    this.pieces = pieces;
    this.size = size;
    this.end = end;
    this.complete = complete;
  }

  /** Whether the source starts as a flattened stream does. */
  public static boolean matches(ByteSource source) {
    return source.size() >= SIGNATURE.length
        && Arrays.equals(source.bytes(0, SIGNATURE.length), SIGNATURE);
  }

  /**
   * Indexes a stream.
   *
   * @throws BadDataException when it is no such stream, or a block's header does not make sense
   */
  public static FlattenedImage open(ByteSource stream) {
    if (!matches(stream)) {
      throw new BadDataException(stream.name(), 0, "no signature, expected 'makedumpfile'");
    }
    if (stream.size() < HEADER) {
      throw new BadDataException(
          stream.name(),
          stream.size(),
          "file ends inside the header of a flattened stream, which has " + HEADER + " bytes");
    }
    ByteBuffer header = ByteBuffer.wrap(stream.bytes(0, 32)).order(ByteOrder.BIG_ENDIAN);
    if (header.getLong(16) != TYPE) {
      throw new BadDataException(
          stream.name(),
          16,
          "flattened stream of type " + header.getLong(16) + ", expected " + TYPE);
    }
    var pieces = new Pieces(256);
    // Copies to the heap: layouts with a byte order take 50 ms to start up, this takes none.
    ByteBuffer blockHeader = ByteBuffer.allocate(BLOCK_HEADER).order(ByteOrder.BIG_ENDIAN);
    MemorySegment blockHeaderSegment = MemorySegment.ofArray(blockHeader.array());
    long length = stream.size();
    long size = 0;
    long at = HEADER;
    boolean complete = false;
    while (length - at >= BLOCK_HEADER) {
      stream.copy(at, BLOCK_HEADER, blockHeaderSegment, 0);
      long offset = blockHeader.getLong(0);
      long count = blockHeader.getLong(8);
      if (offset == -1 && count == -1) {
        complete = true;
        at += BLOCK_HEADER;
        break;
      }
      if (offset < 0 || count < 0 || offset > Long.MAX_VALUE - count) {
        throw new BadDataException(
            stream.name(),
            at,
            "block of 0x"
                + Long.toHexString(count)
                + " bytes for offset 0x"
                + Long.toHexString(offset)
                + ", expected both below 2^63");
      }
      at += BLOCK_HEADER;
      long there = Math.min(count, length - at);
      for (long done = 0; done < there; done += MAX_PIECE) {
        pieces.add(offset + done, at + done, (int) Math.min(MAX_PIECE, there - done));
      }
      size = Math.max(size, there == 0 ? 0 : offset + there);
      at += there;
      if (there < count) {
        break;
      }
    }
    return new FlattenedImage(stream, pieces.arranged(), size, at, complete);
  }

  /** The stream's name: the user knows no other. */
  @Override
  public String name() {
    return stream.name();
  }

  /** The end of the last byte that a block covers. */
  @Override
  public long size() {
    return size;
  }

  /** Whether the stream has its end mark. */
  public boolean complete() {
    return complete;
  }

  /** Where in the stream reading stopped: after the end mark, or where the stream was cut off. */
  public long streamEnd() {
    return end;
  }

  /** How many pieces of the stream the index tells apart. */
  public int pieces() {
    return pieces.count;
  }

  /**
   * The bytes {@code [offset, offset + length)}: a view of the stream when one block has them all,
   * else a copy.
   *
   * @throws BadDataException when the range does not lie inside the image, or would have to be
   *     copied and is larger than 1 GiB
   */
  @Override
  public MemorySegment slice(long offset, long length) {
    check(offset, length);
    int i = pieces.floor(offset);
    if (pieceHas(i, offset, length)) {
      return stream.slice(pieces.stream[i] + (offset - pieces.image[i]), length);
    }
    if (length > MAX_COPY) {
      throw new BadDataException(
          name(), offset, "needs " + length + " bytes at once, expected at most " + MAX_COPY);
    }
    var copy = MemorySegment.ofArray(new byte[(int) length]);
    gather(offset, length, copy, 0, i);
    return copy.asReadOnly();
  }

  @Override
  public void copy(long offset, long length, MemorySegment into, long at) {
    check(offset, length);
    int i = pieces.floor(offset);
    if (pieceHas(i, offset, length)) {
      stream.copy(pieces.stream[i] + (offset - pieces.image[i]), length, into, at);
    } else {
      into.asSlice(at, length).fill((byte) 0);
      gather(offset, length, into, at, i);
    }
  }

  private boolean pieceHas(int piece, long offset, long length) {
    return piece >= 0 && offset - pieces.image[piece] <= pieces.length[piece] - length;
  }

  /** Copies what the pieces from {@code floor} on have of a range. */
  private void gather(long offset, long length, MemorySegment into, long at, int floor) {
    long limit = offset + length;
    for (int i = Math.max(floor, 0); i < pieces.count && pieces.image[i] < limit; i++) {
      long from = Math.max(offset, pieces.image[i]);
      long to = Math.min(limit, pieces.image[i] + pieces.length[i]);
      if (from < to) {
        stream.copy(
            pieces.stream[i] + (from - pieces.image[i]), to - from, into, at + (from - offset));
      }
    }
  }

  /** Pieces of the image and where they stand in the stream, in three parallel arrays. */
  private static final class Pieces {
    private long[] image;
    private long[] stream;
    private int[] length;
    private int count;

    Pieces(int capacity) {
      image = new long[capacity];
      stream = new long[capacity];
      length = new int[capacity];
    }

    void add(long imageOffset, long streamOffset, int bytes) {
      if (count == image.length) {
        int larger = Math.max(256, count + (count >> 1));
        image = Arrays.copyOf(image, larger);
        stream = Arrays.copyOf(stream, larger);
        length = Arrays.copyOf(length, larger);
      }
      image[count] = imageOffset;
      stream[count] = streamOffset;
      length[count++] = bytes;
    }

    /** The last piece that starts at or below {@code offset}, or -1. */
    int floor(long offset) {
      int i = Arrays.binarySearch(image, 0, count, offset);
      return i >= 0 ? i : -i - 2;
    }

    /** The same, ordered by image offset and free of overlaps: of two pieces the later one wins. */
    Pieces arranged() {
      int[] order = sorted();
      var result = new Pieces(count);
      boolean overlaps = false;
      for (int i = 0; i < count; i++) {
        int p = order[i];
        overlaps |= i > 0 && image[order[i - 1]] + length[order[i - 1]] > image[p];
        result.add(image[p], stream[p], length[p]);
      }
      return overlaps ? resolved(order) : result;
    }

    /**
     * The pieces' numbers by image offset; equal offsets keep their order. A merge sort of the runs
     * that are there: writers keep a few positions and move each upwards, so runs are long.
     */
    private int[] sorted() {
      var order = new int[count];
      var runs = new int[16];
      int runCount = 0;
      for (int i = 0; i < count; i++) {
        order[i] = i;
        if (i == 0 || image[i] < image[i - 1]) {
          if (runCount + 1 >= runs.length) {
            runs = Arrays.copyOf(runs, runs.length * 2);
          }
          runs[runCount++] = i;
        }
      }
      runs[runCount] = count;
      var other = new int[count];
      while (runCount > 1) {
        int merged = 0;
        for (int r = 0; r < runCount; r += 2) {
          int end = runs[Math.min(r + 2, runCount)];
          merge(order, runs[r], runs[Math.min(r + 1, runCount)], end, other);
          runs[merged++] = runs[r];
        }
        runs[merged] = count;
        runCount = merged;
        int[] swap = order;
        order = other;
        other = swap;
      }
      return order;
    }

    private void merge(int[] from, int start, int middle, int end, int[] to) {
      int left = start;
      int right = middle;
      for (int i = start; i < end; i++) {
        boolean takeLeft =
            left < middle && (right >= end || image[from[left]] <= image[from[right]]);
        to[i] = takeLeft ? from[left++] : from[right++];
      }
    }

    /**
     * Sweeps over the pieces by image offset; at any place the one with the highest number wins.
     */
    private Pieces resolved(int[] order) {
      var result = new Pieces(count);
      var active = new PriorityQueue<Integer>((a, b) -> Integer.compare(b, a));
      int next = 0;
      long at = 0;
      while (next < count || !active.isEmpty()) {
        while (!active.isEmpty() && end(active.element()) <= at) {
          active.remove();
        }
        if (active.isEmpty()) {
          if (next == count) {
            break;
          }
          at = Math.max(at, image[order[next]]);
        }
        while (next < count && image[order[next]] <= at) {
          active.add(order[next++]);
        }
        while (!active.isEmpty() && end(active.element()) <= at) {
          active.remove();
        }
        if (active.isEmpty()) {
          continue;
        }
        int winner = active.element();
        long until = end(winner);
        // Only a later piece can cut the winner short.
        while (next < count && image[order[next]] < until) {
          if (order[next] > winner) {
            until = image[order[next]];
            break;
          }
          active.add(order[next++]);
        }
        result.add(at, stream[winner] + (at - image[winner]), (int) (until - at));
        at = until;
      }
      return result;
    }

    private long end(int piece) {
      return image[piece] + length[piece];
    }
  }
}
