// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.probe;

/** The shell's patterns for names. */
final class Glob {
  private Glob() {}

  static boolean isGlob(String pattern) {
    for (int i = 0; i < pattern.length(); i++) {
      if ("*?[\\".indexOf(pattern.charAt(i)) >= 0) {
        return true;
      }
    }
    return false;
  }

  /** In time proportional to the product of the lengths, whatever the pattern. */
  static boolean matches(String pattern, String name) {
    int p = 0;
    int n = 0;
    int star = -1;
    int retry = 0;
    while (n < name.length()) {
      int after = p < pattern.length() ? one(pattern, p, name.charAt(n)) : -1;
      if (p < pattern.length() && pattern.charAt(p) == '*') {
        star = p++;
        retry = n;
      } else if (after >= 0) {
        p = after;
        n++;
      } else if (star >= 0) {
        p = star + 1;
        n = ++retry;
      } else {
        return false;
      }
    }
    while (p < pattern.length() && pattern.charAt(p) == '*') {
      p++;
    }
    return p == pattern.length();
  }

  /** Where the pattern goes on after what matches {@code c} at {@code p}; -1 if it does not. */
  private static int one(String pattern, int p, char c) {
    return switch (pattern.charAt(p)) {
      case '*' -> -1;
      case '?' -> p + 1;
      case '\\' ->
          p + 1 < pattern.length()
              ? (pattern.charAt(p + 1) == c ? p + 2 : -1)
              : c == '\\' ? p + 1 : -1;
      case '[' -> set(pattern, p, c);
      default -> pattern.charAt(p) == c ? p + 1 : -1;
    };
  }

  private static int set(String pattern, int start, char c) {
    int i = start + 1;
    boolean negated =
        i < pattern.length() && (pattern.charAt(i) == '!' || pattern.charAt(i) == '^');
    if (negated) {
      i++;
    }
    boolean found = false;
    for (boolean first = true; i < pattern.length(); first = false) {
      char low = pattern.charAt(i);
      if (low == ']' && !first) {
        return found != negated ? i + 1 : -1;
      }
      if (low == '\\' && i + 1 < pattern.length()) {
        low = pattern.charAt(++i);
      }
      char high = low;
      if (i + 2 < pattern.length()
          && pattern.charAt(i + 1) == '-'
          && pattern.charAt(i + 2) != ']') {
        high = pattern.charAt(i + 2);
        i += 2;
      }
      found |= c >= low && c <= high;
      i++;
    }
    // Without its end it is a bracket.
    return c == '[' ? start + 1 : -1;
  }
}
