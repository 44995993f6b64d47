// SPDX-License-Identifier: Apache-2.0
package dev.fathom.testkit.lab;

import dev.fathom.base.TargetException;
import dev.fathom.testkit.process.Subject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * Debian's User Mode Linux that runs with busybox in a directory of the host: what it prints of
 * itself it writes to files there.
 */
public final class UserModeLinux implements AutoCloseable {
  private static final String INIT =
      """
      #!/bin/busybox sh
      /bin/busybox --install /bin
      export PATH=/bin
      mount -t proc proc /proc
      sleep 1001 &
      sleep 1002 &
      sleep 1
      dmesg > /out/dmesg
      ps -o pid,ppid,comm > /out/ps
      cat /proc/version > /out/version
      sh -c 'while :; do echo tick >> /out/ticks; sleep 0.1; done' &
      echo > /out/ready
      while :; do sleep 1000; done
      """;

  private final Subject process;
  private final Path root;

  private UserModeLinux(Subject process, Path root) {
    this.process = process;
    this.root = root;
  }

  /**
   * Starts the kernel and waits until it has told of itself.
   *
   * @param directory an empty one of its own
   */
  static UserModeLinux start(Path kernel, Path busybox, Path directory) {
    try {
      Path root = Files.createDirectory(directory.resolve("root"));
      for (String name : List.of("bin", "proc", "sys", "dev", "tmp", "out")) {
        Files.createDirectory(root.resolve(name));
      }
      Files.copy(busybox, root.resolve("bin/busybox"));
      Path init = Files.writeString(root.resolve("init"), INIT);
      for (Path program : List.of(init, root.resolve("bin/busybox"))) {
        if (!program.toFile().setExecutable(true)) {
          throw new TargetException("lab: cannot make " + program + " executable");
        }
      }
      var process =
          Subject.start(
              List.of(
                  "env",
                  "TMPDIR=" + directory,
                  kernel.toString(),
                  "mem=64M",
                  "rootfstype=hostfs",
                  "rootflags=" + root,
                  "rw",
                  "init=/init",
                  "con=null",
                  "con0=null,fd:2",
                  "umid=lab",
                  "uml_dir=" + directory));
      var started = new UserModeLinux(process, root);
      try {
        process.await("its shell", () -> Files.exists(root.resolve("out/ready")));
      } catch (TargetException e) {
        started.close();
        throw e;
      }
      return started;
    } catch (IOException e) {
      throw new TargetException("lab: cannot start User Mode Linux in " + directory, e);
    }
  }

  /** The process that is the kernel. */
  public long pid() {
    return process.pid();
  }

  /** The process that is the kernel, to be asked for its state. */
  public Subject process() {
    return process;
  }

  /** A file that it wrote: {@code dmesg}, {@code ps}, {@code version}, {@code ticks}. */
  public String output(String name) {
    try {
      return Files.readString(root.resolve("out").resolve(name));
    } catch (IOException e) {
      throw new TargetException("lab: User Mode Linux wrote no " + name, e);
    }
  }

  /** Its processes are other processes of the host, which end with it. */
  @Override
  public void close() {
    List<ProcessHandle> children =
        ProcessHandle.of(pid()).map(ProcessHandle::descendants).orElse(Stream.of()).toList();
    process.close();
    children.forEach(ProcessHandle::destroyForcibly);
  }
}
