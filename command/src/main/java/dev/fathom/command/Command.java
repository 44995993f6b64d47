// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command;

import java.util.stream.Stream;

/**
 * One command, in a class of its own. It returns values and data and never prints. An instance is
 * made when the command is first used and serves one session; it keeps no state between calls.
 */
public interface Command {
  CommandSpec spec();

  /**
   * Runs the command once: for one input value (with {@link CommandSpec.Input#EACH}) or over all of
   * them. The stream is lazy where the result can be long; it is read once, in order, perhaps not
   * to its end, and then closed.
   *
   * @throws dev.fathom.base.UsageException when the arguments are wrong: the usage is shown and the
   *     command line stops
   * @throws dev.fathom.base.FathomException when this call failed: the message is shown and the
   *     next input value has its turn. The stream may throw the same while it is read.
   */
  Stream<Item> run(Invocation call);
}
