// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.ir;

import java.util.List;

/**
 * An aggregation of the program.
 *
 * @param id its number, from 1, in order of first use; {@link IrProgram#aggregation(int)}
 * @param name without {@code @}; {@code _} for the one without a name
 * @param keys how its keys are shown
 * @param parameters {@code lquantize}: base, limit, step; {@code llquantize}: factor, low
 *     magnitude, high magnitude, steps; others: none
 */
public record Aggregation(
    int id, String name, AggregationFunction function, List<Shape> keys, List<Long> parameters) {
  public Aggregation {
    keys = List.copyOf(keys);
    parameters = List.copyOf(parameters);
  }
}
