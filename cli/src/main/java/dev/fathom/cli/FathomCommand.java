// SPDX-License-Identifier: Apache-2.0
package dev.fathom.cli;

import java.util.List;
import java.util.Optional;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code fathom}. */
@Command(
    name = "fathom",
    description = "A debugger for kernels that run inside something else or left a dump.",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    synopsisSubcommandLabel = "COMMAND")
final class FathomCommand implements Runnable {
  private static final List<String> NAMES =
      List.of("open", "attach", "dump", "trace", "dtrace", "trace-file", "demo");

  @Spec private CommandSpec spec;

  private FathomCommand() {}

  /** The parser for any command line. */
  static CommandLine parser() {
    var line = new CommandLine(new FathomCommand());
    for (var name : NAMES) {
      line.addSubcommand(name, command(name));
      allow(line.getSubcommands().get(name), name);
    }
    return line;
  }

  /**
   * The parser for the command lines of one command, which are given without its name; empty when
   * there is no such command. To read the options of all commands, and those of none, takes as long
   * as an answer.
   */
  static Optional<CommandLine> parserOf(String name) {
    if (!NAMES.contains(name)) {
      return Optional.empty();
    }
    var line = new CommandLine(command(name)).setCommandName("fathom " + name);
    allow(line, name);
    line.getCommandSpec().versionProvider(new Version());
    return Optional.of(line);
  }

  /** -n and its like of trace may be given again and again, in an order that counts. */
  private static void allow(CommandLine line, String name) {
    line.setOverwrittenOptionsAllowed(name.endsWith("trace"));
  }

  private static Object command(String name) {
    return switch (name) {
      case "open" -> new OpenCommand();
      case "attach" -> new AttachCommand();
      case "dump" -> new DumpCommand();
      case "trace" -> new TraceProgramCommand();
      case "dtrace" -> new DtraceCommand();
      case "trace-file" -> new TraceFileCommand();
      case "demo" -> new DemoCommand();
      default -> throw new IllegalArgumentException(name);
    };
  }

  @Override
  public void run() {
    var all = String.join(", ", NAMES.subList(0, NAMES.size() - 1));
    throw new ParameterException(
        spec.commandLine(), "expected a command: " + all + " or " + NAMES.getLast());
  }
}
