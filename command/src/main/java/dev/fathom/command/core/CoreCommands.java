// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.core;

import dev.fathom.base.Datum;
import dev.fathom.command.Command;
import dev.fathom.command.CommandGroup;
import dev.fathom.command.Grammar;
import java.util.List;
import java.util.Optional;

/** The names of this package's commands. */
public final class CoreCommands implements CommandGroup {
  private static final List<String> NAMES =
      List.of(
          "$<",
          "$<<",
          "$d",
          "$w",
          ">",
          "array",
          "cat",
          "cheader",
          "context",
          "dcmds",
          "debugfiles",
          "dis",
          "disasms",
          "dump",
          "echo",
          "enum",
          "eval",
          "formats",
          "grep",
          "head",
          "help",
          "list",
          "log",
          "map",
          "mappings",
          "nm",
          "objects",
          "offsetof",
          "percpu",
          "print",
          "printf",
          "quit",
          "regs",
          "set",
          "sizeof",
          "snapshot",
          "stack",
          "status",
          "typedef",
          "typelist",
          "typeset",
          "typesources",
          "unset",
          "vars",
          "version",
          "vtop",
          "walk",
          "walkers",
          "whatis",
          "which");

  private static final List<String> CRASH_NAMES = List.of("help", "quit");

  @Override
  public String name() {
    return "core";
  }

  @Override
  public List<String> names(Grammar grammar) {
    return switch (grammar) {
      case MDB -> NAMES;
      case CRASH -> CRASH_NAMES;
    };
  }

  @Override
  public Optional<Command> command(Grammar grammar, String name) {
    return Optional.ofNullable(
        switch (grammar) {
          case MDB -> mdb(name);
          case CRASH -> crash(name);
        });
  }

  private static Command crash(String name) {
    return switch (name) {
      case "help" -> new HelpCommand(Grammar.CRASH);
      case "quit", "q", "exit", "detach" -> new QuitCommand(Grammar.CRASH);
      default -> null;
    };
  }

  private static Command mdb(String name) {
    return switch (name) {
      case "$<", "$<<" -> new SourceCommand(name);
      case "$d" -> new RadixCommand();
      case "$w" -> new WidthCommand();
      case ">" -> new AssignCommand();
      case "array" -> new ArrayCommand();
      case "cat" -> new CatCommand();
      case "cheader" -> new CheaderCommand();
      case "context", "$p" -> new ContextCommand();
      case "dcmds" -> new DcmdsCommand();
      case "debugfiles" -> new DebugFilesCommand();
      case "dis" -> new DisCommand();
      case "disasms", "$V" -> new DisasmsCommand();
      case "dump" -> new DumpCommand();
      case "echo" -> new EchoCommand();
      case "enum" -> new EnumCommand();
      case "eval" -> new EvalCommand();
      case "formats" -> new FormatsCommand();
      case "grep" -> new GrepCommand();
      case "head" -> new HeadCommand();
      case "help" -> new HelpCommand(Grammar.MDB);
      case "list" -> new ListCommand();
      case "log", "$>" -> new LogCommand();
      case "map" -> new MapCommand();
      case "mappings", "$m" -> new MappingsCommand();
      case "nm" -> new NmCommand(false);
      case "$e" -> new NmCommand(true);
      case "objects", "$f" -> new ObjectsCommand();
      case "offsetof" -> new OffsetofCommand();
      case "percpu" -> new PerCpuCommand();
      case "print" -> new PrintCommand();
      case "printf" -> new PrintfCommand();
      case "quit", "$q", "$Q", "$%", ":R" -> new QuitCommand(Grammar.MDB);
      case "regs", "$r" -> new RegsCommand();
      case "set" -> new SetCommand();
      case "sizeof" -> new SizeofCommand();
      case "snapshot" -> new SnapshotCommand();
      case "stack", "$c" -> new StackCommand(Datum.Detail.FUNCTIONS);
      case "$C" -> new StackCommand(Datum.Detail.FRAMES);
      case "status", "$?" -> new StatusCommand();
      case "typedef" -> new TypedefCommand();
      case "typelist" -> new TypelistCommand();
      case "typeset" -> new TypesetCommand();
      case "typesources" -> new TypesourcesCommand();
      case "unset" -> new UnsetCommand();
      case "vars" -> new VarsCommand(false);
      case "$v" -> new VarsCommand(true);
      case "version" -> new VersionCommand();
      case "vtop" -> new VtopCommand();
      case "walk" -> new WalkCommand();
      case "walkers" -> new WalkersCommand();
      case "whatis" -> new WhatisCommand();
      case "which", "whence" -> new WhichCommand();
      case ":i",
          ":k",
          ":p",
          ":r",
          ":t",
          ":A",
          ":S",
          "$i",
          "$k",
          "$l",
          "$W",
          "$x",
          "$X",
          "$y",
          "$Y",
          "fpregs" ->
          new UnsupportedCommand(name);
      default -> null;
    };
  }
}
