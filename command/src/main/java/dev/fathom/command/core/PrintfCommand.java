// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.core;

import dev.fathom.base.Datum;
import dev.fathom.base.EvalException;
import dev.fathom.base.UsageException;
import dev.fathom.command.Argument;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import dev.fathom.command.MemberPath;
import dev.fathom.command.TypeWords;
import dev.fathom.model.Value;
import dev.fathom.model.type.ArrayType;
import dev.fathom.model.type.CType;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/** {@code ::printf}. */
final class PrintfCommand implements Command {
  private static final int WIDTH_LIMIT = 1000;
  private static final int STRING_LIMIT = 4096;

  @Override
  public CommandSpec spec() {
    return CommandSpec.mdb("printf", "print and format the members of a data structure")
        .addressOptional()
        .arguments("format [type] member ...")
        .help(
            """
            Prints members through a format as `printf(3)` has it: `%d %u %x %o %c %s %p` with
            the flags `-`, `0`, `#`, `+` and blank, with width and precision; `%p` has no prefix. As
            in mdb `%a` is an address as symbol and offset, `%r` and `%R` are a number in the default
            radix without and with sign, `%q` is an octal number with sign, and `?` as width is that
            of an address. A member `.` is the address itself. The type may be left out where it is
            known from the pipe.

                > ::walk proc | ::printf "%-6d %s\\n" struct task_struct pid comm
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    var operands = call.args().expect(1, Integer.MAX_VALUE).operands();
    var format = operands.getFirst().text();
    var rest = operands.subList(1, operands.size());
    Value base = call.value().orElseGet(() -> Values.address(call, call.dot()));
    if (!(base instanceof Value.Ref) || !startsWithMember(call, base, rest)) {
      var type = TypeWords.find(call.program().types(), rest);
      if (type.isPresent()) {
        rest = rest.subList(type.get().words(), rest.size());
        base = new Value.Ref(call.program(), type.get().type(), Values.dot(base));
      }
    }
    var text = new Formatter(call, base, rest).format(format);
    if (text.endsWith("\n")) {
      text = text.substring(0, text.length() - 1);
    }
    return Stream.of(Item.show(new Datum.Text(text)));
  }

  private static boolean startsWithMember(Invocation call, Value value, List<Argument> words) {
    return !words.isEmpty()
        && (words.getFirst().text().equals(".")
            || (!words.getFirst().text().contains(" ")
                && MemberPath.parse(words.getFirst().text(), call::evaluate).startsIn(value)));
  }

  /**
   * One conversion: {@code %-08.3llx}.
   *
   * @param sign what stands in front of a signed number that is not negative
   */
  private record Conversion(
      boolean left,
      boolean zero,
      boolean alternate,
      String sign,
      int width,
      Optional<Integer> precision,
      char letter) {}

  private static final class Formatter {
    private final Invocation call;
    private final Value base;
    private final List<Argument> members;
    private final StringBuilder out = new StringBuilder();
    private int used;
    private int at;

    Formatter(Invocation call, Value base, List<Argument> members) {
      this.call = call;
      this.base = base;
      this.members = members;
    }

    String format(String format) {
      while (at < format.length()) {
        char c = format.charAt(at++);
        if (c != '%') {
          out.append(c);
        } else if (at < format.length() && format.charAt(at) == '%') {
          out.append('%');
          at++;
        } else {
          var conversion = conversion(format);
          convert(conversion, argument());
        }
      }
      if (used < members.size()) {
        throw new UsageException("more members than conversions in the format");
      }
      return out.toString();
    }

    private Conversion conversion(String format) {
      boolean left = false;
      boolean zero = false;
      boolean alternate = false;
      var sign = "";
      while (at < format.length() && "-0#+ ".indexOf(format.charAt(at)) >= 0) {
        switch (format.charAt(at)) {
          case '-' -> left = true;
          case '0' -> zero = true;
          case '#' -> alternate = true;
          case '+' -> sign = "+";
          default -> sign = sign.isEmpty() ? " " : sign;
        }
        at++;
      }
      int width = 0;
      if (at < format.length() && format.charAt(at) == '?') {
        width = call.program().memory().layout().wordBytes() * 2;
        at++;
      } else {
        width = digits(format);
      }
      Optional<Integer> precision = Optional.empty();
      if (at < format.length() && format.charAt(at) == '.') {
        at++;
        precision = Optional.of(digits(format));
      }
      while (at < format.length() && "hlLjzt".indexOf(format.charAt(at)) >= 0) {
        at++;
      }
      if (at >= format.length()) {
        throw new UsageException("the format ends inside a conversion");
      }
      return new Conversion(left, zero, alternate, sign, width, precision, format.charAt(at++));
    }

    private int digits(String format) {
      int value = 0;
      while (at < format.length() && Character.digit(format.charAt(at), 10) >= 0) {
        value = value * 10 + Character.digit(format.charAt(at), 10);
        if (value > WIDTH_LIMIT) {
          throw new UsageException("a width in the format is larger than " + WIDTH_LIMIT);
        }
        at++;
      }
      return value;
    }

    private Value argument() {
      if (used >= members.size()) {
        throw new UsageException("more conversions in the format than members");
      }
      var word = members.get(used++).text();
      if (word.equals(".")) {
        return Values.address(call, Values.dot(base));
      }
      return MemberPath.parse(word, call::evaluate).from(base, call.kernel().memberAliases());
    }

    private void convert(Conversion conversion, Value value) {
      int radix = call.environment().settings().radix();
      switch (conversion.letter()) {
        case 'd', 'i' -> signed(conversion, number(value), 10);
        case 'q' -> signed(conversion, number(value), 8);
        case 'R' -> signed(conversion, number(value), radix);
        case 'u' -> number(conversion, "", Long.toUnsignedString(unsigned(value)));
        case 'r' -> number(conversion, "", Long.toUnsignedString(unsigned(value), radix));
        case 'x' -> prefixed(conversion, "0x", Long.toHexString(unsigned(value)));
        case 'X' ->
            prefixed(conversion, "0X", Long.toHexString(unsigned(value)).toUpperCase(Locale.ROOT));
        case 'o' -> octal(conversion, Long.toOctalString(unsigned(value)));
        case 'p' -> number(conversion, "", Long.toHexString(unsigned(value)));
        case 'c' -> pad(conversion, "", String.valueOf((char) (number(value) & 0xff)), ' ');
        case 'a', 'A' -> pad(conversion, "", call.program().symbols().text(unsigned(value)), ' ');
        case 's' -> pad(conversion, "", string(value, conversion), ' ');
        default ->
            throw new EvalException(
                "invalid conversion in the format -- '" + conversion.letter() + "'");
      }
    }

    private void signed(Conversion conversion, long number, int radix) {
      var digits = Long.toString(number, radix);
      boolean negative = digits.startsWith("-");
      number(
          conversion, negative ? "-" : conversion.sign(), negative ? digits.substring(1) : digits);
    }

    private void prefixed(Conversion conversion, String prefix, String digits) {
      number(conversion, conversion.alternate() && !digits.equals("0") ? prefix : "", digits);
    }

    /** With {@code #} an octal number begins with a zero, which counts for the precision. */
    private void octal(Conversion conversion, String digits) {
      boolean enough = digits.length() < conversion.precision().orElse(0) || digits.equals("0");
      number(conversion, "", conversion.alternate() && !enough ? "0" + digits : digits);
    }

    /** The precision is the least number of digits, and of none of them for a zero. */
    private void number(Conversion conversion, String prefix, String digits) {
      int least = conversion.precision().orElse(1);
      var shown = least == 0 && digits.equals("0") ? "" : digits;
      shown = "0".repeat(Math.max(0, least - shown.length())) + shown;
      boolean zeros = conversion.zero() && conversion.precision().isEmpty();
      pad(conversion, prefix, shown, zeros ? '0' : ' ');
    }

    private static long number(Value value) {
      return value.type().resolved() instanceof ArrayType || value.isComposite()
          ? Values.dot(value)
          : value.asLong();
    }

    /** A number without the sign bits in front of it. */
    private static long unsigned(Value value) {
      CType type = value.type().resolved();
      if (type instanceof ArrayType || value.isComposite()) {
        return Values.dot(value);
      }
      long bits =
          value instanceof Value.Ref ref && ref.bitSize() != 0 ? ref.bitSize() : type.bytes() * 8;
      int unused = Math.clamp(64 - bits, 0, 63);
      return value.asLong() << unused >>> unused;
    }

    private String string(Value value, Conversion conversion) {
      var text = value.string(STRING_LIMIT);
      int limit = conversion.precision().orElse(text.length());
      return text.length() > limit ? text.substring(0, limit) : text;
    }

    private void pad(Conversion conversion, String prefix, String text, char fill) {
      int gap = Math.max(0, conversion.width() - prefix.length() - text.length());
      if (conversion.left()) {
        out.append(prefix).append(text).repeat(' ', gap);
      } else if (fill == '0') {
        out.append(prefix).repeat('0', gap).append(text);
      } else {
        out.repeat(' ', gap).append(prefix).append(text);
      }
    }
  }
}
