// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.kernel;

import dev.fathom.base.Cell;
import dev.fathom.base.Datum;
import dev.fathom.base.Datum.Align;
import dev.fathom.base.Datum.Column;
import dev.fathom.base.FathomException;
import dev.fathom.command.Argument;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Frames;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import dev.fathom.command.StackView;
import dev.fathom.kernel.Task;
import dev.fathom.model.Located;
import dev.fathom.model.unwind.Backtrace;
import dev.fathom.model.unwind.Frame;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.Stream;

/** {@code ::stacks}. */
final class StacksCommand implements Command {
  private record Key(char state, List<String> frames) {}

  private record Group(Key key, List<Task> members) {}

  @Override
  public CommandSpec spec() {
    return CommandSpec.mdb("stacks", "filter and consolidate kernel thread stacks")
        .addressOptional()
        .accepts("struct task_struct")
        .readsAll()
        .yields("struct task_struct")
        .flag('a', "list every member of a group, not just the first")
        .flag('i', "only interesting threads: neither idle threads nor idle kernel threads")
        .option('c', "function", "only stacks with this function; function+0xOFFSET is exact")
        .option('C', "function", "no stacks with this function")
        .option('m', "module", "only stacks with a function of this module")
        .option('M', "module", "no stacks with a function of this module")
        .option('t', "state", "only threads in this state: a letter as in ::ps")
        .option('T', "state", "no threads in this state")
        .help(
            """
            Groups the threads that have the same kernel stack and state and counts them, the
            largest group first. Small letters select, capital letters exclude; options may be
            given more than once. With input from a pipe it groups those threads only; in front of
            a pipe it gives one thread of each group, or with `-a` all.

                > ::stacks -m virtio_net
                > ::stacks -c schedule_timeout -T I
                THREAD           STATE COUNT
                ffff888003b34000 S         4
                                 __schedule+0x351
                                 schedule+0x5a
                                 do_nanosleep+0x67
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    var args = call.args().expect(0, 0);
    var kernel = call.kernel();
    var tasks =
        call.piped() || call.hasAddress()
            ? call.input().map(value -> kernel.task(value.address()))
            : kernel.tasks(call);
    var wanted = filter(call);
    var groups = new LinkedHashMap<Key, Group>();
    tasks
        .filter(task -> stateWanted(call, task))
        .forEach(
            task -> {
              call.checkInterrupt();
              var trace = trace(call, task);
              if (wanted.test(trace)) {
                var key = new Key(task.state(), lines(call, trace));
                groups
                    .computeIfAbsent(key, k -> new Group(k, new ArrayList<>()))
                    .members()
                    .add(task);
              }
            });
    var sorted = new ArrayList<>(groups.values());
    sorted.sort(Comparator.comparingInt((Group g) -> g.members().size()).reversed());
    boolean all = args.has('a');
    if (call.toPipe()) {
      return sorted.stream()
          .flatMap(g -> all ? g.members().stream() : Stream.of(g.members().getFirst()))
          .map(task -> Item.value(task.object()));
    }
    var items = new ArrayList<Item>();
    items.add(
        Item.show(
            new Datum.Header(
                "stacks",
                List.of(
                    new Column("thread", "THREAD", 16, Align.LEFT),
                    new Column("state", "STATE", 5, Align.LEFT),
                    new Column("count", "COUNT", 5, Align.RIGHT)))));
    for (var group : sorted) {
      show(group, all, items);
    }
    return items.stream();
  }

  private static void show(Group group, boolean all, List<Item> items) {
    var members = all ? group.members() : group.members().subList(0, 1);
    for (int i = 0; i < members.size(); i++) {
      boolean last = i == members.size() - 1;
      var cells =
          List.of(
              Cell.address(members.get(i).object().address()),
              Cell.text(String.valueOf(group.key().state())),
              i == 0 ? Cell.decimal(group.members().size()) : Cell.text(""));
      items.add(
          Item.show(new Datum.Block(cells, "stack", last ? group.key().frames() : List.of())));
    }
  }

  private static Backtrace trace(Invocation call, Task task) {
    Backtrace trace;
    try {
      trace = Frames.walk(call.session(), task);
    } catch (FathomException e) {
      trace = Backtrace.unreadable(e.getMessage());
    }
    StackView.check(call, trace);
    return trace;
  }

  private static List<String> lines(Invocation call, Backtrace trace) {
    if (trace.frames().isEmpty()) {
      return List.of("<" + trace.why() + ">");
    }
    var lines = new ArrayList<String>();
    for (var frame : trace.frames()) {
      lines.add(StackView.symbol(call.program().symbols(), frame));
    }
    return lines;
  }

  private static boolean stateWanted(Invocation call, Task task) {
    var args = call.args();
    if (args.has('i') && (task.isIdle() || task.state() == 'I')) {
      return false;
    }
    var state = String.valueOf(task.state());
    return (!args.has('t') || contains(args.all('t'), state)) && !contains(args.all('T'), state);
  }

  private static boolean contains(List<Argument> words, String text) {
    return words.stream().anyMatch(word -> word.text().equals(text));
  }

  private static Predicate<Backtrace> filter(Invocation call) {
    var args = call.args();
    Predicate<Backtrace> filter = _ -> true;
    for (var word : args.all('c')) {
      filter = filter.and(trace -> trace.frames().stream().anyMatch(f -> isIn(call, f, word)));
    }
    for (var word : args.all('C')) {
      filter = filter.and(trace -> trace.frames().stream().noneMatch(f -> isIn(call, f, word)));
    }
    for (var word : args.all('m')) {
      filter = filter.and(trace -> trace.frames().stream().anyMatch(f -> isOf(call, f, word)));
    }
    for (var word : args.all('M')) {
      filter = filter.and(trace -> trace.frames().stream().noneMatch(f -> isOf(call, f, word)));
    }
    return filter;
  }

  /** Whether the frame is in the function named, or at the exact {@code function+0xOFFSET}. */
  private static boolean isIn(Invocation call, Frame frame, Argument function) {
    var text = function.text();
    if (text.contains("+")) {
      return StackView.symbol(call.program().symbols(), frame).equals(text);
    }
    return at(call, frame)
        .map(l -> l.symbol().name().equals(text) || l.symbol().qualified().equals(text))
        .orElse(false);
  }

  private static boolean isOf(Invocation call, Frame frame, Argument module) {
    var wanted = module.text();
    return at(call, frame)
        .map(
            l -> {
              var name = l.symbol().module();
              return name.isEmpty() ? wanted.equals("vmlinux") : name.equals(wanted);
            })
        .orElse(false);
  }

  private static Optional<Located> at(Invocation call, Frame frame) {
    return call.program().symbols().at(frame.lookup());
  }
}
