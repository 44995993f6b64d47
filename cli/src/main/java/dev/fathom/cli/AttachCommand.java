// SPDX-License-Identifier: Apache-2.0
package dev.fathom.cli;

import dev.fathom.base.UsageException;
import dev.fathom.command.Settings;
import dev.fathom.kernel.KernelOptions;
import dev.fathom.session.Session;
import dev.fathom.target.AttachOptions;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code fathom attach}. */
@Command(
    name = "attach",
    description = "Look at a live guest: without stopping it, or with breakpoints and steps.",
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "ADDRESS is one of",
      "",
      "  HOST:PORT         a gdb stub",
      "  unix:PATH         the same by its socket; also a PATH alone, where a socket is",
      "  qemu:PID          a QEMU on this machine",
      "  qmp:PATH          a QEMU, by the socket of its machine protocol",
      "  pid:PID           a process of this machine",
      "  'run:COMMAND'     a program that is started",
      "",
      "Without -e commands are read from the terminal, or from standard input.",
      "However Fathom ends, the guest goes on.",
      "",
      "  fathom attach localhost:1234",
      "  fathom attach localhost:1234 vmlinux",
      "  fathom attach qemu:4711 -e '::ps' -e '::walk thread | ::findstack -v'",
      "  fathom attach qemu:4711 --stop -e '::cpuinfo'",
      "  fathom attach pid:4711 -e '::threads'",
    })
final class AttachCommand extends LookCommand {
  @Parameters(index = "0", paramLabel = "ADDRESS", description = "Where the live target is.")
  private String address;

  @Parameters(
      index = "1..*",
      arity = "0..*",
      paramLabel = "FILE",
      description = "The kernel's vmlinux, as with --debug-file; another build's is refused.")
  private List<Path> files = List.of();

  @Option(names = "--stop", description = "Stop the guest while it is looked at.")
  private boolean stop;

  @Option(
      names = {"-w", "--write"},
      description = "Let commands write memory and registers, and call functions.")
  private boolean write;

  @Option(
      names = "--qmp",
      paramLabel = "SOCKET",
      description = "The socket of QEMU's machine protocol, where it is not to be searched for.")
  private Path qmp;

  @Option(
      names = "--stub",
      paramLabel = "ADDRESS",
      description = "QEMU's gdb stub, where it is not to be searched for.")
  private String stub;

  @Option(
      names = "--timeout",
      paramLabel = "SECONDS",
      description = "How long an answer may take (${DEFAULT-VALUE}); at least 1.",
      defaultValue = "10")
  private int timeout;

  @Override
  Session open(KernelOptions options) {
    if (timeout < 1) {
      throw new UsageException("--timeout must be at least 1 second, not " + timeout);
    }
    files.forEach(file -> DebugFileOptions.requireElf(file.toString(), file));
    var how =
        new AttachOptions(
            stop, Optional.ofNullable(qmp), Optional.ofNullable(stub), Duration.ofSeconds(timeout));
    return Session.attach(address, files, how, options);
  }

  @Override
  void prepare(Settings settings) {
    settings.writable(write);
  }
}
