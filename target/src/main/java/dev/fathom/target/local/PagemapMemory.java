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
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A process's memory in which pages that were never written are told from {@code /proc/PID/pagemap}
 * instead of being read: to read one costs as much as to read any other, and most of a guest's
 * memory can be such. Only in private anonymous mappings is a page that is neither present nor
 * swapped out one of zeros. Those that were only read share the kernel's own pages of zeros, which
 * {@code /proc/kpageflags} tells.
 *
 * <p>Layouts: Documentation/admin-guide/mm/pagemap.rst. An entry of the pagemap has 64 bits for
 * each page since Linux 2.6.25. The two bits used here are told to everybody who may open the file,
 * frames (since 4.2) only with CAP_SYS_ADMIN: they are 0 for others, and pages that were read are
 * read again then. The flag for pages of zeros is there since 4.0.
 */
final class PagemapMemory implements HostMemory {
  private static final long SWAPPED = 1L << 62;
  private static final long PRESENT = 1L << 63;
  private static final long FRAME = (1L << 55) - 1;

  /** KPF_ZERO_PAGE: the small page of zeros and the huge one. */
  private static final long ZERO_PAGE = 1L << 24;

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
  private final Optional<FileChannel> flags;
  private final List<Range> anonymous;
  private final long page;
  private final ByteBuffer entries = window();
  private final ByteBuffer answers = window();

  /** The pages of the window at hand that need not be read. */
  private final BitSet empty = new BitSet(WINDOW);

  private PagemapMemory(
      HostMemory memory,
      FileChannel pagemap,
      Optional<FileChannel> flags,
      List<Range> anonymous,
      long page) {
    this.memory = memory;
    this.pagemap = pagemap;
    this.flags = flags;
    this.anonymous = anonymous;
    this.page = page;
  }

  private static ByteBuffer window() {
    return ByteBuffer.allocateDirect(WINDOW * Long.BYTES).order(ByteOrder.nativeOrder());
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
      return new PagemapMemory(memory, file, pageFlags(), anonymous, size.get());
    } catch (IOException _) {
      return memory; // A kernel without it, or not for this user.
    }
  }

  private static Optional<FileChannel> pageFlags() {
    try {
      return Optional.of(FileChannel.open(Path.of("/proc/kpageflags"), StandardOpenOption.READ));
    } catch (IOException _) {
      return Optional.empty(); // Root alone may.
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
    if (!fill(entries, pagemap, address / page, pages)) {
      return memory.read(address, into);
    }
    findEmpty(pages);
    int at = 0;
    while (at < pages) {
      int end = at;
      int run = 0;
      while (end < pages && run < LEAST_RUN) {
        run = empty.get(end) ? run + 1 : 0;
        end++;
      }
      end -= run == LEAST_RUN ? LEAST_RUN : 0;
      var part = slice(into, at, end);
      int got = memory.read(address + at * page, part);
      if (got < part.byteSize()) {
        return (int) (at * page + got);
      }
      at = end;
      end = Math.min(empty.nextClearBit(at), pages);
      slice(into, at, end).fill((byte) 0);
      at = end;
    }
    return (int) into.byteSize();
  }

  /**
   * Reads so many of a file's numbers of 64 bits.
   *
   * @return false when they are not there: the one that reads the pages says what is wrong
   */
  private static boolean fill(ByteBuffer buffer, FileChannel file, long first, int count) {
    buffer.clear().limit(count * Long.BYTES);
    try {
      while (buffer.hasRemaining()) {
        if (file.read(buffer, first * Long.BYTES + buffer.position()) <= 0) {
          return false;
        }
      }
      return true;
    } catch (IOException _) {
      return false;
    }
  }

  private void findEmpty(int pages) {
    empty.clear();
    int at = 0;
    while (at < pages) {
      if ((entries.getLong(at * Long.BYTES) & (PRESENT | SWAPPED)) == 0) {
        empty.set(at++);
      } else {
        int first = at;
        long step = at + 1 < pages ? frame(at + 1) - frame(at) : -1;
        at++;
        while (at < pages && frame(at) != 0 && frame(at) - frame(at - 1) == step) {
          at++;
        }
        // The small page of zeros, which is the same one again and again, or a huge page.
        if (at - first >= LEAST_RUN && frame(first) != 0 && (step == 0 || step == 1)) {
          findZeroPages(first, at, step == 0 ? 1 : at - first);
        }
      }
    }
  }

  private void findZeroPages(int first, int end, int frames) {
    if (flags.isPresent() && fill(answers, flags.get(), frame(first), frames)) {
      for (int i = first; i < end; i++) {
        int answer = frames == 1 ? 0 : i - first;
        empty.set(i, (answers.getLong(answer * Long.BYTES) & ZERO_PAGE) != 0);
      }
    }
  }

  /** Where the page is; 0 when it is nowhere or that is not told. */
  private long frame(int index) {
    long entry = entries.getLong(index * Long.BYTES);
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
    try (memory;
        pagemap) {
      if (flags.isPresent()) {
        flags.get().close();
      }
    } catch (IOException e) {
      throw new TargetException("cannot close the pagemap of a process", e);
    }
  }
}
