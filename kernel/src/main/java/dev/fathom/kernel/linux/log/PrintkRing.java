// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux.log;

import dev.fathom.base.BadDataException;
import dev.fathom.base.FaultException;
import dev.fathom.kernel.LogEntry;
import dev.fathom.kernel.Walker;
import dev.fathom.kernel.linux.data.Block;
import dev.fathom.model.Memory;
import java.nio.charset.StandardCharsets;
import java.util.Iterator;
import java.util.NoSuchElementException;

/**
 * The lock-less log of 5.10 and later (kernel/printk/printk_ringbuffer.h):
 *
 * <pre>
 *   printk_ringbuffer = desc_ring { count_bits, descs, infos, head_id, tail_id },
 *                       text_data_ring { size_bits, data, head_lpos, tail_lpos }
 *   desc    = state_var: state in the top two bits, id below; text_blk_lpos { begin, next }
 *   state   = 0 reserved | 1 committed | 2 finalized | 3 reusable
 *   info    = seq u64, ts_nsec u64, text_len u16, facility u8, flags:5 level:3, caller_id u32, ...
 *   block   = id u64, text; at begin modulo the size, or at 0 where it would have crossed the end;
 *             begin and next odd: no text
 * </pre>
 */
final class PrintkRing implements Iterator<LogEntry> {
  /** {@code log_buf_len=} is at most 2^31 (kernel/printk/printk.c, LOG_BUF_LEN_MAX). */
  private static final int BITS_LIMIT = 31;

  /** PRB_AVGBITS: a descriptor for every 2^5 bytes of text. */
  private static final int DESCRIPTOR_BITS_LIMIT = BITS_LIMIT - 5;

  /** So many entries in a row that cannot be read: the ring is not there. */
  private static final int MISSING_LIMIT = 1 << 16;

  private static final int STATE_SHIFT = 62;
  private static final long ID_MASK = (1L << STATE_SHIFT) - 1;
  private static final int COMMITTED = 1;
  private static final int FINALIZED = 2;
  private static final int BLOCK_HEADER = 8;

  private final Memory memory;
  private final Walker.Notes notes;
  private final int countBits;
  private final long descs;
  private final long infos;
  private final int sizeBits;
  private final long data;

  private final int descSize;
  private final int state;
  private final int begin;
  private final int end;
  private final int infoSize;
  private final int sequence;
  private final int time;
  private final int textLength;

  private final long last;
  private long id;
  private long left;
  private int missing;
  private int missingInARow;
  private LogEntry next;

  PrintkRing(Memory memory, LogOffsets offsets, long ring, Walker.Notes notes) {
    this.memory = memory;
    this.notes = notes;
    long descRing = ring + offsets.of("printk_ringbuffer", "desc_ring");
    long textRing = ring + offsets.of("printk_ringbuffer", "text_data_ring");
    countBits =
        bits(
            memory.u32(descRing + offsets.of("prb_desc_ring", "count_bits")),
            DESCRIPTOR_BITS_LIMIT,
            ring);
    descs = memory.u64(descRing + offsets.of("prb_desc_ring", "descs"));
    infos = memory.u64(descRing + offsets.of("prb_desc_ring", "infos"));
    sizeBits =
        bits(memory.u32(textRing + offsets.of("prb_data_ring", "size_bits")), BITS_LIMIT, ring);
    data = memory.u64(textRing + offsets.of("prb_data_ring", "data"));
    descSize = offsets.size("prb_desc");
    state = offsets.of("prb_desc", "state_var");
    int block = offsets.of("prb_desc", "text_blk_lpos");
    begin = block + offsets.of("prb_data_blk_lpos", "begin");
    end = block + offsets.of("prb_data_blk_lpos", "next");
    infoSize = offsets.size("printk_info");
    sequence = offsets.of("printk_info", "seq");
    time = offsets.of("printk_info", "ts_nsec");
    textLength = offsets.of("printk_info", "text_len");
    id = memory.u64(descRing + offsets.of("prb_desc_ring", "tail_id")) & ID_MASK;
    last = memory.u64(descRing + offsets.of("prb_desc_ring", "head_id")) & ID_MASK;
    left = 1L << countBits;
  }

  private static int bits(long value, int limit, long ring) {
    if (value > limit) {
      throw new BadDataException("log at 0x" + Long.toHexString(ring), 0, "size is 2^" + value);
    }
    return (int) value;
  }

  @Override
  public boolean hasNext() {
    while (next == null && left > 0) {
      notes.checkInterrupt();
      long current = id;
      left = current == last ? 0 : left - 1;
      id = (id + 1) & ID_MASK;
      try {
        next = entry(current);
        missingInARow = 0;
      } catch (FaultException e) {
        if (missing++ == 0) {
          notes.note("log: " + e.getMessage());
        }
        left = ++missingInARow < MISSING_LIMIT ? left : 0;
      }
    }
    if (next == null && missing > 1) {
      notes.note("log: " + missing + " entries cannot be read");
      missing = 0;
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

  /** The entry of a descriptor, or null when it holds none (any more, or yet). */
  private LogEntry entry(long wanted) {
    long index = wanted & ((1L << countBits) - 1);
    var desc = Block.read(memory, descs + index * descSize, descSize);
    long stateVar = desc.u64(state);
    int kind = (int) (stateVar >>> STATE_SHIFT);
    if ((stateVar & ID_MASK) != wanted || (kind != COMMITTED && kind != FINALIZED)) {
      return null;
    }
    var info = Block.read(memory, infos + index * infoSize, infoSize);
    int length = info.u16(textLength);
    int flags = info.u8(textLength + 3);
    return new LogEntry(
        info.u64(sequence),
        info.u64(time),
        flags >> 5,
        info.u8(textLength + 2),
        text(desc.u64(begin), desc.u64(end), length));
  }

  private String text(long from, long to, int length) {
    if ((from & 1) != 0 && (to & 1) != 0) {
      return "";
    }
    long mask = (1L << sizeBits) - 1;
    boolean wraps = from >>> sizeBits != (to - 1) >>> sizeBits;
    long at = wraps ? 0 : from & mask;
    long room = (wraps ? to & mask : to - from) - BLOCK_HEADER;
    if (room <= 0 || room > mask) {
      return "";
    }
    byte[] bytes = memory.bytes(data + at + BLOCK_HEADER, (int) Math.min(length, room));
    return new String(bytes, StandardCharsets.UTF_8);
  }
}
