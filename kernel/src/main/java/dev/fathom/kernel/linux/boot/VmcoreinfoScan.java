// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux.boot;

import dev.fathom.base.Range;
import dev.fathom.format.vmcoreinfo.Vmcoreinfo;
import dev.fathom.kernel.Progress;
import dev.fathom.target.PhysicalMemory;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;

/**
 * Searches memory for VMCOREINFO's text. The kernel keeps it in pages of its own ({@code
 * vmcoreinfo_data} and, where a crash kernel may be loaded, {@code vmcoreinfo_data_safecopy}, since
 * 4.13), so only the first bytes of each page are looked at. Texts of kernels that ran before may
 * still lie about: each one found must be proved.
 */
final class VmcoreinfoScan {
  private static final byte[] START = "OSRELEASE=".getBytes(StandardCharsets.US_ASCII);
  private static final int PAGE = 4096;
  private static final int STEP = 1 << 14;

  /**
   * Pages that may be missing in a row, 16 GiB of them: a range with a longer hole was made up by a
   * corrupt dump, or holds nothing more that is worth the time.
   */
  static final long MISSING_LIMIT = 1L << 22;

  private final PhysicalMemory physical;
  private final Progress progress;
  private final List<Range> ranges;
  private final long total;
  private final byte[] head = new byte[START.length];
  private final MemorySegment headSegment = MemorySegment.ofArray(head);
  private int range;
  private long at;
  private long done;
  private long missing;

  VmcoreinfoScan(PhysicalMemory physical, Progress progress) {
    this.physical = physical;
    this.progress = progress;
    this.ranges = physical.ranges();
    this.total = pages(ranges);
    this.at = ranges.isEmpty() ? 0 : alignUp(ranges.getFirst().start());
  }

  static long pages(List<Range> ranges) {
    long pages = 0;
    for (var range : ranges) {
      pages += range.length() / PAGE;
    }
    return pages;
  }

  static long alignUp(long address) {
    return (address + PAGE - 1) & -(long) PAGE;
  }

  /** The next text that looks whole, in order of addresses. */
  Optional<Vmcoreinfo> next() {
    while (range < ranges.size()) {
      var current = ranges.get(range);
      while (current.contains(at) && missing < MISSING_LIMIT) {
        long page = at;
        at += PAGE;
        if (++done % STEP == 0) {
          progress.step("searching memory for VMCOREINFO", done, total);
        }
        boolean read = physical.read(page, headSegment) == head.length;
        missing = read ? 0 : missing + 1;
        if (read && starts()) {
          var info = parse(page);
          if (info.isTrustworthy()) {
            return Optional.of(info);
          }
        }
      }
      range++;
      missing = 0;
      if (range < ranges.size()) {
        at = alignUp(ranges.get(range).start());
      }
    }
    return Optional.empty();
  }

  private boolean starts() {
    for (int i = 0; i < START.length; i++) {
      if (head[i] != START[i]) {
        return false;
      }
    }
    return true;
  }

  private Vmcoreinfo parse(long page) {
    var text = new byte[PAGE];
    int length = physical.read(page, MemorySegment.ofArray(text));
    return Vmcoreinfo.parse(
        "VMCOREINFO at physical 0x" + Long.toHexString(page),
        length == text.length ? text : java.util.Arrays.copyOf(text, length));
  }
}
