// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux.boot;

import dev.fathom.kernel.Progress;
import dev.fathom.model.arch.aarch64.PageTables;
import dev.fathom.model.arch.aarch64.Paging;
import dev.fathom.target.PhysicalMemory;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Optional;

/**
 * Searches memory for a 64-bit Arm kernel by the header that its image begins with, which stays in
 * memory (Documentation/arch/arm64/booting.rst; before 6.4 Documentation/arm64/booting.rst):
 *
 * <pre>
 *   0 code   8 text_offset   16 image_size   24 flags   32 ...   56 "ARM\x64"
 *   flags    bit 0 big-endian, bits 2 to 1 the page size: 1 4 KiB, 2 16 KiB, 3 64 KiB
 * </pre>
 *
 * and then the image for the page that is its {@code swapper_pg_dir}; or else all of memory for
 * that.
 */
final class Arm64ImageScan {
  private static final int MAGIC = 0x644d_5241;
  private static final int HEADER = 64;

  /** Images begin at multiples of 2 MiB, before 5.8 some 512 KiB behind one (TEXT_OFFSET). */
  private static final long STEP = 64 << 10;

  private static final long LEAST = 4L << 20;
  private static final long MOST = 256L << 20;
  private static final int PROGRESS = 1 << 10;

  /** Roots of processes look alike, and hostile memory may be full of them. */
  private static final int CANDIDATES = 1 << 12;

  private static final long ADDRESS = 0x0000_ffff_ffff_f000L;

  private final PhysicalMemory physical;
  private final Progress progress;

  Arm64ImageScan(PhysicalMemory physical, Progress progress) {
    this.physical = physical;
    this.progress = progress;
  }

  /**
   * @param text an address in the image
   */
  record Found(PageTables tables, long text) {}

  /** The sizes of the kernel's half that kernels with that granule can have, the usual first. */
  static List<Integer> virtualBits(int granule) {
    return switch (granule) {
      case 12 -> List.of(48, 39, 52);
      case 14 -> List.of(48, 47, 52, 36);
      default -> List.of(48, 52, 42);
    };
  }

  Optional<Found> find() {
    var bytes = new byte[HEADER];
    var segment = MemorySegment.ofArray(bytes);
    var header = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    long total = VmcoreinfoScan.pages(physical.ranges()) * 4096 / STEP;
    long done = 0;
    for (var range : physical.ranges()) {
      long missing = 0;
      for (long at = (range.start() + STEP - 1) & -STEP;
          range.contains(at) && missing < VmcoreinfoScan.MISSING_LIMIT / (STEP / 4096);
          at += STEP) {
        if (++done % PROGRESS == 0) {
          progress.step("searching memory for a kernel image", done, total);
        }
        missing++;
        if (physical.read(at, segment) == HEADER) {
          missing = 0;
          if (header.getInt(56) == MAGIC) {
            var found = inImage(at, header.getLong(16), header.getLong(24));
            if (found.isPresent()) {
              return found;
            }
          }
        }
      }
    }
    for (int granule : new int[] {12, 16, 14}) {
      var found = byRoot(granule);
      if (found.isPresent()) {
        return found;
      }
    }
    return Optional.empty();
  }

  /** Where the header's page was used for something else, as 6.1 does: every page of memory. */
  private Optional<Found> byRoot(int granule) {
    var page = new byte[1 << granule];
    var segment = MemorySegment.ofArray(page);
    long total = VmcoreinfoScan.pages(physical.ranges()) >> (granule - 12);
    long done = 0;
    int candidates = 0;
    for (var range : physical.ranges()) {
      long missing = 0;
      for (long at = (range.start() + page.length - 1) & -page.length;
          range.contains(at) && missing < VmcoreinfoScan.MISSING_LIMIT;
          at += page.length) {
        if (++done % (PROGRESS << 4) == 0) {
          progress.step("searching memory for page tables", done, total);
        }
        missing++;
        if (physical.read(at, segment) == page.length) {
          missing = 0;
          if (isRoot(page) && candidates++ < CANDIDATES) {
            var found = behind(at, granule);
            if (found.isPresent()) {
              return found;
            }
          }
        }
      }
    }
    return Optional.empty();
  }

  /** What the tables behind a root map, if they map it too, in a kernel's image. */
  private Optional<Found> behind(long root, int granule) {
    for (int bits : virtualBits(granule)) {
      var paging = new Paging(granule, bits, granule != 16 && bits == 52, true);
      var tables = new PageTables(physical, root, paging);
      var image = Arm64Image.around(tables, root);
      if (image.isPresent()) {
        return Optional.of(new Found(tables, image.get().start()));
      }
    }
    return Optional.empty();
  }

  private Optional<Found> inImage(long start, long size, long flags) {
    int granule = 10 + 2 * ((int) flags >>> 1 & 3);
    if ((flags & 1) != 0 || granule == 10 || size < LEAST || size > MOST) {
      return Optional.empty();
    }
    var page = new byte[1 << granule];
    var segment = MemorySegment.ofArray(page);
    for (long at = start; at < start + size; at += page.length) {
      if (physical.read(at, segment) == page.length && isRoot(page)) {
        var found = behind(at, granule);
        if (found.isPresent()) {
          return found;
        }
      }
    }
    return Optional.empty();
  }

  /** Whether there are two entries or more, and all lead to a table or block in memory. */
  private boolean isRoot(byte[] page) {
    var entries = ByteBuffer.wrap(page).order(ByteOrder.LITTLE_ENDIAN);
    int count = 0;
    while (entries.hasRemaining()) {
      long entry = entries.getLong();
      if (entry != 0) {
        if ((entry & 1) == 0 || !isMemory(entry & ADDRESS)) {
          return false;
        }
        count++;
      }
    }
    return count >= 2;
  }

  private boolean isMemory(long address) {
    for (var range : physical.ranges()) {
      if (range.contains(address)) {
        return true;
      }
    }
    return false;
  }
}
