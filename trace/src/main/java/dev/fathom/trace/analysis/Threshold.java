// SPDX-License-Identifier: Apache-2.0
package dev.fathom.trace.analysis;

/** How much a node must have to be shown. */
public sealed interface Threshold {
  /** Whether {@code part} of {@code whole} is enough. */
  boolean reached(long part, long whole);

  record AtLeast(long count) implements Threshold {
    @Override
    public boolean reached(long part, long whole) {
      return part >= count;
    }
  }

  record Percent(double least) implements Threshold {
    @Override
    public boolean reached(long part, long whole) {
      return (double) part / whole * 100 >= least;
    }
  }
}
