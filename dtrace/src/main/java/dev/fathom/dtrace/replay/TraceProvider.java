// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.replay;

import dev.fathom.dtrace.probe.Probe;
import dev.fathom.dtrace.probe.ProbeArgument;
import dev.fathom.dtrace.probe.ProbeName;
import dev.fathom.dtrace.probe.ProbePattern;
import dev.fathom.dtrace.probe.Provider;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.FloatType;
import dev.fathom.model.type.IntType;
import dev.fathom.model.type.PointerType;
import dev.fathom.model.type.VoidType;
import dev.fathom.trace.ArgumentType;
import dev.fathom.trace.Trace;
import dev.fathom.trace.Tracepoint;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** The tracepoints of a trace as probes: {@code osv:::sched_wait}. */
final class TraceProvider implements Provider {
  private static final int FIRST = Probe.ERROR + 1;

  private final String name;
  private final List<Probe> probes = new ArrayList<>();

  TraceProvider(Trace trace) {
    var names = trace.tracepoints().stream().map(t -> name(t).provider()).distinct().toList();
    name = names.size() == 1 ? names.getFirst() : "trace";
    for (var tracepoint : trace.tracepoints()) {
      probes.add(new Probe(FIRST + tracepoint.number(), name(tracepoint), arguments(tracepoint)));
    }
  }

  /** A recording of probes keeps all but the last of their names in the provider's. */
  private static ProbeName name(Tracepoint tracepoint) {
    var fields = tracepoint.provider().split(":", 3);
    return new ProbeName(
        fields[0],
        fields.length > 1 ? fields[1] : "",
        fields.length > 2 ? fields[2] : "",
        tracepoint.name());
  }

  private static List<ProbeArgument> arguments(Tracepoint tracepoint) {
    var arguments = new ArrayList<ProbeArgument>();
    for (var argument : tracepoint.arguments()) {
      arguments.add(new ProbeArgument(arguments.size(), type(argument.type())));
    }
    return arguments;
  }

  private static CType type(ArgumentType type) {
    return switch (type) {
      case CHAR -> new IntType("char", 1, true, true);
      case I8 -> new IntType("signed char", 1, true, false);
      case U8, BOOL -> new IntType("unsigned char", 1, false, false);
      case I16 -> new IntType("short", 2, true, false);
      case U16 -> new IntType("unsigned short", 2, false, false);
      case I32 -> new IntType("int", 4, true, false);
      case U32 -> new IntType("unsigned int", 4, false, false);
      case I64 -> new IntType("long", 8, true, false);
      case U64 -> new IntType("unsigned long", 8, false, false);
      case F32 -> new FloatType("float", 4);
      case F64 -> new FloatType("double", 8);
      case POINTER -> new PointerType(8, () -> VoidType.VOID);
      case STRING, BYTES -> new PointerType(8, () -> new IntType("char", 1, true, true));
    };
  }

  /** The number of the tracepoint of a probe. */
  static int tracepoint(Probe probe) {
    return probe.id() - FIRST;
  }

  int count() {
    return probes.size();
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public Stream<Probe> probes(ProbePattern pattern) {
    return probes.stream().filter(probe -> pattern.matches(probe.name()));
  }
}
