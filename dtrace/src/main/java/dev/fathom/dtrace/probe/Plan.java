// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.probe;

import dev.fathom.dtrace.ir.Clause;
import dev.fathom.dtrace.ir.IrProgram;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * A program and where it runs. An engine adds what comes while it runs, such as a library's probes.
 */
public final class Plan {
  /**
   * What a program says of the probes at which a clause runs.
   *
   * @param clause index into {@link IrProgram#clauses()}
   * @param arguments what the clause takes {@code args[]} for; empty where it does not use it
   */
  public record Description(
      ProbePattern pattern, int clause, Optional<List<ProbeArgument>> arguments) {
    public Description {
      arguments = arguments.map(List::copyOf);
    }

    /** Whether the clause can run at a probe, as compiled. */
    public boolean takes(Probe probe) {
      return arguments.isEmpty() || arguments.get().equals(probe.arguments());
    }
  }

  private record At(int probe, int clause) {}

  private final IrProgram program;
  private final List<EnabledProbe> enabled;
  private final List<Description> descriptions;
  private final Map<String, String> options;
  private final Set<At> known = new HashSet<>();

  /**
   * A plan.
   *
   * @param enabled in order of epid, 1 first. Clauses of one probe run in this order
   * @param descriptions in the order of the program
   * @param options those that the program sets ({@code #pragma D option}) and the command line's,
   *     by name; a flag has an empty value
   */
  public Plan(
      IrProgram program,
      List<EnabledProbe> enabled,
      List<Description> descriptions,
      Map<String, String> options) {
    this.program = program;
    this.enabled = new ArrayList<>(enabled);
    this.descriptions = List.copyOf(descriptions);
    this.options = Map.copyOf(options);
    enabled.forEach(it -> known.add(new At(it.probe().id(), it.clause())));
  }

  public IrProgram program() {
    return program;
  }

  /** In order of epid. */
  public List<EnabledProbe> enabled() {
    return Collections.unmodifiableList(enabled);
  }

  public List<Description> descriptions() {
    return descriptions;
  }

  public Map<String, String> options() {
    return options;
  }

  public EnabledProbe enabled(int epid) {
    return enabled.get(epid - 1);
  }

  /** Whether a clause runs at a probe. */
  public boolean isEnabled(Probe probe, int clause) {
    return known.contains(new At(probe.id(), clause));
  }

  /** Has a clause run at a probe that was not there before. */
  public EnabledProbe enable(Probe probe, int clause) {
    var added = new EnabledProbe(enabled.size() + 1, probe, clause);
    enabled.add(added);
    known.add(new At(probe.id(), clause));
    return added;
  }

  /** The clause that an enabled probe runs. */
  public Clause clause(int epid) {
    return program.clause(enabled(epid).clause());
  }

  /** Each probe once, in order of first enabling. */
  public Stream<Probe> probes() {
    return enabled.stream().map(EnabledProbe::probe).distinct();
  }
}
