// SPDX-License-Identifier: Apache-2.0
package dev.fathom.cli;

import java.util.List;
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

  /**
   * The parser for a command line. Where its first word is a command, it knows no other: to read
   * the options of all of them takes as long as an answer.
   */
  static CommandLine parser(String... arguments) {
    var line = new CommandLine(new FathomCommand());
    var wanted =
        arguments.length > 0 && NAMES.contains(arguments[0]) ? List.of(arguments[0]) : NAMES;
    for (var name : wanted) {
      line.addSubcommand(name, command(name));
      // -n and its like of trace may be given again and again, in an order that counts.
      line.getSubcommands().get(name).setOverwrittenOptionsAllowed(name.endsWith("trace"));
    }
    return line;
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
