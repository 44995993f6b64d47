// SPDX-License-Identifier: Apache-2.0
package dev.fathom.trace.analysis;

import java.util.OptionalLong;

/**
 * A part of a trace's time.
 *
 * @param since the first nanosecond, where the part has a start
 * @param until the nanosecond behind the last, where the part has an end
 */
public record TimeSlice(OptionalLong since, OptionalLong until) {
  /** All of the time. */
  public static final TimeSlice ALL = new TimeSlice(OptionalLong.empty(), OptionalLong.empty());

  public boolean contains(long time) {
    return (since.isEmpty() || time >= since.getAsLong())
        && (until.isEmpty() || time < until.getAsLong());
  }

  /** Whether something that lasts from {@code start} to {@code end} touches the part. */
  public boolean touches(long start, long end) {
    return from(start) <= to(end);
  }

  /** The later of {@code start} and this part's. */
  public long from(long start) {
    return since.isPresent() ? Math.max(start, since.getAsLong()) : start;
  }

  /** The earlier of {@code end} and this part's. */
  public long to(long end) {
    return until.isPresent() ? Math.min(end, until.getAsLong()) : end;
  }
}
