// SPDX-License-Identifier: Apache-2.0
package dev.fathom.cli;

import dev.fathom.kernel.KernelOptions;
import dev.fathom.session.Session;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code fathom open}. */
@Command(
    name = "open",
    description = "Look at a dead kernel: open a crash dump.",
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "Without -e commands are read from the terminal, or from standard input.",
      "The exit status is 0 only if all command lines worked and their answers are",
      "complete, but for single values that cannot be read and are shown so; 1 if",
      "not, 2 for wrong arguments. A session at the terminal ends with 0.",
      "",
      "  fathom open vmcore",
      "  fathom open vmcore -e '::ps' -e '::walk thread | ::findstack -v'",
      "  fathom open vmcore --json -e '::ps'",
    })
final class OpenCommand extends LookCommand {
  @Parameters(
      paramLabel = "DUMP",
      arity = "1..*",
      description = "The dump, or the parts of a split one.")
  private List<Path> files;

  @Override
  Session open(KernelOptions options) {
    return Session.open(files, options);
  }
}
