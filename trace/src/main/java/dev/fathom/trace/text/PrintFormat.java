// SPDX-License-Identifier: Apache-2.0
package dev.fathom.trace.text;

import dev.fathom.trace.Argument;
import dev.fathom.trace.ArgumentType;
import dev.fathom.trace.TraceEvent;
import dev.fathom.trace.Tracepoint;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;

/**
 * A tracepoint's format, taken apart once: text and conversions of C's {@code printf}, which take
 * one argument each. Bytes are shown in braces. A conversion without an argument says so, an
 * argument without a conversion is not shown.
 */
public final class PrintFormat {
  /** Wider fields come of damaged files. */
  private static final int MAX_WIDTH = 1 << 10;

  private sealed interface Piece {}

  private record Text(String text) implements Piece {}

  /**
   * @param precision -1 where there is none
   */
  private record Conversion(
      boolean left,
      boolean plus,
      boolean blank,
      boolean zeros,
      boolean alternate,
      int width,
      int precision,
      char letter)
      implements Piece {}

  private final Piece[] pieces;
  private final Argument[] arguments;

  private PrintFormat(List<Piece> pieces, List<Argument> arguments) {
    this.pieces = pieces.toArray(Piece[]::new);
    this.arguments = arguments.toArray(Argument[]::new);
  }

  public static PrintFormat of(Tracepoint tracepoint) {
    return new PrintFormat(pieces(tracepoint.format()), tracepoint.arguments());
  }

  /**
   * Names for arguments, out of the words in front of their conversions: {@code len} of {@code
   * "buf=%p, len=%d"}; {@code arg0} and so on where there is none.
   */
  public static List<String> names(String format, int count) {
    var names = new ArrayList<String>();
    var used = new HashSet<String>();
    var before = "";
    for (var piece : pieces(format)) {
      switch (piece) {
        case Text text -> before = text.text();
        case Conversion _ -> {
          var name = lastWord(before);
          names.add(name.isEmpty() || !used.add(name) ? "arg" + names.size() : name);
          before = "";
        }
      }
    }
    while (names.size() < count) {
      names.add("arg" + names.size());
    }
    return List.copyOf(names.subList(0, count));
  }

  private static String lastWord(String text) {
    int end = text.length();
    while (end > 0 && "=: ".indexOf(text.charAt(end - 1)) >= 0) {
      end--;
    }
    int start = end;
    while (start > 0 && isWord(text.charAt(start - 1))) {
      start--;
    }
    var word = text.substring(start, end);
    boolean bad = word.isEmpty() || Character.isDigit(word.charAt(0)) || word.matches("arg[0-9]+");
    return bad ? "" : word;
  }

  private static boolean isWord(char c) {
    return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  }

  private static List<Piece> pieces(String format) {
    var pieces = new ArrayList<Piece>();
    var text = new StringBuilder();
    int i = 0;
    while (i < format.length()) {
      char c = format.charAt(i);
      if (c != '%') {
        text.append(c);
        i++;
      } else if (i + 1 < format.length() && format.charAt(i + 1) == '%') {
        text.append('%');
        i += 2;
      } else {
        int end = conversionEnd(format, i + 1);
        if (end < 0) {
          text.append(format, i, format.length());
          i = format.length();
        } else {
          if (!text.isEmpty()) {
            pieces.add(new Text(text.toString()));
            text.setLength(0);
          }
          pieces.add(conversion(format, i + 1, end));
          i = end + 1;
        }
      }
    }
    if (!text.isEmpty()) {
      pieces.add(new Text(text.toString()));
    }
    return pieces;
  }

  /** Where the letter of a conversion stands; -1 when the format ends before. */
  private static int conversionEnd(String format, int start) {
    int i = start;
    while (i < format.length() && "-+ #0123456789.hlLqjzt".indexOf(format.charAt(i)) >= 0) {
      i++;
    }
    return i < format.length() ? i : -1;
  }

  private static Conversion conversion(String format, int start, int end) {
    int i = start;
    while (i < end && "-+ #0".indexOf(format.charAt(i)) >= 0) {
      i++;
    }
    var flags = format.substring(start, i);
    int width = 0;
    while (i < end && Character.isDigit(format.charAt(i))) {
      width = Math.min(width * 10 + Character.digit(format.charAt(i), 10), MAX_WIDTH);
      i++;
    }
    int precision = -1;
    if (i < end && format.charAt(i) == '.') {
      precision = 0;
      i++;
      while (i < end && Character.isDigit(format.charAt(i))) {
        precision = Math.min(precision * 10 + Character.digit(format.charAt(i), 10), MAX_WIDTH);
        i++;
      }
    }
    return new Conversion(
        flags.contains("-"),
        flags.contains("+"),
        flags.contains(" "),
        flags.contains("0"),
        flags.contains("#"),
        width,
        precision,
        format.charAt(end));
  }

  /** Appends the arguments of an event of this format's tracepoint. */
  public void append(StringBuilder to, TraceEvent event) {
    int argument = 0;
    for (var piece : pieces) {
      switch (piece) {
        case Text text -> to.append(text.text());
        case Conversion conversion -> {
          if (argument < arguments.length) {
            pad(to, conversion, value(conversion, event, argument));
          } else {
            to.append("<no argument>");
          }
          argument++;
        }
      }
    }
  }

  private String value(Conversion how, TraceEvent event, int argument) {
    var type = arguments[argument].type();
    return switch (how.letter()) {
      case 'd', 'i', 'u' ->
          type.varying() ? plain(event, argument) : decimal(how, type, event.integer(argument));
      case 'x' -> type.varying() ? plain(event, argument) : radix(how, type, event, argument, 16);
      case 'X' ->
          type.varying()
              ? plain(event, argument)
              : radix(how, type, event, argument, 16).toUpperCase(java.util.Locale.ROOT);
      case 'o' -> type.varying() ? plain(event, argument) : radix(how, type, event, argument, 8);
      case 'p' -> type.varying() ? plain(event, argument) : pointer(event.integer(argument));
      case 'c' -> type.varying() ? plain(event, argument) : character(event.integer(argument));
      case 'f', 'F' -> sign(how, Numbers.fixed(real(event, argument), digits(how)));
      case 'e', 'E' -> sign(how, Numbers.scientific(real(event, argument), digits(how)));
      case 'g', 'G' ->
          sign(how, Numbers.general(real(event, argument), digits(how), how.alternate()));
      default -> {
        var text = plain(event, argument);
        yield how.precision() >= 0 && how.precision() < text.length()
            ? text.substring(0, how.precision())
            : text;
      }
    };
  }

  private static int digits(Conversion how) {
    return how.precision() < 0 ? 6 : how.precision();
  }

  private double real(TraceEvent event, int argument) {
    return arguments[argument].type().varying() ? Double.NaN : event.real(argument);
  }

  private static String sign(Conversion how, String text) {
    return text.startsWith("-") ? text : how.plus() ? "+" + text : how.blank() ? " " + text : text;
  }

  private static String decimal(Conversion how, ArgumentType type, long value) {
    return sign(how, type.signed() ? Long.toString(value) : Long.toUnsignedString(value));
  }

  private static String radix(
      Conversion how, ArgumentType type, TraceEvent event, int argument, int radix) {
    long value = event.integer(argument);
    boolean negative = type.signed() && value < 0;
    var digits = Long.toUnsignedString(negative ? -value : value, radix);
    var prefix = how.alternate() ? radix == 16 ? "0x" : "0" : "";
    return (negative ? "-" : "") + prefix + digits;
  }

  private static String pointer(long value) {
    var digits = Long.toHexString(value);
    return "0x" + "0".repeat(16 - digits.length()) + digits;
  }

  private static String character(long value) {
    return Character.isValidCodePoint((int) value) ? Character.toString((int) value) : "?";
  }

  /** An argument by its type alone. */
  private String plain(TraceEvent event, int argument) {
    var type = arguments[argument].type();
    return switch (type) {
      case STRING -> event.text(argument);
      case BYTES -> bytes(event.bytes(argument));
      case CHAR ->
          new String(new byte[] {(byte) event.integer(argument)}, StandardCharsets.ISO_8859_1);
      case BOOL -> event.integer(argument) == 0 ? "False" : "True";
      case F32, F64 -> Double.toString(event.real(argument));
      case I8, I16, I32, I64 -> Long.toString(event.integer(argument));
      case U8, U16, U32, U64, POINTER -> Long.toUnsignedString(event.integer(argument));
    };
  }

  /** {@code {01 02}}. */
  public static String bytes(byte[] bytes) {
    var text = new StringBuilder(2 + bytes.length * 3).append('{');
    var gap = "";
    for (byte b : bytes) {
      text.append(gap);
      text.append(Character.forDigit(b >> 4 & 15, 16)).append(Character.forDigit(b & 15, 16));
      gap = " ";
    }
    return text.append('}').toString();
  }

  private static void pad(StringBuilder to, Conversion how, String value) {
    int gap = how.width() - value.length();
    boolean number = "sc".indexOf(how.letter()) < 0;
    if (how.left()) {
      to.append(value).repeat(' ', Math.max(0, gap));
    } else if (how.zeros() && number) {
      int digits = 0;
      while (digits < value.length() && "+- ".indexOf(value.charAt(digits)) >= 0) {
        digits++;
      }
      if (value.startsWith("0x", digits)) {
        digits += 2;
      }
      to.append(value, 0, digits).repeat('0', Math.max(0, gap));
      to.append(value, digits, value.length());
    } else {
      to.repeat(' ', Math.max(0, gap)).append(value);
    }
  }
}
