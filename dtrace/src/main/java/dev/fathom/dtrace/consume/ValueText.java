// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.consume;

import dev.fathom.dtrace.ir.Shape;
import dev.fathom.dtrace.record.DValue;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Locale;

/** Single values as DTrace prints them without a format. */
final class ValueText {
  private final AddressText addresses;
  private final ConsumerOptions options;

  ValueText(AddressText addresses, ConsumerOptions options) {
    this.addresses = addresses;
    this.options = options;
  }

  /** {@code trace()}. */
  String traced(Shape shape, DValue value, boolean quiet) {
    return switch (shape.form()) {
      case SIGNED, UNSIGNED -> {
        var digits = digits(shape, number(value));
        yield quiet ? digits : " " + Distribution.pad(digits, tracedWidth(shape));
      }
      case STRING ->
          options.flag("rawbytes")
              ? dump(padded(text(value), shape.bytes() + 1), shape.bytes() + 1)
              : string(text(value), 33, quiet);
      case BYTES -> bytes(((DValue.Blob) value).bytes(), 33, quiet);
      case MOD, STACK, SYM, UADDR, UMOD, USTACK, USYM -> place(shape, value);
    };
  }

  /** A string as it is recorded: with zeros behind it. */
  private static byte[] padded(String text, int bytes) {
    return Arrays.copyOf(text.getBytes(StandardCharsets.ISO_8859_1), bytes);
  }

  private static int tracedWidth(Shape shape) {
    return switch (shape.bytes()) {
      case 1 -> 3;
      case 2 -> 5;
      case 4 -> 10;
      default -> shape.form() == Shape.Form.SIGNED ? 19 : 20;
    };
  }

  /** The key of an aggregation. */
  String key(Shape shape, DValue value) {
    return switch (shape.form()) {
      case SIGNED, UNSIGNED -> {
        int width =
            switch (shape.bytes()) {
              case 1 -> 3;
              case 2 -> 5;
              case 4 -> 8;
              default -> 16;
            };
        // As DTrace: small numbers without their sign.
        var shown = shape.bytes() < 4 ? new Shape(Shape.Form.UNSIGNED, shape.bytes()) : shape;
        yield " " + Distribution.pad(digits(shown, number(value)), width);
      }
      case STRING -> string(text(value), 50, false);
      case BYTES -> bytes(((DValue.Blob) value).bytes(), 50, false);
      case MOD, STACK, SYM, UADDR, UMOD, USTACK, USYM -> place(shape, value);
    };
  }

  /** Stacks and addresses look the same everywhere. */
  private String place(Shape shape, DValue value) {
    if (value instanceof DValue.Stack || value instanceof DValue.UserStack) {
      return stack(value, options.number("stackindent", 14));
    }
    return string(name(shape, value), 50, false);
  }

  /** What an address is called: the text of {@code sym()} and its like. */
  String name(Shape shape, DValue value) {
    return switch (shape.form()) {
      case SYM -> addresses.symbol(number(value));
      case MOD -> addresses.module(number(value));
      case USYM -> addresses.symbol((DValue.UserAddress) value);
      case UMOD -> addresses.module((DValue.UserAddress) value);
      case UADDR -> {
        var at = (DValue.UserAddress) value;
        yield addresses.user(at.pid(), at.address());
      }
      case BYTES, SIGNED, STACK, STRING, UNSIGNED, USTACK ->
          throw new IllegalArgumentException(shape.form() + " has no name");
    };
  }

  /** The frames of a stack, a line each, after a line's end. */
  String stack(DValue value, int indent) {
    var out = new StringBuilder("\n");
    for (var frame : frames(value)) {
      out.repeat(' ', indent).append(frame).append('\n');
    }
    return out.toString();
  }

  /** The frames of a stack, innermost first. */
  String[] frames(DValue value) {
    return switch (value) {
      case DValue.Stack(long[] pcs) -> {
        var frames = new String[pcs.length];
        for (int i = 0; i < pcs.length; i++) {
          frames[i] = addresses.kernel(pcs[i]);
        }
        yield frames;
      }
      case DValue.UserStack(long pid, long[] pcs) -> {
        var frames = new String[pcs.length];
        for (int i = 0; i < pcs.length; i++) {
          frames[i] = addresses.user(pid, pcs[i]);
        }
        yield frames;
      }
      case DValue.Blob _, DValue.Num _, DValue.Text _, DValue.UserAddress _ ->
          throw new IllegalArgumentException("not a stack");
    };
  }

  static long number(DValue value) {
    return ((DValue.Num) value).value();
  }

  /** The bytes of a string, up to its NUL where it is a character array. */
  static String text(DValue value) {
    return switch (value) {
      case DValue.Text(String bytes) -> bytes;
      case DValue.Blob(byte[] bytes) -> {
        int end = 0;
        while (end < bytes.length && bytes[end] != 0) {
          end++;
        }
        yield latin(bytes, end);
      }
      case DValue.Num _, DValue.Stack _, DValue.UserAddress _, DValue.UserStack _ ->
          throw new IllegalArgumentException("not a string");
    };
  }

  private static String latin(byte[] bytes, int end) {
    return new String(bytes, 0, end, java.nio.charset.StandardCharsets.ISO_8859_1);
  }

  /** The number cut to its type's size, in base ten. */
  static String digits(Shape shape, long value) {
    return shape.form() == Shape.Form.SIGNED
        ? Long.toString(cut(shape, value))
        : Long.toUnsignedString(cut(shape, value));
  }

  /** The number cut to its type's size and extended again. */
  static long cut(Shape shape, long value) {
    if (shape.bytes() < 1 || shape.bytes() >= 8) {
      return value;
    }
    int unused = 64 - shape.bytes() * 8;
    return shape.form() == Shape.Form.SIGNED
        ? value << unused >> unused
        : value << unused >>> unused;
  }

  private static String string(String text, int width, boolean quiet) {
    return quiet ? text : "  " + text + " ".repeat(Math.max(0, width - text.length()));
  }

  /** Bytes that look like a string as one, others as a dump. */
  private String bytes(byte[] bytes, int width, boolean quiet) {
    if (!options.flag("rawbytes")) {
      int end = 0;
      while (end < bytes.length && isPrintable(bytes[end])) {
        end++;
      }
      boolean rest = true;
      for (int i = end; i < bytes.length; i++) {
        rest &= bytes[i] == 0;
      }
      if (end > 0 && rest) {
        return string(latin(bytes, end), width, quiet);
      }
    }
    return dump(bytes, bytes.length);
  }

  private static boolean isPrintable(byte b) {
    return (b >= ' ' && b <= '~') || (b >= '\t' && b <= '\r') || b == '\b' || b == 7;
  }

  /** A hexadecimal dump of the first {@code count} bytes. */
  static String dump(byte[] bytes, int count) {
    if (count == 0) {
      return "";
    }
    var out = new StringBuilder("\n           ");
    for (int i = 0; i < 16; i++) {
      out.append("  ").append(Character.forDigit(i, 16));
    }
    out.append("  0123456789abcdef\n");
    for (int row = 0; row < count; row += 16) {
      int end = Math.min(row + 16, count);
      out.append(String.format(Locale.ROOT, "     %5x:", row));
      for (int i = row; i < end; i++) {
        out.append(String.format(Locale.ROOT, " %02x", bytes[i]));
      }
      out.repeat(' ', 3 * (row + 16 - end)).append("  ");
      for (int i = row; i < end; i++) {
        out.append(bytes[i] < ' ' || bytes[i] > '~' ? '.' : (char) bytes[i]);
      }
      out.append('\n');
    }
    return out.toString();
  }
}
