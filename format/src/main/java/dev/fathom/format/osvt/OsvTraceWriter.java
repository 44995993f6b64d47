// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.osvt;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * Writes the first of the formats of {@link OsvTraceFile}, version 3, which OSv's {@code trace.py}
 * reads, in little-endian order: tracepoints first, then events as they come.
 */
public final class OsvTraceWriter {
  private static final int VERSION = 3;
  private static final int NAME_SIZE = 16;

  private final OutputStream out;
  private ByteBuffer event = buffer(1 << 12);
  private int argumentsAt;

  /** Writes the head and these tracepoints. */
  public OsvTraceWriter(OutputStream out, List<OsvTracepoint> tracepoints) throws IOException {
    this.out = out;
    event.putInt(VERSION).putLong(tracepoints.size());
    for (var tracepoint : tracepoints) {
      room(8);
      event.putLong(tracepoint.key());
      for (var text : List.of(tracepoint.name(), tracepoint.signature(), tracepoint.format())) {
        blob(text.getBytes(StandardCharsets.UTF_8));
      }
    }
    flush();
  }

  /**
   * Writes the event that a cursor is at, of a tracepoint with this key.
   *
   * @param time instead of its own, in nanoseconds
   */
  public void event(OsvEvents of, OsvTracepoint tracepoint, long time) throws IOException {
    head(tracepoint.key(), of.thread(), of.threadName(), time, of.cpu());
    for (int i = 0; i < of.frames(); i++) {
      frame(of.frame(i));
    }
    endFrames();
    for (int i = 0; i < tracepoint.arguments().size(); i++) {
      var argument = tracepoint.arguments().get(i);
      switch (argument.type()) {
        case STRING -> string(argument.size(), bytes(of, i));
        case BLOB -> {
          align(argument.type().alignment());
          blob(bytes(of, i));
        }
        case F32 -> number(4, Float.floatToRawIntBits((float) of.real(i)));
        case F64 -> number(8, Double.doubleToRawLongBits(of.real(i)));
        case CHAR, I8, U8, BOOL, I16, U16, I32, U32, I64, U64, POINTER ->
            number(argument.size(), of.integer(i));
      }
    }
    flush();
  }

  private static byte[] bytes(OsvEvents of, int argument) {
    return of.bytes(argument).toArray(java.lang.foreign.ValueLayout.JAVA_BYTE);
  }

  private void head(long key, long thread, String name, long time, int cpu) {
    room(64);
    event.putLong(key).putLong(thread);
    var bytes = name.getBytes(StandardCharsets.UTF_8);
    var field = new byte[NAME_SIZE];
    System.arraycopy(bytes, 0, field, 0, Math.min(bytes.length, NAME_SIZE));
    event.put(field).putLong(time).putInt(cpu);
  }

  private void frame(long address) {
    room(8);
    event.putLong(address);
  }

  private void endFrames() {
    frame(0);
    argumentsAt = event.position();
  }

  private void align(int alignment) {
    room(alignment);
    while ((event.position() - argumentsAt) % alignment != 0) {
      event.put((byte) 0);
    }
  }

  private void number(int size, long value) {
    align(size);
    room(size);
    for (int i = 0; i < size; i++) {
      event.put((byte) (value >>> (8 * i)));
    }
  }

  private void string(int size, byte[] text) {
    room(size);
    int length = Math.min(text.length, size - 1);
    event.put((byte) length).put(text, 0, length).put(new byte[size - 1 - length]);
  }

  private void blob(byte[] bytes) {
    room(2 + bytes.length);
    event.putShort((short) bytes.length).put(bytes);
  }

  private void room(int count) {
    if (event.remaining() < count) {
      event = buffer((event.capacity() + count) * 2).put(event.flip());
    }
  }

  private static ByteBuffer buffer(int size) {
    return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
  }

  private void flush() throws IOException {
    out.write(event.array(), 0, event.position());
    event.clear();
  }
}
