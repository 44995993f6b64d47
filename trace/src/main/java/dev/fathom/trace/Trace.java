// SPDX-License-Identifier: Apache-2.0
package dev.fathom.trace;

import dev.fathom.base.Loss;
import java.util.List;

/** A trace that was recorded. May be read by several threads, each with a cursor of its own. */
public interface Trace extends AutoCloseable {
  /** The file's name as given. */
  String name();

  /** What kind of file it is, for people. */
  String format();

  /** Every tracepoint that events may be of, by number; not all need to have events. */
  List<Tracepoint> tracepoints();

  /** A new cursor before the first event. */
  EventCursor events();

  /** What is known to be missing: events that the tracer lost, a torn end. */
  List<Loss> losses();

  /** Names of addresses that the trace itself has. */
  FrameNames names();

  @Override
  void close();
}
