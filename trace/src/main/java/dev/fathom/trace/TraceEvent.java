// SPDX-License-Identifier: Apache-2.0
package dev.fathom.trace;

/**
 * What there is to know of one event. An {@link EventCursor} is one that changes; {@link
 * KeptEvent#of} keeps what it is at. Arguments are asked for by their place, in the way that their
 * type says; a place that the tracepoint does not have is an {@link IndexOutOfBoundsException}.
 */
public interface TraceEvent {
  Tracepoint tracepoint();

  /** Nanoseconds of the trace's clock; OSv's counts from boot and is 0 before there are threads. */
  long time();

  /** The CPU's number, unsigned; all ones where OSv did not know it yet. */
  int cpu();

  /** What tells the thread from others; the same as {@link #thread}'s, without making it. */
  long threadId();

  TraceThread thread();

  /** How many return addresses the backtrace has; 0 when none was recorded. */
  int frames();

  /** The return address at a place of the backtrace, the innermost first. */
  long frame(int place);

  /** A number; of 64 unsigned bits it keeps the bits. Of text and bytes the length. */
  long integer(int argument);

  /** A floating-point number, or an integer as one. */
  double real(int argument);

  /** Bytes of a text or of bytes. */
  int length(int argument);

  /** Text; of bytes, what they are in UTF-8. */
  String text(int argument);

  /** A copy of the bytes of a text or of bytes. */
  byte[] bytes(int argument);
}
