// SPDX-License-Identifier: Apache-2.0
package dev.fathom.trace.recording;

import dev.fathom.base.Loss;
import dev.fathom.trace.Argument;
import dev.fathom.trace.Frame;
import dev.fathom.trace.TraceEvent;
import dev.fathom.trace.TraceThread;
import dev.fathom.trace.Tracepoint;
import java.io.Closeable;
import java.io.Flushable;
import java.io.IOException;
import java.io.OutputStream;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32C;

/**
 * Writes a recording. Events are kept back until a block is full or {@link #flush} is called; each
 * block is written at once and nothing that was written is touched again, so whatever ends the
 * process, all blocks before can be read.
 *
 * <p>An event is {@link #begin}, then one call for each argument of its tracepoint in order, then
 * {@link #end}.
 */
public final class RecordingWriter implements Closeable, Flushable {
  private static final int BLOCK = 1 << 16;

  /** What was written once is remembered up to this number, and then written anew. */
  private static final int REMEMBERED = 1 << 16;

  private final OutputStream out;
  private final Packer dictionary = new Packer();
  private final Packer events = new Packer();
  private final Packer entry = new Packer();
  private final Packer block = new Packer();
  private final CRC32C crc = new CRC32C();
  private final Map<TraceThread, Integer> threads = new HashMap<>();
  private final Map<Stack, Integer> stacks = new HashMap<>();
  private int tracepoints;
  private int threadCount;
  private int stackCount;
  private long lastTime;
  private List<Argument> arguments = List.of();
  private Tracepoint[] known = {};
  private int argument;
  private long[] frames = new long[64];

  /** The frames of a stack, to be found again. */
  private record Stack(long[] frames) {
    @Override
    public boolean equals(Object other) {
      return other instanceof Stack stack && Arrays.equals(frames, stack.frames);
    }

    @Override
    public int hashCode() {
      return Arrays.hashCode(frames);
    }
  }

  /** Writes the head to a file that is empty. */
  public RecordingWriter(OutputStream out) throws IOException {
    this.out = out;
    block.raw(RecordingFormat.MAGIC, RecordingFormat.MAGIC.length);
    block.u32(RecordingFormat.VERSION);
    block.u32(0);
    out.write(block.array(), 0, block.size());
  }

  /** Adds a tracepoint; events are of its number, which counts from 0. */
  public Tracepoint tracepoint(
      String provider, String name, String format, List<Argument> arguments) {
    var added = new Tracepoint(tracepoints, provider, name, format, arguments);
    entry.string(provider);
    entry.string(name);
    entry.string(format);
    entry.varint(arguments.size());
    for (var argument : arguments) {
      entry.string(argument.name());
      entry.u8(RecordingFormat.code(argument.type()));
    }
    endEntry(RecordingFormat.TRACEPOINT);
    known = Arrays.copyOf(known, tracepoints + 1);
    known[tracepoints++] = added;
    return added;
  }

  /** Keeps something known of the recording, such as the target's name. */
  public void fact(String key, String value) {
    entry.string(key);
    entry.string(value);
    endEntry(RecordingFormat.FACT);
  }

  /** Tells that something is missing from the recording. */
  public void loss(Loss loss) {
    entry.varint(loss.count());
    entry.string(loss.what());
    endEntry(RecordingFormat.LOSS);
  }

  /** Keeps the names of an address, so that whoever reads the recording needs no symbols. */
  public void names(long address, List<Frame> named) {
    entry.u64(address);
    entry.varint(named.size());
    for (var frame : named) {
      entry.string(frame.name().orElse(""));
      entry.string(frame.file().orElse(""));
      entry.varint(frame.line().orElse(0));
    }
    endEntry(RecordingFormat.NAME);
  }

  private void endEntry(int what) {
    dictionary.u8(what);
    dictionary.varint(entry.size());
    dictionary.raw(entry.array(), entry.size());
    entry.clear();
  }

  /**
   * Begins an event.
   *
   * @param time nanoseconds
   * @param backtrace return addresses, the innermost first, of which {@code count} are meant
   */
  public void begin(
      Tracepoint tracepoint, long time, int cpu, TraceThread thread, long[] backtrace, int count) {
    if (tracepoint.number() >= tracepoints) {
      throw new IllegalArgumentException(tracepoint.name() + " is no tracepoint of this recording");
    }
    events.varint(tracepoint.number());
    events.signed(time - lastTime);
    lastTime = time;
    events.varint(Integer.toUnsignedLong(cpu));
    events.varint(number(thread));
    events.varint(count == 0 ? 0 : 1 + number(new Stack(Arrays.copyOf(backtrace, count))));
    arguments = known[tracepoint.number()].arguments();
    argument = 0;
  }

  private int number(TraceThread thread) {
    var before = threads.get(thread);
    if (before != null) {
      return before;
    }
    if (threads.size() >= REMEMBERED) {
      threads.clear();
    }
    entry.u64(thread.id());
    entry.varint(thread.process().isPresent() ? 1 + thread.process().getAsLong() : 0);
    entry.string(thread.name());
    endEntry(RecordingFormat.THREAD);
    threads.put(thread, threadCount);
    return threadCount++;
  }

  private int number(Stack stack) {
    var before = stacks.get(stack);
    if (before != null) {
      return before;
    }
    if (stacks.size() >= REMEMBERED) {
      stacks.clear();
    }
    entry.varint(stack.frames().length);
    long last = 0;
    for (long frame : stack.frames()) {
      entry.signed(frame - last);
      last = frame;
    }
    endEntry(RecordingFormat.STACK);
    stacks.put(stack, stackCount);
    return stackCount++;
  }

  private Argument take() {
    if (argument >= arguments.size()) {
      throw new IllegalStateException("the tracepoint has " + arguments.size() + " arguments");
    }
    return arguments.get(argument++);
  }

  /** The next argument, a number; of 64 unsigned bits the bits. */
  public RecordingWriter integer(long value) {
    var type = take().type();
    if (type.varying() || type.real()) {
      throw new IllegalStateException("argument of type " + type);
    }
    if (type.signed()) {
      events.signed(value);
    } else {
      events.varint(value);
    }
    return this;
  }

  /** The next argument, a floating-point number. */
  public RecordingWriter real(double value) {
    switch (take().type()) {
      case F32 -> events.u32(Float.floatToRawIntBits((float) value));
      case F64 -> events.u64(Double.doubleToRawLongBits(value));
      case CHAR, I8, U8, I16, U16, I32, U32, I64, U64, BOOL, POINTER, STRING, BYTES ->
          throw new IllegalStateException("argument is no floating-point number");
    }
    return this;
  }

  /** The next argument, a text or bytes. */
  public RecordingWriter bytes(byte[] value) {
    if (!take().type().varying()) {
      throw new IllegalStateException("argument is neither text nor bytes");
    }
    events.blob(value);
    return this;
  }

  /** Ends an event; a full block is written. */
  public void end() throws IOException {
    if (argument != arguments.size()) {
      throw new IllegalStateException(
          argument + " arguments of " + arguments.size() + " were given");
    }
    if (events.size() >= BLOCK) {
      flush();
    }
  }

  /** Writes an event of another trace as one of this tracepoint, which has the same arguments. */
  public void event(TraceEvent from, Tracepoint as) throws IOException {
    int count = from.frames();
    if (frames.length < count) {
      frames = new long[count];
    }
    for (int i = 0; i < count; i++) {
      frames[i] = from.frame(i);
    }
    begin(as, from.time(), from.cpu(), from.thread(), frames, count);
    for (int i = 0; i < as.arguments().size(); i++) {
      var type = as.arguments().get(i).type();
      if (type.varying()) {
        bytes(from.bytes(i));
      } else if (type.real()) {
        real(from.real(i));
      } else {
        integer(from.integer(i));
      }
    }
    end();
  }

  /** Writes what was kept back; what comes before stays readable whatever happens after. */
  @Override
  public void flush() throws IOException {
    write(RecordingFormat.DICTIONARY, dictionary);
    write(RecordingFormat.EVENTS, events);
    lastTime = 0;
    out.flush();
  }

  private void write(int kind, Packer payload) throws IOException {
    if (payload.size() == 0) {
      return;
    }
    crc.reset();
    crc.update(kind);
    crc.update(payload.array(), 0, payload.size());
    block.clear();
    block.u32(payload.size());
    block.u32((int) crc.getValue());
    block.u8(kind);
    block.raw(payload.array(), payload.size());
    out.write(block.array(), 0, block.size());
    payload.clear();
  }

  @Override
  public void close() throws IOException {
    flush();
    out.close();
  }
}
