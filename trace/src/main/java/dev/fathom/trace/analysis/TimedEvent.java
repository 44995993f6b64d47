// SPDX-License-Identifier: Apache-2.0
package dev.fathom.trace.analysis;

import dev.fathom.trace.KeptEvent;

/**
 * An event that something began with, and how long that took.
 *
 * @param duration nanoseconds
 * @param open whether the trace ended before it did
 */
public record TimedEvent(KeptEvent event, long duration, boolean open) {
  public long end() {
    return event.time() + duration;
  }
}
