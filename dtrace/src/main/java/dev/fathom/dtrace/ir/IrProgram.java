// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.ir;

import java.util.List;

/** A compiled D program, for any number of probes. */
public record IrProgram(
    List<DVariable> variables,
    List<Aggregation> aggregations,
    List<Clause> clauses,
    Limits limits) {
  public IrProgram {
    variables = List.copyOf(variables);
    aggregations = List.copyOf(aggregations);
    clauses = List.copyOf(clauses);
  }

  /** The aggregation of that id, which counts from 1. */
  public Aggregation aggregation(int id) {
    return aggregations.get(id - 1);
  }

  public Clause clause(int id) {
    return clauses.get(id);
  }
}
