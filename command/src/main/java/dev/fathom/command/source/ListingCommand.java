// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.source;

import dev.fathom.base.Datum;
import dev.fathom.base.EvalException;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import java.util.Optional;
import java.util.stream.Stream;

/** gdb's {@code list}, by its short name: {@code list} is crash's command for linked lists. */
final class ListingCommand implements Command {
  private static final int LINES = 10;

  private Optional<String> path = Optional.empty();
  private int next = 1;

  @Override
  public CommandSpec spec() {
    return CommandSpec.crash("l", "show lines of a source file")
        .arguments("[FILE:LINE | LINE | function | *ADDRESS]")
        .help(
            """
            Shows ten lines of source around a place, or around the selected frame's line; without
            an argument and after another `l` the lines that follow. The file is read from where the
            compiler found it, or from the folders that `directory` names; where it is not found
            only the place is told. (`list` is crash's, for linked lists.)

                > l vfs_read
                > l fs/read_write.c:450
                > l
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    var args = call.args().expect(0, 1);
    int first = next;
    if (!args.isEmpty() || path.isEmpty()) {
      var line = args.isEmpty() ? Lines.selected(call) : Lines.of(call, args.word(0));
      path = Optional.of(line.path());
      first = Math.max(1, line.line() - LINES / 2 + 1);
    }
    var file = path.orElseThrow();
    var lines = SourceText.of(call, file);
    if (lines.isEmpty()) {
      path = Optional.empty();
      throw new EvalException(
          file + " is not found; `directory FOLDER` names folders with sources");
    }
    if (first > lines.get().size()) {
      path = Optional.empty();
      throw new EvalException(file + " has only " + lines.get().size() + " lines");
    }
    int last = Math.min(first + LINES - 1, lines.get().size());
    var text = new StringBuilder();
    for (int i = first; i <= last; i++) {
      text.append(i == first ? "" : "\n").append(i).append('\t').append(lines.get().get(i - 1));
    }
    next = last + 1;
    return Stream.of(Item.show(new Datum.Text(text.toString())));
  }
}
