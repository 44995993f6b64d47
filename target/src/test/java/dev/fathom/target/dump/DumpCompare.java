// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.dump;

import dev.fathom.target.KernelNotes;
import dev.fathom.target.PhysicalMemory;
import dev.fathom.target.Target;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.zip.CRC32;

/**
 * A hand tool for real dumps: {@code DumpCompare DUMP[,DUMP...] [OTHER]} shows what a dump is,
 * reads all of it, and compares it page by page with another dump of the same machine.
 */
public final class DumpCompare {
  private static final int PAGE = 4096;

  private DumpCompare() {}

  public static void main(String[] args) {
    try (Target a = open(args[0])) {
      describe(a);
      if (args.length > 1) {
        try (Target b = open(args[1])) {
          compare(memory(a), memory(b));
        }
      } else {
        readAll(memory(a));
      }
      a.warnings().forEach(w -> say("warning: " + w));
    }
  }

  private static Target open(String files) {
    List<Path> paths = new ArrayList<>();
    for (String file : files.split(",")) {
      paths.add(Path.of(file));
    }
    long start = System.nanoTime();
    Target target = new DumpProvider().open(paths);
    say("opened in " + (System.nanoTime() - start) / 1000 + " us");
    return target;
  }

  private static PhysicalMemory memory(Target target) {
    return target.find(PhysicalMemory.class).orElseThrow();
  }

  private static void describe(Target target) {
    say(target.info().toString());
    var notes = target.find(KernelNotes.class).orElseThrow();
    say(
        "vmcoreinfo "
            + notes.vmcoreinfo().map(v -> v.length + " bytes").orElse("none")
            + ", phys_base "
            + notes.physBase()
            + ", release "
            + notes.release());
    for (var cpu : target.cpus()) {
      var text = new StringBuilder("cpu " + cpu.id() + " " + cpu.source());
      for (var register : cpu.registers().file().registers()) {
        cpu.registers()
            .get(register)
            .ifPresent(v -> text.append(" " + register.name() + "=" + Long.toHexString(v)));
      }
      say(text.toString());
    }
    target
        .find(dev.fathom.target.VirtualMemory.class)
        .ifPresent(
            v ->
                say(
                    "virtual segments: "
                        + v.segments().size()
                        + " "
                        + v.segments().stream().limit(5).toList()));
    var ranges = memory(target).ranges();
    long total = 0;
    for (var range : ranges) {
      total += range.length();
    }
    say(ranges.size() + " ranges, " + total + " bytes: " + ranges.stream().limit(8).toList());
  }

  private static void readAll(PhysicalMemory memory) {
    var page = new byte[PAGE];
    var segment = MemorySegment.ofArray(page);
    for (int round = 0; round < 2; round++) {
      long start = System.nanoTime();
      long read = 0;
      long missing = 0;
      var crc = new CRC32();
      for (var range : memory.ranges()) {
        for (long at = range.start() & -PAGE; at < range.end(); at += PAGE) {
          if (memory.read(at, segment) == PAGE) {
            read++;
            if (round == 1) {
              crc.update(page);
            }
          } else {
            missing++;
          }
        }
      }
      double seconds = (System.nanoTime() - start) / 1e9;
      say(
          read
              + " pages, "
              + missing
              + " missing, "
              + (long) (read * PAGE / seconds / 1e6)
              + " MB/s, crc "
              + Long.toHexString(crc.getValue()));
    }
  }

  private static void compare(PhysicalMemory a, PhysicalMemory b) {
    var one = new byte[PAGE];
    var two = new byte[PAGE];
    long same = 0;
    long differ = 0;
    var onlyA = new java.util.TreeMap<String, Long>();
    var onlyB = new java.util.TreeMap<String, Long>();
    var first = new ArrayList<String>();
    for (var range : a.ranges()) {
      for (long at = range.start() & -PAGE; at < range.end(); at += PAGE) {
        boolean inA = a.read(at, MemorySegment.ofArray(one)) == PAGE;
        boolean inB = b.read(at, MemorySegment.ofArray(two)) == PAGE;
        if (inA && inB) {
          if (Arrays.equals(one, two)) {
            same++;
          } else {
            differ++;
            if (first.size() < 5) {
              first.add(Long.toHexString(at));
            }
          }
        } else if (inA) {
          onlyA.merge(b.at(at).name(), 1L, Long::sum);
        } else if (inB) {
          onlyB.merge(a.at(at).name(), 1L, Long::sum);
        }
      }
    }
    say(
        "same "
            + same
            + ", differ "
            + differ
            + " "
            + first
            + ", only in the first "
            + onlyA
            + ", only in the second "
            + onlyB);
  }

  private static void say(String line) {
    System.err.println(line);
  }
}
