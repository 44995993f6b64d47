// SPDX-License-Identifier: Apache-2.0
package dev.fathom.cli;

import picocli.CommandLine;

/** Where the program starts. */
public final class Main {
  private Main() {}

  /** Runs the program; the exit status is 0 only if all went well, 2 for wrong arguments. */
  public static void main(String[] arguments) {
    System.exit(run(arguments));
  }

  /** Runs one command line; gives its exit status. */
  static int run(String[] arguments) {
    var line = new CommandLine(new FathomCommand());
    for (var name : TraceProgramCommand.NAMES) {
      // -n and its like may be given again and again, in an order that counts.
      line.getSubcommands().get(name).setOverwrittenOptionsAllowed(true);
    }
    return line.setExecutionExceptionHandler(
            (error, commandLine, parsed) -> Problems.report(error, commandLine.getErr()))
        .setParameterExceptionHandler(Problems::usage)
        .setUsageHelpAutoWidth(true)
        .execute(arguments);
  }
}
