// SPDX-License-Identifier: Apache-2.0
package dev.fathom.cli;

import java.util.Arrays;
import java.util.stream.Stream;

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

  /** The kernel gives all that follows the program in a script's first line as one word. */
  private static String[] ofScript(String[] given) {
    if (given.length == 0 || !given[0].matches("d?trace .*")) {
      return given;
    }
    return Stream.concat(Arrays.stream(given[0].split(" +")), Arrays.stream(given).skip(1))
        .toArray(String[]::new);
  }

  /** Runs one command line; gives its exit status. */
  static int run(String[] given) {
    var arguments = ofScript(given);
    var one = FathomCommand.parserOf(arguments.length == 0 ? "" : arguments[0]);
    int skipped = one.isPresent() ? 1 : 0;
    return one.orElseGet(FathomCommand::parser)
        .setExecutionExceptionHandler(
            (error, commandLine, parsed) -> Problems.report(error, commandLine))
        .setParameterExceptionHandler(Problems::usage)
        .setUsageHelpAutoWidth(true)
        .execute(Arrays.copyOfRange(arguments, skipped, arguments.length));
  }
}
