// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.consume;

import dev.fathom.base.UsageException;
import dev.fathom.dtrace.ir.OptionFlags;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * The options that the consumer heeds, by D's names. {@code setopt()} changes some while a program
 * runs.
 */
public final class ConsumerOptions {
  private static final Map<String, Long> SIZES =
      Map.of("k", 1L << 10, "m", 1L << 20, "g", 1L << 30, "t", 1L << 40);

  /** Nanoseconds by unit; hz is another way round. */
  private static final Map<String, Long> TIMES =
      Map.of(
          "ns", 1L,
          "nsec", 1L,
          "us", 1_000L,
          "usec", 1_000L,
          "ms", 1_000_000L,
          "msec", 1_000_000L,
          "s", 1_000_000_000L,
          "sec", 1_000_000_000L);

  private static final Map<String, Long> LONG_TIMES =
      Map.of(
          "m", 60_000_000_000L,
          "min", 60_000_000_000L,
          "h", 3_600_000_000_000L,
          "hour", 3_600_000_000_000L,
          "d", 86_400_000_000_000L,
          "day", 86_400_000_000_000L);

  private final Map<String, String> values = new HashMap<>();

  /**
   * @param values options by name; a flag has an empty value
   */
  public ConsumerOptions(Map<String, String> values) {
    this.values.putAll(values);
  }

  void set(String name, Optional<String> value) {
    values.put(name, value.orElse(""));
  }

  /** Whether a flag is set: given without a value, or with one that does not say no. */
  public boolean flag(String name) {
    return OptionFlags.isOn(values, name);
  }

  Optional<String> value(String name) {
    return Optional.ofNullable(values.get(name)).filter(text -> !text.isEmpty());
  }

  int number(String name, int otherwise) {
    var text = value(name);
    if (text.isEmpty()) {
      return otherwise;
    }
    try {
      return Integer.parseInt(text.get());
    } catch (NumberFormatException _) {
      throw new UsageException(
          "option " + name + ": expected a whole number, not '" + text.get() + "'");
    }
  }

  /** A size in bytes: {@code 64k}, {@code 4m}. */
  public OptionalLong bytes(String name) {
    var text = value(name);
    if (text.isEmpty()) {
      return OptionalLong.empty();
    }
    var lower = text.get().toLowerCase(Locale.ROOT);
    var unit = SIZES.get(lower.substring(lower.length() - 1));
    var digits = unit == null ? lower : lower.substring(0, lower.length() - 1);
    if (!digits.matches("[0-9]{1,12}")) {
      throw new UsageException(
          "option " + name + ": expected a size such as 4m, not '" + text.get() + "'");
    }
    return OptionalLong.of(Long.parseLong(digits) * (unit == null ? 1 : unit));
  }

  /** A rate ({@code 97hz}, {@code 10}) or an interval ({@code 500ms}), as nanoseconds between. */
  public OptionalLong interval(String name) {
    var text = value(name);
    return text.isEmpty() ? OptionalLong.empty() : OptionalLong.of(interval(name, text.get()));
  }

  private static long interval(String name, String text) {
    var lower = text.toLowerCase(Locale.ROOT);
    int end = 0;
    while (end < lower.length() && Character.isDigit(lower.charAt(end))) {
      end++;
    }
    var unit = lower.substring(end);
    var scale = TIMES.containsKey(unit) ? TIMES.get(unit) : LONG_TIMES.get(unit);
    boolean rate = unit.isEmpty() || unit.equals("hz");
    if (end == 0 || end > 9 || !(rate || scale != null)) {
      throw new UsageException(
          "option " + name + ": expected a rate such as 10hz or 500ms, not '" + text + "'");
    }
    long number = Long.parseLong(lower.substring(0, end));
    if (number == 0) {
      throw new UsageException("option " + name + ": a rate of 0");
    }
    return rate ? 1_000_000_000L / number : number * scale;
  }

  AggregateOrder order() {
    return new AggregateOrder(flag("aggsortkey"), number("aggsortkeypos", 0), flag("aggsortrev"));
  }
}
