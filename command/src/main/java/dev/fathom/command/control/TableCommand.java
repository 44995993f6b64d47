// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.control;

import dev.fathom.base.LookupException;
import dev.fathom.base.UsageException;
import dev.fathom.command.Argument;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import dev.fathom.session.control.Breakpoint;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** gdb's {@code delete}, {@code enable}, {@code disable}, {@code ignore} and {@code condition}. */
final class TableCommand implements Command {
  private final String name;

  TableCommand(String name) {
    this.name = name;
  }

  @Override
  public CommandSpec spec() {
    return CommandSpec.crash(name, summary())
        .reading(
            name.equals("condition") ? CommandSpec.Reading.STATEMENT : CommandSpec.Reading.WORDS)
        .arguments(arguments())
        .help(
            """
            Changes breakpoints and watchpoints by their numbers, as `info breakpoints` shows them, or
            by their places, as in ddb; `delete`, `enable` and `disable` without either change all. `ignore` lets so many hits
            go by; `condition` without an expression removes one; `commands` sets the lines, each in
            quotes, that run when the breakpoint stops the target.

                > disable 2
                > delete vfs_read
                > ignore 1 99
                > condition 1 pid == 1 && $rdx > 100
                > commands 1 "silent" "p jiffies" "c"
            """);
  }

  private String summary() {
    return switch (name) {
      case "delete" -> "delete breakpoints";
      case "enable" -> "enable breakpoints";
      case "disable" -> "disable breakpoints";
      case "ignore" -> "let hits of a breakpoint go by";
      case "condition" -> "set the condition of a breakpoint";
      default -> "set what runs when a breakpoint stops the target";
    };
  }

  private String arguments() {
    return switch (name) {
      case "ignore" -> "id count";
      case "condition" -> "id [expression]";
      case "commands" -> "id [line ...]";
      default -> "[breakpoints] [id | place ...]";
    };
  }

  @Override
  public Stream<Item> run(Invocation call) {
    var control = call.session().control();
    var words = new ArrayList<>(call.args().operands());
    switch (name) {
      case "ignore" -> {
        call.args().expect(2, 2);
        long count = Numbers.decimal(words.get(1));
        if (count < 0) {
          throw new UsageException("a count is at least 0");
        }
        control.breakpoint(Numbers.decimal(words.get(0))).ignore(count);
      }
      case "condition" -> {
        call.args().expect(1, Integer.MAX_VALUE);
        var text = new StringBuilder();
        for (var word : words.subList(1, words.size())) {
          text.append(text.isEmpty() ? "" : " ").append(word.text());
        }
        var breakpoint = control.breakpoint(Numbers.decimal(words.getFirst()));
        breakpoint.condition(
            text.isEmpty()
                ? Optional.empty()
                : Optional.of(ExpressionCondition.of(text.toString(), call, breakpoint)));
      }
      case "commands" -> {
        call.args().expect(1, Integer.MAX_VALUE);
        var lines = new ArrayList<String>();
        words.subList(1, words.size()).forEach(word -> lines.add(word.text()));
        control.breakpoint(Numbers.decimal(words.getFirst())).commands(lines);
      }
      default -> {
        if (!words.isEmpty() && words.getFirst().text().equals("breakpoints")) {
          words.removeFirst();
        }
        List<Breakpoint> meant = control.breakpoints();
        if (!words.isEmpty()) {
          meant = new ArrayList<>();
          for (var word : words) {
            meant.addAll(meant(call, word));
          }
        }
        for (var breakpoint : meant) {
          switch (name) {
            case "delete" -> control.delete(breakpoint);
            default -> breakpoint.enabled(name.equals("enable"));
          }
        }
      }
    }
    return Stream.empty();
  }

  /** Those that a number or a place means. */
  private static List<Breakpoint> meant(Invocation call, Argument word) {
    var control = call.session().control();
    boolean number = word instanceof Argument.Number || word.text().matches("[0-9]+");
    if (number) {
      return List.of(control.breakpoint(Numbers.decimal(word)));
    }
    var place = Places.of(call, word.text(), true);
    var meant = new ArrayList<Breakpoint>();
    for (var breakpoint : control.breakpoints()) {
      if (breakpoint.place().text().equals(place.text()) || sameAddress(call, breakpoint, place)) {
        meant.add(breakpoint);
      }
    }
    if (meant.isEmpty()) {
      throw new LookupException("breakpoint at", word.text());
    }
    return meant;
  }

  private static boolean sameAddress(
      Invocation call, Breakpoint breakpoint, Breakpoint.Place place) {
    var addresses = call.session().control().addresses(place);
    return !addresses.isEmpty() && breakpoint.addresses().equals(addresses);
  }
}
