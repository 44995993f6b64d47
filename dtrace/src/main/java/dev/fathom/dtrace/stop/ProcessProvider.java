// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.stop;

import dev.fathom.base.UsageException;
import dev.fathom.dtrace.probe.Probe;
import dev.fathom.dtrace.probe.ProbeName;
import dev.fathom.dtrace.probe.ProbePattern;
import dev.fathom.dtrace.probe.Provider;
import dev.fathom.model.Symbol;
import java.util.List;
import java.util.stream.Stream;

/**
 * {@code pidN}: the functions of a process: their entries, returns, and the instructions at offsets
 * given in hexadecimal. {@code a.out} is the program itself; a library answers to its name up to
 * {@code .so}, too: {@code libc} for {@code libc.so.6}.
 */
final class ProcessProvider implements Provider {
  private final Functions functions;
  private final Places places;
  private final String program;
  private final String provider;

  /**
   * @param program the name of the program's own file among the modules
   */
  ProcessProvider(Functions functions, Places places, long pid, String program) {
    this.functions = functions;
    this.places = places;
    this.program = program;
    this.provider = "pid" + pid;
  }

  @Override
  public String name() {
    return "pid";
  }

  @Override
  public Stream<Probe> probes(ProbePattern pattern) {
    boolean known =
        ProbePattern.matches(pattern.name(), "entry")
            || ProbePattern.matches(pattern.name(), "return");
    if (!ProbePattern.matches(pattern.provider(), provider)
        || !(known || ProbePattern.isExact(pattern.provider()))) {
      return Stream.empty();
    }
    var wanted = new ProbePattern("", "", pattern.function(), "");
    return functions
        .matching(wanted)
        .filter(f -> inModule(pattern.module(), functions.module(f)))
        .flatMap(f -> probes(f, pattern.name()));
  }

  private boolean inModule(String pattern, String module) {
    return ProbePattern.matches(pattern, module)
        || (pattern.equals("a.out") && module.equals(program))
        || module.startsWith(pattern + ".so")
        || (module.startsWith(pattern + "-") && module.endsWith(".so"));
  }

  private Stream<Probe> probes(Symbol f, String name) {
    if (ProbePattern.isExact(name) && !name.equals("entry") && !name.equals("return")) {
      return Stream.of(at(f, name));
    }
    return Stream.concat(
        ProbePattern.matches(name, "entry")
            ? Stream.of(probe(f, "entry", new Place.Entry(f.address())))
            : Stream.empty(),
        ProbePattern.matches(name, "return")
            ? Stream.of(probe(f, "return", new Place.Return(f.address(), f.size())))
            : Stream.empty());
  }

  private Probe at(Symbol f, String name) {
    if (!name.matches("[0-9a-fA-F]{1,8}")) {
      throw new UsageException(
          provider + ": '" + name + "', expected entry, return or an offset in hexadecimal");
    }
    long offset = Long.parseLong(name, 16);
    long address = f.address() + offset;
    if (offset >= f.size()
        || !functions
            .instructions(f.address(), f.size(), (_, at) -> at == address)
            .contains(address)) {
      throw new UsageException(
          f.name() + ": no instruction begins at its offset 0x" + Long.toHexString(offset));
    }
    return probe(f, name, new Place.At(f.address(), address));
  }

  private Probe probe(Symbol f, String name, Place place) {
    var arguments =
        switch (place) {
          case Place.Entry _ -> functions.parameters(f.name());
          case Place.Return _ -> functions.result(f.name());
          case Place.At _,
              Place.SystemCall _,
              Place.SystemReturn _,
              Place.Derived _,
              Place.ExecutionPath _,
              Place.Executed _,
              Place.Usdt _,
              Place.Followed _,
              Place.Awaited _,
              Place.CallEntry _,
              Place.CallReturn _,
              Place.Timer _ ->
              List.<dev.fathom.dtrace.probe.ProbeArgument>of();
        };
    return places.probe(
        new ProbeName(provider, functions.module(f), f.name(), name), place, arguments);
  }
}
