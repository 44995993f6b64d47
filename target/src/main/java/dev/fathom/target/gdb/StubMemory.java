// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.gdb;

import dev.fathom.base.FaultException;
import dev.fathom.base.Readability;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Supplier;

/**
 * Memory through {@code m} and {@code M}, physical or virtual. Blocks that were read are kept until
 * {@link #forget}: pages, or where a stub takes small packets alone, what one of those holds. Where
 * a block is missed whose predecessor was missed before it, more and more of what follows is read
 * with it. Large reads go past the cache.
 */
final class StubMemory {
  static final int PAGE = 4096;

  /** Requests made at once. */
  private static final int BATCH = 512;

  private static final int MAX_AHEAD = 64;
  private static final int KEPT_BYTES = 32 << 20;

  /** Stubs whose packets hold less of a page than this are asked for less than a page. */
  private static final int SMALL_PIECE = PAGE / 8;

  /** From this size on reads do not go through the cache. */
  private static final int LARGE = 1 << 18;

  private final Stub stub;
  private final boolean physical;
  private final Supplier<Optional<ThreadId>> thread;
  private final int piece;
  private final int blockBytes;
  private final int blockShift;
  private final Blocks blocks;
  private long nextMiss = -1;
  private int ahead = 1;

  /** Blocks by number, the least recently used first; an empty array is one that is not there. */
  private static final class Blocks extends LinkedHashMap<Long, byte[]> {
    private static final long serialVersionUID = 1L;

    private final int most;

    Blocks(int most) {
      super(256, 0.75f, true);
      this.most = most;
    }

    @Override
    protected boolean removeEldestEntry(Map.Entry<Long, byte[]> eldest) {
      return size() > most;
    }
  }

  /**
   * @param physical whether the addresses are physical
   * @param thread whose page tables translate virtual addresses
   */
  StubMemory(Stub stub, boolean physical, Supplier<Optional<ThreadId>> thread) {
    this.stub = stub;
    this.physical = physical;
    this.thread = thread;
    this.piece = Math.min(1 << 16, Integer.highestOneBit(stub.packetSize() / 2));
    this.blockBytes = piece < SMALL_PIECE ? piece : PAGE;
    this.blockShift = Integer.numberOfTrailingZeros(blockBytes);
    this.blocks = new Blocks(KEPT_BYTES / blockBytes);
  }

  /** Throws away what was read. */
  void forget() {
    blocks.clear();
    nextMiss = -1;
    ahead = 1;
  }

  int read(long address, MemorySegment into) {
    long wanted = into.byteSize();
    if (wanted >= LARGE) {
      return large(address, into);
    }
    int done = 0;
    while (done < wanted) {
      long at = address + done;
      int offset = (int) (at & (blockBytes - 1));
      int count = (int) Math.min(blockBytes - offset, wanted - done);
      long last = (address + wanted - 1) >>> blockShift;
      byte[] block = block(at >>> blockShift, last);
      if (block.length == 0) {
        // The stub may have a part of it: ask for what is wanted and no more.
        int got = pieces(at, into, done, count);
        done += got;
        if (got < count) {
          return done;
        }
      } else {
        MemorySegment.copy(block, offset, into, ValueLayout.JAVA_BYTE, done, count);
        done += count;
      }
    }
    return done;
  }

  /** Asks the stub for one byte. */
  Readability at(long address) {
    return read(address, MemorySegment.ofArray(new byte[1])) == 1
        ? Readability.READABLE
        : Readability.UNMAPPED;
  }

  /**
   * Writes all bytes.
   *
   * @param last a request that is sent after the last of them, where there is one
   * @return its reply
   * @throws FaultException when some could not be written; what {@code last} told is lost then
   */
  Optional<Reply> write(long address, MemorySegment bytes, String space, Optional<String> last) {
    byte[] all = bytes.toArray(ValueLayout.JAVA_BYTE);
    int most = Math.max(16, Math.min(PAGE, (stub.packetSize() - 40) / 2));
    List<String> before = preparations();
    Optional<Reply> lastReply = Optional.empty();
    for (int done = 0; done < all.length; ) {
      var requests = new ArrayList<String>();
      int from = done;
      for (; done < all.length && requests.size() < BATCH; ) {
        int count = Math.min(most, all.length - done);
        requests.add(
            "M"
                + Long.toHexString(address + done)
                + ","
                + Integer.toHexString(count)
                + ":"
                + Hex.encode(all, done, count));
        done += count;
      }
      int writes = requests.size();
      if (done == all.length) {
        last.ifPresent(requests::add);
      }
      List<Reply> replies = stub.ask(before, requests);
      before = List.of();
      for (int i = 0; i < writes; i++) {
        if (!replies.get(i).isOk()) {
          throw new FaultException(
              space,
              address + from + (long) i * most,
              at(address + from + (long) i * most) == Readability.READABLE
                  ? Readability.ERROR
                  : Readability.UNMAPPED);
        }
      }
      if (replies.size() > writes) {
        lastReply = Optional.of(replies.getLast());
      }
    }
    return lastReply;
  }

  private List<String> preparations() {
    var before = new ArrayList<String>(stub.addressing(physical));
    if (!physical) {
      before.addAll(stub.select(thread.get()));
    }
    return before;
  }

  /** The block, or an empty array; blocks up to {@code last} are wanted next. */
  private byte[] block(long number, long last) {
    byte[] block = blocks.get(number);
    if (block != null) {
      return block;
    }
    // Where each request waits for the reply to the last one, nothing is won by asking ahead.
    boolean follows = number == nextMiss && stub.link().pipelines();
    ahead = follows ? Math.min(2 * ahead, MAX_AHEAD) : 1;
    int count = (int) Math.max(ahead, Math.min(last - number + 1, LARGE / blockBytes));
    count = (int) Math.min(count, Math.max(1, (1L << (64 - blockShift)) - number));
    var bytes = new byte[count * blockBytes];
    int got = pieces(number << blockShift, MemorySegment.ofArray(bytes), 0, bytes.length);
    for (int i = 0; i < count && (i + 1) * blockBytes <= got; i++) {
      byte[] one = java.util.Arrays.copyOfRange(bytes, i * blockBytes, (i + 1) * blockBytes);
      blocks.put(number + i, one);
    }
    if (got < blockBytes) {
      blocks.put(number, new byte[0]);
    }
    nextMiss = number + Math.max(1, got / blockBytes);
    return blocks.get(number);
  }

  private int large(long address, MemorySegment into) {
    long done = 0;
    long wanted = Math.min(into.byteSize(), 1 << 30);
    while (done < wanted) {
      int count = (int) Math.min(wanted - done, 1 << 20);
      int got = pieces(address + done, into, done, count);
      done += got;
      if (got < count) {
        break;
      }
    }
    return (int) done;
  }

  /**
   * Reads from the stub.
   *
   * @return the bytes read before the first that the stub does not give
   */
  private int pieces(long address, MemorySegment into, long at, int count) {
    List<String> before = preparations();
    int done = 0;
    while (done < count) {
      var requests = new ArrayList<String>();
      var sizes = new int[BATCH];
      int asked = done;
      while (asked < count && requests.size() < BATCH) {
        long from = address + asked;
        // To the next multiple of the piece, so that a page that is missing spoils no other.
        int size = (int) Math.min(count - asked, piece - (from & (piece - 1)));
        sizes[requests.size()] = size;
        requests.add("m" + Long.toHexString(from) + "," + Integer.toHexString(size));
        asked += size;
        if (!stub.link().pipelines()) {
          break;
        }
      }
      var taken = new Pieces(into, at + done, sizes);
      stub.ask(before, requests, taken);
      before = List.of();
      done += taken.bytes;
      if (taken.missing.isPresent()) {
        int size = taken.missing.getAsInt();
        return size > PAGE ? done + byPage(address + done, into, at + done, size) : done;
      }
    }
    return done;
  }

  /** Puts what comes into its place, up to the first that does not come whole. */
  private final class Pieces implements Link.Taker {
    private final MemorySegment into;
    private final long at;
    private final int[] sizes;
    private int bytes;

    /** The size of the piece that did not come; 0 when a part of it did. */
    private OptionalInt missing = OptionalInt.empty();

    Pieces(MemorySegment into, long at, int[] sizes) {
      this.into = into;
      this.at = at;
      this.sizes = sizes;
    }

    @Override
    public void take(int index, Reply reply) {
      if (missing.isPresent()) {
        return;
      }
      int got = decode(reply, into, at + bytes, sizes[index]);
      bytes += got;
      if (got < sizes[index]) {
        missing = OptionalInt.of(got == 0 ? sizes[index] : 0);
      }
    }
  }

  /** Reads what a larger request could not give, a page at a time. */
  private int byPage(long address, MemorySegment into, long at, int count) {
    int done = 0;
    while (done < count) {
      int size = (int) Math.min(count - done, PAGE - ((address + done) & (PAGE - 1)));
      String request = "m" + Long.toHexString(address + done) + "," + Integer.toHexString(size);
      int got = decode(stub.link().ask(request), into, at + done, size);
      done += got;
      if (got < size) {
        break;
      }
    }
    return done;
  }

  private int decode(Reply reply, MemorySegment into, long at, int size) {
    if (reply.isError() || reply.isUnknown()) {
      return 0;
    }
    var bytes = new byte[size];
    int got = Hex.decode(reply.bytes(), 0, bytes, 0, size);
    MemorySegment.copy(bytes, 0, into, ValueLayout.JAVA_BYTE, at, got);
    return got;
  }
}
