// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux.boot;

import dev.fathom.base.Range;
import dev.fathom.base.Readability;
import dev.fathom.kernel.Progress;
import dev.fathom.model.Memory;
import dev.fathom.model.arch.PagedMemory;
import dev.fathom.model.arch.x86_64.PageTables;
import dev.fathom.model.arch.x86_64.Paging;
import dev.fathom.target.PhysicalMemory;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.LongPredicate;

/**
 * Finds an x86-64 kernel in a target that serves neither physical memory nor control registers, but
 * virtual memory as a CPU in the kernel sees it: KGDB, the stubs of other hypervisors. Little is
 * read, since such stubs may be slow.
 *
 * <ol>
 *   <li>The image is what can be read in the gigabyte that images are in.
 *   <li>In it stand {@code level3_kernel_pgt}, known by its shape, and a root table that leads to
 *       it. What the root's entry says of where that is tells how far physical memory is from the
 *       image.
 *   <li>The direct map is where the root table is found a second time. Tried are the places that
 *       kernels are compiled for, and those that KASLR may move it to.
 * </ol>
 *
 * Where the user named the kernel's own file, its symbols tell all three places.
 */
public final class DirectMapFinder {
  private static final int PAGE = 4096;
  private static final int ENTRIES = PAGE / Long.BYTES;

  /** KASLR moves the image by multiples of this, and {@code cleanup_highmap} cuts at them. */
  private static final long STEP = 2L << 20;

  private static final long IMAGE_SPACE = 1L << 30;

  /** Larger than any kernel's image. */
  private static final long IMAGE_LIMIT = 256L << 20;

  /** Pieces of an image that were freed leave holes; a larger one ends it. */
  private static final long HOLE_LIMIT = 32L << 20;

  /** More physical memory than machines have; encryption bits are above. */
  private static final long MEMORY_END = 1L << 43;

  /**
   * Where the direct map is when it is not moved (arch/x86/include/asm/page_64_types.h): since
   * 4.20, before, and with five levels.
   */
  private static final List<Long> USUAL =
      List.of(0xffff_8880_0000_0000L, 0xffff_8800_0000_0000L, 0xff11_0000_0000_0000L);

  /** {@code PUD_SIZE}: KASLR moves the direct map by multiples of this. */
  private static final long BASE_ALIGNMENT = 1L << 30;

  /** What one entry of a root table spans where there are four levels. */
  private static final long ROOT_SPAN = 1L << 39;

  /** Entries of the root table from here on can be the direct map's. */
  private static final int FIRST_KERNEL = 256;

  private static final int LAST_DIRECT = 500;

  /** Pages of an image that may be tables: some hundreds. */
  private static final int TABLE_LIMIT = 2048;

  /** Pages that look like {@code level3_kernel_pgt}: one. */
  private static final int CANDIDATE_LIMIT = 16;

  /** Places that are tried for the direct map: what a root table's used entries leave open. */
  private static final int BASE_LIMIT = 1 << 15;

  private final Memory virtual;
  private final List<Path> files;
  private final Progress progress;
  private Optional<KernelFile> file = Optional.empty();

  private DirectMapFinder(Memory virtual, List<Path> files, Progress progress) {
    this.virtual = virtual;
    this.files = files;
    this.progress = progress;
  }

  /**
   * A kernel and physical memory as its direct map shows it.
   *
   * @param file what the kernel was loaded from, where the user named it
   */
  public record Found(KernelPlace place, PhysicalMemory physical, Optional<KernelFile> file) {}

  /** A page of the image whose last word may be an entry that leads to a table. */
  private record Table(long virtual, long last) {}

  /**
   * @param entries the root table
   * @param physicalStart of the image
   */
  private record Root(
      Range image, byte[] entries, long virtual, long physicalStart, int levels, long smeMask) {
    long physical() {
      return virtual - image.start() + physicalStart;
    }

    boolean isUsed(int index) {
      return ByteBuffer.wrap(entries).order(ByteOrder.LITTLE_ENDIAN).getLong(index * Long.BYTES)
          != 0;
    }
  }

  /**
   * The kernel behind {@code virtual}; empty when there is none that can be proved.
   *
   * @param files that the user named; the kernel's own says where its tables stand
   */
  public static Optional<Found> find(Memory virtual, List<Path> files, Progress progress) {
    return new DirectMapFinder(virtual, files, progress).find();
  }

  private Optional<Found> find() {
    var image = image();
    if (image.isEmpty()) {
      return Optional.empty();
    }
    file = KernelFile.placed(files, virtual, image.get().start());
    return root(image.get()).flatMap(this::behind);
  }

  /** The readable part of the space of images, in whole steps. */
  private Optional<Range> image() {
    long start = 0;
    long end = 0;
    long last = KernelFinder.START_KERNEL_MAP + IMAGE_SPACE - STEP;
    for (long at = KernelFinder.START_KERNEL_MAP; at <= last; at += STEP) {
      if (start != 0 && at - end > HOLE_LIMIT) {
        break;
      }
      if (virtual.at(at) == Readability.READABLE) {
        start = start == 0 ? at : start;
        end = at + STEP;
      }
    }
    return start == 0 || end - start > IMAGE_LIMIT
        ? Optional.empty()
        : Optional.of(new Range(start, end));
  }

  private Optional<Root> root(Range image) {
    var tables = new ArrayList<Table>();
    if (file.isPresent()) {
      for (var name : KernelFile.TABLES) {
        file.get().symbol(name).ifPresent(page -> addTable(tables, page));
      }
    } else {
      for (long page = image.start();
          page < image.end() && tables.size() < TABLE_LIMIT;
          page += PAGE) {
        progress.step("searching the kernel's image", page - image.start(), image.length());
        addTable(tables, page);
      }
    }
    int candidates = 0;
    for (var level3 : tables) {
      if (candidates < CANDIDATE_LIMIT
          && page(level3.virtual()).filter(RootScan::isLevel3).isPresent()) {
        candidates++;
        for (var root : tables) {
          var found = root(image, tables, root, level3);
          if (found.isPresent()) {
            return found;
          }
        }
      }
    }
    return Optional.empty();
  }

  private void addTable(List<Table> tables, long page) {
    var last = word(page + PAGE - Long.BYTES);
    if (last.isPresent() && RootScan.isTable(last.getAsLong())) {
      tables.add(new Table(page, last.getAsLong()));
    }
  }

  private OptionalLong word(long at) {
    var word = new byte[Long.BYTES];
    return virtual.read(at, MemorySegment.ofArray(word)) == Long.BYTES
        ? OptionalLong.of(ByteBuffer.wrap(word).order(ByteOrder.LITTLE_ENDIAN).getLong())
        : OptionalLong.empty();
  }

  /** The table as a root, if it is one and leads to {@code level3}. */
  private Optional<Root> root(Range image, List<Table> tables, Table root, Table level3) {
    long smeMask = RootScan.smeMask(root.last(), MEMORY_END);
    long next = address(root, smeMask);
    int levels = 0;
    long start = 0;
    if (isStart(next - (level3.virtual() - image.start()))) {
      levels = 4;
      start = next - (level3.virtual() - image.start());
    }
    // With five levels, level4_kernel_pgt is in between: its last entry leads on.
    for (var between : tables) {
      long other = next - (between.virtual() - image.start());
      if (isStart(other) && address(between, smeMask) == other + level3.virtual() - image.start()) {
        levels = 5;
        start = other;
      }
    }
    var entries = levels == 0 ? Optional.<byte[]>empty() : page(root.virtual());
    return entries.filter(RootScan::isRoot).isPresent()
        ? Optional.of(new Root(image, entries.get(), root.virtual(), start, levels, smeMask))
        : Optional.empty();
  }

  private static long address(Table table, long smeMask) {
    return table.last() & RootScan.ADDRESS & ~smeMask;
  }

  private static boolean isStart(long physical) {
    return physical >= 0 && physical < MEMORY_END && physical % STEP == 0;
  }

  private Optional<byte[]> page(long at) {
    var bytes = new byte[PAGE];
    return virtual.read(at, MemorySegment.ofArray(bytes)) == PAGE
        ? Optional.of(bytes)
        : Optional.empty();
  }

  /** The kernel, with the direct map that shows {@code root} where its physical address says. */
  private Optional<Found> behind(Root root) {
    var tried = new HashSet<Long>();
    var found = new ArrayList<Found>();
    // True ends the search.
    LongPredicate isBase =
        base -> {
          if (tried.size() < BASE_LIMIT && tried.add(base)) {
            proved(root, base).ifPresent(found::add);
          }
          return !found.isEmpty() || tried.size() == BASE_LIMIT;
        };
    var told = file.map(f -> f.symbol(KernelFile.PAGE_OFFSET)).orElse(OptionalLong.empty());
    var base = told.isPresent() ? word(told.getAsLong()) : OptionalLong.empty();
    boolean here = base.isPresent() && isBase.test(base.getAsLong());
    if (!here && USUAL.stream().noneMatch(isBase::test)) {
      if (root.levels() == 4) {
        movedByRoot(root, isBase);
      } else {
        movedByData(root, isBase);
      }
    }
    return found.stream().findFirst();
  }

  /** All places that the root table has an entry for. */
  private void movedByRoot(Root root, LongPredicate isBase) {
    for (int index = FIRST_KERNEL; index < LAST_DIRECT; index++) {
      progress.step("searching the direct map", index - FIRST_KERNEL, LAST_DIRECT - FIRST_KERNEL);
      long first = index * ROOT_SPAN | -1L << 48;
      for (long at = 0; root.isUsed(index) && at < ROOT_SPAN; at += BASE_ALIGNMENT) {
        if (isBase.test(first + at)) {
          return;
        }
      }
    }
  }

  /**
   * With five levels there are too many places. But {@code page_offset_base} stands in the image:
   * one of its words that could be that.
   */
  private void movedByData(Root root, LongPredicate isBase) {
    var image = root.image();
    for (long page = image.start(); page < image.end(); page += PAGE) {
      progress.step("reading the kernel's image", page - image.start(), image.length());
      var bytes = page(page);
      if (bytes.isPresent()) {
        var words = ByteBuffer.wrap(bytes.get()).order(ByteOrder.LITTLE_ENDIAN).asLongBuffer();
        for (int i = 0; i < ENTRIES; i++) {
          long word = words.get(i);
          if (word < 0 && word % BASE_ALIGNMENT == 0 && isBase.test(word)) {
            return;
          }
        }
      }
    }
  }

  private Optional<Found> proved(Root root, long base) {
    long size = Math.min(root.levels() == 5 ? 1L << 55 : 1L << 46, -base);
    var physical = new DirectMapMemory(virtual, base, size, progress);
    // One word first: the rest is asked for where that can be read at all.
    var word = new byte[Long.BYTES];
    var table = new byte[PAGE];
    long at = root.physical();
    if (physical.read(at + PAGE - Long.BYTES, MemorySegment.ofArray(word)) < word.length
        || physical.read(at, MemorySegment.ofArray(table)) < PAGE
        || !Arrays.equals(table, root.entries())) {
      return Optional.empty();
    }
    var paging = new Paging(root.levels(), root.smeMask(), Paging.NotPresent.LINUX);
    var tables = new PageTables(physical, at, paging);
    var mapped = ImageMapping.find(tables);
    boolean same =
        mapped.isPresent()
            && mapped.get().start() == root.image().start()
            && mapped.get().physical() == root.physicalStart();
    if (!same) {
      return Optional.empty();
    }
    var warnings = physical.learnRanges(tables);
    var place =
        new KernelPlace(
            new PagedMemory("kernel", physical, tables),
            new Range(mapped.get().start(), mapped.get().end()),
            mapped.get().physical(),
            Optional.empty(),
            "page tables in the kernel's image and its direct map",
            warnings);
    return Optional.of(new Found(place, physical, file));
  }
}
