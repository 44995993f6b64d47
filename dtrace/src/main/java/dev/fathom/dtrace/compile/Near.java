// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.compile;

import java.util.Collection;
import java.util.Comparator;
import java.util.List;

/** Names that look like a name that nothing answers to. */
final class Near {
  private static final int LONGEST = 64;

  private Near() {}

  /** {@code ; did you mean 'x' or 'y'?}, or nothing. */
  static String text(String name, Collection<String> known) {
    var near = of(name, known);
    return near.isEmpty()
        ? ""
        : "; did you mean "
            + String.join(" or ", near.stream().map(n -> "'" + n + "'").toList())
            + "?";
  }

  /** At most three, best first. */
  static List<String> of(String name, Collection<String> known) {
    int allowed = name.length() <= 3 ? 1 : 2;
    record Candidate(String name, int distance) {}
    return known.stream()
        .filter(k -> Math.abs(k.length() - name.length()) <= allowed && k.length() <= LONGEST)
        .map(k -> new Candidate(k, distance(name, k)))
        .filter(c -> c.distance() <= allowed && c.distance() < name.length())
        .sorted(Comparator.comparingInt(Candidate::distance).thenComparing(Candidate::name))
        .limit(3)
        .map(Candidate::name)
        .toList();
  }

  /** Edits that lead from one to the other; swapped neighbours are one. */
  private static int distance(String a, String b) {
    var rows = new int[a.length() + 1][b.length() + 1];
    for (int i = 0; i <= a.length(); i++) {
      for (int j = 0; j <= b.length(); j++) {
        if (i == 0 || j == 0) {
          rows[i][j] = i + j;
          continue;
        }
        int cost = a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1;
        int best =
            Math.min(Math.min(rows[i - 1][j] + 1, rows[i][j - 1] + 1), rows[i - 1][j - 1] + cost);
        if (i > 1
            && j > 1
            && a.charAt(i - 1) == b.charAt(j - 2)
            && a.charAt(i - 2) == b.charAt(j - 1)) {
          best = Math.min(best, rows[i - 2][j - 2] + 1);
        }
        rows[i][j] = best;
      }
    }
    return rows[a.length()][b.length()];
  }
}
