// SPDX-License-Identifier: Apache-2.0
package dev.fathom.cli;

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
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {
      OpenCommand.class,
      AttachCommand.class,
      DumpCommand.class,
      TraceProgramCommand.class,
      DtraceCommand.class,
      TraceFileCommand.class,
      DemoCommand.class
    })
final class FathomCommand implements Runnable {
  @Spec private CommandSpec spec;

  @Override
  public void run() {
    throw new ParameterException(
        spec.commandLine(),
        "expected a command: open, attach, dump, trace, dtrace, trace-file or demo");
  }
}
