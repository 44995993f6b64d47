// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * Characters of C as gdb writes them: what cannot be shown as an escape, and what stands there ten
 * times or more once with a count.
 */
public final class CharacterText {
  /** Fewer are written out; gdb's default for {@code set print repeats}. */
  public static final int REPEATS = 10;

  private CharacterText() {}

  /**
   * The first {@code count} bytes as a string: UTF-8, and bytes that are none in octal. Such as
   * {@code "name", '\000' <repeats 11 times>}.
   */
  public static String string(byte[] bytes, int count) {
    return string(characters(bytes, count));
  }

  /** The same of characters that are decoded already. */
  public static String string(String text) {
    return string(text.codePoints().boxed().toList());
  }

  /**
   * One character in single quotes.
   *
   * @param code of which the lowest byte is looked at
   */
  public static String character(long code) {
    int unit = (int) code & 0xff;
    return quoted(unit < 0x80 ? unit : -1 - unit);
  }

  private static String string(List<Integer> characters) {
    var parts = new ArrayList<String>();
    var run = new StringBuilder();
    for (int i = 0; i < characters.size(); ) {
      int character = characters.get(i);
      int end = i + 1;
      while (end < characters.size() && characters.get(end) == character) {
        end++;
      }
      if (end - i < REPEATS) {
        run.repeat(shown(character, '"'), end - i);
      } else {
        if (!run.isEmpty()) {
          parts.add('"' + run.toString() + '"');
          run.setLength(0);
        }
        parts.add(quoted(character) + " <repeats " + (end - i) + " times>");
      }
      i = end;
    }
    if (!run.isEmpty() || parts.isEmpty()) {
      parts.add('"' + run.toString() + '"');
    }
    return String.join(", ", parts);
  }

  /** Code points; a byte that belongs to none is {@code -1} less its value. */
  private static List<Integer> characters(byte[] bytes, int count) {
    var found = new ArrayList<Integer>(count);
    for (int i = 0; i < count; ) {
      int length = utf8(bytes, i, count);
      if (length == 0) {
        found.add(-1 - (bytes[i++] & 0xff));
        continue;
      }
      int code = length == 1 ? bytes[i] : bytes[i] & (0xff >> (length + 1));
      for (int k = 1; k < length; k++) {
        code = (code << 6) | (bytes[i + k] & 0x3f);
      }
      found.add(code);
      i += length;
    }
    return found;
  }

  /**
   * The bytes of a character of UTF-8 that begins there; 0 where none does (Unicode, table 3-7).
   */
  private static int utf8(byte[] bytes, int at, int end) {
    int first = bytes[at] & 0xff;
    if (first < 0x80) {
      return 1;
    }
    int length = first < 0xc2 || first > 0xf4 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (length == 0 || at + length > end) {
      return 0;
    }
    for (int k = 1; k < length; k++) {
      if ((bytes[at + k] & 0xc0) != 0x80) {
        return 0;
      }
    }
    int second = bytes[at + 1] & 0xff;
    return switch (first) {
          case 0xe0 -> second >= 0xa0;
          case 0xed -> second < 0xa0;
          case 0xf0 -> second >= 0x90;
          case 0xf4 -> second < 0x90;
          default -> true;
        }
        ? length
        : 0;
  }

  private static String quoted(int character) {
    return "'" + shown(character, '\'') + "'";
  }

  private static String shown(int character, char quote) {
    return switch (character) {
      case 7 -> "\\a";
      case '\b' -> "\\b";
      case '\t' -> "\\t";
      case '\n' -> "\\n";
      case 0x0b -> "\\v";
      case '\f' -> "\\f";
      case '\r' -> "\\r";
      case '\\' -> "\\\\";
      default -> {
        if (character == quote) {
          yield "\\" + quote;
        }
        if (character < 0) {
          yield octal(-1 - character);
        }
        yield isShown(character) ? Character.toString(character) : escaped(character);
      }
    };
  }

  private static boolean isShown(int character) {
    return character < 0x80
        ? character >= ' ' && character != 0x7f
        : switch (Character.getType(character)) {
          case Character.CONTROL,
              Character.FORMAT,
              Character.LINE_SEPARATOR,
              Character.PARAGRAPH_SEPARATOR,
              Character.PRIVATE_USE,
              Character.SURROGATE,
              Character.UNASSIGNED ->
              false;
          default -> true;
        };
  }

  /** What is in UTF-8 but no text is shown by its bytes. */
  private static String escaped(int character) {
    if (character < 0x80) {
      return octal(character);
    }
    var text = new StringBuilder();
    boolean surrogate = character >= 0xd800 && character < 0xe000;
    byte[] bytes =
        surrogate
            ? new byte[] {(byte) (character >> 8), (byte) character}
            : Character.toString(character).getBytes(StandardCharsets.UTF_8);
    for (byte b : bytes) {
      text.append(octal(b & 0xff));
    }
    return text.toString();
  }

  private static String octal(int value) {
    return "\\" + (value >> 6) + ((value >> 3) & 7) + (value & 7);
  }
}
