// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.stop;

import dev.fathom.base.UsageException;
import dev.fathom.dtrace.probe.Probe;
import dev.fathom.dtrace.probe.ProbeName;
import dev.fathom.dtrace.probe.ProbePattern;
import dev.fathom.dtrace.probe.Provider;
import dev.fathom.dtrace.probe.Stability;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * {@code profile}: {@code profile-97} on every CPU with what runs there, {@code tick-1s} once. A
 * number without a unit is a rate in hertz.
 */
final class TimerProvider implements Provider {
  /** More often no target can be stopped. */
  private static final long SHORTEST = 100_000;

  private static final Pattern NAME = Pattern.compile("(profile|tick)-([0-9]{1,10})([a-z]*)");

  private static final Map<String, Long> UNITS =
      Map.ofEntries(
          Map.entry("ns", 1L),
          Map.entry("nsec", 1L),
          Map.entry("us", 1_000L),
          Map.entry("usec", 1_000L),
          Map.entry("ms", 1_000_000L),
          Map.entry("msec", 1_000_000L),
          Map.entry("s", 1_000_000_000L),
          Map.entry("sec", 1_000_000_000L),
          Map.entry("m", 60_000_000_000L),
          Map.entry("min", 60_000_000_000L),
          Map.entry("h", 3_600_000_000_000L),
          Map.entry("hour", 3_600_000_000_000L),
          Map.entry("d", 86_400_000_000_000L),
          Map.entry("day", 86_400_000_000_000L));

  /** Those that are listed. */
  private static final List<String> USUAL =
      List.of(
          "profile-97",
          "profile-199",
          "profile-499",
          "profile-997",
          "profile-1999",
          "tick-1",
          "tick-10",
          "tick-100",
          "tick-500",
          "tick-1000");

  private final Places places;

  TimerProvider(Places places) {
    this.places = places;
  }

  @Override
  public String name() {
    return "profile";
  }

  @Override
  public Stability stability() {
    return Stability.STABLE;
  }

  @Override
  public Stream<Probe> probes(ProbePattern pattern) {
    if (!ProbePattern.matches(pattern.provider(), name())
        || !ProbePattern.matches(pattern.module(), "")
        || !ProbePattern.matches(pattern.function(), "")) {
      return Stream.empty();
    }
    var names =
        ProbePattern.isExact(pattern.name())
            ? Stream.of(pattern.name())
            : USUAL.stream().filter(name -> ProbePattern.matches(pattern.name(), name));
    return names.flatMap(name -> probe(name).stream());
  }

  private Optional<Probe> probe(String name) {
    var parts = NAME.matcher(name);
    if (!parts.matches()) {
      return Optional.empty();
    }
    long number = Long.parseLong(parts.group(2));
    var unit = parts.group(3);
    boolean rate = unit.isEmpty() || unit.equals("hz");
    if (!rate && !UNITS.containsKey(unit)) {
      throw new UsageException(
          name + ": unknown unit '" + unit + "', expected hz, ns, us, ms, s, m, h or d");
    }
    if (number == 0) {
      throw new UsageException(name + ": a rate of 0");
    }
    if (!rate && number > Long.MAX_VALUE / UNITS.get(unit)) {
      throw new UsageException(name + ": longer than 292 years");
    }
    long nanos = rate ? 1_000_000_000L / number : number * UNITS.get(unit);
    if (nanos < SHORTEST) {
      throw new UsageException(
          name + ": more often than every " + SHORTEST / 1000 + " microseconds");
    }
    boolean everyCpu = parts.group(1).equals("profile");
    return Optional.of(
        places.probe(
            new ProbeName(name(), "", "", name), new Place.Timer(nanos, everyCpu), List.of()));
  }
}
