// SPDX-License-Identifier: Apache-2.0
package dev.fathom.trace.text;

/** Times as {@code trace.py} writes them. Nanoseconds enter, unsigned ones of a trace's clock. */
public final class Times {
  private static final long SECOND = 1_000_000_000L;

  /** Below this, a double holds nanoseconds exactly enough for nine digits of seconds. */
  private static final long EXACT = 4_000_000 * SECOND;

  private static final String[] UNITS = {"h", "m", "s", "ms", "us", "ns"};
  private static final double[] SIZES = {3600e9, 60e9, 1e9, 1e6, 1e3, 1};

  private Times() {}

  /** Seconds, {@code %12.9f}. */
  public static String seconds(long nanos) {
    return pad(plainSeconds(nanos), 12);
  }

  private static String plainSeconds(long nanos) {
    if (nanos < 0 || nanos >= EXACT) {
      return Numbers.fixed(unsigned(nanos) / 1e9, 9);
    }
    var text = new StringBuilder(20).append(nanos / SECOND).append('.');
    return zeros(text, nanos % SECOND, 9);
  }

  /** Milliseconds, {@code %4.3f}. */
  public static String millis(long nanos) {
    if (nanos < 0 || nanos >= EXACT || nanos % 1000 == 500) {
      return pad(Numbers.fixed(nanos / 1e6, 3), 4);
    }
    long micros = (nanos + 500) / 1000;
    var text = new StringBuilder(16).append(micros / 1000).append('.');
    return zeros(text, micros % 1000, 3);
  }

  /** Milliseconds to the nanosecond, {@code %4.6f}. */
  public static String exactMillis(long nanos) {
    if (nanos < 0 || nanos >= EXACT) {
      return pad(Numbers.fixed(nanos / 1e6, 6), 4);
    }
    var text = new StringBuilder(16).append(nanos / 1_000_000).append('.');
    return zeros(text, nanos % 1_000_000, 6);
  }

  private static String zeros(StringBuilder text, long value, int digits) {
    var number = Long.toString(value);
    return text.repeat('0', digits - number.length()).append(number).toString();
  }

  /** A duration in the largest unit that it fills: {@code 1.27 m}. */
  public static String human(long nanos) {
    for (int i = 0; i < UNITS.length; i++) {
      if (nanos >= SIZES[i]) {
        return Numbers.fixed(nanos / SIZES[i], 2) + " " + UNITS[i];
      }
    }
    return Long.toString(nanos);
  }

  private static double unsigned(long value) {
    return value >= 0 ? value : (value >>> 1) * 2.0 + (value & 1);
  }

  private static String pad(String text, int width) {
    return text.length() >= width ? text : " ".repeat(width - text.length()) + text;
  }
}
