// SPDX-License-Identifier: Apache-2.0
package dev.fathom.cli;

import java.util.Arrays;

/** Where the program starts. */
public final class Main {
  private Main() {}

  /** Runs the program; the exit status is 0 only if all went well, 2 for wrong arguments. */
  public static void main(String[] arguments) {
    int status = run(arguments);
    if (status != 0) {
      // Looks through all jars for somebody who logs that the program ends, which takes 20 ms. All
      // threads are daemons, so that returning ends the program as well.
      System.exit(status);
    }
  }

  /** Runs one command line; gives its exit status. */
  static int run(String[] arguments) {
    var one = FathomCommand.parserOf(arguments.length == 0 ? "" : arguments[0]);
    int skipped = one.isPresent() ? 1 : 0;
    return one.orElseGet(FathomCommand::parser)
        .setExecutionExceptionHandler(
            (error, commandLine, parsed) -> Problems.report(error, commandLine.getErr()))
        .setParameterExceptionHandler(Problems::usage)
        .setUsageHelpAutoWidth(true)
        .execute(Arrays.copyOfRange(arguments, skipped, arguments.length));
  }
}
