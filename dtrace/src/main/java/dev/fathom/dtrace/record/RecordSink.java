// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.record;

import java.util.function.IntSupplier;

/**
 * Takes what the probe side produces, in the order in which it happened. Called by one thread at a
 * time. Must not change the target.
 */
public interface RecordSink {
  void firing(Firing firing);

  /**
   * Feeds one value to an aggregation.
   *
   * @param aggregation its id
   * @param cpu asked only where it is needed, since to tell it can take long
   * @param value the value; 1 for {@code count()}
   * @param increment the weight of a value of {@code quantize}, {@code lquantize} and {@code
   *     llquantize}; 1 for all others
   */
  void aggregate(int aggregation, Key key, IntSupplier cpu, long value, long increment);

  /**
   * Adds what an engine has aggregated itself since it last did so.
   *
   * @param data laid out as {@link dev.fathom.dtrace.ir.AggregationFunction} says
   */
  void merge(int aggregation, Key key, int cpu, long[] data);

  void error(ProbeError error);

  /** So many more were dropped on that CPU since the last time. */
  void dropped(Drop what, int cpu, long count);
}
