// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.core;

import dev.fathom.base.Datum;
import dev.fathom.base.EvalException;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Environment;
import dev.fathom.command.Grammar;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** {@code ::help}, and {@code help} as crash users type it. */
final class HelpCommand implements Command {
  private final Grammar grammar;

  HelpCommand(Grammar grammar) {
    this.grammar = grammar;
  }

  @Override
  public CommandSpec spec() {
    var summary = "summarize help or describe a command";
    var spec =
        switch (grammar) {
          case MDB -> CommandSpec.mdb("help", summary);
          case CRASH -> CommandSpec.crash("help", summary);
        };
    return spec.arguments("[command]")
        .help(
            """
            Without an argument: how commands are typed, and their names in both spellings. With the
            name of a command: how it is used, what it does, and examples; where both spellings have
            a command of that name, both are described.

                > ::help findstack
                > help bt
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    var args = call.args().expect(0, 1);
    var environment = call.environment();
    if (args.isEmpty()) {
      return overview(environment).stream().map(line -> Item.show(new Datum.Text(line)));
    }
    var typed = args.word(0);
    var name = typed.startsWith("::") ? typed.substring(2) : typed;
    var pages = new ArrayList<CommandSpec>();
    for (var spelling : Grammar.values()) {
      environment.command(spelling, name).ifPresent(command -> pages.add(command.spec()));
    }
    if (pages.isEmpty()) {
      throw new EvalException("unknown command: " + typed);
    }
    var lines = new ArrayList<String>();
    for (var page : pages) {
      if (!lines.isEmpty()) {
        lines.add("");
      }
      describe(page, name, lines);
    }
    return lines.stream().map(line -> Item.show(new Datum.Text(line)));
  }

  private static List<String> overview(Environment environment) {
    var lines = new ArrayList<String>();
    lines.add("Two spellings are understood, mdb's and crash's:");
    lines.add("");
    lines.add("    address::command -options arguments | ::command ... ! shell command");
    lines.add("    address[,count]/formats      memory; = shows the value itself; ::formats lists");
    lines.add("    command -options arguments   crash; the first word of a line decides");
    lines.add("");
    lines.add("Numbers are hexadecimal unless they begin with 0t (decimal), 0o or 0i. '.' is the");
    lines.add("current address, <name a variable or register, >name sets one.");
    for (var spelling : Grammar.values()) {
      lines.add("");
      lines.add(
          switch (spelling) {
            case MDB -> "mdb's commands (::dcmds describes each in a line):";
            case CRASH -> "crash's, gdb's and ddb's commands:";
          });
      lines.addAll(columns(names(environment, spelling)));
    }
    lines.add("");
    lines.add("'::help name' or 'help name' describes a command.");
    return lines;
  }

  private static List<String> names(Environment environment, Grammar grammar) {
    var names = new ArrayList<String>();
    for (var group : environment.groups()) {
      names.addAll(group.names(grammar));
    }
    return names.stream().distinct().sorted().toList();
  }

  private static List<String> columns(List<String> names) {
    var lines = new ArrayList<String>();
    var line = new StringBuilder();
    for (var name : names) {
      if (line.length() + name.length() > 72) {
        lines.add(line.toString().stripTrailing());
        line.setLength(0);
      }
      line.append(line.isEmpty() ? "    " : "").append(name);
      line.repeat(' ', Math.max(1, 12 - name.length()));
    }
    lines.add(line.toString().stripTrailing());
    return lines;
  }

  /**
   * @param asked the name by which the page was asked for: it comes first
   */
  private static void describe(CommandSpec spec, String asked, List<String> lines) {
    lines.add("NAME");
    var first = spec.aliases().contains(asked) ? asked + ", " : "";
    lines.add("  " + first + spec.name() + " - " + spec.summary());
    lines.add("");
    lines.add("SYNOPSIS");
    lines.add("  " + spec.usage());
    for (var alias : spec.aliases()) {
      lines.add("  also " + alias);
    }
    lines.add("");
    lines.add("DESCRIPTION");
    for (var line : spec.help().stripTrailing().split("\n", -1)) {
      lines.add(line.isEmpty() ? "" : "  " + line);
    }
    if (spec.accepts().isPresent() || spec.yields().isPresent()) {
      lines.add("");
      spec.accepts().ifPresent(type -> lines.add("  Takes " + type + " from a pipe."));
      spec.yields().ifPresent(type -> lines.add("  Gives " + type + " to a pipe."));
    }
    if (!spec.options().isEmpty()) {
      lines.add("");
      lines.add("OPTIONS");
      for (var option : spec.options()) {
        lines.add(
            "  -"
                + option.letter()
                + option.argument().map(argument -> " " + argument).orElse("")
                + "  "
                + option.meaning());
      }
    }
  }
}
