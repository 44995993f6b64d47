// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.local;

import dev.fathom.base.Range;
import dev.fathom.base.TargetException;
import dev.fathom.target.ProcessView.Mapped;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A process's memory in which pages that were never written are told from {@code /proc/PID/pagemap}
 * instead of being read: to read one costs as much as to read any other, and most of a guest's
 * memory can be such. Only in private anonymous mappings is a page that is neither present nor
 * swapped out one of zeros. Those that were read share the kernel's page of zeros, which is known
 * by its frame being at two places.
 *
 * <p>Layout of a pagemap entry: Documentation/admin-guide/mm/pagemap.rst, 64 bits for each page
 * since Linux 2.6.25. The two bits used here are told to everybody who may open the file, frames
 * (since 4.2) only with CAP_SYS_ADMIN: they are 0 for others, and pages of zeros are read then.
 */
final class PagemapMemory implements HostMemory {
  private static final long SWAPPED = 1L << 62;
  private static final long PRESENT = 1L << 63;
  private static final long FRAME = (1L << 55) - 1;

  /** Reads that are smaller are not worth the question. */
  private static final long LEAST = 1 << 16;

  /** Pages of zeros between others are left out from so many on. */
  private static final int LEAST_RUN = 8;

  /** Pages asked for at once. */
  private static final int WINDOW = 4096;

  /** AT_PAGESZ of the auxiliary vector (include/uapi/linux/auxvec.h). */
  private static final long AT_PAGESZ = 6;

  private final HostMemory memory;
  private final FileChannel pagemap;
  private final List<Range> anonymous;
  private final long page;
  private final MemorySegment zeros;
  private final ByteBuffer entries =
      ByteBuffer.allocateDirect(WINDOW * Long.BYTES).order(ByteOrder.nativeOrder());

  private PagemapMemory(HostMemory memory, FileChannel pagemap, List<Range> anonymous, long page) {
    this.memory = memory;
    this.pagemap = pagemap;
    this.anonymous = anonymous;
    this.page = page;
    this.zeros = MemorySegment.ofArray(new byte[(int) page]);
  }

  /**
   * The same memory, read with the help of the pagemap where that can be: not where the file cannot
   * be opened, and not in a process that fills missing pages itself (userfaultfd(2), as QEMU does
   * while a guest comes in by postcopy).
   *
   * @param memory closed with what is returned
   */
  static HostMemory over(long pid, HostMemory memory) {
    var files = new ProcFiles(pid);
    var size = Optional.ofNullable(new ProcFiles(self()).auxiliary().get(AT_PAGESZ));
    if (size.isEmpty() || fillsPages(pid)) {
      return memory;
    }
    var anonymous =
        files.maps().stream()
            .filter(PagemapMemory::isAnonymous)
            .map(Mapped::range)
            .filter(range -> range.end() - range.start() >= LEAST)
            .toList();
    try {
      var file = FileChannel.open(Path.of("/proc/" + pid + "/pagemap"), StandardOpenOption.READ);
      return new PagemapMemory(memory, file, anonymous, size.get());
    } catch (IOException _) {
      return memory; // A kernel without it, or not for this user.
    }
  }

  /** Readable, private, no file; a name can have been given to it since Linux 5.17. */
  private static boolean isAnonymous(Mapped mapped) {
    return mapped.protection().startsWith("r")
        && mapped.protection().endsWith("p")
        && (mapped.name().isEmpty() || mapped.name().startsWith("[anon:"));
  }

  private static long self() {
    return ProcessHandle.current().pid();
  }

  private static boolean fillsPages(long pid) {
    try (Stream<Path> open = Files.list(Path.of("/proc/" + pid + "/fd"))) {
      for (var file : (Iterable<Path>) open::iterator) {
        if (Files.readSymbolicLink(file).toString().contains("userfaultfd")) {
          return true;
        }
      }
      return false;
    } catch (IOException _) {
      return true; // It cannot be told.
    }
  }

  @Override
  public int read(long address, MemorySegment into) {
    if (into.byteSize() < LEAST || address % page != 0 || !within(address, into.byteSize())) {
      return memory.read(address, into);
    }
    long done = 0;
    while (done < into.byteSize()) {
      long bytes = Math.min(into.byteSize() - done, WINDOW * page);
      int got = window(address + done, into.asSlice(done, bytes));
      done += got;
      if (got < bytes) {
        break;
      }
    }
    return (int) done;
  }

  private boolean within(long address, long length) {
    for (var range : anonymous) {
      if (range.contains(address)) {
        return length <= range.end() - address;
      }
    }
    return false;
  }

  /** Reads what the pagemap is asked for at once. */
  private int window(long address, MemorySegment into) {
    int pages = (int) ((into.byteSize() + page - 1) / page);
    entries.clear().limit(pages * Long.BYTES);
    try {
      while (entries.hasRemaining()) {
        if (pagemap.read(entries, address / page * Long.BYTES + entries.position()) <= 0) {
          return memory.read(address, into);
        }
      }
    } catch (IOException _) {
      return memory.read(address, into); // The one that reads says what is wrong.
    }
    long empty = frameOfZeros(address, into, pages);
    int at = 0;
    while (at < pages) {
      int end = at;
      int run = 0;
      while (end < pages && run < LEAST_RUN) {
        run = isEmpty(end, empty) ? run + 1 : 0;
        end++;
      }
      end -= run == LEAST_RUN ? LEAST_RUN : 0;
      var part = slice(into, at, end);
      int got = memory.read(address + at * page, part);
      if (got < part.byteSize()) {
        return (int) (at * page + got);
      }
      at = end;
      while (end < pages && isEmpty(end, empty)) {
        end++;
      }
      slice(into, at, end).fill((byte) 0);
      at = end;
    }
    return (int) into.byteSize();
  }

  private boolean isEmpty(int index, long frameOfZeros) {
    long entry = entries.getLong(index * Long.BYTES);
    return (entry & (PRESENT | SWAPPED)) == 0
        || (frameOfZeros != 0 && frame(entry) == frameOfZeros);
  }

  /**
   * The frame that is at two neighbouring places, when one of them is read as zeros; else 0. Not
   * kept for the next window: same-page merging shares frames too, and gives them back.
   */
  private long frameOfZeros(long address, MemorySegment into, int pages) {
    long before = 0;
    for (int i = 0; i < pages; i++) {
      long frame = frame(entries.getLong(i * Long.BYTES));
      if (frame != 0 && frame == before) {
        var part = slice(into, i, i + 1);
        boolean whole = memory.read(address + i * page, part) == part.byteSize();
        return whole && part.mismatch(zeros.asSlice(0, part.byteSize())) < 0 ? frame : 0;
      }
      before = frame;
    }
    return 0;
  }

  /** 0 where no frame is told. */
  private static long frame(long entry) {
    return (entry & (PRESENT | SWAPPED)) == PRESENT ? entry & FRAME : 0;
  }

  private MemorySegment slice(MemorySegment into, int first, int end) {
    long from = Math.min(first * page, into.byteSize());
    return into.asSlice(from, Math.min(end * page, into.byteSize()) - from);
  }

  @Override
  public boolean ended() {
    return memory.ended();
  }

  @Override
  public void close() {
    try (memory) {
      pagemap.close();
    } catch (IOException e) {
      throw new TargetException("cannot close the pagemap of a process", e);
    }
  }
}
