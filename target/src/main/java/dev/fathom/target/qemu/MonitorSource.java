// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.qemu;

import dev.fathom.target.DirectMemoryProvider;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Reads guest memory through the monitor's {@code xp}, which prints it: the way that works wherever
 * the monitor does, at some megabytes per second. Pages that were read in part are kept until
 * {@link #forget}.
 *
 * <pre>
 * 0000000000100000: 0x3106894855544155 0x8b48ffffffe8e5ff
 * </pre>
 */
final class MonitorSource implements GuestRam.Source {
  /** Words asked for in one command. */
  private static final int WORDS = 8192;

  /** Commands on their way at a time. */
  private static final int COMMANDS = 8;

  private static final int PAGE = 4096;
  private static final int PAGES = 1024;

  private final DirectMemoryProvider.Monitor monitor;

  /** Pages that small reads met, by their addresses. */
  private final LinkedHashMap<Long, byte[]> pages =
      new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Long, byte[]> eldest) {
          return size() > PAGES;
        }
      };

  MonitorSource(DirectMemoryProvider.Monitor monitor) {
    this.monitor = monitor;
  }

  @Override
  public boolean wantsHost() {
    return false;
  }

  /** The monitor is somebody else's. */
  @Override
  public void close() {}

  @Override
  public void forget() {
    pages.clear();
  }

  @Override
  public int read(long guest, long host, MemorySegment into, long first, long last) {
    long start = guest & -PAGE;
    long inPage = guest - start;
    // A page is read whole only where all of it is memory: reading a device has effects.
    boolean whole =
        Long.compareUnsigned(start, first) >= 0
            && Long.compareUnsigned(start + PAGE - 1, last) <= 0
            && inPage + into.byteSize() <= PAGE;
    if (!whole) {
      return ask(guest, into);
    }
    byte[] page = pages.get(start);
    if (page == null) {
      page = new byte[PAGE];
      if (ask(start, MemorySegment.ofArray(page)) < PAGE) {
        return ask(guest, into);
      }
      pages.put(start, page);
    }
    MemorySegment.copy(page, (int) inPage, into, ValueLayout.JAVA_BYTE, 0, (int) into.byteSize());
    return (int) into.byteSize();
  }

  /**
   * Reads without keeping anything.
   *
   * @throws dev.fathom.base.TargetException when the monitor cannot be asked
   */
  int ask(long guest, MemorySegment into) {
    long first = guest & -8;
    long words = (guest + into.byteSize() - first + 7) >>> 3;
    long done = 0;
    while (done < words) {
      var commands = new ArrayList<String>();
      long asked = done;
      while (asked < words && commands.size() < COMMANDS) {
        long count = Math.min(WORDS, words - asked);
        commands.add("xp /" + count + "xg 0x" + Long.toHexString(first + 8 * asked));
        asked += count;
      }
      for (String answer : monitor.run(commands)) {
        long expected = Math.min(WORDS, words - done);
        long got = words(answer, first + 8 * done, guest, into, expected);
        done += got;
        if (got < expected) {
          return count(first, done, guest, into);
        }
      }
    }
    return count(first, done, guest, into);
  }

  private static int count(long first, long words, long guest, MemorySegment into) {
    return (int) Math.max(0, Math.min(into.byteSize(), first + 8 * words - guest));
  }

  /** Puts the printed words into place; gives their number. */
  private static long words(
      String answer, long address, long guest, MemorySegment into, long limit) {
    long found = 0;
    int at = answer.indexOf("0x");
    while (at >= 0 && found < limit) {
      int end = at + 2;
      while (end < answer.length() && Character.digit(answer.charAt(end), 16) >= 0) {
        end++;
      }
      if (end == at + 2 || end > at + 18) {
        break;
      }
      long value = Long.parseUnsignedLong(answer, at + 2, end, 16);
      put(value, address + 8 * found - guest, into);
      found++;
      at = answer.indexOf("0x", end);
    }
    return found;
  }

  private static void put(long value, long offset, MemorySegment into) {
    for (int i = 0; i < 8; i++) {
      long place = offset + i;
      if (place >= 0 && place < into.byteSize()) {
        into.set(ValueLayout.JAVA_BYTE, place, (byte) (value >>> (8 * i)));
      }
    }
  }
}
