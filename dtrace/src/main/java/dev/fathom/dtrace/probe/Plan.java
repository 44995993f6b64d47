// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.probe;

import dev.fathom.dtrace.ir.Clause;
import dev.fathom.dtrace.ir.IrProgram;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * A program and where it runs.
 *
 * @param enabled in order of epid, 1 first. Clauses of one probe run in this order
 * @param options those that the program sets ({@code #pragma D option}) and the command line's, by
 *     name; a flag has an empty value
 */
public record Plan(IrProgram program, List<EnabledProbe> enabled, Map<String, String> options) {
  public Plan {
    enabled = List.copyOf(enabled);
    options = Map.copyOf(options);
  }

  public EnabledProbe enabled(int epid) {
    return enabled.get(epid - 1);
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
