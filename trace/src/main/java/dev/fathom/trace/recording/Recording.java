// SPDX-License-Identifier: Apache-2.0
package dev.fathom.trace.recording;

import dev.fathom.base.BadDataException;
import dev.fathom.base.ByteSource;
import dev.fathom.base.Loss;
import dev.fathom.trace.Argument;
import dev.fathom.trace.ArgumentType;
import dev.fathom.trace.EventCursor;
import dev.fathom.trace.Frame;
import dev.fathom.trace.FrameNames;
import dev.fathom.trace.Trace;
import dev.fathom.trace.TraceThread;
import dev.fathom.trace.Tracepoint;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.zip.CRC32C;

/**
 * A recording that {@link RecordingWriter} wrote. Opening it checks every block and reads the
 * dictionary; a block that is not whole ends it, and what is behind is told as a loss.
 */
public final class Recording implements Trace {
  private static final int MAX_TRACEPOINTS = 1 << 20;
  private static final int MAX_ARGUMENTS = 256;
  private static final int MAX_FRAMES = 1 << 12;
  private static final long[] NO_FRAMES = {};

  private record Block(long offset, int length) {}

  private final ByteSource source;
  private final Runnable close;
  private final List<Block> events = new ArrayList<>();
  private final List<Tracepoint> tracepoints = new ArrayList<>();
  private final List<TraceThread> threads = new ArrayList<>();
  private final List<long[]> stacks = new ArrayList<>();
  private final Map<Long, List<Frame>> names = new HashMap<>();
  private final Map<String, String> facts = new LinkedHashMap<>();
  private final List<Loss> losses = new ArrayList<>();

  /**
   * @param close called when the recording is closed
   * @throws BadDataException when this is no recording, or one of a later version
   */
  public Recording(ByteSource source, Runnable close) {
    this.source = source;
    this.close = close;
    if (!recognise(source)) {
      throw new BadDataException(source.name(), 0, "expected FATHOMTR, the start of a recording");
    }
    int version = source.cursor(RecordingFormat.MAGIC.length, ByteOrder.LITTLE_ENDIAN).u16();
    if (version != RecordingFormat.VERSION) {
      throw new BadDataException(
          source.name(),
          RecordingFormat.MAGIC.length,
          "recording of version " + version + ", expected " + RecordingFormat.VERSION);
    }
    readBlocks();
  }

  /** Whether the first bytes are a recording's. */
  public static boolean recognise(ByteSource source) {
    return source.size() >= RecordingFormat.HEAD
        && Arrays.equals(source.bytes(0, RecordingFormat.MAGIC.length), RecordingFormat.MAGIC);
  }

  private void readBlocks() {
    var unpacker = new Unpacker(source);
    long at = RecordingFormat.HEAD;
    while (at < source.size()) {
      long rest = source.size() - at;
      if (rest < RecordingFormat.BLOCK_HEAD) {
        torn(at);
        return;
      }
      var head = source.cursor(at, ByteOrder.LITTLE_ENDIAN);
      long length = head.u32();
      long crc = head.u32();
      int kind = head.u8();
      if (length > RecordingFormat.MAX_BLOCK || length > rest - RecordingFormat.BLOCK_HEAD) {
        torn(at);
        return;
      }
      var sum = new CRC32C();
      sum.update(kind);
      sum.update(source.slice(head.offset(), length).asByteBuffer());
      if (sum.getValue() != crc) {
        torn(at);
        return;
      }
      if (kind == RecordingFormat.DICTIONARY) {
        unpacker.load(head.offset(), (int) length);
        readDictionary(unpacker);
      } else if (kind == RecordingFormat.EVENTS) {
        events.add(new Block(head.offset(), (int) length));
      }
      at = head.offset() + length;
    }
  }

  private void torn(long at) {
    losses.add(
        new Loss(
            "bytes from offset 0x" + Long.toHexString(at) + " on: the block there is not whole",
            source.size() - at));
  }

  private void readDictionary(Unpacker from) {
    while (from.more()) {
      int what = from.u8();
      int length = from.skip();
      int end = from.at();
      from.seek(end - length);
      switch (what) {
        case RecordingFormat.TRACEPOINT -> readTracepoint(from);
        case RecordingFormat.THREAD -> {
          long id = from.u64();
          long process = from.varint();
          threads.add(
              new TraceThread(
                  id,
                  process == 0 ? OptionalLong.empty() : OptionalLong.of(process - 1),
                  from.string()));
        }
        case RecordingFormat.STACK -> readStack(from);
        case RecordingFormat.NAME -> readNames(from);
        case RecordingFormat.LOSS -> {
          long count = from.varint();
          losses.add(new Loss(from.string(), count));
        }
        case RecordingFormat.FACT -> {
          var key = from.string();
          facts.put(key, from.string());
        }
        default -> {}
      }
      if (from.at() > end) {
        throw from.bad("an entry of the dictionary is longer than its " + length + " bytes");
      }
      from.seek(end);
    }
  }

  private void readTracepoint(Unpacker from) {
    if (tracepoints.size() >= MAX_TRACEPOINTS) {
      throw from.bad("more than " + MAX_TRACEPOINTS + " tracepoints");
    }
    var provider = from.string();
    var name = from.string();
    var form = from.string();
    int count = from.index(MAX_ARGUMENTS + 1, "number of arguments");
    var arguments = new ArrayList<Argument>();
    for (int i = 0; i < count; i++) {
      var argument = from.string();
      int code = from.u8();
      var type =
          RecordingFormat.type(code)
              .orElseThrow(() -> from.bad("argument type 0x" + Integer.toHexString(code)));
      arguments.add(new Argument(argument, type));
    }
    tracepoints.add(new Tracepoint(tracepoints.size(), provider, name, form, arguments));
  }

  private void readStack(Unpacker from) {
    var frames = new long[from.index(MAX_FRAMES + 1, "number of frames")];
    long last = 0;
    for (int i = 0; i < frames.length; i++) {
      last += from.signed();
      frames[i] = last;
    }
    stacks.add(frames);
  }

  private void readNames(Unpacker from) {
    long address = from.u64();
    int count = from.index(1 << 10, "number of inlined functions");
    var frames = new ArrayList<Frame>();
    for (int i = 0; i < count; i++) {
      var name = Optional.of(from.string()).filter(text -> !text.isEmpty());
      var file = Optional.of(from.string()).filter(text -> !text.isEmpty());
      int line = (int) Math.min(from.varint() & Long.MAX_VALUE, Integer.MAX_VALUE);
      frames.add(
          new Frame(address, name, file, line == 0 ? OptionalInt.empty() : OptionalInt.of(line)));
    }
    names.put(address, List.copyOf(frames));
  }

  /** What the tracer kept of itself and its target, by name. */
  public Map<String, String> facts() {
    return java.util.Collections.unmodifiableMap(facts);
  }

  @Override
  public String name() {
    return source.name();
  }

  @Override
  public String format() {
    return "Fathom recording, version " + RecordingFormat.VERSION;
  }

  @Override
  public List<Tracepoint> tracepoints() {
    return java.util.Collections.unmodifiableList(tracepoints);
  }

  @Override
  public List<Loss> losses() {
    return java.util.Collections.unmodifiableList(losses);
  }

  @Override
  public FrameNames names() {
    return names.isEmpty() ? FrameNames.NONE : address -> names.getOrDefault(address, List.of());
  }

  @Override
  public EventCursor events() {
    return new Cursor();
  }

  @Override
  public void close() {
    close.run();
  }

  private final class Cursor implements EventCursor {
    private final Unpacker from = new Unpacker(source);
    private final Tracepoint[] all = tracepoints.toArray(Tracepoint[]::new);
    private final long[] values = new long[MAX_ARGUMENTS];
    private final int[] places = new int[MAX_ARGUMENTS];
    private int block;
    private boolean damaged;
    private Tracepoint tracepoint;
    private long time;
    private int cpu;
    private int thread;
    private long[] frames = {};

    @Override
    public boolean next() {
      if (damaged) {
        return false;
      }
      while (!from.more()) {
        if (block >= events.size()) {
          return false;
        }
        var next = events.get(block++);
        from.load(next.offset(), next.length());
        time = 0;
      }
      damaged = true;
      tracepoint = all[from.index(all.length, "tracepoint")];
      time += from.signed();
      cpu = (int) from.varint();
      thread = from.index(threads.size(), "thread");
      int stack = from.index(stacks.size() + 1, "stack");
      frames = stack == 0 ? NO_FRAMES : stacks.get(stack - 1);
      var arguments = tracepoint.arguments();
      for (int i = 0; i < arguments.size(); i++) {
        argument(i, arguments.get(i).type());
      }
      damaged = false;
      return true;
    }

    private void argument(int i, ArgumentType type) {
      switch (type) {
        case CHAR, U8, U16, U32, U64, BOOL, POINTER -> values[i] = from.varint();
        case I8, I16, I32, I64 -> values[i] = from.signed();
        case F32 -> values[i] = Double.doubleToRawLongBits(Float.intBitsToFloat((int) from.u32()));
        case F64 -> values[i] = from.u64();
        case STRING, BYTES -> {
          values[i] = from.skip();
          places[i] = from.at() - (int) values[i];
        }
      }
    }

    @Override
    public Tracepoint tracepoint() {
      return tracepoint;
    }

    @Override
    public long time() {
      return time;
    }

    @Override
    public int cpu() {
      return cpu;
    }

    @Override
    public long threadId() {
      return threads.get(thread).id();
    }

    @Override
    public TraceThread thread() {
      return threads.get(thread);
    }

    @Override
    public int frames() {
      return frames.length;
    }

    @Override
    public long frame(int place) {
      return frames[place];
    }

    private ArgumentType type(int argument) {
      return tracepoint.arguments().get(argument).type();
    }

    @Override
    public long integer(int argument) {
      return type(argument).real()
          ? (long) Double.longBitsToDouble(values[argument])
          : values[argument];
    }

    @Override
    public double real(int argument) {
      return type(argument).real() ? Double.longBitsToDouble(values[argument]) : values[argument];
    }

    @Override
    public int length(int argument) {
      return type(argument).varying() ? (int) values[argument] : type(argument).size();
    }

    @Override
    public String text(int argument) {
      return new String(bytes(argument), java.nio.charset.StandardCharsets.UTF_8);
    }

    @Override
    public byte[] bytes(int argument) {
      if (!type(argument).varying()) {
        return new byte[0];
      }
      int place = places[argument];
      return Arrays.copyOfRange(from.array(), place, place + (int) values[argument]);
    }
  }
}
