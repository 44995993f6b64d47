// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.monitor;

import dev.fathom.base.Range;
import dev.fathom.base.TargetException;
import java.util.ArrayList;
import java.util.List;

/**
 * Where the guest's memory is in the QEMU process. The monitor's {@code info mtree -f} (QEMU 2.10
 * and later, softmmu/memory.c) prints each address space as CPUs and devices see it, in the order
 * of addresses and without overlap:
 *
 * <pre>
 * FlatView #3
 *  AS "memory", root: system
 *  AS "cpu-memory-0", root: system
 *  Root memory region: system
 *   0000000000000000-00000000000c2fff (prio 0, ram): pc.ram
 *   00000000000c3000-00000000000e7fff (prio 0, rom): pc.ram @00000000000c3000
 *   00000000fec00000-00000000fec00fff (prio 0, i/o): ioapic
 * </pre>
 *
 * Both addresses are inclusive; what follows {@code @} is the offset in the region, 0 when absent.
 * Of the kinds, {@code ram}, {@code rom}, {@code romd} (flash that is read like memory) and {@code
 * nv-ram} are memory; {@code i/o} and {@code ramd} (a device's own registers and memory, passed
 * through) are devices, whose reads may have effects.
 *
 * <p>One line is contiguous in the process: a region has one block of host memory.
 */
public final class RamLayout {
  private static final String SYSTEM_MEMORY = " AS \"memory\", ";
  private static final int MAX_RANGES = 1 << 12;

  /**
   * A stretch of guest memory.
   *
   * @param start physical
   * @param last its last byte, physical
   * @param region QEMU's name of the memory region behind it
   * @param offset in the region, of its first byte
   */
  public record Ram(long start, long last, String region, long offset) {
    /** Its physical addresses. */
    public Range range() {
      return new Range(start, last + 1);
    }
  }

  private final List<Ram> memory;

  private RamLayout(List<Ram> memory) {
    this.memory = memory;
  }

  /**
   * Reads what {@code info mtree -f} printed.
   *
   * @throws TargetException when it has no system memory
   */
  public static RamLayout parse(String mtree) {
    var memory = new ArrayList<Ram>();
    boolean wanted = false;
    boolean seen = false;
    int at = 0;
    while (at < mtree.length()) {
      int end = mtree.indexOf('\n', at);
      end = end < 0 ? mtree.length() : end;
      if (mtree.startsWith("FlatView", at)) {
        if (seen) {
          break;
        }
        wanted = false;
      } else if (mtree.startsWith(SYSTEM_MEMORY, at)) {
        wanted = true;
        seen = true;
      } else if (wanted && mtree.startsWith("  ", at)) {
        addRange(mtree.substring(at + 2, end).stripTrailing(), memory);
      }
      at = end + 1;
    }
    if (memory.isEmpty()) {
      throw new TargetException("QEMU tells of no memory in \"info mtree -f\"");
    }
    return new RamLayout(List.copyOf(memory));
  }

  private static void addRange(String line, List<Ram> memory) {
    int dash = line.indexOf('-');
    int prio = line.indexOf(" (prio ");
    int comma = line.indexOf(", ", Math.max(prio, 0));
    int close = line.indexOf("): ", Math.max(comma, 0));
    if (dash <= 0 || prio <= dash || comma < 0 || close < 0) {
      return;
    }
    String kind = line.substring(comma + 2, close);
    if (!isMemory(kind)) {
      return;
    }
    long start;
    long last;
    long offset = 0;
    String region = line.substring(close + 3);
    try {
      start = Long.parseUnsignedLong(line, 0, dash, 16);
      last = Long.parseUnsignedLong(line, dash + 1, prio, 16);
      int at = region.indexOf(" @");
      if (at >= 0) {
        int blank = region.indexOf(' ', at + 2);
        offset = Long.parseUnsignedLong(region, at + 2, blank < 0 ? region.length() : blank, 16);
        region = region.substring(0, at);
      }
    } catch (NumberFormatException e) {
      throw new TargetException("QEMU: not a range of memory: " + line, e);
    }
    Ram before = memory.isEmpty() ? null : memory.getLast();
    if (Long.compareUnsigned(last, start) < 0
        || (before != null && Long.compareUnsigned(start, before.last()) <= 0)
        || memory.size() == MAX_RANGES) {
      throw new TargetException("QEMU: memory ranges out of order: " + line);
    }
    memory.add(new Ram(start, last, region, offset));
  }

  private static boolean isMemory(String kind) {
    return kind.equals("ram") || kind.equals("rom") || kind.equals("romd") || kind.equals("nv-ram");
  }

  /** The stretches in the order of addresses. */
  public List<Ram> memory() {
    return memory;
  }

  /** The ranges with memory, ascending; those that touch are joined. */
  public List<Range> ranges() {
    var ranges = new ArrayList<Range>();
    for (Ram ram : memory) {
      if (!ranges.isEmpty() && ranges.getLast().end() == ram.start()) {
        ranges.set(ranges.size() - 1, new Range(ranges.getLast().start(), ram.last() + 1));
      } else {
        ranges.add(ram.range());
      }
    }
    return List.copyOf(ranges);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof RamLayout layout && memory.equals(layout.memory);
  }

  @Override
  public int hashCode() {
    return memory.hashCode();
  }
}
