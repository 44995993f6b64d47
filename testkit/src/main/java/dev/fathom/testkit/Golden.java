// SPDX-License-Identifier: Apache-2.0
package dev.fathom.testkit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;

/**
 * Golden files: what commands show, one file per cell. A cell's file holds command lines, each
 * behind {@code "> "}, and below each what it shows, where a line that begins so itself has a
 * backslash in front. A new cell is a file with only command lines.
 *
 * <p>{@code -Dgolden=NAME} runs only cells whose name contains NAME; {@code -Dgolden.update=true}
 * writes what commands show now into the files, for a person to read in the diff.
 */
public final class Golden {
  private static final String PROMPT = "> ";

  /**
   * A cell.
   *
   * @param name the file's path in the folder of golden files, without its ending
   */
  public record Cell(String name, Path file) {
    @Override
    public String toString() {
      return name;
    }
  }

  private Golden() {}

  /** The cells under {@code folder}, in order, as far as {@code -Dgolden} picks them. */
  public static List<Cell> cells(Path folder) {
    var chosen = Optional.ofNullable(System.getProperty("golden"));
    try (var files = Files.walk(folder)) {
      return files
          .filter(file -> file.toString().endsWith(".txt"))
          .sorted()
          .map(file -> new Cell(name(folder, file), file))
          .filter(cell -> chosen.isEmpty() || cell.name().contains(chosen.get()))
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String name(Path folder, Path file) {
    var relative = folder.relativize(file).toString();
    return relative.substring(0, relative.length() - ".txt".length());
  }

  /**
   * Runs the command lines of a cell, in order.
   *
   * @param shell gives what a command line shows
   * @throws AssertionError when that is not what the file holds
   */
  public static void check(Cell cell, UnaryOperator<String> shell) {
    try {
      var expected = Files.readString(cell.file());
      var actual = new StringBuilder();
      for (var line : commands(expected)) {
        actual.append(PROMPT).append(line).append('\n').append(escaped(shell.apply(line)));
      }
      if (actual.toString().equals(expected)) {
        return;
      }
      if (Boolean.getBoolean("golden.update")) {
        Files.writeString(cell.file(), actual, StandardCharsets.UTF_8);
        return;
      }
      throw new AssertionError(
          cell.name()
              + " differs; accept it with -Dgolden="
              + cell.name()
              + " -Dgolden.update=true\n"
              + difference(expected, actual.toString()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Output that looks like a command line has a backslash in front. */
  private static String escaped(String output) {
    return ("\n" + output).replace("\n" + PROMPT, "\n\\" + PROMPT).substring(1);
  }

  private static List<String> commands(String text) {
    var commands = new ArrayList<String>();
    for (var line : text.split("\n", -1)) {
      if (line.startsWith(PROMPT)) {
        commands.add(line.substring(PROMPT.length()));
      }
    }
    if (commands.isEmpty()) {
      throw new AssertionError("a golden file without command lines checks nothing");
    }
    return commands;
  }

  /** The first line that differs, with the ones around it. */
  private static String difference(String expected, String actual) {
    var want = expected.split("\n", -1);
    var got = actual.split("\n", -1);
    int line = 0;
    while (line < want.length && line < got.length && want[line].equals(got[line])) {
      line++;
    }
    var text = new StringBuilder("line " + (line + 1) + ":\n");
    for (int i = Math.max(0, line - 3); i < line; i++) {
      text.append("  ").append(want[i]).append('\n');
    }
    for (int i = line; i < Math.min(line + 5, want.length); i++) {
      text.append("- ").append(want[i]).append('\n');
    }
    for (int i = line; i < Math.min(line + 5, got.length); i++) {
      text.append("+ ").append(got[i]).append('\n');
    }
    return text.toString();
  }
}
