// SPDX-License-Identifier: Apache-2.0
package dev.fathom.testkit;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Writes OSv's trace files, as the debugger extension saves them and as the REST server does. */
public final class OsvtWriter {
  private static final int STRING_SIZE = 50;

  private record Tracepoint(long key, String name, String signature, String format) {}

  private record Event(
      long key, long thread, String name, long time, int cpu, long[] frames, Object[] arguments) {}

  private record Symbol(String name, long address, long size) {}

  private record Module(String path, long base, long size) {}

  private final Map<Long, Tracepoint> tracepoints = new LinkedHashMap<>();
  private final List<List<Event>> buffers = new ArrayList<>();
  private final List<Symbol> symbols = new ArrayList<>();
  private final List<Module> modules = new ArrayList<>();
  private ByteOrder order = ByteOrder.LITTLE_ENDIAN;
  private int backtraceLength = 10;

  public OsvtWriter bigEndian() {
    order = ByteOrder.BIG_ENDIAN;
    return this;
  }

  /** How many frames a backtrace of a dump has. */
  public OsvtWriter backtraceLength(int frames) {
    backtraceLength = frames;
    return this;
  }

  /**
   * @param signature letters of {@code cbBhHiIqQ?fdPp*}
   */
  public OsvtWriter tracepoint(long key, String name, String signature, String format) {
    tracepoints.put(key, new Tracepoint(key, name, signature, format));
    return this;
  }

  public OsvtWriter symbol(String name, long address, long size) {
    symbols.add(new Symbol(name, address, size));
    return this;
  }

  public OsvtWriter module(String path, long base, long size) {
    modules.add(new Module(path, base, size));
    return this;
  }

  /** Events from here on go to another CPU's buffer; the first format knows but one. */
  public OsvtWriter buffer() {
    buffers.add(new ArrayList<>());
    return this;
  }

  /**
   * @param arguments numbers, strings and arrays of bytes, as the tracepoint's signature says
   */
  public OsvtWriter event(
      long key, long thread, String name, long time, int cpu, long[] frames, Object... arguments) {
    if (buffers.isEmpty()) {
      buffer();
    }
    buffers
        .getLast()
        .add(new Event(key, thread, name, time, cpu, frames.clone(), arguments.clone()));
    return this;
  }

  /** The first format: all buffers one after the other. */
  public byte[] traceFile() {
    var out = new Out();
    out.number(4, 3).number(8, tracepoints.size());
    for (var tracepoint : tracepoints.values()) {
      out.number(8, tracepoint.key());
      out.string(tracepoint.name());
      out.string(tracepoint.signature().replace("p", STRING_SIZE + "p"));
      out.string(tracepoint.format());
    }
    for (var buffer : buffers) {
      for (var event : buffer) {
        out.number(8, event.key()).number(8, event.thread()).name(event.name());
        out.number(8, event.time()).number(4, event.cpu());
        for (long frame : event.frames()) {
          out.number(8, frame);
        }
        out.number(8, 0);
        arguments(out, event);
      }
    }
    return out.bytes();
  }

  /** The second format. */
  public byte[] dump() {
    var out = new Out();
    int file = chunk(out, "OSVT");
    out.number(4, 1).number(4, 1);
    int dictionary = chunk(out, "TRCD");
    out.number(4, backtraceLength).number(4, tracepoints.size());
    for (var tracepoint : tracepoints.values()) {
      out.align(0, 8).number(8, tracepoint.key());
      for (var text : List.of(tracepoint.name(), tracepoint.name(), "OSv", tracepoint.format())) {
        out.align(0, 2).string(text);
      }
      out.align(0, 4).number(4, tracepoint.signature().length());
      for (int i = 0; i < tracepoint.signature().length(); i++) {
        out.align(0, 2).string(Integer.toString(i));
        out.number(1, tracepoint.signature().charAt(i));
      }
    }
    end(out, dictionary);
    modules(out);
    symbols(out);
    for (var buffer : buffers) {
      int events = chunk(out, "TRCS");
      for (var event : buffer) {
        out.align(0, 8).number(8, event.key()).number(8, event.thread()).name(event.name());
        out.number(8, event.time()).number(4, event.cpu());
        boolean backtrace = event.frames().length > 0;
        // The upper bits are what was in memory before.
        out.number(4, 0xabcdef00 | (backtrace ? 1 : 0));
        for (long frame :
            backtrace ? Arrays.copyOf(event.frames(), backtraceLength) : new long[0]) {
          out.number(8, frame);
        }
        arguments(out, event);
      }
      end(out, events);
    }
    end(out, file);
    return out.bytes();
  }

  private void modules(Out out) {
    int chunk = chunk(out, "MODS");
    out.number(4, modules.size());
    for (var module : modules) {
      out.align(0, 2).string(module.path());
      out.align(0, 8).number(8, module.base()).number(8, module.size()).number(4, 1);
      out.align(0, 2).string(".text");
      out.align(0, 4).number(4, 1).number(4, 0).align(0, 8).number(8, 6);
      out.number(8, 0x1000).number(8, 0x1000).number(8, module.size() - 0x1000);
    }
    end(out, chunk);
  }

  private void symbols(Out out) {
    int chunk = chunk(out, "SYMB");
    out.number(4, symbols.size());
    for (var symbol : symbols) {
      out.align(0, 2).string(symbol.name());
      out.align(0, 8).number(8, symbol.address()).number(8, symbol.size());
      out.align(0, 2).string("").align(0, 4).number(4, 1).number(4, 0).number(4, 12);
    }
    end(out, chunk);
  }

  private int chunk(Out out, String tag) {
    int number = 0;
    for (char c : tag.toCharArray()) {
      number = number << 8 | c;
    }
    out.align(0, 8).number(4, number).align(0, 8).number(8, 0);
    return out.size();
  }

  private static void end(Out out, int start) {
    out.patch(start - 8, out.size() - start);
  }

  private void arguments(Out out, Event event) {
    var signature = tracepoints.get(event.key()).signature();
    int start = out.size();
    for (int i = 0; i < signature.length(); i++) {
      var value = event.arguments()[i];
      switch (signature.charAt(i)) {
        case 'c', 'b', 'B', '?' -> out.number(1, ((Number) value).longValue());
        case 'h', 'H' -> out.align(start, 2).number(2, ((Number) value).longValue());
        case 'i', 'I' -> out.align(start, 4).number(4, ((Number) value).longValue());
        case 'q', 'Q', 'P' -> out.align(start, 8).number(8, ((Number) value).longValue());
        case 'f' ->
            out.align(start, 4).number(4, Float.floatToIntBits(((Number) value).floatValue()));
        case 'd' ->
            out.align(start, 8).number(8, Double.doubleToLongBits(((Number) value).doubleValue()));
        case 'p' -> {
          var text = ((String) value).getBytes(StandardCharsets.UTF_8);
          out.number(1, text.length).raw(Arrays.copyOf(text, STRING_SIZE - 1));
        }
        case '*' -> out.align(start, 2).number(2, ((byte[]) value).length).raw((byte[]) value);
        default -> throw new IllegalArgumentException("signature " + signature);
      }
    }
  }

  /** Bytes in this writer's order. */
  private final class Out {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final List<long[]> patches = new ArrayList<>();

    Out number(int size, long value) {
      for (int i = 0; i < size; i++) {
        int shift = 8 * (order == ByteOrder.BIG_ENDIAN ? size - 1 - i : i);
        out.write((int) (value >>> shift));
      }
      return this;
    }

    Out string(String text) {
      var bytes = text.getBytes(StandardCharsets.UTF_8);
      return number(2, bytes.length).raw(bytes);
    }

    Out name(String text) {
      return raw(Arrays.copyOf(text.getBytes(StandardCharsets.UTF_8), 16));
    }

    Out raw(byte[] bytes) {
      out.writeBytes(bytes);
      return this;
    }

    Out align(int start, int alignment) {
      while ((out.size() - start) % alignment != 0) {
        out.write(0);
      }
      return this;
    }

    void patch(int at, long value) {
      patches.add(new long[] {at, value});
    }

    int size() {
      return out.size();
    }

    byte[] bytes() {
      var buffer = ByteBuffer.wrap(out.toByteArray()).order(order);
      for (long[] patch : patches) {
        buffer.putLong((int) patch[0], patch[1]);
      }
      return buffer.array();
    }
  }
}
