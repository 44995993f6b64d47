// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.process;

import dev.fathom.base.MappedFile;
import dev.fathom.base.TargetException;
import dev.fathom.base.UnsupportedException;
import dev.fathom.base.UsageException;
import dev.fathom.format.elf.ElfFile;
import dev.fathom.target.AttachOptions;
import dev.fathom.target.LiveTargetProvider;
import dev.fathom.target.ProcessTracer;
import dev.fathom.target.Target;
import dev.fathom.target.local.ProcFiles;
import dev.fathom.target.local.UserRegisters;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.ServiceLoader;

/** Attaches to a process of this host. */
public final class ProcessProvider implements LiveTargetProvider {
  private static final String PREFIX = "pid:";
  private static final String RUN = "run:";

  /** {@code EI_CLASS} in an ELF header: ELFCLASS64 is 2. */
  private static final int EI_CLASS = 4;

  @Override
  public String name() {
    return "process";
  }

  @Override
  public List<String> forms() {
    return List.of("pid:PID", "'run:COMMAND'");
  }

  @Override
  public boolean accepts(String address) {
    return address.startsWith(PREFIX) || address.startsWith(RUN);
  }

  @Override
  public Target attach(String address, AttachOptions options) {
    if (address.startsWith(RUN)) {
      return start(address, options);
    }
    long pid = number(address);
    var files = new ProcFiles(pid);
    if (!files.exists()) {
      throw new TargetException(address + ": there is no process " + pid);
    }
    if (pid == ProcessHandle.current().pid()) {
      throw new UsageException(address + ": this is the debugger's own process");
    }
    var group = files.group();
    if (group.isPresent() && group.getAsLong() != pid) {
      throw new UsageException(
          address + ": " + pid + " is a thread of process " + group.getAsLong());
    }
    var stat = files.stat();
    if (stat.isPresent() && stat.get().state() == 'Z') {
      throw new TargetException(address + ": the process has ended and waits for its parent");
    }
    if (files.maps().isEmpty()) {
      throw new UnsupportedException(
          address + ": it has no memory of its own: a thread of this machine's kernel");
    }
    requireWords(address, pid);
    options.program().ifPresent(file -> requireSameBuild(file, pid));
    return new ProcessTarget(
        address,
        files,
        layout(address),
        options.readOnly() ? Optional.empty() : tracer(),
        options.program());
  }

  private static UserRegisters layout(String address) {
    String machine =
        switch (System.getProperty("os.arch")) {
          case "amd64", "x86_64" -> "x86_64";
          case "aarch64" -> "aarch64";
          default -> System.getProperty("os.arch");
        };
    return UserRegisters.of(machine)
        .orElseThrow(
            () ->
                new UnsupportedException(address + ": processes of " + machine + " are not known"));
  }

  private static Optional<ProcessTracer> tracer() {
    return ServiceLoader.load(ProcessTracer.class).stream()
        .map(ServiceLoader.Provider::get)
        .filter(ProcessTracer::available)
        .findFirst();
  }

  /**
   * Starts a program. The command is split at white space, as dtrace splits the one of {@code -c};
   * no character is special.
   */
  private static Target start(String address, AttachOptions options) {
    var words = List.of(address.substring(RUN.length()).strip().split("\\s+"));
    if (words.getFirst().isEmpty()) {
      throw new UsageException(address + ": no command to run");
    }
    var layout = layout(address);
    var tracer = tracer();
    if (tracer.isEmpty() || options.readOnly()) {
      throw new UnsupportedException(address + ": programs cannot be traced here");
    }
    var owner = new TracerThread("trace " + words.getFirst(), tracer.get());
    try {
      int pid = owner.ask(() -> tracer.get().start(words, TracedProcess.START_OPTIONS));
      var target =
          new ProcessTarget(address, new ProcFiles(pid), layout, tracer, options.program());
      target.takeOver(owner, tracer.get());
      requireWords(address, pid);
      return target;
    } catch (RuntimeException | Error e) {
      owner.end(); // What it traces is killed with it.
      throw e;
    }
  }

  /** Registers and pointers are taken to have 64 bits. */
  private static void requireWords(String address, long pid) {
    try (var in = Files.newInputStream(Path.of("/proc/" + pid + "/exe"))) {
      byte[] ident = in.readNBytes(EI_CLASS + 1);
      if (ident.length > EI_CLASS && ident[EI_CLASS] == 1) {
        throw new UnsupportedException(address + ": a 32-bit process, expected 64 bits");
      }
    } catch (IOException e) {
      throw new TargetException(address + ": cannot read the program of process " + pid, e);
    }
  }

  /** A file that is taken for the process's program must have its build-id, where both have one. */
  private static void requireSameBuild(Path file, long pid) {
    try (var given = MappedFile.open(file);
        var running = MappedFile.open(Path.of("/proc/" + pid + "/exe"))) {
      var expected = ElfFile.read(running).buildId();
      var found = ElfFile.read(given).buildId();
      if (expected.isPresent() && found.isPresent() && !found.equals(expected)) {
        throw new TargetException(
            file
                + ": of another build: has build-id "
                + found.get()
                + ", and process "
                + pid
                + " runs "
                + expected.get());
      }
    }
  }

  private static long number(String address) {
    String number = address.substring(PREFIX.length());
    try {
      int pid = Integer.parseInt(number);
      if (pid > 0) {
        return pid;
      }
    } catch (NumberFormatException _) {
      throw new UsageException(address + ": not the number of a process: " + number);
    }
    throw new UsageException(address + ": not the number of a process: " + number);
  }
}
