// SPDX-License-Identifier: Apache-2.0
package dev.fathom.testkit.process;

import dev.fathom.base.TargetException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * A process to be traced: no child of this one, because Java waits for its children itself and
 * would take their stops. Killed when it is closed.
 */
public final class Subject implements AutoCloseable {
  private static final String PID = "pid ";
  private static final long WAIT_MILLIS = 120_000;

  private final Process shell;
  private final BlockingQueue<Optional<String>> lines;
  private final long pid;

  private Subject(Process shell, BlockingQueue<Optional<String>> lines, long pid) {
    this.shell = shell;
    this.lines = lines;
    this.pid = pid;
  }

  /** Starts a program, whose output goes on to {@link #line}. */
  public static Subject start(List<String> command) {
    var words = new ArrayList<>(List.of("sh", "-c", "\"$@\" & echo pid $!; wait", "sh"));
    words.addAll(command);
    try {
      var shell = new ProcessBuilder(words).redirectErrorStream(true).start();
      var output = shell.inputReader();
      // The program may be faster than the shell.
      var lines = new LinkedBlockingQueue<Optional<String>>();
      String line = output.readLine();
      while (line != null && !line.startsWith(PID)) {
        lines.add(Optional.of(line));
        line = output.readLine();
      }
      if (line == null) {
        throw new TargetException(command.getFirst() + " was not started");
      }
      Thread.ofPlatform().daemon().name("output of a subject").start(() -> read(output, lines));
      return new Subject(shell, lines, Long.parseLong(line.substring(PID.length())));
    } catch (IOException e) {
      throw new TargetException(command.getFirst() + " cannot be run", e);
    }
  }

  public long pid() {
    return pid;
  }

  /** Keeps lines until the output ends, which is told by an empty one. */
  private static void read(BufferedReader output, BlockingQueue<Optional<String>> lines) {
    try (output) {
      output.lines().forEach(line -> lines.add(Optional.of(line)));
      lines.add(Optional.empty());
    } catch (IOException | UncheckedIOException _) {
      lines.add(Optional.empty()); // It was closed.
    }
  }

  /**
   * The next line that it prints.
   *
   * @throws TargetException when it prints no more, or none for minutes
   */
  public String line() {
    try {
      var line = lines.poll(WAIT_MILLIS, TimeUnit.MILLISECONDS);
      if (line == null) {
        throw new TargetException("process " + pid + " prints nothing");
      }
      if (line.isEmpty()) {
        lines.add(line); // Whoever asks again is told again.
      }
      return line.orElseThrow(() -> new TargetException("process " + pid + " prints no more"));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new TargetException("interrupted", e);
    }
  }

  /** Sends it a signal, by name. */
  public void signal(String name) {
    CProgram.run(Path.of("/"), List.of("kill", "-" + name, Long.toString(pid)));
  }

  /** A line of its status: {@code State}, {@code TracerPid}; empty when it is gone. */
  public String status(String field) {
    try {
      for (String line : Files.readAllLines(Path.of("/proc/" + pid + "/status"))) {
        if (line.startsWith(field + ":")) {
          return line.substring(field.length() + 1).strip();
        }
      }
      return "";
    } catch (IOException _) {
      return ""; // It has ended.
    }
  }

  /** The state letters of all its threads. */
  public String states() {
    var letters = new StringBuilder();
    try (var threads = Files.list(Path.of("/proc/" + pid + "/task"))) {
      for (Path thread : threads.toList()) {
        String text = Files.readString(thread.resolve("stat"));
        letters.append(text.charAt(text.lastIndexOf(')') + 2));
      }
    } catch (IOException _) {
      return letters.toString(); // A thread ended meanwhile.
    }
    return letters.toString();
  }

  /** Waits until it is so. */
  public void await(String what, java.util.function.BooleanSupplier condition) {
    long deadline = System.currentTimeMillis() + WAIT_MILLIS;
    while (!condition.getAsBoolean()) {
      if (System.currentTimeMillis() > deadline) {
        throw new TargetException("process " + pid + " does not come to " + what);
      }
      try {
        Thread.sleep(10);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new TargetException("interrupted", e);
      }
    }
  }

  @Override
  public void close() {
    ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly);
    shell.destroy();
    try {
      shell.waitFor();
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }
}
