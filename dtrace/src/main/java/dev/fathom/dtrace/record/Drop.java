// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.record;

/** What was left out because there was no room. */
public enum Drop {
  /** Records. */
  RECORD("drop", "drops"),
  AGGREGATION("aggregation drop", "aggregation drops"),
  DYNAMIC_VARIABLE("dynamic variable drop", "dynamic variable drops"),
  /** Records of speculations. */
  SPECULATION("speculative drop", "speculative drops"),
  /** {@code speculation()} when none was free. */
  SPECULATION_UNAVAILABLE(
      "failed speculation (no speculative buffer available)",
      "failed speculations (no speculative buffer available)"),
  /** Faults in clauses of {@code ERROR} itself. */
  ERROR_IN_ERROR("error in ERROR probe enabling", "errors in ERROR probe enabling"),
  /** Firings that the engine's rate guard let pass without running clauses. */
  RATE("firing suppressed by the rate guard", "firings suppressed by the rate guard");

  private final String one;
  private final String many;

  Drop(String one, String many) {
    this.one = one;
    this.many = many;
  }

  /** What {@code count} of them are called. */
  public String text(long count) {
    return count == 1 ? one : many;
  }
}
