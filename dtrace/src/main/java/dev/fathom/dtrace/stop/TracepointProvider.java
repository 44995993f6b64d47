// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.stop;

import dev.fathom.dtrace.probe.Probe;
import dev.fathom.dtrace.probe.ProbeArgument;
import dev.fathom.dtrace.probe.ProbeName;
import dev.fathom.dtrace.probe.ProbePattern;
import dev.fathom.dtrace.probe.Provider;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.FunctionType;
import dev.fathom.model.type.PointerType;
import dev.fathom.model.type.TypeName;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * {@code sdt}: the tracepoints of a Linux guest's kernel, {@code sdt:vmlinux::sched_switch}. Their
 * arguments are those of {@code TP_PROTO}, typed by {@code btf_trace_NAME}.
 */
final class TracepointProvider implements Provider {
  private final Functions functions;
  private final Places places;
  private final Tracepoints tracepoints;

  TracepointProvider(Functions functions, Tracepoints tracepoints, Places places) {
    this.functions = functions;
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

  /** What follows the first parameter, which is what who listens is given of his own. */
  private List<ProbeArgument> arguments(String tracepoint) {
    var found = new ArrayList<ProbeArgument>();
    var named = functions.program().types().find(TypeName.plain("btf_trace_" + tracepoint));
    if (named.map(CType::resolved).orElse(null) instanceof PointerType pointer
        && pointer.target().resolved() instanceof FunctionType type) {
      for (int i = 1; i < type.parameters().size(); i++) {
        found.add(new ProbeArgument(i - 1, type.parameters().get(i).type()));
      }
    }
    return found;
  }
}
