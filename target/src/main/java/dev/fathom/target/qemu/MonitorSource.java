// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.qemu;

import dev.fathom.base.FathomException;
import dev.fathom.target.DirectMemoryProvider;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/**
 * Reads guest memory through the monitor's {@code xp}, which prints it: the way that works wherever
 * the monitor does, at some megabytes per second.
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

  private final DirectMemoryProvider.Monitor monitor;

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
  public int read(long guest, long host, MemorySegment into) {
    long first = guest & -8;
    long words = (guest + into.byteSize() - first + 7) >>> 3;
    long done = 0;
    try {
      while (done < words) {
        var commands = new ArrayList<String>();
        long asked = done;
        while (asked < words && commands.size() < COMMANDS) {
          long count = Math.min(WORDS, words - asked);
          commands.add("xp /" + count + "xg 0x" + Long.toHexString(first + 8 * asked));
          asked += count;
        }
        List<String> answers = monitor.run(commands);
        for (String answer : answers) {
          long expected = Math.min(WORDS, words - done);
          long got = words(answer, first + 8 * done, guest, into, expected);
          done += got;
          if (got < expected) {
            return count(first, done, guest, into);
          }
        }
      }
    } catch (FathomException _) {
      return count(first, done, guest, into); // The connection broke: nothing more is readable.
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
