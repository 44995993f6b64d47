// SPDX-License-Identifier: Apache-2.0
package dev.fathom.trace.analysis;

import dev.fathom.trace.frame.FrameStyle;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * How a profile is made.
 *
 * @param callers whether the tree begins with the outermost function
 * @param function the function that trees begin with; backtraces without it do not count
 * @param minDuration nanoseconds that a node must have taken to be shown
 * @param minHits how often a node must have been hit to be shown
 * @param maxLevels levels of the tree below the root
 */
public record ProfileOptions(
    TimeSlice slice,
    boolean callers,
    Grouping grouping,
    Optional<String> function,
    OptionalLong minDuration,
    Optional<Threshold> minHits,
    OptionalInt maxLevels,
    FrameStyle style) {

  /** What a tree each is made for. */
  public enum Grouping {
    NONE,
    THREAD,
    CPU
  }

  /** Everything, in one tree. */
  public static final ProfileOptions ALL =
      new ProfileOptions(
          TimeSlice.ALL,
          false,
          Grouping.NONE,
          Optional.empty(),
          OptionalLong.empty(),
          Optional.empty(),
          OptionalInt.empty(),
          FrameStyle.NAME);
}
