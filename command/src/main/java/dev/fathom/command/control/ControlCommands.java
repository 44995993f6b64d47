// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.control;

import dev.fathom.command.Command;
import dev.fathom.command.CommandGroup;
import dev.fathom.command.Grammar;
import java.util.List;
import java.util.Optional;

/** The names of this package's commands. */
public final class ControlCommands implements CommandGroup {
  private static final List<String> MDB =
      List.of(
          ":a", ":u", ":w", ":z", "bp", "call", "cont", "cpuregs", "delete", "events", "next",
          "step", "stop", "threads", "wp");

  private static final List<String> GDB =
      List.of(
          "awatch",
          "break",
          "call",
          "catch",
          "commands",
          "condition",
          "continue",
          "delete",
          "disable",
          "enable",
          "finish",
          "handle",
          "hbreak",
          "ignore",
          "info",
          "interrupt",
          "next",
          "nexti",
          "rwatch",
          "step",
          "stepi",
          "tbreak",
          "tcatch",
          "thbreak",
          "thread",
          "until",
          "watch");

  private final Stops stops = new Stops();

  @Override
  public String name() {
    return "control";
  }

  @Override
  public List<String> names(Grammar grammar) {
    return switch (grammar) {
      case MDB -> MDB;
      case CRASH -> GDB;
    };
  }

  @Override
  public Optional<Command> command(Grammar grammar, String name) {
    return Optional.ofNullable(
        switch (grammar) {
          case MDB -> mdb(name);
          case CRASH -> gdb(name);
        });
  }

  private Command mdb(String name) {
    return switch (name) {
      case "bp", ":b" -> new BreakpointCommand();
      case "wp", ":w", ":a" -> new WatchCommand(name);
      case "delete", ":d" -> new DeleteCommand("delete");
      case ":z" -> new DeleteCommand(":z");
      case "events", "$b" -> new EventsCommand();
      case "cont", ":c" -> new ContinueCommand(Grammar.MDB, stops);
      case "step", ":s" -> new StepCommand(Grammar.MDB, stops, "step", StepCommand.How.INTO);
      case "next", ":e" -> new StepCommand(Grammar.MDB, stops, "next", StepCommand.How.OVER);
      case ":u" -> new StepCommand(Grammar.MDB, stops, ":u", StepCommand.How.OUT);
      case "stop" -> new StopCommand(Grammar.MDB, stops);
      case "call" -> new CallCommand();
      case "threads" -> new ThreadsCommand();
      case "cpuregs" -> new CpuregsCommand();
      default -> null;
    };
  }

  private Command gdb(String name) {
    return switch (name) {
      case "break", "b" -> new GdbBreakCommand("break");
      case "tbreak", "tb" -> new GdbBreakCommand("tbreak");
      case "hbreak", "hb" -> new GdbBreakCommand("hbreak");
      case "thbreak", "thb" -> new GdbBreakCommand("thbreak");
      case "watch", "rwatch", "awatch" -> new GdbWatchCommand(name);
      case "continue", "c" -> new ContinueCommand(Grammar.CRASH, stops);
      case "step", "s" -> new StepCommand(Grammar.CRASH, stops, "step", StepCommand.How.INTO);
      case "stepi", "si" -> new StepCommand(Grammar.CRASH, stops, "stepi", StepCommand.How.INTO);
      case "next", "n" -> new StepCommand(Grammar.CRASH, stops, "next", StepCommand.How.OVER);
      case "nexti", "ni" -> new StepCommand(Grammar.CRASH, stops, "nexti", StepCommand.How.OVER);
      case "finish", "fin" -> new StepCommand(Grammar.CRASH, stops, "finish", StepCommand.How.OUT);
      case "until", "advance" ->
          new StepCommand(Grammar.CRASH, stops, "until", StepCommand.How.UNTIL);
      case "interrupt" -> new StopCommand(Grammar.CRASH, stops);
      case "delete", "enable", "disable", "ignore", "condition", "commands" ->
          new TableCommand(name);
      case "call" -> new GdbCallCommand();
      case "catch", "tcatch" -> new CatchCommand(name);
      case "handle" -> new HandleCommand();
      case "info", "i" -> new InfoCommand();
      case "thread" -> new ThreadCommand();
      default -> null;
    };
  }
}
