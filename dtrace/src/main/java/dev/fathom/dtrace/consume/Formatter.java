// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.consume;

import dev.fathom.base.Conversion;
import dev.fathom.dtrace.ir.Format;
import dev.fathom.dtrace.ir.Shape;
import dev.fathom.dtrace.record.DValue;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** Fills the formats of {@code printf}, {@code printa}, {@code system} and {@code freopen}. */
final class Formatter {
  private final ValueText values;
  private final AddressText addresses;
  private final ByteOrder order;
  private final ZoneId zone;

  Formatter(ValueText values, AddressText addresses, ByteOrder order, ZoneId zone) {
    this.values = values;
    this.addresses = addresses;
    this.order = order;
    this.zone = zone;
  }

  ValueText values() {
    return values;
  }

  /** What a format's {@code @} stand for. */
  interface Aggregates {
    /** The text of the aggregation that the next conversion with {@code @} is for. */
    String next(Conversion conversion);
  }

  /** The text of {@code format} with values in order, widths and precisions among them. */
  String format(Format format, List<Shape> shapes, List<DValue> arguments) {
    return format(
        format,
        shapes,
        arguments,
        _ -> {
          throw new IllegalArgumentException("an aggregation in a format without one");
        });
  }

  String format(Format format, List<Shape> shapes, List<DValue> arguments, Aggregates aggregates) {
    var out = new StringBuilder();
    var shape = shapes.iterator();
    var value = arguments.iterator();
    for (var piece : format.pieces()) {
      switch (piece) {
        case Format.Literal literal -> out.append(literal.text());
        case Format.Conversion wanted -> {
          var width = amount(wanted.dynamicWidth(), shape, value);
          var precision = amount(wanted.dynamicPrecision(), shape, value);
          var conversion = precise(wide(wanted.spec()).with(width, precision));
          out.append(
              wanted.aggregation()
                  ? aggregates.next(conversion)
                  : shape.hasNext() ? convert(conversion, shape.next(), value.next()) : "");
        }
      }
    }
    return out.toString();
  }

  private static Optional<Integer> amount(
      boolean dynamic, Iterator<Shape> shapes, Iterator<DValue> values) {
    if (!dynamic || !shapes.hasNext()) {
      return Optional.empty();
    }
    shapes.next();
    return Optional.of((int) ValueText.number(values.next()));
  }

  /** With {@code ?} an address is as wide as all of its digits. */
  private static Conversion wide(Conversion conversion) {
    return conversion.has('?') ? conversion.with(Optional.of(16), Optional.empty()) : conversion;
  }

  /** A precision of 0 is none: the whole string, as in DTrace. */
  private static Conversion precise(Conversion conversion) {
    return conversion.precision().isPresent()
            && conversion.precision().get() instanceof Conversion.Amount.Fixed(int value)
            && value == 0
        ? conversion.with(Optional.empty(), Optional.of(-1))
        : conversion;
  }

  /** A number that an aggregation comes down to. */
  String number(Conversion conversion, long number, boolean signed) {
    var form = signed ? Shape.Form.SIGNED : Shape.Form.UNSIGNED;
    return convert(conversion, new Shape(form, 8), new DValue.Num(number));
  }

  private String convert(Conversion c, Shape shape, DValue value) {
    return switch (c.letter()) {
      case 'd', 'i' ->
          shape.form() == Shape.Form.UNSIGNED
              ? c.unsigned(cut(shape, value), 10)
              : c.signed(cut(shape, value));
      case 'u' -> c.unsigned(unsigned(shape, value), 10);
      case 'o' -> c.octal(unsigned(shape, value));
      case 'x', 'p' -> c.hex(unsigned(shape, value), false);
      case 'X' -> c.hex(unsigned(shape, value), true);
      case 'c' -> c.character(character(c, value));
      case 'C' -> c.text(escaped(String.valueOf((char) (bits(value) & 0xff))));
      case 'e', 'E', 'f', 'g', 'G' -> c.floating(real(shape, value), c.letter());
      case 's' -> c.text(c.size().isEmpty() ? string(shape, value) : wide(value));
      case 'S' -> c.text(escaped(string(shape, value)));
      case 'a' -> c.text(place(shape, value, false));
      case 'A' -> c.text(place(shape, value, true));
      case 'k' -> stack(c, value);
      case 'Y' -> c.text(time(value, "yyyy MMM ppd HH:mm:ss"));
      case 'T' -> c.text(time(value, "EEE, dd MMM yyyy HH:mm:ss z"));
      default -> throw new IllegalArgumentException("conversion %" + c.letter());
    };
  }

  private static long bits(DValue value) {
    return switch (value) {
      case DValue.Num(long number) -> number;
      case DValue.UserAddress at -> at.address();
      case DValue.Blob _, DValue.Stack _, DValue.Text _, DValue.UserStack _ ->
          throw new IllegalArgumentException("not a number");
    };
  }

  private static long cut(Shape shape, DValue value) {
    return ValueText.cut(shape, bits(value));
  }

  private static long unsigned(Shape shape, DValue value) {
    return ValueText.cut(new Shape(Shape.Form.UNSIGNED, shape.bytes()), bits(value));
  }

  private static String character(Conversion c, DValue value) {
    return c.size().isEmpty()
        ? String.valueOf((char) (bits(value) & 0xff))
        : utf8((int) bits(value));
  }

  private static String utf8(int point) {
    var text = Character.isValidCodePoint(point) ? Character.toString(point) : "?";
    return new String(text.getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1);
  }

  /** A string of characters of four bytes, as {@code wchar_t} has them on Linux. */
  private String wide(DValue value) {
    if (!(value instanceof DValue.Blob(byte[] bytes))) {
      return ValueText.text(value);
    }
    var out = new StringBuilder();
    var buffer = ByteBuffer.wrap(bytes).order(order);
    while (buffer.remaining() >= 4) {
      int point = buffer.getInt();
      if (point == 0) {
        break;
      }
      out.append(utf8(point));
    }
    return out.toString();
  }

  private static double real(Shape shape, DValue value) {
    return switch (value) {
      case DValue.Num(long bits) ->
          shape.bytes() == 4 ? Float.intBitsToFloat((int) bits) : Double.longBitsToDouble(bits);
      case DValue.Blob _, DValue.Stack _, DValue.Text _, DValue.UserAddress _, DValue.UserStack _ ->
          throw new IllegalArgumentException("not a floating-point number");
    };
  }

  private String string(Shape shape, DValue value) {
    return switch (shape.form()) {
      case MOD, SYM, UADDR, UMOD, USYM -> values.name(shape, value);
      case BYTES, STRING -> ValueText.text(value);
      case SIGNED, UNSIGNED -> ValueText.digits(shape, bits(value));
      case STACK, USTACK -> values.stack(value, 0);
    };
  }

  private String place(Shape shape, DValue value, boolean user) {
    return switch (shape.form()) {
      case MOD, SYM, UADDR, UMOD, USYM -> values.name(shape, value);
      default ->
          user && value instanceof DValue.UserAddress at
              ? addresses.user(at.pid(), at.address())
              : addresses.kernel(bits(value));
    };
  }

  /** A stack; with {@code -} the width is how far its lines are indented. */
  private String stack(Conversion c, DValue value) {
    int indent =
        c.has('-')
                && c.width().isPresent()
                && c.width().get() instanceof Conversion.Amount.Fixed(int width)
            ? width
            : 0;
    return values.stack(value, indent);
  }

  private String time(DValue value, String pattern) {
    long nanos = bits(value);
    var at =
        ZonedDateTime.ofInstant(
            Instant.ofEpochSecond(
                Math.floorDiv(nanos, 1_000_000_000L), Math.floorMod(nanos, 1_000_000_000L)),
            zone);
    return DateTimeFormatter.ofPattern(pattern, Locale.ROOT).format(at);
  }

  /** A byte string with what cannot be printed as C's escape sequences. */
  static String escaped(String text) {
    var out = new StringBuilder();
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      switch (c) {
        case 0 -> out.append("\\0");
        case 7 -> out.append("\\a");
        case '\b' -> out.append("\\b");
        case '\f' -> out.append("\\f");
        case '\n' -> out.append("\\n");
        case '\r' -> out.append("\\r");
        case '\t' -> out.append("\\t");
        case 11 -> out.append("\\v");
        case '"' -> out.append("\\\"");
        case '\\' -> out.append("\\\\");
        default -> {
          if (c < ' ' || c > '~') {
            out.append(String.format(Locale.ROOT, "\\x%02x", (int) c));
          } else {
            out.append(c);
          }
        }
      }
    }
    return out.toString();
  }
}
