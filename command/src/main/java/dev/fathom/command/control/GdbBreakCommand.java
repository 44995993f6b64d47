// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.control;

import dev.fathom.base.UsageException;
import dev.fathom.command.Argument;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import dev.fathom.command.Tasks;
import dev.fathom.target.Breakpoints.Kind;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** gdb's {@code break}, {@code tbreak}, {@code hbreak} and {@code thbreak}. */
final class GdbBreakCommand implements Command {
  private static final Pattern COUNTED = Pattern.compile("([^,]+),([0-9]+)");

  private final String name;

  /**
   * @param name a {@code t} in front makes it temporary, an {@code h} one of the CPUs' own
   */
  GdbBreakCommand(String name) {
    this.name = name;
  }

  @Override
  public CommandSpec spec() {
    var spec = CommandSpec.crash(name, "set a breakpoint");
    switch (name) {
      case "break" -> spec.alias("b");
      case "tbreak" -> spec.alias("tb");
      case "hbreak" -> spec.alias("hb");
      default -> spec.alias("thb");
    }
    return spec.reading(CommandSpec.Reading.CONDITION)
        .arguments("[place[,count]] [thread tid] [if condition]")
        .help(
            """
            Stops the target where its code comes to a place: a function, `function+offset`,
            `*address`, or with debug information `FILE:LINE`, `FILE:FUNCTION` or a `LINE` of the
            selected frame's file; without one, where the selected thread stands. A function's name
            stands for all that have it, in other files, overloads of C++ (`over(double)` is one of
            them) and what the compiler made of one (`f.constprop.0`), and for all places where it
            was inlined; up to 1000 are one breakpoint, and `info breakpoints` lists them. A line
            without code stands for the next one that has some, and one whose code is in several
            functions for all of them. In code that was not optimised a function is stopped in when
            its arguments are in place.
            `tbreak` is deleted when it has stopped the target; `hbreak` uses the CPUs' debug
            registers. A count, as in ddb, lets all hits go by before that one. Conditions and names
            that wait for their module are described at `::bp`. What stands behind `if` is C up to
            the end of the line or a `;`: `>` and `|` write no file and pipe nothing.

                > b vfs_read if comm == "dd"
                breakpoint 1 at vfs_read
                > b fs/read_write.c:450 if count > 4096
                > b d1.c:helper
                > tb *0xffffffff812f0d20 thread 117
                > break schedule,100
                > hb loop`lo_ioctl if pid == 1 || $rdi > 0x1000
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    var words = call.args().operands();
    int at = 0;
    var control = call.session().control();
    boolean named =
        !words.isEmpty()
            && !words.getFirst().text().equals("if")
            && !words.getFirst().text().equals("thread");
    var counted = COUNTED.matcher(named ? words.getFirst().text() : "");
    boolean counts = counted.matches();
    long count = counts ? Numbers.decimal(counted.group(2)) : 1;
    if (count < 1) {
      throw new UsageException("the count must be at least 1");
    }
    at += named ? 1 : 0;
    var place =
        named
            ? Places.gdb(call, counts ? counted.group(1) : words.getFirst().text())
            : Places.at(
                call,
                call.environment()
                    .variables()
                    .find(call.program().architecture().registers().pc().name())
                    .orElseThrow(() -> new UsageException("a place is needed")));
    var thread = OptionalLong.empty();
    if (at + 1 < words.size() && words.get(at).text().equals("thread")) {
      var task = Tasks.of(call, Numbers.decimal(words.get(at + 1)));
      thread = OptionalLong.of(task.object().address());
      at += 2;
    }
    var condition = condition(words.subList(at, words.size()));
    var parsed = condition.map(text -> ExpressionCondition.of(text, call.session(), place));
    var kind = name.contains("hb") ? Kind.HARDWARE : Kind.SOFTWARE;
    Places.checkMapped(call, place, kind);
    var added = control.add(place, kind, 1, Optional.empty());
    added.temporary(name.startsWith("t"));
    added.thread(thread);
    added.ignore(count - 1);
    added.condition(parsed.map(c -> c));
    return Stream.of(EventTable.added(added));
  }

  /** What {@code if CONDITION} says; empty without words. */
  static Optional<String> condition(List<Argument> words) {
    if (words.isEmpty()) {
      return Optional.empty();
    }
    if (!words.getFirst().text().equals("if") || words.size() == 1) {
      throw new UsageException("unexpected argument " + words.getFirst().text());
    }
    return Optional.of(words.stream().skip(1).map(Argument::text).collect(Collectors.joining(" ")));
  }
}
