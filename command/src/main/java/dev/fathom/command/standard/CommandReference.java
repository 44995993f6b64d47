// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.standard;

import dev.fathom.command.CommandGroup;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Grammar;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.TreeMap;

/** Writes {@code docs/commands.md} from what the commands say of themselves. */
public final class CommandReference {
  private CommandReference() {}

  /**
   * Writes the reference.
   *
   * @param args the file to write
   */
  public static void main(String[] args) throws IOException {
    Files.writeString(Path.of(args[0]), text(StandardCommands.groups()));
  }

  /** The whole reference as Markdown. */
  static String text(List<CommandGroup> groups) {
    var page = new StringBuilder();
    page.append(
        """
        # Commands

        Made from the commands themselves by `CommandReference`; a test fails when it is stale and
        says how to make it again. In the program, `::help` and `help` show the same.

        An address in front, as in `address::name`, is optional where the usage line has it in
        brackets. Numbers are hexadecimal unless they begin with `0t` (decimal), `0o` or `0i`.
        """);
    for (var grammar : Grammar.values()) {
      page.append('\n')
          .append(
              switch (grammar) {
                case MDB -> "## In mdb's spelling\n";
                case CRASH -> "## In crash's, gdb's and ddb's spelling\n";
              });
      for (var spec : specs(groups, grammar)) {
        command(spec, page);
      }
    }
    return page.toString();
  }

  private static Iterable<CommandSpec> specs(List<CommandGroup> groups, Grammar grammar) {
    var specs = new TreeMap<String, CommandSpec>();
    for (var group : groups) {
      for (var name : group.names(grammar)) {
        specs.putIfAbsent(name, group.command(grammar, name).orElseThrow().spec());
      }
    }
    return specs.values();
  }

  private static void command(CommandSpec spec, StringBuilder page) {
    page.append("\n### `").append(spec.typed()).append("`: ").append(spec.summary());
    page.append("\n\n    ").append(spec.usage()).append('\n');
    if (!spec.aliases().isEmpty()) {
      page.append("\nAlso ");
      var separator = "";
      for (var alias : spec.aliases()) {
        page.append(separator).append('`').append(alias).append('`');
        separator = ", ";
      }
      page.append(".\n");
    }
    page.append('\n').append(spec.help().stripTrailing()).append('\n');
    if (spec.accepts().isPresent() || spec.yields().isPresent()) {
      page.append('\n');
      spec.accepts().ifPresent(type -> page.append("Takes `" + type + "` from a pipe. "));
      spec.yields().ifPresent(type -> page.append("Gives `" + type + "` to a pipe. "));
      page.setLength(page.length() - 1);
      page.append('\n');
    }
    if (!spec.options().isEmpty()) {
      page.append('\n');
      for (var option : spec.options()) {
        page.append("- `-").append(option.letter());
        option.argument().ifPresent(argument -> page.append(' ').append(argument));
        page.append("`: ").append(option.meaning()).append('\n');
      }
    }
  }
}
