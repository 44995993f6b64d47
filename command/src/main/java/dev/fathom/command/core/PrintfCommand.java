// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.core;

import dev.fathom.base.Conversion;
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
import java.util.Optional;
import java.util.stream.Stream;

/** {@code ::printf}. */
final class PrintfCommand implements Command {
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
          var conversion = parsed(format, at - 1);
          at = conversion.end();
          out.append(convert(wide(conversion), argument()));
        }
      }
      if (used < members.size()) {
        throw new UsageException("more members than conversions in the format");
      }
      return out.toString();
    }

    private static Conversion parsed(String format, int start) {
      try {
        return Conversion.parse(format, start);
      } catch (EvalException e) {
        throw new UsageException(e.getMessage());
      }
    }

    /** With {@code ?} an address is as wide as all of its digits. */
    private Conversion wide(Conversion conversion) {
      int digits = call.program().memory().layout().wordBytes() * 2;
      return conversion.has('?')
          ? conversion.with(Optional.of(digits), Optional.empty())
          : conversion;
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

    private String convert(Conversion conversion, Value value) {
      int radix = call.environment().settings().radix();
      return switch (conversion.letter()) {
        case 'd', 'i' -> conversion.signed(number(value));
        case 'q' -> conversion.signed(number(value), 8);
        case 'R' -> conversion.signed(number(value), radix);
        case 'u' -> conversion.unsigned(unsigned(value), 10);
        case 'r' -> conversion.unsigned(unsigned(value), radix);
        case 'x' -> conversion.hex(unsigned(value), false);
        case 'X' -> conversion.hex(unsigned(value), true);
        case 'o' -> conversion.octal(unsigned(value));
        case 'p' -> conversion.unsigned(unsigned(value), 16);
        case 'c' -> conversion.character(String.valueOf((char) (number(value) & 0xff)));
        case 'a', 'A' -> conversion.character(call.program().symbols().text(unsigned(value)));
        case 's' -> conversion.text(value.string(STRING_LIMIT));
        default ->
            throw new EvalException(
                "invalid conversion in the format -- '" + conversion.letter() + "'");
      };
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
  }
}
