// SPDX-License-Identifier: Apache-2.0
package dev.fathom.cli;

import dev.fathom.base.FathomException;
import java.io.IOException;
import java.io.UncheckedIOException;
import picocli.CommandLine;

/** Turns what went wrong into one line for the user and an exit status. */
final class Problems {
  static final int FAILED = 1;
  static final int WRONG_ARGUMENTS = 2;

  /** What a shell reports of a program that wrote into a pipe that nobody reads. */
  static final int BROKEN_PIPE = 141;

  /** What a shell reports of a program that Ctrl-C ended. */
  static final int INTERRUPTED = 130;

  private Problems() {}

  static int report(Exception error, CommandLine command) {
    var err = command.getErr();
    if (isBrokenPipe(error)) {
      return BROKEN_PIPE;
    }
    if (error instanceof FathomException) {
      err.println(program(command) + ": " + error.getMessage());
    } else {
      err.println("fathom: internal error, please report it:");
      error.printStackTrace(err);
    }
    err.flush();
    return FAILED;
  }

  static int usage(CommandLine.ParameterException error, String[] arguments) {
    var err = error.getCommandLine().getErr();
    var program = program(error.getCommandLine());
    err.println(program + ": " + message(error));
    var name = error.getCommandLine().getCommandSpec().qualifiedName();
    err.println(program + ": try '" + name + " --help'");
    return WRONG_ARGUMENTS;
  }

  /** What messages of a command begin with. */
  private static String program(CommandLine command) {
    return command.getCommandSpec().userObject() instanceof TraceProgramCommand trace
        ? trace.program()
        : "fathom";
  }

  private static String message(CommandLine.ParameterException error) {
    if (error instanceof CommandLine.UnmatchedArgumentException unmatched
        && error.getCommandLine().getCommandName().equals("fathom")
        && !unmatched.isUnknownOption()) {
      return "unknown command '"
          + unmatched.getUnmatched().getFirst()
          + "', expected open, attach, dump, trace, dtrace, trace-file or demo";
    }
    for (Throwable cause = error; cause != null; cause = cause.getCause()) {
      if (cause instanceof FathomException ours) { // Of an option that reads a file.
        return ours.getMessage();
      }
    }
    return error.getMessage();
  }

  private static boolean isBrokenPipe(Exception error) {
    var cause = error instanceof UncheckedIOException unchecked ? unchecked.getCause() : error;
    return cause instanceof IOException && "Broken pipe".equals(cause.getMessage());
  }
}
