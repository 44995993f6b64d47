// SPDX-License-Identifier: Apache-2.0
package dev.fathom.cli;

import dev.fathom.base.UsageException;
import dev.fathom.kernel.KernelOptions;
import dev.fathom.session.Session;
import dev.fathom.target.AttachOptions;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code fathom open}. */
@Command(
    name = "open",
    description =
        "Look at a dead kernel or process, or a program: open a dump, a core or a program.",
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "Without -e commands are read from the terminal, or from standard input.",
      "The exit status is 0 only if all command lines worked and their answers are",
      "complete, but for single values that cannot be read and are shown so; 1 if",
      "not, 2 for wrong arguments. A session at the terminal ends with 0.",
      "",
      "  fathom open vmcore",
      "  fathom open vmcore vmlinux",
      "  fathom open vmcore -e '::ps' -e '::walk thread | ::findstack -v'",
      "  fathom open vmcore --json -e '::ps'",
      "  fathom open core ./program",
      "  fathom open ./program -e 'ptype struct pair' -e 'list main'",
      "  fathom open /proc/4711/mem --kernel ./linux",
    })
final class OpenCommand extends LookCommand {
  @Parameters(
      paramLabel = "DUMP",
      arity = "1..*",
      description =
          "The dump, the parts of a split one, a core and its program, a program or vmlinux alone,"
              + " or /proc/PID/mem; beside a dump also the kernel's vmlinux.")
  private List<Path> files;

  @Option(
      names = "--kernel",
      paramLabel = "FILE",
      description = "The program of the process, with its symbols (for /proc/PID/mem).")
  private Path kernel;

  /** The memory of a process of this machine. */
  private static final Pattern MEMORY = Pattern.compile("/proc/([0-9]+)/mem");

  @Override
  Session open(KernelOptions options) {
    var memory = MEMORY.matcher(files.getFirst().toString());
    if (files.size() == 1 && memory.matches()) {
      var how = AttachOptions.DEFAULT.reading(Optional.ofNullable(kernel));
      return Session.attach("pid:" + memory.group(1), how, options);
    }
    if (kernel != null) {
      throw new UsageException("--kernel is for the memory of a process: /proc/PID/mem");
    }
    for (var file : files) {
      if (!Files.exists(file) && Session.isLiveAddress(file.toString())) {
        throw new UsageException(
            file + ": no such file; a live target is looked at with: fathom attach " + file);
      }
    }
    return Session.open(files, options);
  }
}
