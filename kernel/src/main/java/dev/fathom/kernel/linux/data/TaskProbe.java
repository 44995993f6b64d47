// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux.data;

import dev.fathom.base.FaultException;
import dev.fathom.base.LookupException;
import dev.fathom.model.Memory;
import dev.fathom.model.type.ArrayType;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.CompositeType;
import dev.fathom.model.type.IntType;
import dev.fathom.model.type.Member;
import dev.fathom.model.type.PointerType;
import dev.fathom.model.type.TypeName;
import dev.fathom.model.type.TypeSource;
import dev.fathom.model.type.VoidType;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.LongPredicate;
import java.util.stream.Stream;

/**
 * Types of a kernel that carries none, found by what must hold of every task: the name of the first
 * is {@code swapper}, the list of all closes and leads to other names, numbers are unique, parents
 * are tasks, stacks lead back. What no such rule finds is not described. The rules hold for all
 * kernels since 3.14 (include/linux/sched.h); each member's own source is at its rule.
 */
public final class TaskProbe implements TypeSource {
  /** The largest {@code task_struct} that is looked through. */
  private static final int SPAN = 16 << 10;

  private static final int TASK_LIMIT = 1 << 16;
  private static final int COMM = 16;
  private static final int PID_LIMIT = 4 << 20;
  private static final byte[] SWAPPER = {'s', 'w', 'a', 'p', 'p', 'e', 'r'};

  /** {@code PF_KTHREAD}, the same since 2.6.27. */
  private static final long KERNEL_THREAD = 0x0020_0000;

  private static final int SIGCHLD = 17;

  private static final IntType INT = new IntType("int", 4, true, false);
  private static final IntType UNSIGNED = new IntType("unsigned int", 4, false, false);
  private static final IntType LONG = new IntType("long unsigned int", 8, false, false);
  private static final IntType CHARACTER = new IntType("char", 1, true, true);

  private final Memory memory;
  private final long init;
  private final LongPredicate data;
  private final LongPredicate text;
  private final List<Task> tasks = new ArrayList<>();
  private final Map<String, CompositeType> structs = new LinkedHashMap<>();
  private final Map<String, Integer> found = new LinkedHashMap<>();

  /** A task with its bytes. */
  private record Task(long address, byte[] bytes) {
    long word(int offset) {
      long value = 0;
      for (int i = 7; i >= 0; i--) {
        value = value << 8 | (bytes[offset + i] & 0xff);
      }
      return value;
    }

    int number(int offset) {
      return (bytes[offset] & 0xff)
          | (bytes[offset + 1] & 0xff) << 8
          | (bytes[offset + 2] & 0xff) << 16
          | bytes[offset + 3] << 24;
    }
  }

  private TaskProbe(Memory memory, long init, LongPredicate data, LongPredicate text) {
    this.memory = memory;
    this.init = init;
    this.data = data;
    this.text = text;
  }

  /**
   * The types of the kernel whose first task is at {@code init}.
   *
   * @param data whether the kernel may have data at an address
   * @param text whether the kernel has code at an address
   * @throws LookupException naming what was not found, without which tasks cannot be listed
   */
  public static TaskProbe of(Memory memory, long init, LongPredicate data, LongPredicate text) {
    var probe = new TaskProbe(memory, init, data, text);
    probe.run();
    return probe;
  }

  private void run() {
    var first = read(init);
    int comm = comm(first);
    put("comm", OptionalInt.of(comm));
    int list = list(comm);
    put("tasks", OptionalInt.of(list));
    int pid = need("pid", pid(list, comm));
    put("pid", OptionalInt.of(pid));
    put("tgid", OptionalInt.of(pid + 4));
    int parent = need("real_parent", parent(pid + 8, comm));
    put("real_parent", OptionalInt.of(parent));
    put("parent", OptionalInt.of(parent + 8));
    // children and sibling are two lists behind the parents, then comes the leader.
    put("children", OptionalInt.of(parent + 16));
    put("sibling", OptionalInt.of(parent + 32));
    put("group_leader", OptionalInt.of(parent + 48));
    int stack = need("stack", stack());
    put("stack", OptionalInt.of(stack));
    // The state is the word before (with PREEMPT_RT another state follows it).
    put("__state", OptionalInt.of(Math.max(0, stack - 8)));
    put("flags", flags(stack, pid));
    put("exit_state", exitState(list, pid));
    put("mm", mm(list, pid));
    var threads = threads(pid, comm);
    put("thread_node", threads.map(t -> OptionalInt.of(t.node())).orElse(OptionalInt.empty()));
    put("signal", threads.map(t -> OptionalInt.of(t.signal())).orElse(OptionalInt.empty()));
    threads.ifPresent(
        t ->
            struct(
                "signal_struct",
                List.of(member("thread_head", listHead(), t.head())),
                t.head() + 16L));
    jumpBuffer(comm, stack).ifPresent(at -> found.put("switch_buf", at));
    build();
  }

  private static int need(String member, OptionalInt offset) {
    return offset.orElseThrow(() -> missing(member));
  }

  private static LookupException missing(String member) {
    return new LookupException("by what must hold of tasks", "task_struct." + member);
  }

  private void put(String member, OptionalInt offset) {
    if (offset.isPresent()) {
      found.put(member, offset.getAsInt());
    }
  }

  /** As much of a task as can be read, zeros behind it. */
  private Task read(long address) {
    var bytes = new byte[SPAN];
    memory.read(address, java.lang.foreign.MemorySegment.ofArray(bytes));
    return new Task(address, bytes);
  }

  private OptionalLong word(long address) {
    try {
      return data.test(address) ? OptionalLong.of(memory.u64(address)) : OptionalLong.empty();
    } catch (FaultException _) {
      return OptionalLong.empty(); // It leads nowhere.
    }
  }

  private boolean isPointer(long address) {
    return (address & 7) == 0 && data.test(address);
  }

  /** The name of the first task (INIT_TASK_COMM). */
  private static int comm(Task first) {
    for (int at = 0; at <= SPAN - COMM; at++) {
      if (java.util.Arrays.equals(
              first.bytes(), at, at + SWAPPER.length, SWAPPER, 0, SWAPPER.length)
          && (first.bytes()[at + SWAPPER.length] == 0
              || first.bytes()[at + SWAPPER.length] == '/')) {
        return at;
      }
    }
    throw missing("comm");
  }

  /** The list of all processes: it closes, and each of its nodes is in something with a name. */
  private int list(int comm) {
    var first = read(init);
    for (int at = 0; at < comm; at += 8) {
      long next = first.word(at);
      if (next != init + at && isPointer(next)) {
        var members = members(at, comm);
        if (members.size() > 1) {
          tasks.add(first);
          members.forEach(task -> tasks.add(read(task)));
          return at;
        }
      }
    }
    throw missing("tasks");
  }

  private List<Long> members(int list, int comm) {
    var members = new ArrayList<Long>();
    var seen = new HashSet<Long>();
    long previous = init + list;
    var next = word(previous);
    while (next.isPresent() && next.getAsLong() != init + list) {
      long node = next.getAsLong();
      if (!isPointer(node)
          || members.size() == TASK_LIMIT
          || !seen.add(node)
          || word(node + 8).orElse(0) != previous
          || !isName(node - list + comm)) {
        return List.of();
      }
      members.add(node - list);
      previous = node;
      next = word(node);
    }
    return next.isPresent() ? members : List.of();
  }

  private boolean isName(long address) {
    var bytes = new byte[COMM];
    if (memory.read(address, java.lang.foreign.MemorySegment.ofArray(bytes)) < COMM) {
      return false;
    }
    int length = 0;
    while (length < COMM && bytes[length] != 0) {
      if (bytes[length] < ' ' || bytes[length] == 0x7f) {
        return false;
      }
      length++;
    }
    return length > 0 && length < COMM;
  }

  /** pid and tgid: equal, for the list has leaders only, unique, and 0 for the first. */
  private OptionalInt pid(int from, int to) {
    for (int at = from + 16; at < to; at += 4) {
      int offset = at;
      var numbers = new HashSet<Integer>();
      boolean good =
          tasks.getFirst().number(at) == 0
              && tasks.stream()
                  .allMatch(
                      task -> {
                        int number = task.number(offset);
                        return number >= 0
                            && number < PID_LIMIT
                            && number == task.number(offset + 4)
                            && numbers.add(number);
                      });
      if (good) {
        return OptionalInt.of(at);
      }
    }
    return OptionalInt.empty();
  }

  /** Two pointers to tasks, the first task's to itself; the leader of each is itself. */
  private OptionalInt parent(int from, int to) {
    var known = new HashSet<Long>();
    tasks.forEach(task -> known.add(task.address()));
    for (int at = from + 7 & -8; at < to; at += 8) {
      int offset = at;
      boolean good =
          tasks.getFirst().word(at) == init
              && tasks.stream()
                  .allMatch(
                      task ->
                          known.contains(task.word(offset))
                              && task.word(offset + 48) == task.address());
      if (good) {
        return OptionalInt.of(at);
      }
    }
    return OptionalInt.empty();
  }

  /** A page whose first word is the task (thread_info.task), or that ends a stack by its mark. */
  private OptionalInt stack() {
    for (int at = 0; at < 256; at += 8) {
      int offset = at;
      boolean good =
          tasks.stream()
              .allMatch(
                  task -> {
                    long base = task.word(offset);
                    return (base & 4095) == 0
                        && base != 0
                        && data.test(base)
                        && word(base).orElse(0) == task.address();
                  });
      if (good) {
        return OptionalInt.of(at);
      }
    }
    return OptionalInt.empty();
  }

  /** A word of bits of which one tells kernel threads: the first task and number 2, not 1. */
  private OptionalInt flags(int stack, int pid) {
    for (int at = stack + 8; at < stack + 64; at += 4) {
      int offset = at;
      boolean good =
          tasks.stream()
              .allMatch(
                  task -> {
                    boolean kernel = (task.number(offset) & KERNEL_THREAD) != 0;
                    return switch (task.number(pid)) {
                      case 0, 2 -> kernel;
                      case 1 -> !kernel;
                      default -> true;
                    };
                  });
      if (good) {
        return OptionalInt.of(at);
      }
    }
    return OptionalInt.empty();
  }

  /** exit_state, exit_code, exit_signal: the last is SIGCHLD for most, and for number 1. */
  private OptionalInt exitState(int from, int to) {
    for (int at = from + 16; at < to - 8; at += 4) {
      int offset = at + 8;
      long children = tasks.stream().filter(t -> t.number(offset) == SIGCHLD).count();
      boolean others =
          tasks.stream().allMatch(t -> t.number(offset) == SIGCHLD || t.number(offset) == 0);
      if (others && children * 2 > tasks.size()) {
        return OptionalInt.of(at);
      }
    }
    return OptionalInt.empty();
  }

  /** The first pointer behind the list that user processes have and the first task has not. */
  private OptionalInt mm(int from, int to) {
    for (int at = from + 16; at < to; at += 8) {
      int offset = at;
      long with = tasks.stream().filter(task -> isPointer(task.word(offset))).count();
      boolean good =
          tasks.getFirst().word(at) == 0
              && with > 0
              && tasks.stream()
                  .allMatch(task -> task.word(offset) == 0 || isPointer(task.word(offset)));
      if (good) {
        return OptionalInt.of(at);
      }
    }
    return OptionalInt.empty();
  }

  private record ThreadList(int node, int signal, int head) {}

  /**
   * The list of a process's threads: of one that has a single thread, its node and the head lead to
   * each other, and the head is in what {@code signal} leads to, at the same place for all.
   */
  private Optional<ThreadList> threads(int from, int comm) {
    for (int at = from + 7 & -8; at < comm; at += 8) {
      var heads = new HashMap<Task, Long>();
      for (var task : tasks) {
        long head = task.word(at);
        if (isPointer(head)
            && head == task.word(at + 8)
            && word(head).orElse(0) == task.address() + at
            && word(head + 8).orElse(0) == task.address() + at
            && Math.abs(head - task.address()) > SPAN / 4) {
          heads.put(task, head);
        }
      }
      if (heads.size() * 2 > tasks.size()) {
        for (int signal = comm; signal < Math.min(SPAN - 8, comm + 1024); signal += 8) {
          Set<Long> distances = new HashSet<>();
          for (var entry : heads.entrySet()) {
            distances.add(entry.getValue() - entry.getKey().word(signal));
          }
          long distance = distances.iterator().next();
          if (distances.size() == 1 && distance > 0 && distance < 256) {
            return Optional.of(new ThreadList(at, signal, (int) distance));
          }
        }
      }
    }
    return Optional.empty();
  }

  /**
   * Where setjmp saved the registers of tasks that sleep: the stack pointer is the second word and
   * leads into the task's stack, the last is the address of code.
   */
  private OptionalInt jumpBuffer(int from, int stack) {
    for (int at = from; at < SPAN - 64; at += 8) {
      int good = 0;
      for (var task : tasks) {
        long base = task.word(stack);
        long sp = task.word(at + 8);
        if (Long.compareUnsigned(sp - base, 64 << 10) < 0 && text.test(task.word(at + 56))) {
          good++;
        }
      }
      if (good * 4 >= tasks.size() * 3) {
        return OptionalInt.of(at);
      }
    }
    return OptionalInt.empty();
  }

  // The types

  private void build() {
    CType self = new PointerType(8, () -> structs.get("task_struct"));
    CType pointer = new PointerType(8, () -> VoidType.VOID);
    var members = new ArrayList<Member>();
    for (var entry : found.entrySet()) {
      int at = entry.getValue();
      members.add(
          switch (entry.getKey()) {
            case "comm" ->
                member("comm", new ArrayType(() -> CHARACTER, OptionalLong.of(COMM)), at);
            case "tasks", "children", "sibling", "thread_node" ->
                member(entry.getKey(), listHead(), at);
            case "real_parent", "parent", "group_leader" -> member(entry.getKey(), self, at);
            case "signal" ->
                member("signal", new PointerType(8, () -> structs.get("signal_struct")), at);
            case "stack", "mm" -> member(entry.getKey(), pointer, at);
            case "pid", "tgid", "exit_state" -> member(entry.getKey(), INT, at);
            case "switch_buf" -> member("thread", thread(), at);
            default -> member(entry.getKey(), UNSIGNED, at);
          });
    }
    members.sort(Comparator.comparingLong(Member::bitOffset));
    var last = members.getLast();
    struct("task_struct", members, last.byteOffset() + last.type().bytes());
  }

  /** Of {@code struct thread_struct} only the registers are known, so it begins with them here. */
  private CompositeType thread() {
    return struct(
        "thread_struct",
        List.of(member("switch_buf", new ArrayType(() -> LONG, OptionalLong.of(8)), 0)),
        64);
  }

  private CompositeType listHead() {
    var known = structs.get("list_head");
    if (known != null) {
      return known;
    }
    CType self = new PointerType(8, () -> structs.get("list_head"));
    return struct("list_head", List.of(member("next", self, 0), member("prev", self, 8)), 16);
  }

  private CompositeType struct(String tag, List<Member> members, long bytes) {
    var list = List.copyOf(members);
    var type = new CompositeType(CompositeType.Kind.STRUCT, tag, bytes, () -> list);
    structs.put(tag, type);
    return type;
  }

  private static Member member(String name, CType type, long offset) {
    return new Member(name, type, offset * 8, 0);
  }

  @Override
  public String name() {
    return "probed";
  }

  @Override
  public Optional<CType> find(TypeName name) {
    return switch (name.kind()) {
      case STRUCT -> Optional.ofNullable(structs.get(name.name()));
      case PLAIN ->
          Stream.of(INT, UNSIGNED, LONG, CHARACTER)
              .filter(type -> type.name().equals(name.name()))
              .map(type -> (CType) type)
              .findFirst();
      default -> Optional.empty();
    };
  }

  @Override
  public Optional<CType> ofSymbol(String symbol) {
    return symbol.equals("init_task")
        ? Optional.ofNullable(structs.get("task_struct"))
        : Optional.empty();
  }

  @Override
  public Stream<CType> stream() {
    return structs.values().stream().map(type -> type);
  }
}
