// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.osvt;

import dev.fathom.base.BadDataException;
import dev.fathom.base.ByteSource;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * Goes over the events of one buffer. {@link #next} moves to an event and the other methods tell
 * about it, reading where it stands: nothing is allocated for an event but the text that is asked
 * for. Not for several threads.
 */
public final class OsvEvents {
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private static final int THREAD = 8;
  private static final int NAME = 16;
  private static final int NAME_SIZE = 16;
  private static final int TIME = 32;
  private static final int CPU = 40;
  private static final int FLAGS = 44;

  /** Bytes in front of the frames of an event of the first format and of the second. */
  private static final int TRACE_FILE_HEAD = 44;

  private static final int DUMP_HEAD = 48;
  private static final int HAS_BACKTRACE = 1;

  private final String name;
  private final MemorySegment bytes;
  private final boolean swap;
  private final boolean dump;
  private final OsvTracepoint[] tracepoints;
  private final int[][] offsets;
  private final int[] payloads;
  private final KeyIndex index;
  private final int backtraceLength;
  private final long end;
  private final long[] compact;
  private final int[] moving = new int[OsvTraceFile.MAX_ARGUMENTS];

  private long position;
  private long at;
  private int number;
  private long framesAt;
  private int frames;
  private boolean gaps;
  private long argumentsAt;
  private int[] arguments = moving;

  OsvEvents(
      ByteSource source,
      ByteOrder order,
      OsvTraceFile.Format format,
      List<OsvTracepoint> tracepoints,
      KeyIndex index,
      int backtraceLength,
      long start,
      long end) {
    this.name = source.name();
    this.bytes = source.slice(0, source.size());
    this.swap = order == ByteOrder.BIG_ENDIAN;
    this.dump = format == OsvTraceFile.Format.DUMP;
    this.tracepoints = tracepoints.toArray(OsvTracepoint[]::new);
    this.index = index;
    this.backtraceLength = backtraceLength;
    this.compact = new long[backtraceLength];
    this.position = start;
    this.end = end;
    offsets = new int[this.tracepoints.length][];
    payloads = new int[this.tracepoints.length];
    for (int i = 0; i < offsets.length; i++) {
      layOut(i);
    }
  }

  /** The offsets of arguments that have the same in every event. */
  private void layOut(int tracepoint) {
    var list = tracepoints[tracepoint].arguments();
    var places = new int[list.size()];
    int offset = 0;
    for (int i = 0; i < places.length; i++) {
      var argument = list.get(i);
      if (argument.type() == OsvType.BLOB) {
        return;
      }
      offset = align(offset, argument.type().alignment());
      places[i] = offset;
      offset += argument.size();
    }
    offsets[tracepoint] = places;
    payloads[tracepoint] = offset;
  }

  private static int align(int offset, int alignment) {
    return (offset + alignment - 1) & -alignment;
  }

  /**
   * Moves to the next event; false when there is none.
   *
   * @throws BadDataException when the event is cut off or of no tracepoint of this file; the events
   *     end there
   */
  public boolean next() {
    long start = position;
    if (start >= end) {
      return false;
    }
    position = end;
    int head = dump ? DUMP_HEAD : TRACE_FILE_HEAD;
    long key = start + 8 <= end ? u64(start) : 0;
    if (dump && (key == 0 || key == -1)) {
      return false;
    }
    need(start, head, "the head of an event");
    int found = index.number(key);
    if (found == KeyIndex.NONE) {
      throw bad(start, "event of tracepoint 0x" + Long.toHexString(key) + ", which is not listed");
    }
    at = start;
    number = found;
    framesAt = start + head;
    argumentsAt = dump ? dumpFrames(start) : fileFrames();
    int[] places = offsets[found];
    long payload;
    if (places != null) {
      arguments = places;
      payload = payloads[found];
      need(argumentsAt, payload, "the arguments of an event");
    } else {
      arguments = moving;
      payload = walkArguments(found);
    }
    long after = argumentsAt + payload;
    // Of the last event of a buffer OSv does not write what would align the next.
    position = dump ? Math.min((after + 7) & -8L, end) : after;
    return true;
  }

  private long fileFrames() {
    long to = framesAt;
    while (true) {
      if (to + 8 > end) {
        throw bad(to, "the backtrace of an event does not end before the file does");
      }
      // The order does not matter for zero.
      if (bytes.get(LONG, to) == 0) {
        break;
      }
      to += 8;
    }
    long count = (to - framesAt) >> 3;
    if (count > OsvTraceFile.MAX_FRAMES) {
      throw bad(
          framesAt, count + " frames of an event, expected at most " + OsvTraceFile.MAX_FRAMES);
    }
    frames = (int) count;
    gaps = false;
    return to + 8;
  }

  private long dumpFrames(long start) {
    if ((i32(start + FLAGS) & HAS_BACKTRACE) == 0) {
      frames = 0;
      gaps = false;
      return framesAt;
    }
    need(framesAt, 8L * backtraceLength, "the backtrace of an event");
    int count = 0;
    int last = 0;
    for (int i = 0; i < backtraceLength; i++) {
      if (bytes.get(LONG, framesAt + 8L * i) != 0) {
        count++;
        last = i + 1;
      }
    }
    frames = count;
    gaps = last != count;
    if (gaps) {
      int to = 0;
      for (int i = 0; i < last; i++) {
        long frame = u64(framesAt + 8L * i);
        if (frame != 0) {
          compact[to++] = frame;
        }
      }
    }
    return framesAt + 8L * backtraceLength;
  }

  private long walkArguments(int tracepoint) {
    var list = tracepoints[tracepoint].arguments();
    // At most 256 blobs of 64 KiB: an int is enough.
    int offset = 0;
    for (int i = 0; i < list.size(); i++) {
      var argument = list.get(i);
      offset = align(offset, argument.type().alignment());
      moving[i] = offset;
      need(argumentsAt, offset + (long) argument.size(), "the arguments of an event");
      offset += argument.size();
      if (argument.type() == OsvType.BLOB) {
        offset += u16(argumentsAt + moving[i]);
        need(argumentsAt, offset, "the arguments of an event");
      }
    }
    return offset;
  }

  private void need(long from, long count, String what) {
    if (from + count > end) {
      throw bad(
          from, "needs " + count + " bytes for " + what + ", only " + (end - from) + " are left");
    }
  }

  private BadDataException bad(long offset, String what) {
    return new BadDataException(name, offset, what);
  }

  /** Where the event stands in the file. */
  public long offset() {
    return at;
  }

  /** The next {@link #next} moves to the event at this offset, which {@link #offset} gave. */
  public void seek(long offset) {
    if (offset < 0 || offset > end) {
      throw bad(offset, "no offset of an event");
    }
    position = offset;
  }

  /** The tracepoint's place in {@link OsvTraceFile#tracepoints}. */
  public int tracepoint() {
    return number;
  }

  /** The address of OSv's {@code sched::thread}. */
  public long thread() {
    return u64(at + THREAD);
  }

  /** The first half of the thread's name as it stands there, to tell names apart. */
  public long nameStart() {
    return bytes.get(LONG, at + NAME);
  }

  /** The second half of the thread's name. */
  public long nameRest() {
    return bytes.get(LONG, at + NAME + 8);
  }

  /** The thread's name, up to 16 bytes. */
  public String threadName() {
    int length = 0;
    while (length < NAME_SIZE && bytes.get(ValueLayout.JAVA_BYTE, at + NAME + length) != 0) {
      length++;
    }
    return text(at + NAME, length);
  }

  /** Nanoseconds since the guest booted; 0 for events before it had threads. */
  public long time() {
    return u64(at + TIME);
  }

  /** The CPU's number, unsigned; all ones for events before the guest had threads. */
  public int cpu() {
    return i32(at + CPU);
  }

  /** How many return addresses the backtrace has. */
  public int frames() {
    return frames;
  }

  /** The return address at a place of the backtrace, the innermost first. */
  public long frame(int place) {
    if (place < 0 || place >= frames) {
      throw new IndexOutOfBoundsException(place);
    }
    return gaps ? compact[place] : u64(framesAt + 8L * place);
  }

  /** An argument that is a number, sign-extended where its type is signed; of a blob its length. */
  public long integer(int argument) {
    long where = argumentsAt + arguments[argument];
    return switch (tracepoints[number].arguments().get(argument).type()) {
      case CHAR, U8, STRING -> bytes.get(ValueLayout.JAVA_BYTE, where) & 0xff;
      case I8 -> bytes.get(ValueLayout.JAVA_BYTE, where);
      case BOOL -> bytes.get(ValueLayout.JAVA_BYTE, where) == 0 ? 0 : 1;
      case I16 -> (short) u16(where);
      case U16, BLOB -> u16(where);
      case I32 -> i32(where);
      case U32 -> Integer.toUnsignedLong(i32(where));
      case I64, U64, POINTER -> u64(where);
      case F32 -> (long) Float.intBitsToFloat(i32(where));
      case F64 -> (long) Double.longBitsToDouble(u64(where));
    };
  }

  /** An argument as a floating-point number. */
  public double real(int argument) {
    long where = argumentsAt + arguments[argument];
    return switch (tracepoints[number].arguments().get(argument).type()) {
      case F32 -> Float.intBitsToFloat(i32(where));
      case F64 -> Double.longBitsToDouble(u64(where));
      case CHAR, U8, STRING, I8, BOOL, I16, U16, BLOB, I32, U32, I64, U64, POINTER ->
          (double) integer(argument);
    };
  }

  /** How many bytes a string or blob has; of a number its size. */
  public int length(int argument) {
    var of = tracepoints[number].arguments().get(argument);
    long where = argumentsAt + arguments[argument];
    return switch (of.type()) {
      case STRING -> Math.min(bytes.get(ValueLayout.JAVA_BYTE, where) & 0xff, of.size() - 1);
      case BLOB -> u16(where);
      case CHAR, U8, I8, BOOL, I16, U16, I32, U32, I64, U64, POINTER, F32, F64 -> of.size();
    };
  }

  /** The bytes of a string or blob, or of a number as it stands in the file; not copied. */
  public MemorySegment bytes(int argument) {
    return bytes.asSlice(contents(argument), length(argument));
  }

  /** A string or blob as text. */
  public String text(int argument) {
    return text(contents(argument), length(argument));
  }

  private long contents(int argument) {
    long where = argumentsAt + arguments[argument];
    return switch (tracepoints[number].arguments().get(argument).type()) {
      case STRING -> where + 1;
      case BLOB -> where + 2;
      case CHAR, U8, I8, BOOL, I16, U16, I32, U32, I64, U64, POINTER, F32, F64 -> where;
    };
  }

  private String text(long offset, int length) {
    var copy = new byte[length];
    MemorySegment.copy(bytes, ValueLayout.JAVA_BYTE, offset, copy, 0, length);
    return new String(copy, StandardCharsets.UTF_8);
  }

  private long u64(long offset) {
    long value = bytes.get(LONG, offset);
    return swap ? Long.reverseBytes(value) : value;
  }

  private int i32(long offset) {
    int value = bytes.get(INT, offset);
    return swap ? Integer.reverseBytes(value) : value;
  }

  private int u16(long offset) {
    short value = bytes.get(SHORT, offset);
    return (swap ? Short.reverseBytes(value) : value) & 0xffff;
  }
}
