// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.dump;

import dev.fathom.base.BadDataException;
import dev.fathom.base.Range;
import dev.fathom.base.Readability;
import dev.fathom.format.compress.Decompressor;
import dev.fathom.format.compress.Lzo1x;
import dev.fathom.format.compress.Snappy;
import dev.fathom.format.compress.Zlib;
import dev.fathom.format.compress.Zstd;
import dev.fathom.format.kdump.KdumpFile;
import dev.fathom.format.kdump.PageDescriptor;
import dev.fathom.model.Layout;
import dev.fathom.target.PhysicalMemory;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Physical memory that kdump-compressed files hold, one or the files of a split set. */
final class KdumpPhysicalMemory implements PhysicalMemory, AutoCloseable {
  private static final int CACHE_BYTES = 32 << 20;

  /** Ranges with less between them than this many pages are told as one. */
  private static final long MIN_GAP = 256;

  private static final int MAX_RANGES = 1 << 16;

  private final KdumpFile[] parts;
  private final int pageBytes;
  private final int pageShift;
  private final long maxMapnr;
  private final PageCache cache;
  private final Codecs codecs = new Codecs();
  private byte[] packed = {};
  private long recentPfn = -1;
  private byte[] recentPage = {};
  private long corruptPages;
  private long recentCorrupt = -1;
  private Optional<BadDataException> firstCorrupt = Optional.empty();

  /**
   * @param parts the files, all of the same dump
   */
  KdumpPhysicalMemory(List<KdumpFile> parts) {
    this.parts = parts.toArray(new KdumpFile[0]);
    this.pageBytes = this.parts[0].header().blockSize();
    this.pageShift = Integer.numberOfTrailingZeros(pageBytes);
    this.maxMapnr = this.parts[0].header().maxMapnr();
    this.cache = new PageCache((int) Math.min(CACHE_BYTES, maxMapnr * pageBytes), pageBytes);
  }

  /** How often a corrupt page was met; asking for the same one again at once does not count. */
  long corruptPages() {
    return corruptPages;
  }

  /** What was wrong with the first of them. */
  Optional<BadDataException> firstCorrupt() {
    return firstCorrupt;
  }

  @Override
  public String name() {
    return "physical";
  }

  @Override
  public Layout layout() {
    return Layout.LITTLE_64;
  }

  @Override
  public List<Range> ranges() {
    var ranges = new ArrayList<Range>();
    KdumpFile file = parts[0];
    long start = file.nextExisting(0, maxMapnr);
    while (start < maxMapnr) {
      long end = file.nextMissing(start, maxMapnr);
      long next = file.nextExisting(end, maxMapnr);
      while (next < maxMapnr && (next - end < MIN_GAP || ranges.size() == MAX_RANGES)) {
        end = file.nextMissing(next, maxMapnr);
        next = file.nextExisting(end, maxMapnr);
      }
      ranges.add(new Range(start << pageShift, end << pageShift));
      start = next;
    }
    return List.copyOf(ranges);
  }

  @Override
  public int read(long address, MemorySegment into) {
    int wanted = (int) Math.min(into.byteSize(), Integer.MAX_VALUE);
    int done = 0;
    while (done < wanted) {
      long at = address + done;
      byte[] page = page(at >>> pageShift);
      if (page == null) {
        break;
      }
      int start = (int) at & (pageBytes - 1);
      int count = Math.min(pageBytes - start, wanted - done);
      MemorySegment.copy(MemorySegment.ofArray(page), start, into, done, count);
      done += count;
    }
    return done;
  }

  @Override
  public Readability at(long address) {
    long pfn = address >>> pageShift;
    KdumpFile part = part(pfn);
    try {
      return switch (part.state(pfn)) {
        case STORED -> stored(part, pfn);
        case EXCLUDED, ELSEWHERE -> Readability.NOT_DUMPED;
        case ABSENT -> Readability.UNMAPPED;
        case UNKNOWN -> Readability.ERROR;
      };
    } catch (BadDataException e) {
      corrupt(pfn, e);
      return Readability.ERROR;
    }
  }

  @Override
  public void close() {
    codecs.close();
  }

  private Readability stored(KdumpFile part, long pfn) {
    if (page(pfn) != null) {
      return Readability.READABLE;
    }
    var descriptor = part.descriptor(pfn);
    boolean left =
        descriptor.isPresent() && descriptor.get().unwritten() && part.header().incomplete();
    return left ? Readability.NOT_DUMPED : Readability.ERROR;
  }

  /** The page's bytes, not to be kept, or null when it cannot be read. */
  private byte[] page(long pfn) {
    if (pfn == recentPfn) {
      return recentPage;
    }
    byte[] page = cache.get(pfn);
    if (page == null) {
      page = load(pfn);
      if (page == null) {
        return null;
      }
      cache.put(pfn, page);
    }
    recentPfn = pfn;
    recentPage = page;
    return page;
  }

  private byte[] load(long pfn) {
    KdumpFile part = part(pfn);
    try {
      if (part.state(pfn) != KdumpFile.State.STORED) {
        return null;
      }
      var descriptor = part.descriptor(pfn);
      if (descriptor.isEmpty() || descriptor.get().unwritten() || !part.reaches(descriptor.get())) {
        return null;
      }
      // The array may be that of the page read last.
      recentPfn = -1;
      byte[] page = cache.room(pfn);
      unpack(part, descriptor.get(), page);
      return page;
    } catch (BadDataException e) {
      corrupt(pfn, e);
      return null;
    }
  }

  private void unpack(KdumpFile part, PageDescriptor d, byte[] page) {
    if (d.compression() == PageDescriptor.Compression.NONE) {
      part.copy(d, page);
      return;
    }
    if (packed.length == 0) {
      packed = new byte[2 * pageBytes];
    }
    part.copy(d, packed);
    Decompressor codec = codecs.of(part, d);
    int count;
    try {
      count = codec.decompress(packed, 0, d.size(), page);
    } catch (BadDataException e) {
      throw new BadDataException(
          part.source().name(), d.offset() + e.offset(), e.source() + ": " + e.what());
    }
    if (count != pageBytes) {
      throw new BadDataException(
          part.source().name(),
          d.offset(),
          "page that unpacks to " + count + " bytes, expected " + pageBytes);
    }
  }

  private void corrupt(long pfn, BadDataException e) {
    if (pfn != recentCorrupt) {
      corruptPages++;
      recentCorrupt = pfn;
    }
    if (firstCorrupt.isEmpty()) {
      firstCorrupt = Optional.of(e);
    }
  }

  private KdumpFile part(long pfn) {
    for (KdumpFile part : parts) {
      if (part.pfns().contains(pfn)) {
        return part;
      }
    }
    return parts[0];
  }

  /** The decoders, each made when the first page needs it. */
  private static final class Codecs implements AutoCloseable {
    private Optional<Lzo1x> lzo = Optional.empty();
    private Optional<Snappy> snappy = Optional.empty();
    private Optional<Zlib> zlib = Optional.empty();
    private Optional<Zstd> zstd = Optional.empty();

    Decompressor of(KdumpFile part, PageDescriptor d) {
      return switch (d.compression()) {
        case LZO -> {
          lzo = Optional.of(lzo.isPresent() ? lzo.get() : new Lzo1x());
          yield lzo.get();
        }
        case SNAPPY -> {
          snappy = Optional.of(snappy.isPresent() ? snappy.get() : new Snappy());
          yield snappy.get();
        }
        case ZLIB -> {
          zlib = Optional.of(zlib.isPresent() ? zlib.get() : new Zlib());
          yield zlib.get();
        }
        case ZSTD -> {
          zstd = Optional.of(zstd.isPresent() ? zstd.get() : new Zstd());
          yield zstd.get();
        }
        case NONE, UNKNOWN ->
            throw new BadDataException(
                part.source().name(),
                d.at() + 12,
                "page flags 0x" + Integer.toHexString(d.flags()) + ", expected 0, 1, 2, 4 or 0x20");
      };
    }

    @Override
    public void close() {
      if (zlib.isPresent()) {
        zlib.get().close();
      }
      if (zstd.isPresent()) {
        zstd.get().close();
      }
    }
  }
}
