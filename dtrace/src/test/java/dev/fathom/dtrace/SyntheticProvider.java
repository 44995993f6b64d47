// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace;

import dev.fathom.dtrace.probe.Probe;
import dev.fathom.dtrace.probe.ProbeArgument;
import dev.fathom.dtrace.probe.ProbeName;
import dev.fathom.dtrace.probe.ProbePattern;
import dev.fathom.dtrace.probe.Provider;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.IntType;
import dev.fathom.model.type.PointerType;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** Probes of a system that does not exist, for tests without a target. */
final class SyntheticProvider implements Provider {
  private static final CType INT = new IntType("int", 4, true, false);
  private static final CType UNSIGNED_LONG = new IntType("unsigned long", 8, false, false);
  private static final CType TEXT = new PointerType(8, () -> new IntType("char", 1, true, true));

  static final Probe READ_ENTRY =
      new Probe(
          10,
          new ProbeName("syn", "core", "read", "entry"),
          List.of(
              new ProbeArgument(0, INT),
              new ProbeArgument(1, TEXT),
              new ProbeArgument(2, UNSIGNED_LONG),
              new ProbeArgument(0, INT, Optional.of("doubled_t"))));
  static final Probe READ_RETURN =
      new Probe(
          11, new ProbeName("syn", "core", "read", "return"), List.of(new ProbeArgument(1, INT)));
  static final Probe WRITE_ENTRY =
      new Probe(
          12,
          new ProbeName("syn", "core", "write", "entry"),
          List.of(new ProbeArgument(0, INT), new ProbeArgument(1, TEXT)));
  static final Probe TICK = new Probe(13, new ProbeName("tick", "", "", "tick-1s"), List.of());

  private static final List<Probe> ALL = List.of(READ_ENTRY, READ_RETURN, WRITE_ENTRY, TICK);

  @Override
  public String name() {
    return "syn";
  }

  @Override
  public Stream<Probe> probes(ProbePattern pattern) {
    return ALL.stream().filter(p -> pattern.matches(p.name()));
  }
}
