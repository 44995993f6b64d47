// SPDX-License-Identifier: Apache-2.0
package dev.fathom.trace.analysis;

import dev.fathom.trace.TraceEvent;
import dev.fathom.trace.TraceThread;

/**
 * A backtrace that counts in a profile.
 *
 * @param time when it began, in nanoseconds
 * @param frames return addresses, the innermost first
 * @param duration nanoseconds; 0 where hits are counted
 */
public record Sample(long time, int cpu, TraceThread thread, long[] frames, long duration) {
  static Sample of(TraceEvent event, long time, long duration) {
    var frames = new long[event.frames()];
    for (int i = 0; i < frames.length; i++) {
      frames[i] = event.frame(i);
    }
    return new Sample(time, event.cpu(), event.thread(), frames, duration);
  }
}
