// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.kdump;

import dev.fathom.base.BadDataException;
import dev.fathom.base.ByteSource;
import dev.fathom.base.Range;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;

/**
 * One file in kdump-compressed format. Its grammar, in blocks of {@code block_size} bytes:
 *
 * <pre>
 *   header (1 block); sub header (sub_hdr_size blocks); first bitmap; second bitmap (bitmap_blocks together);
 *   page descriptors, one for each bit that is set in the second bitmap, in order; stored pages
 * </pre>
 *
 * VMCOREINFO and notes follow the sub header in its blocks. The first bitmap says which page frames
 * the machine has, the second which of them are in the dump; files of the old diskdump tool that
 * left nothing out have one bitmap. A file of a split set has the whole bitmaps, but only the
 * descriptors of its own page frames.
 *
 * <p>Only the headers are read when the file is opened. A file that was cut off opens with what it
 * has. Not thread-safe.
 */
public final class KdumpFile {
  /** Bytes of {@code struct page_desc}. */
  private static final int DESCRIPTOR = 24;

  /** How many of the last descriptors {@link #truncated} looks at. */
  private static final int TAIL = 256;

  /** What the bitmaps say about a page frame. */
  public enum State {
    /** The second bitmap has it, so there is a descriptor. */
    STORED,
    /** The machine has it, but the writer left it out. */
    EXCLUDED,
    /** The machine has no such page frame. */
    ABSENT,
    /** It is stored in another file of the split set. */
    ELSEWHERE,
    /** The file ends before the bitmaps do. */
    UNKNOWN
  }

  private final ByteSource source;
  private final KdumpHeader header;
  private final PageBitmap existing;
  private final PageBitmap dumped;
  private final Range pfns;
  private final long descriptors;
  private final long rankOfFirst;

  private KdumpFile(ByteSource source, KdumpHeader header) {
    this.source = source;
    this.header = header;
    long blocks = header.bitmapBlocks();
    long blockSize = header.blockSize();
    long oneBitmap = ((header.maxMapnr() + 7) / 8 + blockSize - 1) / blockSize;
    boolean two = blocks >= 2 * oneBitmap;
    if (blocks < oneBitmap) {
      throw new BadDataException(
          source.name(),
          436,
          "bitmaps of "
              + blocks
              + " blocks, expected at least "
              + oneBitmap
              + " for 0x"
              + Long.toHexString(header.maxMapnr())
              + " page frames");
    }
    long first = header.bitmapOffset();
    this.existing = new PageBitmap(source, first, header.maxMapnr());
    this.dumped =
        two ? new PageBitmap(source, first + blocks / 2 * blockSize, header.maxMapnr()) : existing;
    this.descriptors = first + blocks * blockSize;
    long end = header.maxMapnr();
    if (header.splitPfns().isPresent()) {
      Range share = header.splitPfns().get();
      this.pfns = new Range(Math.min(share.start(), end), Math.min(share.end(), end));
    } else {
      this.pfns = new Range(0, end);
    }
    this.rankOfFirst = pfns.start() == 0 ? 0 : dumped.rank(pfns.start());
  }

  /**
   * Opens a file in this format.
   *
   * @throws BadDataException when the headers do not make sense, see {@link KdumpHeader#read}
   */
  public static KdumpFile open(ByteSource source) {
    return new KdumpFile(source, KdumpHeader.read(source));
  }

  public ByteSource source() {
    return source;
  }

  public KdumpHeader header() {
    return header;
  }

  /** The page frames that this file is about: all, or its share of a split set. */
  public Range pfns() {
    return pfns;
  }

  /** What the file knows about a page frame. */
  public State state(long pfn) {
    if (pfn < 0 || pfn >= header.maxMapnr()) {
      return State.ABSENT;
    }
    if (!dumped.known(pfn)) {
      return State.UNKNOWN;
    }
    if (dumped.get(pfn)) {
      return pfns.contains(pfn) ? State.STORED : State.ELSEWHERE;
    }
    return existing.get(pfn) ? State.EXCLUDED : State.ABSENT;
  }

  /**
   * The first page frame at or above {@code pfn} that the machine has, or {@code limit} when there
   * is none below it.
   */
  public long nextExisting(long pfn, long limit) {
    return existing.next(pfn, Math.min(limit, header.maxMapnr()));
  }

  /**
   * The first page frame at or above {@code pfn} that the machine does not have, or {@code limit}
   * when there is none below it.
   */
  public long nextMissing(long pfn, long limit) {
    return existing.nextClear(pfn, Math.min(limit, header.maxMapnr()));
  }

  /** The first page frame at or above {@code pfn} that is stored in this file, or {@code limit}. */
  public long nextStored(long pfn, long limit) {
    return dumped.next(Math.max(pfn, pfns.start()), Math.min(limit, pfns.end()));
  }

  /**
   * The descriptor of a page frame that is {@link State#STORED}; absent when the file ends before
   * it.
   */
  public Optional<PageDescriptor> descriptor(long pfn) {
    long at = descriptors + (dumped.rank(pfn) - rankOfFirst) * DESCRIPTOR;
    if (at > source.size() - DESCRIPTOR) {
      return Optional.empty();
    }
    ByteBuffer b = ByteBuffer.wrap(source.bytes(at, DESCRIPTOR)).order(ByteOrder.LITTLE_ENDIAN);
    return Optional.of(
        new PageDescriptor(at, b.getLong(0), b.getInt(8), b.getInt(12), b.getLong(16)));
  }

  /** Whether the file reaches to the end of the page's data. */
  public boolean reaches(PageDescriptor d) {
    return d.offset() >= 0
        && d.size() >= 0
        && source.size() >= d.size()
        && d.offset() <= source.size() - d.size();
  }

  /**
   * Copies the stored bytes of a page, still compressed, to the start of {@code into}, which takes
   * at least two blocks, or one when the page is not compressed.
   *
   * @throws BadDataException when the descriptor points outside the file or states an impossible
   *     size
   */
  public void copy(PageDescriptor d, byte[] into) {
    boolean plain = d.compression() == PageDescriptor.Compression.NONE;
    int limit = plain ? header.blockSize() : 2 * header.blockSize();
    if (d.size() <= 0 || d.size() > limit || (plain && d.size() != limit)) {
      throw new BadDataException(
          source.name(),
          d.at() + 8,
          "page descriptor with size "
              + Integer.toUnsignedString(d.size())
              + ", expected "
              + (plain ? "" : "1 to ")
              + limit);
    }
    if (!reaches(d)) {
      throw new BadDataException(
          source.name(),
          d.at(),
          "page data at 0x"
              + Long.toHexString(d.offset())
              + ", but the file ends at 0x"
              + Long.toHexString(source.size()));
    }
    source.copy(d.offset(), d.size(), MemorySegment.ofArray(into), 0);
  }

  /**
   * Whether the file ends before the data does, judged by the bitmaps, the last descriptors and
   * their pages. Counts the bits of the whole second bitmap: 1 ms for every 32 GiB of the crashed
   * machine's memory.
   */
  public boolean truncated() {
    if (!dumped.complete()) {
      return true;
    }
    long count = dumped.rank(pfns.end()) - rankOfFirst;
    long end = descriptors + count * DESCRIPTOR;
    if (end > source.size()) {
      return true;
    }
    int tail = (int) Math.min(count, TAIL);
    ByteBuffer b = ByteBuffer.wrap(source.bytes(end - (long) tail * DESCRIPTOR, tail * DESCRIPTOR));
    b.order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < tail; i++) {
      long offset = b.getLong(i * DESCRIPTOR);
      int size = b.getInt(i * DESCRIPTOR + 8);
      if (offset > 0 && size > 0 && offset > source.size() - size) {
        return true;
      }
    }
    return false;
  }
}
