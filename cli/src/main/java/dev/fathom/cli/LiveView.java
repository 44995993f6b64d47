// SPDX-License-Identifier: Apache-2.0
package dev.fathom.cli;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.OptionalInt;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * Aggregations as they are now, shown again and again while a program runs ({@code -x aggrate}): on
 * a terminal over each other, as top does, the greatest values last and as many lines as there is
 * room for; else one after the other.
 */
final class LiveView implements AutoCloseable {
  /** To the upper left corner, and all below that is cleared (ECMA-48: CUP, ED). */
  private static final String CLEAR = "\033[H\033[J";

  /** Lines that are not for aggregations: the head, an empty one, and where the cursor stands. */
  private static final int OTHER_LINES = 3;

  private final OutputStream out;
  private final long interval;
  private final Supplier<OptionalInt> height;
  private final Supplier<String> head;
  private final Consumer<OutputStream> aggregations;
  private long next;

  /**
   * @param interval nanoseconds from one time to the next
   * @param height the lines of the terminal that {@code out} leads to; empty where it is none
   * @param head a line for above the aggregations on a terminal
   * @param aggregations writes them as they are now
   */
  LiveView(
      OutputStream out,
      long interval,
      Supplier<OptionalInt> height,
      Supplier<String> head,
      Consumer<OutputStream> aggregations) {
    this.out = out;
    this.interval = interval;
    this.height = height;
    this.head = head;
    this.aggregations = aggregations;
    this.next = System.nanoTime() + interval;
  }

  /** Nanoseconds until they are to be shown next, at least 1 and at most {@code nanos}. */
  long until(long nanos) {
    return Math.max(1, Math.min(nanos, next - System.nanoTime()));
  }

  /** Shows them if it is time. */
  void update() throws IOException {
    long now = System.nanoTime();
    if (now - next >= 0) {
      next = now + interval;
      show();
    }
  }

  void show() throws IOException {
    var lines = height.get();
    if (lines.isEmpty()) {
      aggregations.accept(out);
    } else {
      var text = new ByteArrayOutputStream();
      aggregations.accept(text);
      var all = text.toString(StandardCharsets.ISO_8859_1);
      var shown = CLEAR + head.get() + '\n' + last(all, lines.getAsInt() - OTHER_LINES);
      out.write(shown.getBytes(StandardCharsets.ISO_8859_1));
    }
    out.flush();
  }

  /** What follows is not to stand among what was shown last. */
  @Override
  public void close() throws IOException {
    if (height.get().isPresent()) {
      out.write(CLEAR.getBytes(StandardCharsets.ISO_8859_1));
    }
  }

  /** The last lines of a text. */
  private static String last(String text, int lines) {
    int from = text.length() - 1;
    for (int i = 0; i < Math.max(1, lines) && from >= 0; i++) {
      from = text.lastIndexOf('\n', from - 1);
    }
    return from < 0 ? text : text.substring(from);
  }
}
