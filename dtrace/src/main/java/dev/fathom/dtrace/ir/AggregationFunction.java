// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.ir;

import java.util.Arrays;
import java.util.Optional;

/**
 * What an aggregation keeps of the values that it is fed, as 64-bit words: what an engine hands
 * over whole is laid out so, and two parts of one aggregation are merged word by word (added;
 * {@code min} and {@code max} compared).
 */
public enum AggregationFunction {
  /** The number of firings. */
  COUNT("count"),
  /** The sum. */
  SUM("sum"),
  MIN("min"),
  MAX("max"),
  /** The number of values, then their sum. */
  AVG("avg"),
  /** The number of values, their sum, the low and the high half of the sum of their squares. */
  STDDEV("stddev"),
  /**
   * 127 buckets: bucket 63 counts zeros, 63 + k values from 2^(k-1) on, 63 - k those from -2^(k-1)
   * down.
   */
  QUANTIZE("quantize"),
  /** Buckets: below base, one for each step, at or above limit. */
  LQUANTIZE("lquantize"),
  /**
   * Buckets of {@code (highmag - lowmag + 1) * (steps - steps / factor) + 1} per sign, and one for
   * values below {@code factor^lowmag}.
   */
  LLQUANTIZE("llquantize");

  private final String text;

  AggregationFunction(String text) {
    this.text = text;
  }

  /** The name in D. */
  public String text() {
    return text;
  }

  /** Whether it takes a value; {@code count()} does not. */
  public boolean takesValue() {
    return this != COUNT;
  }

  /** Whether it may take a weight behind its value and parameters. */
  public boolean takesIncrement() {
    return this == QUANTIZE || this == LQUANTIZE || this == LLQUANTIZE;
  }

  public static Optional<AggregationFunction> named(String name) {
    return Arrays.stream(values()).filter(f -> f.text.equals(name)).findFirst();
  }
}
