// SPDX-License-Identifier: Apache-2.0
package dev.fathom.cli;

import java.util.ArrayList;
import java.util.List;

/**
 * Runs several command lines of the program in one process, one after the other: what the build
 * makes the AOT cache from, so that it has what each of them needs.
 */
public final class Training {
  private static final String NEXT = "--then";

  private Training() {}

  /**
   * @param arguments command lines with {@code --then} in between; the exit status is the last
   *     one's
   */
  public static void main(String[] arguments) {
    List<String> line = new ArrayList<>();
    for (String argument : arguments) {
      if (argument.equals(NEXT)) {
        Main.run(line.toArray(String[]::new));
        line.clear();
      } else {
        line.add(argument);
      }
    }
    System.exit(Main.run(line.toArray(String[]::new)));
  }
}
