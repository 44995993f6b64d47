// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.replay;

import dev.fathom.base.Readability;
import dev.fathom.model.Layout;
import dev.fathom.model.Memory;
import java.lang.foreign.MemorySegment;

/**
 * Memory that holds nothing but the texts of an event, each with a NUL behind it, at addresses made
 * up for them, so that {@code stringof(arg0)} reads what was recorded.
 */
final class EventMemory implements Memory {
  /** No kernel has anything there: bits 47 to 63 of its addresses are equal. */
  private static final long BASE = 0x5eb0_0000_0000_0000L;

  private static final int SHIFT = 32;

  private final EventContext event;

  EventMemory(EventContext event) {
    this.event = event;
  }

  /** Where the text of an argument stands. */
  static long address(int argument) {
    return BASE + ((long) argument << SHIFT);
  }

  @Override
  public String name() {
    return "trace";
  }

  @Override
  public Layout layout() {
    return EventContext.LAYOUT;
  }

  @Override
  public int read(long address, MemorySegment into) {
    int argument = (int) ((address - BASE) >>> SHIFT);
    long offset = (address - BASE) & ((1L << SHIFT) - 1);
    if (Long.compareUnsigned(address - BASE, 16L << SHIFT) >= 0 || !event.isText(argument)) {
      return 0;
    }
    var bytes = event.bytes(argument);
    int count = (int) Math.min(into.byteSize(), bytes.length + 1L - offset);
    for (int i = 0; i < count; i++) {
      int at = (int) offset + i;
      into.set(
          java.lang.foreign.ValueLayout.JAVA_BYTE, i, at < bytes.length ? bytes[at] : (byte) 0);
    }
    return Math.max(0, count);
  }

  @Override
  public Readability at(long address) {
    var one = new byte[1];
    return read(address, MemorySegment.ofArray(one)) == 1
        ? Readability.READABLE
        : Readability.NOT_DUMPED;
  }
}
