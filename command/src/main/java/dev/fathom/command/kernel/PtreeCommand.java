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
import java.util.Optional;
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
    var tree = new Tree();
    call.kernel().tasks(call).filter(PsCommand::isProcess).forEach(tree::add);
    if (call.hasAddress()) {
      tree.around(call.kernel().task(call.object().address()));
    } else {
      tree.all(call);
    }
    return tree.items.stream();
  }

  /**
   * The processes by the addresses of their structures; a process whose id or parent cannot be read
   * has no place under another.
   */
  private static final class Tree {
    private final Map<Long, Task> byAddress = new LinkedHashMap<>();
    private final Map<Long, Task> byId = new HashMap<>();
    private final Map<Long, List<Task>> children = new HashMap<>();
    private final List<Task> roots = new ArrayList<>();
    private final Set<Long> shown = new HashSet<>();
    private final List<Item> items = new ArrayList<>();

    void add(Task task) {
      byAddress.put(task.object().address(), task);
      task.id().ifPresent(id -> byId.putIfAbsent(id, task));
    }

    private Optional<Task> parent(Task task) {
      return task.isIdle() || task.parent().isEmpty()
          ? Optional.empty()
          : Optional.ofNullable(byId.get(task.parent().getAsLong()))
              .filter(p -> p.object().address() != task.object().address());
    }

    private void connect() {
      for (var task : byAddress.values()) {
        var parent = parent(task);
        if (parent.isPresent()) {
          children
              .computeIfAbsent(parent.get().object().address(), _ -> new ArrayList<>())
              .add(task);
        } else {
          roots.add(task);
        }
      }
    }

    void all(Invocation call) {
      connect();
      for (var root : roots) {
        descend(root, 0);
      }
      // What is left hangs in a cycle of parents, which only a corrupt list has.
      for (var task : byAddress.values()) {
        if (!shown.contains(task.object().address())) {
          call.note("the ancestors of process " + task.idText() + " form a cycle");
          descend(task, 0);
        }
      }
    }

    /** The ancestors of a task's process, outermost first, then the process and its descendants. */
    void around(Task task) {
      connect();
      var leader = byAddress.get(task.object().address());
      if (leader == null && task.process().isPresent()) {
        leader = byId.get(task.process().getAsLong());
      }
      var top = leader == null ? task : leader;
      var line = new ArrayList<Task>();
      var seen = new HashSet<Long>(Set.of(top.object().address()));
      var above = parent(top);
      while (above.isPresent() && seen.add(above.get().object().address())) {
        line.addFirst(above.get());
        above = parent(above.get());
      }
      for (int i = 0; i < line.size(); i++) {
        items.add(row(line.get(i), i));
      }
      descend(top, line.size());
    }

    private void descend(Task top, int depth) {
      record Open(Task task, int depth) {}
      var open = new ArrayList<Open>(List.of(new Open(top, depth)));
      while (!open.isEmpty()) {
        var next = open.removeLast();
        long address = next.task().object().address();
        if (!shown.add(address)) {
          continue;
        }
        items.add(row(next.task(), next.depth()));
        for (var child : children.getOrDefault(address, List.of()).reversed()) {
          open.add(new Open(child, next.depth() + 1));
        }
      }
    }
  }

  private static Item row(Task task, int depth) {
    return Item.show(
        new Datum.Outline(
            depth,
            List.of(
                new Datum.Field("addr", "", Cell.address(task.object().address())),
                new Datum.Field("pid", "", Cell.decimal(task.id(), "not readable")),
                new Datum.Field("name", "", Cell.text(task.name())))));
  }
}
