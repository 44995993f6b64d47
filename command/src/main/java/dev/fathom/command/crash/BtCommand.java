// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.crash;

import dev.fathom.base.Cell;
import dev.fathom.base.Datum;
import dev.fathom.base.FathomException;
import dev.fathom.base.UsageException;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Frames;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import dev.fathom.command.StackView;
import dev.fathom.command.Tasks;
import dev.fathom.command.source.FrameText;
import dev.fathom.kernel.Task;
import dev.fathom.model.Registers;
import dev.fathom.model.source.SourceFrame;
import dev.fathom.model.unwind.Backtrace;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.stream.Stream;

/** {@code bt}. */
final class BtCommand implements Command {
  @Override
  public CommandSpec spec() {
    return CommandSpec.crash("bt", "backtrace of a task")
        .flag('a', "of the task on each CPU")
        .flag('l', "the line of source of each frame")
        .flag('v', "also each frame's size, how it was found, and why the stack ended")
        .option('c', "cpus", "of the tasks on these CPUs, such as 0,2-3")
        .arguments("[full] [count] [pid | task | command ...]")
        .help(
            """
            Shows the kernel stack of a task: the one that `set` chose or that panicked, those
            named, or with `-a` those that are on a CPU. Behind it come the registers with which
            user mode entered the kernel, when the stack leads there.

            Where debug information describes the code, frames show arguments and lines as gdb's do,
            with one for each inlined function; `bt full` also shows their local variables. `-l`
            and `-v` show crash's frames, `-l` with lines. A negative count shows so many of the
            outermost frames; in a process a count that is no thread's id, so many of the innermost.

                > bt
                PID: 97       TASK: ffff8880041c0000  CPU: 1    COMMAND: "sh"
                 #0 [ffffc900001abd80] sysrq_handle_crash at ffffffff8169b1a6
                > bt 1
                > bt -a
                > bt full 97
                > bt -3
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    var args = call.args();
    var tasks = new ArrayList<Task>();
    boolean cpus = args.has('a') || args.has('c');
    if (cpus) {
      var wanted = Crash.cpus(call, args.option('c').map(a -> a.text()).orElse("all"));
      for (var cpu : call.kernel().cpus()) {
        if (wanted.contains(cpu.id())) {
          cpu.current()
              .ifPresentOrElse(
                  tasks::add,
                  () -> call.fail("CPU " + cpu.id() + ": which task is on it is not known"));
        }
      }
    }
    boolean full = !args.isEmpty() && args.word(0).equals("full");
    var words = full ? args.operands().subList(1, args.count()) : args.operands();
    var count = words.isEmpty() ? OptionalInt.empty() : count(call, words.getFirst().text());
    if (count.isPresent() && (args.has('l') || args.has('v'))) {
      throw new UsageException("a count of frames goes with neither -l nor -v");
    }
    for (var word : words.subList(count.isPresent() ? 1 : 0, words.size())) {
      tasks.addAll(Crash.tasks(call, word.text()));
    }
    if (tasks.isEmpty() && !cpus) {
      tasks.add(Tasks.selected(call));
    }
    return tasks.stream().flatMap(task -> show(call, task, full, count).stream());
  }

  /**
   * A number of frames, as gdb's {@code bt} takes it, of the outermost where it is negative. In a
   * kernel one that is not negative is a process id, as crash's {@code bt} takes it.
   */
  private static OptionalInt count(Invocation call, String word) {
    boolean counts =
        word.matches("-\\d{1,9}")
            || (word.matches("\\d{1,9}")
                && call.kernel().isProcess()
                && call.kernel().taskOfId(Long.parseLong(word)).isEmpty());
    return counts ? OptionalInt.of(Integer.parseInt(word)) : OptionalInt.empty();
  }

  /** The frames that a count leaves. */
  private static List<SourceFrame> counted(List<SourceFrame> frames, int count) {
    return count < 0
        ? frames.subList(Math.max(0, frames.size() + count), frames.size())
        : frames.subList(0, Math.min(count, frames.size()));
  }

  private static List<Item> show(Invocation call, Task task, boolean full, OptionalInt count) {
    var title = title(task);
    try {
      var trace = Frames.stack(call, task);
      StackView.check(call, trace);
      var detail = call.args().has('v') ? Datum.Detail.FULL : Datum.Detail.FRAMES;
      var items = new ArrayList<Item>();
      var frames =
          call.args().has('v') || call.args().has('l')
              ? List.<SourceFrame>of()
              : Frames.of(call, trace);
      if (full
          || count.isPresent()
          || frames.stream().anyMatch(frame -> frame.activation().isPresent())) {
        var shown = count.isPresent() ? counted(frames, count.getAsInt()) : frames;
        items.add(Item.show(new Datum.Fact(title, List.of())));
        items.addAll(FrameText.stack(call, shown, full));
        if (shown.size() < frames.size() && count.getAsInt() >= 0) {
          items.add(Item.show(new Datum.Fact("(More stack frames follow...)", List.of())));
          return items;
        }
        if (trace.end() != Backtrace.End.COMPLETE && !trace.why().isEmpty()) {
          items.add(Item.show(new Datum.Fact("(" + trace.why() + ")", List.of())));
        }
        trace.entry().ifPresent(registers -> items.add(Item.show(fields(registers))));
        return items;
      }
      items.add(
          Item.show(
              StackView.of(
                  call.program(),
                  trace,
                  title,
                  OptionalLong.of(task.object().address()),
                  detail,
                  Datum.Style.CRASH)));
      if (call.args().has('l')) {
        items.addAll(lines(call, trace));
      }
      trace.entry().ifPresent(registers -> items.add(Item.show(fields(registers))));
      return items;
    } catch (FathomException e) {
      call.fail(title + ": " + e.getMessage());
      return List.of();
    }
  }

  /** The line of each frame, and that which it was inlined from. */
  private static List<Item> lines(Invocation call, Backtrace trace) {
    var items = new ArrayList<Item>();
    var source = call.session().sources();
    for (int i = 0; i < trace.frames().size(); i++) {
      var line = source.line(trace.frames().get(i).lookup());
      if (line.isPresent()) {
        items.add(
            Item.show(
                new Datum.Fact(
                    " #" + i + " " + line.get().text(),
                    List.of(
                        new Datum.Field("frame", "", Cell.decimal(i)),
                        new Datum.Field("file", "", Cell.text(line.get().path())),
                        new Datum.Field("line", "", Cell.decimal(line.get().line()))))));
      }
    }
    if (items.isEmpty()) {
      call.remark("no debug information tells the lines of this stack");
    }
    return items;
  }

  private static String title(Task task) {
    var cpu = task.cpu().isPresent() ? Integer.toString(task.cpu().getAsInt()) : "?";
    return "PID: "
        + pad(task.idText(), 8)
        + " TASK: "
        + Long.toHexString(task.object().address())
        + "  CPU: "
        + pad(cpu, 4)
        + " COMMAND: \""
        + task.name()
        + "\"";
  }

  private static String pad(String text, int width) {
    return text + " ".repeat(Math.max(0, width - text.length()));
  }

  private static Datum.Fields fields(Registers registers) {
    var fields = new ArrayList<Datum.Field>();
    for (var register : registers.file().registers()) {
      var value = registers.get(register);
      if (value.isPresent()) {
        fields.add(
            new Datum.Field(register.name(), register.name(), Cell.address(value.getAsLong())));
      }
    }
    return new Datum.Fields("user registers", fields, 12);
  }
}
