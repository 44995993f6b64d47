// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.control;

import dev.fathom.base.Cell;
import dev.fathom.base.Datum;
import dev.fathom.base.FathomException;
import dev.fathom.command.Frames;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import dev.fathom.command.Lazily;
import dev.fathom.command.source.FrameText;
import dev.fathom.kernel.Task;
import dev.fathom.session.control.Breakpoint;
import dev.fathom.session.control.StopEvent;
import dev.fathom.target.SignalNames;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * Tells the user of stops: what stopped which thread where, and the instruction there; selects that
 * thread; runs the commands of the breakpoint, and lets the target go on when they say so.
 */
final class Stops {
  /** As the first command of a breakpoint: nothing is told of the stop. */
  private static final String SILENT = "silent";

  /** The run whose breakpoint's commands are at work at this moment. */
  private Optional<Run> atWork = Optional.empty();

  /**
   * What comes of {@code action}, which lets the target run or stops it. Where the line of the
   * source is found it is shown, else the instruction.
   */
  Stream<Item> of(Invocation call, Supplier<StopEvent> action) {
    return of(new Run(call, action, false));
  }

  /** As {@link #of}, for a step by instruction: the instruction is shown in any case. */
  Stream<Item> byInstruction(Invocation call, Supplier<StopEvent> action) {
    return of(new Run(call, action, true));
  }

  private static Stream<Item> of(Run run) {
    return Lazily.stream(run).onClose(run::close);
  }

  /**
   * Has the target go on once the commands of the breakpoint are over, when it is one of them that
   * asks; else false, and nothing is done.
   */
  boolean goOnAfterwards() {
    atWork.ifPresent(run -> run.wantsOn = true);
    return atWork.isPresent();
  }

  /** One stop, then its commands, then perhaps the next stop. */
  private final class Run extends Lazily<Item> {
    private final Invocation call;
    private Optional<Supplier<StopEvent>> action;
    private Iterator<Item> told = Collections.emptyIterator();
    private Iterator<String> lines = Collections.emptyIterator();
    private Optional<Stream<Item>> line = Optional.empty();
    private Iterator<Item> items = Collections.emptyIterator();
    private boolean wantsOn;

    /** Whether the instruction is shown where the line is. */
    private boolean instructions;

    Run(Invocation call, Supplier<StopEvent> action, boolean instructions) {
      this.call = call;
      this.instructions = instructions;
      this.action = Optional.of(action);
    }

    @Override
    protected Optional<Item> advance() {
      while (true) {
        if (told.hasNext()) {
          return Optional.of(told.next());
        }
        var item = ofCommands();
        if (item.isPresent()) {
          return item;
        }
        if (wantsOn) {
          wantsOn = false;
          action = Optional.of(call.session().control()::proceed);
          instructions = false;
        }
        if (action.isEmpty()) {
          return Optional.empty();
        }
        var event = action.get().get();
        action = Optional.empty();
        call.session().refresh().forEach(call::warn);
        call.session().control().inVain().forEach(call::warn);
        take(event);
      }
    }

    /** What the commands show next. Whoever stops asking, or an exception, leaves none at work. */
    private Optional<Item> ofCommands() {
      var before = atWork;
      atWork = Optional.of(this);
      try {
        while (!items.hasNext()) {
          close();
          if (!lines.hasNext()) {
            return Optional.empty();
          }
          var next = call.execute(lines.next());
          line = Optional.of(next);
          items = next.iterator();
        }
        return Optional.of(items.next());
      } finally {
        atWork = before;
      }
    }

    /** The line at work is over. */
    void close() {
      var over = line;
      line = Optional.empty();
      items = Collections.emptyIterator();
      over.ifPresent(Stream::close);
    }

    private void take(StopEvent event) {
      select(call, event);
      var commands = new ArrayList<String>();
      for (var breakpoint : breakpoints(event)) {
        commands.addAll(breakpoint.commands());
      }
      boolean silent = !commands.isEmpty() && commands.getFirst().strip().equals(SILENT);
      told = silent ? Collections.emptyIterator() : describe(call, event, instructions).iterator();
      var after = new ArrayList<String>();
      if (!silent && !call.environment().gdb().displays().isEmpty()) {
        after.add("display");
      }
      after.addAll(silent ? commands.subList(1, commands.size()) : commands);
      lines = after.iterator();
    }
  }

  private static List<Breakpoint> breakpoints(StopEvent event) {
    return switch (event.cause()) {
      case StopEvent.AtBreakpoint at -> at.breakpoints();
      case StopEvent.AtData at -> List.of(at.breakpoint());
      default -> List.of();
    };
  }

  /**
   * The thread that stopped is the one that other commands show, in the frame of the function that
   * a breakpoint is at.
   */
  static void select(Invocation call, StopEvent event) {
    call.environment()
        .selectTask(
            event.thread().isPresent()
                ? OptionalLong.of(event.thread().get().object().address())
                : OptionalLong.empty());
    event.pc().ifPresent(call::moveDot);
    if (event.cause() instanceof StopEvent.AtBreakpoint at && event.pc().isPresent()) {
      long pc = event.pc().getAsLong();
      StopFrames.of(
              at.breakpoints().getFirst().place(), call.session().sources().activations(pc), pc)
          .ifPresent(
              number -> {
                if (number > 0) {
                  call.environment().selectFrame(number);
                }
              });
    }
  }

  private static List<Item> describe(Invocation call, StopEvent event, boolean instructions) {
    var items = new ArrayList<Item>();
    var fields = new ArrayList<Datum.Field>();
    var text = new StringBuilder(cause(call, event, fields));
    event.cpu().ifPresent(cpu -> fields.add(new Datum.Field("cpu", "", Cell.decimal(cpu))));
    event
        .pc()
        .ifPresent(
            pc ->
                fields.add(
                    new Datum.Field(
                        "pc", "", new Cell.Symbolic(pc, call.program().symbols().text(pc)))));
    if (event.thread().isPresent()) {
      var task = event.thread().get();
      text.append(": ").append(name(task));
      fields.add(new Datum.Field("thread", "", Cell.address(task.object().address())));
      task.id().ifPresent(id -> fields.add(new Datum.Field("tid", "", Cell.decimal(id))));
      fields.add(new Datum.Field("name", "", Cell.text(task.name())));
    }
    // A kernel that runs as a process stops in a thread of its host.
    if (event.cpu().isPresent()
        && call.kernel().cpus().stream().anyMatch(cpu -> cpu.id() == event.cpu().getAsInt())) {
      text.append(" on CPU ").append(event.cpu().getAsInt());
    }
    items.add(Item.show(new Datum.Fact(text.toString(), fields)));
    if (event.pc().isPresent()) {
      long pc = event.pc().getAsLong();
      var source = source(call, event, pc);
      items.addAll(source);
      if (instructions || source.size() < 2) {
        instruction(call, pc, event).ifPresent(items::add);
      }
    }
    return items;
  }

  /** The place in the source, and its line where the file is found. */
  private static List<Item> source(Invocation call, StopEvent event, long pc) {
    try {
      return event.thread().isPresent() && call.session().sources().covers(pc)
          ? FrameText.withLine(call, Frames.selected(call))
          : List.of();
    } catch (FathomException e) {
      call.warn(e.getMessage());
      return List.of();
    }
  }

  /** {@code dd/117}. */
  static String name(Task task) {
    return task.name() + "/" + task.idText();
  }

  private static Optional<Item> instruction(Invocation call, long pc, StopEvent event) {
    var memory = call.program().memory();
    try {
      return Optional.of(
          Item.show(
              call.environment()
                  .disassembly(call.program())
                  .at(memory, pc, true, false)
                  .instruction()));
    } catch (FathomException e) {
      boolean user = event.thread().isPresent() && pc >= 0;
      if (user) {
        return Optional.empty(); // User memory is not in the kernel's address space.
      }
      call.warn(e.getMessage());
      return Optional.of(Item.show(new Datum.Text(call.program().symbols().text(pc))));
    }
  }

  private static String cause(Invocation call, StopEvent event, List<Datum.Field> fields) {
    var name =
        switch (event.cause()) {
          case StopEvent.AtBreakpoint _ -> "breakpoint";
          case StopEvent.AtData _ -> "watchpoint";
          case StopEvent.BadCondition _ -> "bad_condition";
          case StopEvent.Stepped _ -> "step";
          case StopEvent.Interrupted _ -> "interrupt";
          case StopEvent.TimedOut _ -> "timeout";
          case StopEvent.Signalled _ -> "signal";
          case StopEvent.Trapped _ -> "trap";
          case StopEvent.Replaced _ -> "exec";
          case StopEvent.Gone _ -> "gone";
        };
    fields.add(new Datum.Field("cause", "", Cell.text(name)));
    return switch (event.cause()) {
      case StopEvent.AtBreakpoint at -> {
        var text = new StringBuilder();
        for (var breakpoint : at.breakpoints()) {
          text.append(text.isEmpty() ? "breakpoint " : " and ").append(breakpoint.id());
          breakpoint.purpose().ifPresent(why -> text.append(" (").append(why).append(')'));
          fields.add(new Datum.Field("breakpoint", "", Cell.decimal(breakpoint.id())));
          fields.add(new Datum.Field("hits", "", Cell.unsigned(breakpoint.hits())));
        }
        yield text.toString();
      }
      case StopEvent.AtData at -> {
        fields.add(new Datum.Field("breakpoint", "", Cell.decimal(at.breakpoint().id())));
        fields.add(new Datum.Field("address", "", Cell.address(at.address())));
        var old = number(call, at.before());
        var now = number(call, at.after());
        old.ifPresent(value -> fields.add(new Datum.Field("old", "", Cell.hex(value))));
        now.ifPresent(value -> fields.add(new Datum.Field("new", "", Cell.hex(value))));
        yield "watchpoint "
            + at.breakpoint().id()
            + " at "
            + call.program().symbols().text(at.address())
            + (old.isPresent() && now.isPresent()
                ? old.equals(now)
                    ? " (" + hex(now.get()) + ")"
                    : " (" + hex(old.get()) + " -> " + hex(now.get()) + ")"
                : "");
      }
      case StopEvent.BadCondition bad -> {
        call.fail("condition of breakpoint " + bad.breakpoint().id() + ": " + bad.why());
        yield "breakpoint " + bad.breakpoint().id();
      }
      case StopEvent.Stepped _ -> "stopped";
      case StopEvent.Interrupted _ -> "stopped by user";
      case StopEvent.TimedOut _ -> "stopped: it took too long";
      case StopEvent.Signalled signal ->
          signal.number() == 2 || signal.number() == 0
              ? "stopped by somebody else"
              : "stopped by signal " + SignalNames.text(signal.number());
      case StopEvent.Trapped _ -> "stopped by a trap that no breakpoint of ours explains";
      case StopEvent.Replaced _ -> "stopped: the process executes another program";
      case StopEvent.Gone gone -> "the target ended with status " + gone.status();
    };
  }

  private static String hex(long value) {
    return "0x" + Long.toHexString(value);
  }

  private static Optional<Long> number(Invocation call, Optional<byte[]> bytes) {
    if (bytes.isEmpty() || bytes.get().length > Long.BYTES) {
      return Optional.empty();
    }
    boolean little =
        call.program().architecture().layout().order() == java.nio.ByteOrder.LITTLE_ENDIAN;
    long value = 0;
    int length = bytes.get().length;
    for (int i = 0; i < length; i++) {
      value = value << 8 | (bytes.get()[little ? length - 1 - i : i] & 0xff);
    }
    return Optional.of(value);
  }
}
