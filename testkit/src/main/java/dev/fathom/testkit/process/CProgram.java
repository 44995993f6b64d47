// SPDX-License-Identifier: Apache-2.0
package dev.fathom.testkit.process;

import dev.fathom.base.TargetException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;

/**
 * A program made of C text by this machine's gcc.
 *
 * @param file the executable
 */
public record CProgram(Path file) {
  /**
   * Compiles.
   *
   * @param directory where the source and the executable are put
   * @param options of gcc, before the source
   * @throws TargetException with what gcc printed when it fails
   */
  public static CProgram compile(Path directory, String name, String source, String... options) {
    return compileWith("gcc", directory, name, source, options);
  }

  /**
   * As {@link #compile}.
   *
   * @param compiler {@code gcc}, or what has its options
   */
  public static CProgram compileWith(
      String compiler, Path directory, String name, String source, String... options) {
    Path text = directory.resolve(name + ".c");
    Path file = directory.resolve(name);
    try {
      Files.writeString(text, source);
    } catch (IOException e) {
      throw new TargetException("cannot write " + text, e);
    }
    var command = new ArrayList<>(List.of(compiler));
    command.addAll(List.of(options));
    command.addAll(List.of("-o", file.toString(), text.toString()));
    run(directory, command);
    return new CProgram(file);
  }

  /** What a program prints; it must succeed. */
  public static String run(Path directory, List<String> command) {
    try {
      var process =
          new ProcessBuilder(command)
              .directory(directory.toFile())
              .redirectErrorStream(true)
              .start();
      process.getOutputStream().close();
      String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      if (process.waitFor() != 0) {
        throw new TargetException(command.getFirst() + " failed: " + output.strip());
      }
      return output;
    } catch (IOException e) {
      throw new TargetException(command.getFirst() + " cannot be run: " + e.getMessage(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new TargetException("interrupted", e);
    }
  }

  /** The value of a symbol as nm prints it. */
  public OptionalLong symbol(String name) {
    for (String line : run(file.getParent(), List.of("nm", file.toString())).lines().toList()) {
      String[] fields = line.split(" +");
      if (fields.length == 3 && fields[2].equals(name)) {
        return OptionalLong.of(Long.parseUnsignedLong(fields[0], 16));
      }
    }
    return OptionalLong.empty();
  }
}
