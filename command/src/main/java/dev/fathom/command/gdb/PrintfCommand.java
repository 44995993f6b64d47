// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.gdb;

import dev.fathom.base.EvalException;
import dev.fathom.base.UsageException;
import dev.fathom.command.CExpression;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import dev.fathom.model.Value;
import dev.fathom.model.type.FloatType;
import java.math.BigInteger;
import java.util.Iterator;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** gdb's {@code printf}. */
final class PrintfCommand implements Command {
  private static final int STRING_LIMIT = 4096;
  private static final int WIDTH_LIMIT = 1000;

  private static final Pattern CONVERSION =
      Pattern.compile("%([-+ #0]*)([0-9]*)(?:\\.([0-9]*))?(hh|h|ll|l|z|t|j|L)?(.?)");

  @Override
  public CommandSpec spec() {
    return CommandSpec.crash("printf", "print values in a format of C's printf")
        .reading(CommandSpec.Reading.EXPRESSION)
        .arguments("\"format\", expression, ...")
        .help(
            """
            Prints C expressions as C's `printf` does. `%s` takes an array of characters or a
            pointer to them.

                > printf "%s has pid %d\\n", init_task.comm, init_task.pid
                swapper/0 has pid 0
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    var text = Words.joined(Words.of(call), 0);
    if (!text.startsWith("\"")) {
      throw new UsageException("expected a format in quotes");
    }
    int end = 1;
    while (end < text.length() && text.charAt(end) != '"') {
      end += text.charAt(end) == '\\' ? 2 : 1;
    }
    if (end >= text.length()) {
      throw new UsageException("the format's closing quote is missing");
    }
    var rest = text.substring(end + 1).strip();
    if (!rest.isEmpty() && rest.charAt(0) != ',') {
      throw new UsageException("expected a comma behind the format");
    }
    var values =
        (rest.isEmpty() ? Stream.<Value>empty() : CExpression.all(call, rest.substring(1)).stream())
            .iterator();
    var out = format(EchoCommand.unescaped(text.substring(1, end)), values);
    if (values.hasNext()) {
      throw new UsageException("more expressions than the format takes");
    }
    return EchoCommand.lines(out);
  }

  private static String format(String format, Iterator<Value> values) {
    var out = new StringBuilder();
    var matcher = CONVERSION.matcher(format);
    int at = 0;
    while (matcher.find(at)) {
      out.append(format, at, matcher.start());
      out.append(converted(matcher, values));
      at = matcher.end();
    }
    return out.append(format.substring(at)).toString();
  }

  private static String converted(Matcher spec, Iterator<Value> values) {
    var conversion = spec.group(5);
    if (conversion.equals("%")) {
      return "%";
    }
    if (!values.hasNext()) {
      throw new UsageException("the format takes more expressions");
    }
    var value = values.next();
    var flags = spec.group(1);
    int width = number(spec.group(2));
    boolean precise = spec.group(3) != null;
    int precision = precise ? number(spec.group(3)) : -1;
    String body =
        switch (conversion) {
          case "d", "i" -> signed(integer(value), spec.group(4), flags);
          case "u" -> unsigned(integer(value), spec.group(4)).toString();
          case "x" -> unsigned(integer(value), spec.group(4)).toString(16);
          case "X" -> unsigned(integer(value), spec.group(4)).toString(16).toUpperCase(Locale.ROOT);
          case "o" -> unsigned(integer(value), spec.group(4)).toString(8);
          case "c" -> String.valueOf((char) (integer(value).intValue() & 0xff));
          case "p" -> "0x" + Long.toHexString(integer(value).longValue());
          case "s" -> {
            var text = value.string(STRING_LIMIT);
            yield precise && precision < text.length() ? text.substring(0, precision) : text;
          }
          case "f" ->
              String.format(Locale.ROOT, "%." + (precise ? precision : 6) + "f", real(value));
          case "e" ->
              String.format(Locale.ROOT, "%." + (precise ? precision : 6) + "e", real(value));
          case "g" -> value.asReal().text(precise ? Math.max(1, precision) : 6);
          default -> throw new UsageException("'" + spec.group() + "' is no conversion");
        };
    if (flags.contains("#")
        && (conversion.equals("x") || conversion.equals("X"))
        && !body.equals("0")) {
      body = "0" + conversion + body;
    }
    boolean numeric = "diuxXofeg".contains(conversion);
    if (numeric && precise && "diuxXo".contains(conversion)) {
      body = "0".repeat(Math.max(0, precision - body.length())) + body;
    }
    if (flags.contains("-")) {
      return body + " ".repeat(Math.max(0, width - body.length()));
    }
    boolean zeros = numeric && flags.contains("0");
    var fill = (zeros ? "0" : " ").repeat(Math.max(0, width - body.length()));
    return zeros && body.startsWith("-") ? "-" + fill + body.substring(1) : fill + body;
  }

  private static int number(String digits) {
    if (digits.length() > 4 || (!digits.isEmpty() && Integer.parseInt(digits) > WIDTH_LIMIT)) {
      throw new UsageException("a width above " + WIDTH_LIMIT);
    }
    return digits.isEmpty() ? 0 : Integer.parseInt(digits);
  }

  private static BigInteger integer(Value value) {
    return value.type().resolved() instanceof FloatType
        ? value.asReal().toInteger()
        : value.asInteger();
  }

  private static double real(Value value) {
    double number = value.asReal().toDouble();
    if (!Double.isFinite(number)) {
      throw new EvalException("'" + number + "' is not a finite number");
    }
    return number;
  }

  private static int bits(String length) {
    return switch (length == null ? "" : length) {
      case "hh" -> 8;
      case "h" -> 16;
      case "" -> 32;
      default -> 64;
    };
  }

  private static BigInteger unsigned(BigInteger value, String length) {
    return value.mod(BigInteger.ONE.shiftLeft(bits(length)));
  }

  private static String signed(BigInteger value, String length, String flags) {
    int bits = bits(length);
    var cut = unsigned(value, length);
    var number = cut.testBit(bits - 1) ? cut.subtract(BigInteger.ONE.shiftLeft(bits)) : cut;
    boolean plus = number.signum() >= 0;
    return (plus && flags.contains("+") ? "+" : plus && flags.contains(" ") ? " " : "") + number;
  }
}
