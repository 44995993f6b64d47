// SPDX-License-Identifier: Apache-2.0
package dev.fathom.cli;

import dev.fathom.trace.analysis.TimeSlice;
import java.util.Optional;
import java.util.OptionalLong;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.Spec.Target;

/** Which part of a trace's time is looked at. */
final class TraceSliceOptions {
  private static final String UNITS = "a number and ns, us, ms, s, m or h";

  @Spec(Target.MIXEE)
  private CommandSpec spec;

  @Option(
      names = "--since",
      paramLabel = "TIME",
      description = "From this time on, in seconds or with a unit: 42.7, 500ms.")
  private String since;

  @Option(names = "--until", paramLabel = "TIME", description = "Up to this time.")
  private String until;

  @Option(
      names = "--period",
      paramLabel = "TIME",
      description = "How long, where one of --since and --until is given; ns without a unit.")
  private String period;

  TimeSlice slice() {
    var from = optional("--since", since, 1e9);
    var to = optional("--until", until, 1e9);
    if (period != null) {
      double length = nanos("--period", period, 1);
      if (from.isPresent() == to.isPresent()) {
        throw wrong("--period goes with one of --since and --until");
      }
      if (from.isPresent()) {
        to = Optional.of(from.get() + length);
      } else {
        from = Optional.of(to.get() - length);
      }
    }
    return new TimeSlice(whole(from), whole(to));
  }

  private static OptionalLong whole(Optional<Double> nanos) {
    return nanos.isPresent()
        ? OptionalLong.of((long) Math.ceil(nanos.get()))
        : OptionalLong.empty();
  }

  private Optional<Double> optional(String option, String text, double unit) {
    return text == null ? Optional.empty() : Optional.of(nanos(option, text, unit));
  }

  /** Nanoseconds; of a number without a unit so many times {@code unit}. */
  double nanos(String option, String text, double unit) {
    int end = text.length();
    while (end > 0 && Character.isLetter(text.charAt(end - 1))) {
      end--;
    }
    double factor =
        switch (text.substring(end)) {
          case "" -> unit;
          case "ns" -> 1;
          case "us" -> 1e3;
          case "ms" -> 1e6;
          case "s" -> 1e9;
          case "m" -> 60e9;
          case "h" -> 3600e9;
          default -> throw wrong(option + " " + text + ", expected " + UNITS);
        };
    try {
      double value = Double.parseDouble(text.substring(0, end)) * factor;
      if (value >= 0 && value < 9e18) {
        return value;
      }
    } catch (NumberFormatException _) {
      // Said below, as for numbers out of range.
    }
    throw wrong(option + " " + text + ", expected " + UNITS);
  }

  private ParameterException wrong(String message) {
    return new ParameterException(spec.commandLine(), message);
  }
}
