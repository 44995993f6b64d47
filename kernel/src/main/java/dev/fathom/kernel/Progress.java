// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel;

/**
 * Told of long work; also asked whether the user wants it to stop. Called often, so it must be
 * cheap.
 */
public interface Progress {
  Progress NONE = (what, done, total) -> {};

  /**
   * @param what the work, in a few words
   * @param done how much is done, in any unit
   * @param total how much there is in all in the same unit; 0 when not known
   * @throws dev.fathom.base.EvalException when the user asked to stop
   */
  void step(String what, long done, long total);
}
