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
            flags, width and precision, and `%a` for an address as symbol and offset, `%r` for a
            number in the default radix. A member `.` is the address itself. The type may be left
            out where it is known from the pipe.

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

  /** One conversion: {@code %-08.3llx}. */
  private record Conversion(
      boolean left,
      boolean zero,
      boolean alternate,
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
          pad(convert(conversion), conversion);
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
      while (at < format.length() && "-0#+ ".indexOf(format.charAt(at)) >= 0) {
        left |= format.charAt(at) == '-';
        zero |= format.charAt(at) == '0';
        alternate |= format.charAt(at) == '#';
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
      return new Conversion(left, zero, alternate, width, precision, format.charAt(at++));
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

    private String convert(Conversion conversion) {
      var value = argument();
      return switch (conversion.letter()) {
        case 'd', 'i' -> Long.toString(number(value));
        case 'u' -> Long.toUnsignedString(unsigned(value));
        case 'x' -> prefix(conversion, "0x", Long.toHexString(unsigned(value)));
        case 'X' ->
            prefix(conversion, "0X", Long.toHexString(unsigned(value)).toUpperCase(Locale.ROOT));
        case 'o' -> prefix(conversion, "0", Long.toOctalString(unsigned(value)));
        case 'c' -> String.valueOf((char) (number(value) & 0xff));
        case 'p' -> Long.toHexString(unsigned(value));
        case 'r', 'q' ->
            Long.toUnsignedString(unsigned(value), call.environment().settings().radix());
        case 'a', 'A' -> call.program().symbols().text(unsigned(value));
        case 's' -> string(value, conversion);
        default ->
            throw new EvalException(
                "invalid conversion in the format -- '" + conversion.letter() + "'");
      };
    }

    private static String prefix(Conversion conversion, String prefix, String digits) {
      return conversion.alternate() && !digits.equals("0") ? prefix + digits : digits;
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

    private void pad(String text, Conversion conversion) {
      int gap = Math.max(0, conversion.width() - text.length());
      if (conversion.left()) {
        out.append(text).repeat(' ', gap);
      } else if (conversion.zero() && conversion.letter() != 's') {
        boolean negative = text.startsWith("-");
        out.append(negative ? "-" : "")
            .repeat('0', gap)
            .append(negative ? text.substring(1) : text);
      } else {
        out.repeat(' ', gap).append(text);
      }
    }
  }
}
