// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.stop;

import dev.fathom.dtrace.probe.Probe;
import dev.fathom.dtrace.probe.ProbeName;
import dev.fathom.dtrace.probe.ProbePattern;
import dev.fathom.dtrace.probe.Provider;
import dev.fathom.model.Symbol;
import java.util.stream.Stream;

/** {@code fbt}: the entries and returns of the kernel's functions and its modules'. */
final class FunctionProvider implements Provider {
  private final Functions functions;
  private final Places places;

  FunctionProvider(Functions functions, Places places) {
    this.functions = functions;
    this.places = places;
  }

  @Override
  public String name() {
    return "fbt";
  }

  @Override
  public Stream<Probe> probes(ProbePattern pattern) {
    boolean entry = ProbePattern.matches(pattern.name(), "entry");
    boolean back = ProbePattern.matches(pattern.name(), "return");
    if (!ProbePattern.matches(pattern.provider(), name()) || !(entry || back)) {
      return Stream.empty();
    }
    return functions
        .matching(pattern)
        .flatMap(
            function ->
                Stream.concat(
                    entry ? Stream.of(entry(function)) : Stream.empty(),
                    back ? Stream.of(back(function)) : Stream.empty()));
  }

  private Probe entry(Symbol f) {
    return places.probe(
        new ProbeName(name(), functions.module(f), f.name(), "entry"),
        new Place.Entry(f.address()),
        functions.parameters(f.name()));
  }

  private Probe back(Symbol f) {
    return places.probe(
        new ProbeName(name(), functions.module(f), f.name(), "return"),
        new Place.Return(f.address(), f.size()),
        functions.result(f.name()));
  }
}
