// SPDX-License-Identifier: Apache-2.0
package dev.fathom.trace;

import java.nio.charset.StandardCharsets;

/** An event that stays as it is when the cursor that it was taken from goes on. */
public final class KeptEvent implements TraceEvent {
  private static final long[] NO_NUMBERS = {};
  private static final byte[][] NO_BYTES = {};

  private final Tracepoint tracepoint;
  private final long time;
  private final int cpu;
  private final TraceThread thread;
  private final long[] frames;
  private final long[] numbers;
  private final byte[][] bytes;

  private KeptEvent(TraceEvent from) {
    tracepoint = from.tracepoint();
    time = from.time();
    cpu = from.cpu();
    thread = from.thread();
    frames = from.frames() == 0 ? NO_NUMBERS : new long[from.frames()];
    for (int i = 0; i < frames.length; i++) {
      frames[i] = from.frame(i);
    }
    int count = tracepoint.arguments().size();
    numbers = count == 0 ? NO_NUMBERS : new long[count];
    boolean varying = false;
    for (int i = 0; i < count; i++) {
      var type = tracepoint.arguments().get(i).type();
      numbers[i] = type.real() ? Double.doubleToRawLongBits(from.real(i)) : from.integer(i);
      varying |= type.varying();
    }
    bytes = varying ? new byte[count][] : NO_BYTES;
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = tracepoint.arguments().get(i).type().varying() ? from.bytes(i) : new byte[0];
    }
  }

  /** Keeps an event; what is kept already stays the same. */
  public static KeptEvent of(TraceEvent event) {
    return event instanceof KeptEvent kept ? kept : new KeptEvent(event);
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
    return thread.id();
  }

  @Override
  public TraceThread thread() {
    return thread;
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
        ? (long) Double.longBitsToDouble(numbers[argument])
        : numbers[argument];
  }

  @Override
  public double real(int argument) {
    return type(argument).real() ? Double.longBitsToDouble(numbers[argument]) : numbers[argument];
  }

  @Override
  public int length(int argument) {
    return type(argument).varying() ? bytes[argument].length : type(argument).size();
  }

  @Override
  public String text(int argument) {
    return new String(bytes(argument), StandardCharsets.UTF_8);
  }

  @Override
  public byte[] bytes(int argument) {
    return type(argument).varying() ? bytes[argument].clone() : new byte[0];
  }
}
