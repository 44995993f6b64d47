// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux;

import dev.fathom.base.FaultException;
import dev.fathom.base.UsageException;
import dev.fathom.kernel.Task;
import dev.fathom.kernel.Walker;
import dev.fathom.kernel.Walker.Start;
import dev.fathom.kernel.linux.data.ChainNodes;
import dev.fathom.kernel.linux.data.Layouts;
import dev.fathom.kernel.linux.data.ListNodes;
import dev.fathom.kernel.linux.data.MapleEntries;
import dev.fathom.kernel.linux.data.RbNodes;
import dev.fathom.kernel.linux.data.XArrayEntries;
import dev.fathom.model.Memory;
import dev.fathom.model.Value;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.CompositeType;
import dev.fathom.model.type.PointerType;
import dev.fathom.model.type.VoidType;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.PrimitiveIterator;

/** The collections of a Linux kernel that can be walked by name. */
final class Walkers {
  /** More open files than {@code fs.nr_open} allows by default. */
  private static final int FILE_LIMIT = 1 << 20;

  private final LinuxProgram program;
  private final Memory memory;
  private final Layouts layouts;
  private final LinuxKernel kernel;
  private final UserMemory userMemory;
  private final List<Walker> all = new ArrayList<>();

  private Walkers(
      LinuxProgram program, Layouts layouts, LinuxKernel kernel, UserMemory userMemory) {
    this.program = program;
    this.memory = program.memory();
    this.layouts = layouts;
    this.kernel = kernel;
    this.userMemory = userMemory;
  }

  static List<Walker> of(
      LinuxProgram program, Layouts layouts, LinuxKernel kernel, UserMemory userMemory) {
    var walkers = new Walkers(program, layouts, kernel, userMemory);
    walkers.tasks();
    walkers.containers();
    walkers.lists();
    walkers.ofTasks();
    return List.copyOf(walkers.all);
  }

  private void add(
      String name, String description, Start start, String yields, NamedWalker.Source source) {
    all.add(new NamedWalker(name, description, start, yields, source));
  }

  private void tasks() {
    add(
        "thread",
        "every thread, or those of the process of a given task",
        Start.OPTIONAL,
        "struct task_struct",
        (start, notes) ->
            start.isPresent()
                ? threadsOf(address(start), notes)
                : objects(kernel.taskIterator(notes), _ -> true));
    add(
        "proc",
        "every process: the first thread of each",
        Start.NONE,
        "struct task_struct",
        (_, notes) ->
            objects(kernel.taskIterator(notes), task -> !task.isIdle() && task.isLeader()));
    add(
        "cpu",
        "the run queue of each CPU",
        Start.NONE,
        "struct rq",
        (_, _) -> kernel.queues().iterator());
    add(
        "module",
        "loaded modules, newest first",
        Start.NONE,
        "struct module",
        (_, notes) -> linked("modules", "module", "list", notes));
    add(
        "children",
        "the child processes of a task",
        Start.REQUIRED,
        "struct task_struct",
        (start, notes) -> {
          int link = layouts.need("task_struct", "sibling").offset();
          long head = address(start) + layouts.need("task_struct", "children").offset();
          return refs(ListNodes.forward(memory, head, notes), struct("task_struct"), link);
        });
  }

  private Iterator<Value> threadsOf(long task, Walker.Notes notes) {
    long signal = layouts.need("task_struct", "signal").at(memory, task);
    long head = signal + layouts.need("signal_struct", "thread_head").offset();
    return refs(
        ListNodes.forward(memory, head, notes),
        struct("task_struct"),
        layouts.need("task_struct", "thread_node").offset());
  }

  private interface TaskFilter {
    boolean accepts(Task task);
  }

  private static Iterator<Value> objects(Iterator<Task> tasks, TaskFilter filter) {
    return new Iterator<>() {
      private Value next;

      @Override
      public boolean hasNext() {
        while (next == null && tasks.hasNext()) {
          var task = tasks.next();
          next = filter.accepts(task) ? task.object() : null;
        }
        return next != null;
      }

      @Override
      public Value next() {
        if (!hasNext()) {
          throw new NoSuchElementException("task");
        }
        var value = next;
        next = null;
        return value;
      }
    };
  }

  private void containers() {
    add(
        "list",
        "the nodes of a circular list, given its struct list_head",
        Start.REQUIRED,
        "struct list_head",
        (start, notes) ->
            refs(ListNodes.forward(memory, address(start), notes), struct("list_head"), 0));
    add(
        "hlist",
        "the nodes of a chain, given its struct hlist_head",
        Start.REQUIRED,
        "struct hlist_node",
        (start, notes) ->
            refs(new ChainNodes(memory, address(start), 0, notes), struct("hlist_node"), 0));
    add(
        "rbtree",
        "the nodes of a red-black tree in order, given its struct rb_root",
        Start.REQUIRED,
        "struct rb_node",
        (start, notes) -> refs(new RbNodes(memory, address(start), notes), struct("rb_node"), 0));
    add(
        "xarray",
        "the pointers in an xarray, radix tree or IDR, given its struct",
        Start.REQUIRED,
        "void",
        (start, notes) ->
            refs(
                XArrayEntries.of(program.types(), memory, address(start), notes),
                VoidType.VOID,
                0));
    add(
        "maple",
        "the pointers in a maple tree, given its struct maple_tree",
        Start.REQUIRED,
        "void",
        (start, notes) ->
            refs(
                MapleEntries.of(program.types(), memory, address(start), notes), VoidType.VOID, 0));
  }

  private void lists() {
    list("kmem_cache", "slab caches", "slab_caches", "kmem_cache", "list");
    list(
        "super_block",
        "mounted file systems' super blocks",
        "super_blocks",
        "super_block",
        "s_list");
    list("workqueue", "work queues", "workqueues", "workqueue_struct", "list");
    list("net", "network namespaces", "net_namespace_list", "net", "list");
    list("tty_driver", "terminal drivers", "tty_drivers", "tty_driver", "tty_drivers");
    list("misc", "miscellaneous character devices", "misc_list", "miscdevice", "list");
    list("clocksource", "clock sources", "clocksource_list", "clocksource", "list");
    list("crypto_alg", "registered algorithms", "crypto_alg_list", "crypto_alg", "cra_list");
    list("pci_bus", "PCI root buses", "pci_root_buses", "pci_bus", "node");
    add(
        "net_device",
        "network devices of the first namespace",
        Start.NONE,
        "struct net_device",
        (_, notes) -> {
          long head =
              program.needAddress("init_net") + layouts.need("net", "dev_base_head").offset();
          return refs(
              ListNodes.forward(memory, head, notes),
              struct("net_device"),
              layouts.need("net_device", "dev_list").offset());
        });
    add(
        "file_system",
        "registered types of file system",
        Start.NONE,
        "struct file_system_type",
        (_, notes) ->
            refs(
                new ChainNodes(
                    memory,
                    program.needAddress("file_systems"),
                    layouts.need("file_system_type", "next").offset(),
                    notes),
                struct("file_system_type"),
                0));
    add(
        "pid",
        "struct pid of every number in the first pid namespace",
        Start.NONE,
        "struct pid",
        (_, notes) -> {
          long root =
              program.needAddress("init_pid_ns")
                  + layouts.need("pid_namespace", "idr").offset()
                  + layouts.need("idr", "idr_rt").offset();
          return refs(XArrayEntries.of(program.types(), memory, root, notes), struct("pid"), 0);
        });
  }

  private void list(String name, String description, String head, String tag, String member) {
    add(
        name,
        description,
        Start.NONE,
        "struct " + tag,
        (_, notes) -> linked(head, tag, member, notes));
  }

  /** The structures on the list that begins at a variable. */
  private Iterator<Value> linked(String head, String tag, String member, Walker.Notes notes) {
    return refs(
        ListNodes.forward(memory, program.needAddress(head), notes),
        struct(tag),
        layouts.need(tag, member).offset());
  }

  private void ofTasks() {
    add(
        "vma",
        "the memory mappings of a task, or of a struct mm_struct",
        Start.REQUIRED,
        "struct vm_area_struct",
        (start, notes) -> {
          var mm =
              isStruct(start, "mm_struct")
                  ? OptionalLong.of(address(start))
                  : userMemory.mm(address(start));
          return mm.isEmpty()
              ? Collections.emptyIterator()
              : refs(userMemory.areas(mm.getAsLong(), notes), struct("vm_area_struct"), 0);
        });
    add(
        "file",
        "the open files of a task",
        Start.REQUIRED,
        "struct file",
        (start, notes) -> files(address(start), notes).iterator());
  }

  private List<Value> files(long task, Walker.Notes notes) {
    var found = new ArrayList<Value>();
    long files = layouts.need("task_struct", "files").at(memory, task);
    if (files == 0) {
      return found;
    }
    long table = layouts.need("files_struct", "fdt").at(memory, files);
    long count = layouts.need("fdtable", "max_fds").at(memory, table);
    long array = layouts.need("fdtable", "fd").at(memory, table);
    if (count > FILE_LIMIT) {
      notes.note("a table of " + count + " files is cut at " + FILE_LIMIT);
    }
    var type = struct("file");
    try {
      for (long i = 0; i < Math.min(count, FILE_LIMIT); i++) {
        notes.checkInterrupt();
        long file = memory.u64(array + i * 8);
        if (file != 0) {
          found.add(new Value.Ref(program, type, file));
        }
      }
    } catch (FaultException e) {
      notes.note("files: " + e.getMessage());
    }
    return found;
  }

  private static boolean isStruct(Optional<Value> start, String tag) {
    return start.isPresent()
        && target(start.get()) instanceof CompositeType c
        && c.name().equals(tag);
  }

  private static CType target(Value value) {
    var type = value.type().resolved();
    return type instanceof PointerType p ? p.target().resolved() : type;
  }

  /** Where a walk starts: a structure's own address, or what a pointer or number says. */
  private static long address(Optional<Value> start) {
    var value = start.orElseThrow(() -> new UsageException("this walk needs an address to start"));
    return value instanceof Value.Ref ref && ref.isComposite() ? ref.address() : value.asLong();
  }

  private CType struct(String tag) {
    return program.types().struct(tag);
  }

  /** The elements whose nodes, {@code link} bytes into each, a walk yields. */
  private Iterator<Value> refs(PrimitiveIterator.OfLong nodes, CType type, int link) {
    return new Iterator<>() {
      @Override
      public boolean hasNext() {
        return nodes.hasNext();
      }

      @Override
      public Value next() {
        return new Value.Ref(program, type, nodes.nextLong() - link);
      }
    };
  }
}
