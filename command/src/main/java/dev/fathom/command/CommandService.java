// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command;

import dev.fathom.base.Outcome;
import dev.fathom.base.Sink;

/** Runs command lines over a session, on the session's thread. */
public interface CommandService {
  /**
   * Runs one line, which may hold several statements, and gives all it produces to {@code sink},
   * between {@link Sink#begin} and {@link Sink#end}. Errors go there too.
   *
   * @throws dev.fathom.base.TargetException only when the sink itself cannot take what it is given
   */
  Outcome run(String line, Sink sink);

  Environment environment();

  /** Asks the running line to stop; safe from any thread. */
  void interrupt();
}
