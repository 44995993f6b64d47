// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux.log;

import dev.fathom.base.FaultException;
import dev.fathom.kernel.LogEntry;
import dev.fathom.kernel.Walker;
import dev.fathom.kernel.linux.data.Block;
import dev.fathom.model.Memory;
import java.nio.charset.StandardCharsets;
import java.util.Iterator;
import java.util.NoSuchElementException;

/**
 * The log of 3.5 to 5.9: records one behind the other in {@code log_buf}, from {@code
 * log_first_idx} up to {@code log_next_idx} (kernel/printk/printk.c, {@code struct printk_log}):
 *
 * <pre>
 *   record = ts_nsec u64, len u16, text_len u16, dict_len u16, facility u8, flags:5 level:3,
 *            text, dictionary; len bytes in all
 *   a record of len 0 means: go on at the start of the buffer
 * </pre>
 */
final class PrintkBuffer implements Iterator<LogEntry> {
  private static final int SHORTEST = 16;

  private final Memory memory;
  private final Walker.Notes notes;
  private final long buffer;
  private final long bufferLength;
  private final long end;
  private final int size;
  private final int time;
  private final int length;
  private final int textLength;

  private long at;
  private long sequence;

  /** Bytes that records may still take: the buffer's length. */
  private long left;

  private LogEntry next;

  PrintkBuffer(
      Memory memory,
      LogOffsets offsets,
      long buffer,
      long bufferLength,
      long first,
      long end,
      long sequence,
      Walker.Notes notes) {
    this.memory = memory;
    this.notes = notes;
    this.buffer = buffer;
    this.bufferLength = bufferLength;
    this.at = first;
    this.end = end;
    this.sequence = sequence;
    this.left = bufferLength;
    size = Math.max(SHORTEST, offsets.size("printk_log"));
    time = offsets.of("printk_log", "ts_nsec");
    length = offsets.of("printk_log", "len");
    textLength = offsets.of("printk_log", "text_len");
  }

  @Override
  public boolean hasNext() {
    while (next == null && left > 0 && at != end) {
      notes.checkInterrupt();
      try {
        next = record();
      } catch (FaultException e) {
        notes.note("log: " + e.getMessage());
        left = 0;
      }
    }
    return next != null;
  }

  @Override
  public LogEntry next() {
    if (!hasNext()) {
      throw new NoSuchElementException("log");
    }
    var entry = next;
    next = null;
    return entry;
  }

  /** The record at {@link #at}, or null when it sends back to the start. */
  private LogEntry record() {
    if (at < 0 || at > bufferLength - size) {
      notes.note("log: a record is at " + at + " of " + bufferLength + " bytes");
      left = 0;
      return null;
    }
    var record = Block.read(memory, buffer + at, size);
    int bytes = record.u16(length);
    if (bytes == 0) {
      left = at == 0 ? 0 : left - size;
      at = 0;
      return null;
    }
    if (bytes < size) {
      notes.note("log: the record at " + at + " has a length of " + bytes);
      left = 0;
      return null;
    }
    int text = Math.min(record.u16(textLength), bytes - size);
    // dict_len follows text_len, then facility, then flags and level.
    int facility = record.u8(textLength + 4);
    int level = record.u8(textLength + 5) >> 5;
    var entry =
        new LogEntry(
            sequence++,
            record.u64(time),
            level,
            facility,
            new String(memory.bytes(buffer + at + size, text), StandardCharsets.UTF_8));
    at += bytes;
    left -= bytes;
    return entry;
  }
}
