// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.kernel;

import dev.fathom.base.Cell;
import dev.fathom.base.Datum;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import dev.fathom.kernel.Task;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/** {@code ::ptree}. */
final class PtreeCommand implements Command {
  @Override
  public CommandSpec spec() {
    return CommandSpec.mdb("ptree", "print the process tree")
        .addressOptional()
        .accepts("struct task_struct")
        .help(
            """
            Shows the processes under their parents, each with the address of its structure. With
            an address only that process, its ancestors and its descendants are shown.

                > ::ptree
                ffffffff8221a940  0  swapper/0
                     ffff888003858000  1  init
                          ffff8880041c0000  97  sh
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    call.args().expect(0, 0);
    var byId = new LinkedHashMap<Long, Task>();
    call.kernel().tasks(call).filter(PsCommand::isProcess).forEach(t -> byId.put(t.id(), t));
    var children = new HashMap<Long, List<Task>>();
    var roots = new ArrayList<Task>();
    for (var task : byId.values()) {
      if (task.id() == 0 || task.parent() == task.id() || !byId.containsKey(task.parent())) {
        roots.add(task);
      } else {
        children.computeIfAbsent(task.parent(), _ -> new ArrayList<>()).add(task);
      }
    }
    var items = new ArrayList<Item>();
    var shown = new HashSet<Long>();
    if (!call.hasAddress()) {
      for (var root : roots) {
        descend(root, 0, children, shown, items);
      }
      // What is left hangs in a cycle of parents, which only a corrupt list has.
      for (var task : byId.values()) {
        if (!shown.contains(task.id())) {
          call.note("the ancestors of process " + task.id() + " form a cycle");
          descend(task, 0, children, shown, items);
        }
      }
      return items.stream();
    }
    var task = call.kernel().task(call.object().address());
    int depth = ancestors(byId, task, items);
    descend(byId.getOrDefault(task.process(), task), depth, children, shown, items);
    return items.stream();
  }

  /** Shows the ancestors of {@code task}, outermost first; answers how many there are. */
  private static int ancestors(Map<Long, Task> byId, Task task, List<Item> items) {
    var line = new ArrayList<Task>();
    var seen = new HashSet<Long>(Set.of(task.process()));
    for (long id = task.parent();
        byId.containsKey(id) && seen.add(id);
        id = byId.get(id).parent()) {
      line.addFirst(byId.get(id));
    }
    for (int i = 0; i < line.size(); i++) {
      items.add(row(line.get(i), i));
    }
    return line.size();
  }

  private static void descend(
      Task top, int depth, Map<Long, List<Task>> children, Set<Long> shown, List<Item> items) {
    record Open(Task task, int depth) {}
    var open = new ArrayList<Open>(List.of(new Open(top, depth)));
    while (!open.isEmpty()) {
      var next = open.removeLast();
      if (!shown.add(next.task().id())) {
        continue;
      }
      items.add(row(next.task(), next.depth()));
      for (var child : children.getOrDefault(next.task().id(), List.of()).reversed()) {
        open.add(new Open(child, next.depth() + 1));
      }
    }
  }

  private static Item row(Task task, int depth) {
    return Item.show(
        new Datum.Outline(
            depth,
            List.of(
                new Datum.Field("addr", "", Cell.address(task.object().address())),
                new Datum.Field("pid", "", Cell.decimal(task.id())),
                new Datum.Field("name", "", Cell.text(task.name())))));
  }
}
