// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.stop;

import dev.fathom.dtrace.probe.Probe;
import dev.fathom.dtrace.probe.ProbeArgument;
import dev.fathom.dtrace.probe.ProbeName;
import dev.fathom.dtrace.probe.ProbePattern;
import dev.fathom.dtrace.probe.Provider;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * {@code sdt}: the tracepoints of a Linux guest's kernel, {@code sdt:vmlinux::sched_switch}. Their
 * arguments are those of {@code TP_PROTO}, typed by {@code btf_trace_NAME}.
 */
final class TracepointProvider implements Provider {
  private final Places places;
  private final Tracepoints tracepoints;

  TracepointProvider(Tracepoints tracepoints, Places places) {
    this.places = places;
    this.tracepoints = tracepoints;
  }

  @Override
  public String name() {
    return "sdt";
  }

  @Override
  public Stream<Probe> probes(ProbePattern pattern) {
    if (!ProbePattern.matches(pattern.provider(), name())
        || !ProbePattern.matches(pattern.module(), Functions.KERNEL)
        || !ProbePattern.matches(pattern.function(), "")) {
      return Stream.empty();
    }
    return tracepoints.all().stream()
        .filter(one -> ProbePattern.matches(pattern.name(), one.name()))
        .map(this::probe);
  }

  private Probe probe(Tracepoints.Tracepoint one) {
    return places.probe(
        new ProbeName(name(), Functions.KERNEL, "", one.name()),
        new Place.Tracepoint(one, 0),
        arguments(one.name()));
  }

  private List<ProbeArgument> arguments(String tracepoint) {
    var types = tracepoints.parameters(tracepoint);
    return IntStream.range(0, types.size())
        .mapToObj(i -> new ProbeArgument(i, types.get(i)))
        .toList();
  }
}
