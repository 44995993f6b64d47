// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux.boot;

import dev.fathom.base.FathomException;
import dev.fathom.base.Range;
import dev.fathom.format.vmcoreinfo.Vmcoreinfo;
import dev.fathom.kernel.KernelOptions;
import dev.fathom.model.arch.PagedMemory;
import dev.fathom.target.ProcessView;
import dev.fathom.target.ProcessView.Mapped;
import dev.fathom.target.VirtualMemory;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Recognises a Linux that runs as a process, User Mode Linux: its program maps a file as its
 * physical memory so that an address there is its offset in the file plus the address at which the
 * program itself begins (arch/um/os-Linux/process.c), and the program holds {@code linux_banner}.
 * Where VMCOREINFO is found in that memory and proves right, it tells the rest.
 */
public final class UmlFinder {
  /** How {@code linux_banner} begins (init/version.c). */
  private static final byte[] BANNER = "Linux version ".getBytes(StandardCharsets.US_ASCII);

  private static final long PAGE = 4096;

  /** Larger than any kernel's image. */
  private static final long IMAGE_LIMIT = 256L << 20;

  private static final int RELEASE_LIMIT = 65;

  /** {@code new_utsname.release}: the third of its members. */
  private static final int RELEASE = 2 * 65;

  private UmlFinder() {}

  /** A kernel as a process: where it is and its physical memory. */
  public record Found(KernelPlace place, UmlMemory physical) {}

  /** The kernel in a process; empty when it is any other program. */
  public static Optional<Found> find(
      ProcessView view, VirtualMemory memory, KernelOptions options) {
    var program = view.program();
    if (program.isEmpty()) {
      return Optional.empty();
    }
    var image = image(view.mappings(), program.get());
    if (image.isEmpty() || image.get().length() > IMAGE_LIMIT) {
      return Optional.empty();
    }
    long base = image.get().start();
    var direct = direct(view.mappings(), program.get(), base);
    if (direct.isEmpty() || !hasBanner(memory, image.get())) {
      return Optional.empty();
    }
    var ranges = new ArrayList<Range>();
    ranges.add(new Range(0, image.get().length()));
    for (var range : direct) {
      add(ranges, new Range(range.start() - base, range.end() - base));
    }
    var physical = new UmlMemory(memory, base, ranges);
    var info =
        options.trustVmcoreinfo() ? vmcoreinfo(physical, options) : Optional.<Vmcoreinfo>empty();
    var root = info.isPresent() ? info.get().symbol("swapper_pg_dir") : OptionalLong.empty();
    var tables =
        UmlPageTables.ofKernel(
            physical,
            root.isPresent() ? OptionalLong.of(root.getAsLong() - base) : OptionalLong.empty());
    return Optional.of(
        new Found(
            new KernelPlace(
                new PagedMemory("kernel", physical, tables),
                image.get(),
                0,
                info,
                "the process's mappings"
                    + (info.isPresent() ? " and VMCOREINFO found in memory" : ""),
                List.of()),
            physical));
  }

  private static void add(List<Range> ranges, Range range) {
    var last = ranges.getLast();
    if (last.end() == range.start()) {
      ranges.set(ranges.size() - 1, new Range(last.start(), range.end()));
    } else {
      ranges.add(range);
    }
  }

  /** The program's mappings with the zeroed data behind them. */
  private static Optional<Range> image(List<Mapped> mappings, String program) {
    long start = 0;
    long end = 0;
    for (var mapping : mappings) {
      boolean first = mapping.name().equals(program) && mapping.offset() == 0 && end == 0;
      boolean next =
          end != 0
              && mapping.range().start() == end
              && (mapping.name().equals(program) || mapping.name().isEmpty());
      if (first) {
        start = mapping.range().start();
        end = mapping.range().end();
      } else if (next) {
        end = mapping.range().end();
      }
    }
    return end == 0 ? Optional.empty() : Optional.of(new Range(start, end));
  }

  /** The mappings of another file at the distance from their offsets that the program begins at. */
  private static List<Range> direct(List<Mapped> mappings, String program, long base) {
    var found = new ArrayList<Range>();
    for (var mapping : mappings) {
      if (mapping.isFile()
          && !mapping.name().equals(program)
          && mapping.range().start() - mapping.offset() == base
          && Long.compareUnsigned(mapping.range().start(), base) > 0) {
        found.add(mapping.range());
      }
    }
    return found;
  }

  private static boolean hasBanner(VirtualMemory memory, Range image) {
    int length = (int) image.length();
    var bytes = new byte[length];
    var all = java.lang.foreign.MemorySegment.ofArray(bytes);
    int done = 0;
    while (done < length) {
      done += memory.read(image.start() + done, all.asSlice(done));
      if (done < length) {
        done = (int) Math.min(length, ((image.start() + done + PAGE) & -PAGE) - image.start());
      }
    }
    for (int at = 0; at <= length - BANNER.length; at += 4) {
      if (bytes[at] == BANNER[0]
          && java.util.Arrays.equals(bytes, at, at + BANNER.length, BANNER, 0, BANNER.length)) {
        return true;
      }
    }
    return false;
  }

  /** The text in this kernel's memory whose release is the kernel's own. */
  private static Optional<Vmcoreinfo> vmcoreinfo(UmlMemory physical, KernelOptions options) {
    var scan = new VmcoreinfoScan(physical, options.progress());
    for (var text = scan.next(); text.isPresent(); text = scan.next()) {
      if (isOwn(physical, text.get())) {
        return text;
      }
    }
    return Optional.empty();
  }

  private static boolean isOwn(UmlMemory physical, Vmcoreinfo info) {
    var names = info.symbol("init_uts_ns");
    var stated = info.osRelease();
    if (names.isEmpty() || stated.isEmpty()) {
      return false;
    }
    try {
      long member = names.getAsLong() + info.offset("uts_namespace.name").orElse(0) + RELEASE;
      return physical.cString(member - physical.base(), RELEASE_LIMIT).equals(stated.get());
    } catch (FathomException _) {
      return false; // It leads nowhere: another kernel's.
    }
  }
}
