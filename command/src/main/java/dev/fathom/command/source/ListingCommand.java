// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.source;

import dev.fathom.base.Datum;
import dev.fathom.base.EvalException;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import dev.fathom.model.source.SourceLine;
import java.util.ArrayList;
import java.util.Optional;
import java.util.stream.Stream;

/** gdb's {@code list}, by its short name: {@code list} is crash's command for linked lists. */
final class ListingCommand implements Command {
  private static final int LINES = 10;

  /** Of functions of one name, so many are shown. */
  private static final int MOST_PLACES = 20;

  private Optional<String> path = Optional.empty();
  private int next = 1;

  @Override
  public CommandSpec spec() {
    return CommandSpec.crash("l", "show lines of a source file")
        .arguments("[FILE:LINE | LINE | function | *ADDRESS]")
        .help(
            """
            Shows ten lines of source around a place, or around the selected frame's line; without
            an argument and after another `l` the lines that follow. Of several functions of one name
            each is shown, `FILE:FUNCTION` is the one of a file. The file is read from where the
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
    if (args.isEmpty()) {
      if (path.isEmpty()) {
        around(Lines.selected(call));
      }
      return Stream.of(Item.show(new Datum.Text(listing(call))));
    }
    var places = Lines.all(call, args.word(0));
    var items = new ArrayList<Item>();
    for (var line : places.subList(0, Math.min(places.size(), MOST_PLACES))) {
      around(line);
      var heading = places.size() > 1 ? line.text() + ":\n" : "";
      items.add(Item.show(new Datum.Text(heading + listing(call))));
    }
    if (places.size() > MOST_PLACES) {
      call.remark((places.size() - MOST_PLACES) + " more places are left out");
    }
    return items.stream();
  }

  private void around(SourceLine line) {
    path = Optional.of(line.path());
    next = Math.max(1, line.line() - LINES / 2 + 1);
  }

  /** The lines that come next. */
  private String listing(Invocation call) {
    int first = next;
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
    return text.toString();
  }
}
