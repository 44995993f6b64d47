// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux.stack;

import dev.fathom.model.Program;
import dev.fathom.model.unwind.Words;
import java.util.OptionalLong;

/**
 * Finds the return addresses that tracing has replaced on stacks by its own:
 *
 * <ul>
 *   <li>{@code arch_rethook_trampoline}, 5.18 and later: {@code task_struct.rethooks} lists {@code
 *       struct rethook_node}, whose {@code frame} is where the address was;
 *   <li>{@code __kretprobe_trampoline}, 5.11 and later where kretprobes do not use the above:
 *       {@code task_struct.kretprobe_instances}, with {@code fp};
 *   <li>{@code return_to_handler}, the function graph tracer's: {@code task_struct.ret_stack} is a
 *       stack of {@code struct ftrace_ret_stack}, with {@code retp}. Since 6.11 other words are
 *       between them, so it is searched word by word.
 * </ul>
 */
final class ReplacedReturns {
  private static final int MOST_NODES = 4096;

  /** 50 structures before 6.11, a page since. */
  private static final int RETURN_STACK_BYTES = 4096;

  private final OptionalLong rethook;
  private final OptionalLong kretprobe;
  private final OptionalLong graph;
  private final List rethooks;
  private final List kretprobes;
  private final OptionalLong returnStack;
  private final OptionalLong place;
  private final OptionalLong address;

  /** A task's list of nodes: offsets in the task and in a node. */
  private record List(
      OptionalLong head, OptionalLong link, OptionalLong place, OptionalLong address) {
    boolean isKnown() {
      return head.isPresent() && link.isPresent() && place.isPresent() && address.isPresent();
    }
  }

  ReplacedReturns(Program program) {
    var types = program.types();
    rethook = label(program, "arch_rethook_trampoline");
    kretprobe = label(program, "__kretprobe_trampoline");
    graph = label(program, "return_to_handler");
    rethooks =
        new List(
            types.findOffset("task_struct", "rethooks.first"),
            types.findOffset("rethook_node", "llist"),
            types.findOffset("rethook_node", "frame"),
            types.findOffset("rethook_node", "ret_addr"));
    kretprobes =
        new List(
            types.findOffset("task_struct", "kretprobe_instances.first"),
            types.findOffset("kretprobe_instance", "llist"),
            types.findOffset("kretprobe_instance", "fp"),
            types.findOffset("kretprobe_instance", "ret_addr"));
    returnStack = types.findOffset("task_struct", "ret_stack");
    place = types.findOffset("ftrace_ret_stack", "retp");
    address = types.findOffset("ftrace_ret_stack", "ret");
  }

  private static OptionalLong label(Program program, String name) {
    var symbol = program.symbols().first(name);
    return symbol.isPresent() ? OptionalLong.of(symbol.get().address()) : OptionalLong.empty();
  }

  private static boolean is(OptionalLong known, long value) {
    return known.isPresent() && known.getAsLong() == value;
  }

  /**
   * The return address that was at {@code slot} of the task's stack before {@code found}; {@code
   * found} itself where it was not replaced or the original is not known.
   */
  long original(long task, long found, long slot, Words words) {
    if (is(rethook, found) && rethooks.isKnown()) {
      return inList(rethooks, task, slot, words).orElse(found);
    }
    if (is(kretprobe, found) && kretprobes.isKnown()) {
      return inList(kretprobes, task, slot, words).orElse(found);
    }
    if (is(graph, found) && returnStack.isPresent() && place.isPresent() && address.isPresent()) {
      return inReturnStack(task, slot, words).orElse(found);
    }
    return found;
  }

  /** Several probes of one function replace each other's: the last node is the real one. */
  private OptionalLong inList(List list, long task, long slot, Words words) {
    var node = words.at(task + list.head().getAsLong());
    var original = OptionalLong.empty();
    for (int i = 0; i < MOST_NODES && node.isPresent() && node.getAsLong() != 0; i++) {
      long start = node.getAsLong() - list.link().getAsLong();
      if (is(words.at(start + list.place().getAsLong()), slot)) {
        original = words.at(start + list.address().getAsLong());
      }
      node = words.at(node.getAsLong());
    }
    return original;
  }

  private OptionalLong inReturnStack(long task, long slot, Words words) {
    var start = words.at(task + returnStack.getAsLong());
    if (start.isPresent() && start.getAsLong() != 0) {
      for (int at = 0; at < RETURN_STACK_BYTES; at += Long.BYTES) {
        long here = start.getAsLong() + at;
        if (is(words.at(here + place.getAsLong()), slot)) {
          return words.at(here + address.getAsLong());
        }
      }
    }
    return OptionalLong.empty();
  }
}
