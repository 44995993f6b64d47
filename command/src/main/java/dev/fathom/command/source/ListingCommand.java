// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.source;

import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import java.util.stream.Stream;

/** gdb's {@code list}, by its short name: {@code list} is also crash's, for linked lists. */
final class ListingCommand implements Command {
  @Override
  public CommandSpec spec() {
    return CommandSpec.crash("l", "show lines of a source file")
        .arguments("[place | first,last | -]")
        .help(
            """
            Shows ten lines of source around a place (FILE:LINE, LINE, a function, *ADDRESS), from
            one to another, or around the selected frame's line; without an argument and after
            another `l` the lines that follow, with `-` those before. Of several functions of one
            name each is shown, FILE:FUNCTION is the one of a file. The file is read from where the
            compiler found it, or from the folders that `directory` names; where it is not found
            only the place is told. `list` does the same with what cannot be an address; with
            addresses it is crash's, for linked lists.

                > l vfs_read
                > l fs/read_write.c:450
                > l 450,455
                > l
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    return Listing.run(call, call.args().joined());
  }
}
