// SPDX-License-Identifier: Apache-2.0
package dev.fathom.testkit.lab;

import dev.fathom.base.TargetException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Runs the machine's own programs. */
final class Shell {
  private Shell() {}

  /** What a program said (both streams) and its exit status. */
  record Result(int status, String output) {
    boolean worked() {
      return status == 0;
    }
  }

  /** Runs a program in a directory and waits for it. A program that is not there is status 127. */
  static Result run(Path directory, List<String> command) {
    return run(directory, Map.of(), command);
  }

  /** The same with more variables in the environment. */
  static Result run(Path directory, Map<String, String> environment, List<String> command) {
    try {
      Process process = start(directory, environment, command, ProcessBuilder.Redirect.PIPE, true);
      byte[] output = process.getInputStream().readAllBytes();
      return new Result(process.waitFor(), new String(output, StandardCharsets.UTF_8));
    } catch (IOException e) {
      return new Result(127, command.getFirst() + ": " + e.getMessage());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new TargetException("lab: interrupted while running " + command.getFirst(), e);
    }
  }

  /** Runs a program and gives its standard output as bytes; a failure is an error. */
  static byte[] bytes(Path directory, List<String> command) {
    return bytes(directory, Map.of(), command);
  }

  /** The same with more variables in the environment. */
  static byte[] bytes(Path directory, Map<String, String> environment, List<String> command) {
    try {
      Process process = start(directory, environment, command, ProcessBuilder.Redirect.PIPE, false);
      byte[] output = process.getInputStream().readAllBytes();
      int status = process.waitFor();
      if (status != 0) {
        throw new TargetException("lab: " + String.join(" ", command) + " ended with " + status);
      }
      return output;
    } catch (IOException e) {
      throw new TargetException("lab: cannot run " + command.getFirst(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new TargetException("lab: interrupted while running " + command.getFirst(), e);
    }
  }

  /** Where a program is, looking where packages put programs as well as along PATH. */
  static Optional<Path> find(String program) {
    String path = System.getenv().getOrDefault("PATH", "") + ":/usr/bin:/usr/sbin:/bin:/sbin";
    for (String directory : path.split(":")) {
      if (!directory.isEmpty()) {
        Path candidate = Path.of(directory, program);
        if (Files.isExecutable(candidate)) {
          return Optional.of(candidate);
        }
      }
    }
    return Optional.empty();
  }

  private static Process start(
      Path directory,
      Map<String, String> environment,
      List<String> command,
      ProcessBuilder.Redirect output,
      boolean merge)
      throws IOException {
    ProcessBuilder builder = new ProcessBuilder(command).directory(directory.toFile());
    builder.environment().put("LC_ALL", "C");
    builder.environment().putAll(environment);
    builder.environment().put("DEBIAN_FRONTEND", "noninteractive");
    builder.redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()));
    builder.redirectOutput(output).redirectErrorStream(merge);
    if (!merge) {
      builder.redirectError(ProcessBuilder.Redirect.DISCARD);
    }
    return builder.start();
  }
}
