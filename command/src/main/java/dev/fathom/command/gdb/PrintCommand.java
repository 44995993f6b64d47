// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.gdb;

import dev.fathom.base.LookupException;
import dev.fathom.base.UsageException;
import dev.fathom.command.CExpression;
import dev.fathom.command.CScope;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import dev.fathom.command.ValueTree;
import dev.fathom.lang.DynamicTypes;
import dev.fathom.model.Value;
import dev.fathom.model.type.VoidType;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** {@code print} and its kin, crash's {@code p}, {@code px} and {@code pd} among them. */
final class PrintCommand implements Command {
  /** {@code symbol:cpus}: an instance of a per-CPU variable. */
  private static final Pattern PER_CPU = Pattern.compile("(\\w+):([0-9,\\-]*|a|all)");

  private final String name;

  PrintCommand(String name) {
    this.name = name;
  }

  @Override
  public CommandSpec spec() {
    var spec =
        CommandSpec.crash(
            name,
            switch (name) {
              case "output" -> "print the value of a C expression and keep no number for it";
              case "px" -> "print the value of a C expression in hexadecimal";
              case "pd" -> "print the value of a C expression in decimal";
              default -> "print the value of a C expression";
            });
    if (name.equals("print")) {
      spec.alias("inspect");
    }
    return spec.reading(CommandSpec.Reading.EXPRESSION)
        .arguments("[/format] [-xdu] [-pretty [on|off]] [-elements n] [expression[:cpus]]")
        .help(
            """
            Evaluates a C expression and numbers the value: all operators, assignments too; casts to
            any type; `sizeof`; members; array elements; `@` for slices; registers of the selected
            task as `$rip`; values printed before as `$1`, `$` (the last) and `$$` (the one before);
            variables of your own as `$name`; `per_cpu(var, cpu)` and
            `container_of(pointer, type, member)`. A per-CPU variable takes a list of CPUs behind a
            colon. docs/expressions.md describes the language. Without an expression it shows the
            last value again.

            The format is a letter behind a slash, for each number in the value: `x` hexadecimal,
            `d` signed and `u` unsigned decimal, `o` octal, `t` binary, `z` hexadecimal with leading
            zeros, `a` an address, `c` a character, `f` a number with a fraction, `s` a string. `/r` shows
            containers of C++ as they are stored, not what they hold. An array of characters is
            shown up to its first NUL, as by gdb's `set print null-stop on`; one that holds other
            things than text is shown whole.
            crash's `-x`, `-d` and `-u` are `/x`, `/d` and `/u`. A `|` or `>` of C goes into
            parentheses.

                > p init_task.comm
                $1 = "swapper/0"
                > p/x jiffies
                $2 = 0xfffedb08
                > p ((struct task_struct *)0xffff888003858000)->pid
                > p -x runqueues:0
                > p $foo = &init_task.tasks
                > p *$foo.next
            """);
  }

  private static final Pattern VARIABLE = Pattern.compile("\\$[A-Za-z_][A-Za-z_0-9]*");

  /** The options in front of an expression, and the expression. */
  private record Request(ValueTree.Options options, String text) {}

  private Request request(Invocation call) {
    var words = Words.of(call);
    var state = call.environment().gdb();
    Optional<Character> letter =
        switch (name) {
          case "px" -> Optional.of('x');
          case "pd" -> Optional.of('d');
          default -> Optional.empty();
        };
    boolean pretty = state.pretty();
    OptionalInt elements = state.elements();
    int at = 0;
    boolean more = true;
    while (more && at < words.size()) {
      var word = words.get(at);
      var next = at + 1 < words.size() ? words.get(at + 1) : "";
      switch (word) {
        case "-x", "-d", "-u" -> letter = Optional.of(word.charAt(1));
        case "-pretty" -> {
          boolean given = next.equals("on") || next.equals("off");
          pretty = !next.equals("off");
          at += given ? 1 : 0;
        }
        case "-elements" -> {
          elements = GdbSettings.limit(next);
          at++;
        }
        case "--" -> more = false;
        default -> {
          if (word.startsWith("/") && at == 0) {
            var format = Format.parse(word);
            letter = format.letter().or(() -> Optional.of('x'));
            if (format.count().isPresent() || format.unit().isPresent()) {
              throw new UsageException("a count or size means nothing to '" + name + "'");
            }
            if (letter.get() == 'i') {
              throw new UsageException("'i' is a format of 'x' only");
            }
          } else {
            more = false;
            at--;
          }
        }
      }
      at++;
    }
    boolean raw = letter.equals(Optional.of('r'));
    if (letter.equals(Optional.of('s')) || raw) {
      letter = Optional.empty();
    }
    return new Request(
        ValueTree.Options.gdb(pretty, elements, letter).withRaw(raw), Words.joined(words, at));
  }

  @Override
  public Stream<Item> run(Invocation call) {
    var request = request(call);
    var text = request.text();
    var perCpu = PER_CPU.matcher(text);
    if (!perCpu.matches()) {
      var value =
          text.isEmpty()
              ? call.environment().gdb().recall("").orElseThrow()
              : isUnset(call, text)
                  ? new Value.Imm(call.program(), VoidType.VOID, 0)
                  : CExpression.evaluate(call, text);
      var shown = call.environment().gdb().object() ? DynamicTypes.of(value).orElse(value) : value;
      return show(call, shown, "", request.options()).stream();
    }
    List<Item> items = new ArrayList<>();
    for (int cpu : cpus(call, perCpu.group(2))) {
      var one = "per_cpu(" + perCpu.group(1) + ", " + cpu + ")";
      items.addAll(show(call, CExpression.evaluate(call, one), one + " = ", request.options()));
    }
    return items.stream();
  }

  /** Whether all that is asked for is a convenience variable that has no value. */
  private static boolean isUnset(Invocation call, String text) {
    return VARIABLE.matcher(text).matches()
        && new CScope(call).dollar(text.substring(1)).isEmpty()
        && call.program().architecture().registers().part(text.substring(1)).isEmpty();
  }

  private List<Item> show(Invocation call, Value value, String before, ValueTree.Options options) {
    if (call.toPipe()) {
      return List.of(Item.value(value));
    }
    if (name.equals("output")) {
      return List.of(ValueTree.show(call, Optional.empty(), value, options));
    }
    int number = call.environment().gdb().remember(value);
    return List.of(ValueTree.show(call, Optional.of(before + "$" + number), value, options));
  }

  /** The CPUs of a list such as {@code 0,2-3}, {@code a} or {@code all}. */
  private static List<Integer> cpus(Invocation call, String text) {
    var known = call.kernel().cpus();
    var chosen = new ArrayList<Integer>();
    if (text.isEmpty() || text.equals("a") || text.equals("all")) {
      known.forEach(cpu -> chosen.add(cpu.id()));
      return chosen;
    }
    for (var part : text.split(",")) {
      if (!part.matches("[0-9]{1,6}(-[0-9]{1,6})?")) {
        throw new UsageException("'" + text + "' is not a list of CPUs, such as 0,2-3 or all");
      }
      var ends = part.split("-", 2);
      int from = Integer.parseInt(ends[0]);
      int to = Integer.parseInt(ends[ends.length - 1]);
      int before = chosen.size();
      for (var cpu : known) {
        if (cpu.id() >= from && cpu.id() <= to) {
          chosen.add(cpu.id());
        }
      }
      if (chosen.size() == before) {
        throw new LookupException("CPU", part);
      }
    }
    return chosen;
  }
}
