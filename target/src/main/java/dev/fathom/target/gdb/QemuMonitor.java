// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.gdb;

import dev.fathom.base.Range;
import dev.fathom.model.Register;
import dev.fathom.model.arch.x86_64.X86_64;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads what QEMU's monitor prints, which its stub passes through: {@code info registers -a}
 * (target/i386/cpu-dump.c) and {@code info mtree -f} (softmmu/memory.c). Lines that look otherwise
 * are passed over.
 */
final class QemuMonitor {
  private static final int MAX_CPUS = 4096;

  private QemuMonitor() {}

  /** The descriptor table registers of each x86 CPU, which the stub's own registers lack. */
  static Map<Integer, Map<Register, Long>> tables(String text) {
    var cpus = new HashMap<Integer, Map<Register, Long>>();
    Map<Register, Long> current = new HashMap<>();
    for (String line : text.split("\n", -1)) {
      String[] words = line.strip().split("[ =]+");
      if (line.startsWith("CPU#")) {
        long cpu = words[0].length() <= 8 ? decimal(words[0].substring(4)) : -1;
        current = new HashMap<>();
        if (cpu >= 0 && cpu < MAX_CPUS) {
          cpus.put((int) cpu, current);
        }
      } else if (words.length >= 3) {
        switch (words[0]) {
          case "IDT" -> table(current, words, X86_64.IDT_BASE, X86_64.IDT_LIMIT);
          case "GDT" -> table(current, words, X86_64.GDT_BASE, X86_64.GDT_LIMIT);
          case "LDT" -> table(current, words, X86_64.LDT, X86_64.LDT_BASE);
          case "TR" -> table(current, words, X86_64.TR, X86_64.TR_BASE);
          default -> {}
        }
      }
    }
    return cpus;
  }

  private static void table(
      Map<Register, Long> into, String[] words, Register first, Register second) {
    if (isHex(words[1]) && isHex(words[2])) {
      into.put(first, Long.parseUnsignedLong(words[1], 16));
      into.put(second, Long.parseUnsignedLong(words[2], 16));
    }
  }

  /**
   * The guest's RAM by physical address, ascending; empty when the text does not tell it. The view
   * wanted is that of the address space "memory":
   *
   * <pre>
   * FlatView #1
   *  AS "memory", root: system
   *  Root memory region: system
   *   0000000000000000-000000000009ffff (prio 0, ram): pc.ram
   * </pre>
   */
  static List<Range> ram(String text) {
    var ranges = new ArrayList<Range>();
    boolean wanted = false;
    for (String line : text.split("\n", -1)) {
      if (line.startsWith("FlatView")) {
        if (!ranges.isEmpty()) {
          break;
        }
        wanted = false;
      } else if (line.startsWith(" AS \"memory\"")) {
        wanted = true;
      } else if (wanted && line.contains(", ram): ")) {
        ram(line.strip(), ranges);
      }
    }
    return List.copyOf(ranges);
  }

  private static void ram(String line, List<Range> ranges) {
    int dash = line.indexOf('-');
    int space = line.indexOf(' ');
    if (dash <= 0 || space < dash) {
      return;
    }
    String first = line.substring(0, dash);
    String last = line.substring(dash + 1, space);
    if (!isHex(first) || !isHex(last)) {
      return;
    }
    long start = Long.parseUnsignedLong(first, 16);
    long end = Long.parseUnsignedLong(last, 16) + 1;
    Range before = ranges.isEmpty() ? new Range(0, 0) : ranges.getLast();
    if (Long.compareUnsigned(end, start) <= 0 || Long.compareUnsigned(start, before.end()) < 0) {
      return;
    }
    if (!ranges.isEmpty() && before.end() == start) {
      ranges.set(ranges.size() - 1, new Range(before.start(), end));
    } else {
      ranges.add(new Range(start, end));
    }
  }

  private static boolean isHex(String word) {
    boolean hex = !word.isEmpty() && word.length() <= 16;
    for (int i = 0; hex && i < word.length(); i++) {
      hex = Hex.value(word.charAt(i)) >= 0;
    }
    return hex;
  }

  private static long decimal(String word) {
    long value = 0;
    for (int i = 0; i < word.length(); i++) {
      int digit = word.charAt(i) - '0';
      if (digit < 0 || digit > 9) {
        return -1;
      }
      value = 10 * value + digit;
    }
    return word.isEmpty() ? -1 : value;
  }
}
