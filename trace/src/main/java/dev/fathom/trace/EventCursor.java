// SPDX-License-Identifier: Apache-2.0
package dev.fathom.trace;

/**
 * Goes over the events of a trace in the order of their times, as far as the trace has them in
 * order. Stands before the first event when it is made. Between two calls of {@link #next} the
 * methods of {@link TraceEvent} tell about one event; none of them makes an object but {@link
 * #thread} for one not seen lately, {@link #text} and {@link #bytes}. Not for several threads.
 */
public interface EventCursor extends TraceEvent {
  /**
   * Moves to the next event; false when there is none.
   *
   * @throws dev.fathom.base.BadDataException when the trace breaks its format there; the events end
   */
  boolean next();
}
