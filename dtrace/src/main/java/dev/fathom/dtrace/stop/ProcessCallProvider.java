// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.stop;

import dev.fathom.dtrace.probe.Probe;
import dev.fathom.dtrace.probe.ProbeName;
import dev.fathom.dtrace.probe.ProbePattern;
import dev.fathom.dtrace.probe.Provider;
import dev.fathom.dtrace.probe.Stability;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * {@code syscall}: the system calls of a process, under the names that the kernel's functions have,
 * as on guests.
 */
final class ProcessCallProvider implements Provider {
  private final Places places;
  private final Map<Long, String> names;

  /**
   * @param names of the calls of the process's architecture, by number
   */
  ProcessCallProvider(Places places, Map<Long, String> names) {
    this.places = places;
    this.names = names;
  }

  @Override
  public String name() {
    return "syscall";
  }

  @Override
  public Stability stability() {
    return Stability.STABLE;
  }

  @Override
  public Stream<Probe> probes(ProbePattern pattern) {
    if (!ProbePattern.matches(pattern.provider(), name())
        || !ProbePattern.matches(pattern.module(), Functions.KERNEL)) {
      return Stream.empty();
    }
    return names.entrySet().stream()
        .filter(call -> ProbePattern.matches(pattern.function(), call.getValue()))
        .flatMap(
            call ->
                Stream.of(
                    probe(call.getValue(), "entry", new Place.CallEntry(call.getKey())),
                    probe(call.getValue(), "return", new Place.CallReturn(call.getKey()))))
        .filter(probe -> ProbePattern.matches(pattern.name(), probe.name().name()));
  }

  private Probe probe(String call, String name, Place place) {
    return places.probe(new ProbeName(name(), Functions.KERNEL, call, name), place, List.of());
  }
}
