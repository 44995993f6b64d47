// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.language;

import dev.fathom.command.Environment;
import dev.fathom.command.Grammar;
import java.util.ArrayList;
import java.util.List;

/** What the user may have meant. */
final class NearMisses {
  private static final int MOST = 3;

  private NearMisses() {}

  /** {@code ; did you mean ::ps?} for commands whose name looks like {@code name}, else nothing. */
  static String hint(Environment environment, String name) {
    if (name.length() > 64) {
      return "";
    }
    var near = new ArrayList<String>();
    for (int distance = 1; distance <= 2 && near.isEmpty(); distance++) {
      for (var group : environment.groups()) {
        for (var known : group.names(Grammar.MDB)) {
          if (near.size() < MOST
              && known.length() > distance
              && distance(name, known) == distance) {
            near.add("::" + known);
          }
        }
      }
    }
    return near.isEmpty() ? "" : "; did you mean " + String.join(", ", near) + "?";
  }

  /** {@code ; did you mean ::findstack?} for a command typed without its colons, else nothing. */
  static String exact(Environment environment, String name) {
    for (var group : environment.groups()) {
      List<String> names = group.names(Grammar.MDB);
      if (names.contains(name)) {
        return "; did you mean ::" + name + "?";
      }
    }
    return "";
  }

  /** How many characters must be inserted, deleted or replaced (Levenshtein). */
  private static int distance(String a, String b) {
    int[] above = new int[b.length() + 1];
    for (int j = 0; j < above.length; j++) {
      above[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      int[] row = new int[b.length() + 1];
      row[0] = i;
      for (int j = 1; j < row.length; j++) {
        int replaced = above[j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        row[j] = Math.min(replaced, Math.min(above[j], row[j - 1]) + 1);
      }
      above = row;
    }
    return above[b.length()];
  }
}
