// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.core;

import dev.fathom.base.Datum;
import dev.fathom.base.TargetException;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.stream.Stream;

/** {@code ::cat}. */
final class CatCommand implements Command {
  @Override
  public CommandSpec spec() {
    return CommandSpec.mdb("cat", "concatenate and display files")
        .arguments("file ...")
        .help(
            """
            Shows files of the machine that the debugger runs on. In front of a pipe the text is
            read as expressions: a list of addresses in a file becomes input.

                > ::cat addresses.txt | ::print struct task_struct comm
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    call.args().expect(1, Integer.MAX_VALUE);
    Stream<Item> lines = Stream.empty();
    for (var operand : call.args().operands()) {
      lines = Stream.concat(lines, lines(operand.text()));
    }
    return lines;
  }

  private static Stream<Item> lines(String file) {
    try (var reader = Files.newBufferedReader(Path.of(file), StandardCharsets.ISO_8859_1)) {
      var items = new ArrayList<Item>();
      for (var line = reader.readLine(); line != null; line = reader.readLine()) {
        items.add(Item.show(new Datum.Text(line)));
      }
      return items.stream();
    } catch (IOException | InvalidPathException e) {
      throw new TargetException("failed to open " + file + ": " + e.getMessage(), e);
    }
  }
}
