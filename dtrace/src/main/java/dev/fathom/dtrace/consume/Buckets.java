// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.consume;

import dev.fathom.dtrace.ir.Aggregation;
import java.util.Optional;

/** Where the buckets of a distribution lie. */
sealed interface Buckets permits Linear, LogLinear, PowersOfTwo {
  /** How many there are. */
  int words();

  /** The bucket that {@code value} falls into. */
  int bucket(long value);

  /** A number that lies in the bucket, to weigh buckets against each other. */
  long representative(int bucket);

  /** Those of an aggregation that is a distribution. */
  static Optional<Buckets> of(Aggregation aggregation) {
    var p = aggregation.parameters();
    return switch (aggregation.function()) {
      case QUANTIZE -> Optional.of(new PowersOfTwo());
      case LQUANTIZE -> {
        int step = p.get(2).intValue();
        yield Optional.of(
            new Linear(p.get(0).intValue(), step, (int) ((p.get(1) - p.get(0)) / step)));
      }
      case LLQUANTIZE ->
          Optional.of(
              new LogLinear(
                  p.get(0).intValue(),
                  p.get(1).intValue(),
                  p.get(2).intValue(),
                  p.get(3).intValue()));
      case AVG, COUNT, MAX, MIN, STDDEV, SUM -> Optional.empty();
    };
  }
}
