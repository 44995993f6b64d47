// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command;

import java.util.List;
import java.util.Optional;

/**
 * The commands of one package, by name. Looking a name up makes no other command: a group is a list
 * of names and one switch.
 */
public interface CommandGroup {
  /** The name that {@code module`dcmd} and {@code ::which} use: {@code core}, {@code linux}. */
  String name();

  /** The commands' own names in that spelling, without aliases. */
  List<String> names(Grammar grammar);

  /** A new instance of the command that answers to {@code name}, which may be an alias. */
  Optional<Command> command(Grammar grammar, String name);
}
