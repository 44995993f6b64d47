// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.run;

import java.util.ArrayDeque;
import java.util.HexFormat;

/** D's subroutines over byte strings. */
final class Strings {
  private Strings() {}

  static int index(String text, String part, long from) {
    if (from > text.length()) {
      return part.isEmpty() ? text.length() : -1;
    }
    return text.indexOf(part, (int) Math.max(0, from));
  }

  static int lastIndex(String text, String part, long from) {
    return from < 0 && from != Long.MAX_VALUE
        ? (part.isEmpty() ? 0 : -1)
        : text.lastIndexOf(part, (int) Math.min(from, text.length()));
  }

  /** A negative start counts from the end; a negative length leaves that many at the end. */
  static String substring(String text, long from, long length) {
    long start = from < 0 ? from + text.length() : from;
    long end =
        length < 0
            ? text.length() + length
            : length > text.length() ? text.length() : Math.min(text.length(), start + length);
    start = Math.max(0, start);
    return start >= end ? "" : text.substring((int) start, (int) end);
  }

  static String basename(String path) {
    if (path.isEmpty()) {
      return ".";
    }
    int end = path.length();
    while (end > 1 && path.charAt(end - 1) == '/') {
      end--;
    }
    int slash = path.lastIndexOf('/', end - 1);
    return end == 1 && path.charAt(0) == '/' ? "/" : path.substring(slash + 1, end);
  }

  static String dirname(String path) {
    int end = path.length();
    while (end > 1 && path.charAt(end - 1) == '/') {
      end--;
    }
    int slash = path.lastIndexOf('/', end - 1);
    while (slash > 0 && path.charAt(slash - 1) == '/') {
      slash--;
    }
    return slash < 0 ? "." : slash == 0 ? "/" : path.substring(0, slash);
  }

  /**
   * A path without empty components, {@code .} and what {@code ..} takes back; a relative one that
   * leads up keeps its {@code ..}.
   */
  static String cleanpath(String path) {
    if (path.isEmpty()) {
      return path;
    }
    boolean absolute = path.startsWith("/");
    var parts = new ArrayDeque<String>();
    for (var part : path.split("/", -1)) {
      boolean up = part.equals("..");
      if (up && !parts.isEmpty() && !parts.getLast().equals("..")) {
        parts.removeLast();
      } else if (up ? !absolute : !part.isEmpty() && !part.equals(".")) {
        parts.addLast(part);
      }
    }
    var clean = String.join("/", parts);
    return absolute ? "/" + clean : clean.isEmpty() ? "." : clean;
  }

  static String fromNumber(long value, int base) {
    return switch (base) {
      case 10 -> Long.toString(value);
      case 16 -> "0x" + Long.toHexString(value);
      case 8 -> value == 0 ? "0" : "0" + Long.toOctalString(value);
      default -> Long.toUnsignedString(value, base);
    };
  }

  /** What C's strtoll reads: blanks, a sign, {@code 0x} with base 16, digits; 0 without any. */
  static long toNumber(String text, int base) {
    int i = 0;
    while (i < text.length() && " \t\n\u000b\f\r".indexOf(text.charAt(i)) >= 0) {
      i++;
    }
    boolean negative = i < text.length() && text.charAt(i) == '-';
    if (negative || (i < text.length() && text.charAt(i) == '+')) {
      i++;
    }
    if (base == 16 && text.regionMatches(true, i, "0x", 0, 2)) {
      i += 2;
    }
    long value = 0;
    for (; i < text.length(); i++) {
      int digit = text.charAt(i) < 128 ? Character.digit(text.charAt(i), base) : -1;
      if (digit < 0) {
        break;
      }
      long next = value * base - digit;
      if (value < (Long.MIN_VALUE + digit) / base) {
        return negative ? Long.MIN_VALUE : Long.MAX_VALUE;
      }
      value = next;
    }
    return negative ? value : value == Long.MIN_VALUE ? Long.MAX_VALUE : -value;
  }

  /** The next token of what strtok was last given; empty when there is none. */
  static String token(Machine m, String delimiters) {
    var text = m.token;
    int start = m.tokenAt;
    while (start < text.length() && delimiters.indexOf(text.charAt(start)) >= 0) {
      start++;
    }
    int end = start;
    while (end < text.length() && delimiters.indexOf(text.charAt(end)) < 0) {
      end++;
    }
    m.tokenAt = Math.min(text.length(), end + 1);
    return text.substring(start, end);
  }

  /** As RFC 9562 writes it, in lower case. */
  static String uuid(byte[] bytes) {
    var digits = HexFormat.of().formatHex(bytes);
    return String.join(
        "-",
        digits.substring(0, 8),
        digits.substring(8, 12),
        digits.substring(12, 16),
        digits.substring(16, 20),
        digits.substring(20));
  }

  static String lower(String text) {
    return map(text, 'A', 'Z', 'a' - 'A');
  }

  static String upper(String text) {
    return map(text, 'a', 'z', 'A' - 'a');
  }

  /** ASCII letters only: what other bytes mean is not known here. */
  private static String map(String text, char first, char last, int change) {
    var chars = text.toCharArray();
    for (int i = 0; i < chars.length; i++) {
      if (chars[i] >= first && chars[i] <= last) {
        chars[i] = (char) (chars[i] + change);
      }
    }
    return new String(chars);
  }
}
