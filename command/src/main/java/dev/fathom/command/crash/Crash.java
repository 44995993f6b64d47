// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.crash;

import dev.fathom.base.EvalException;
import dev.fathom.base.LookupException;
import dev.fathom.base.UsageException;
import dev.fathom.command.CScope;
import dev.fathom.command.Invocation;
import dev.fathom.command.Tasks;
import dev.fathom.kernel.Task;
import dev.fathom.lang.Expressions;
import dev.fathom.lang.Scope;
import dev.fathom.model.AddressSpace;
import dev.fathom.model.Program;
import dev.fathom.model.Symbol;
import dev.fathom.model.Value;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.CompositeType;
import dev.fathom.model.type.TypeName;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.function.Predicate;

/** How crash reads its arguments: addresses, tasks, CPU lists, expressions. */
final class Crash {
  /** More lines than anybody reads; results come one by one, so that it costs nothing. */
  static final long COUNT_LIMIT = 1 << 24;

  private static final int MEMBER_LIMIT = 1000;

  private Crash() {}

  /**
   * An address: hexadecimal digits with or without {@code 0x}, a symbol with an optional {@code
   * +offset}, or a C expression in parentheses.
   */
  static long address(Invocation call, String text) {
    var number = hexadecimal(text);
    if (number.isPresent()) {
      return number.getAsLong();
    }
    if (text.startsWith("(")) {
      return Expressions.evaluate(text, scope(call)).asLong();
    }
    int plus = text.indexOf('+');
    var name = plus < 0 ? text : text.substring(0, plus);
    var symbol = symbol(call.program(), name);
    if (plus < 0) {
      return symbol.address();
    }
    var offset = text.substring(plus + 1);
    return symbol.address()
        + hexadecimal(offset)
            .orElseThrow(() -> new UsageException("'" + offset + "' is not an offset"));
  }

  static Symbol symbol(Program program, String name) {
    if (name.isEmpty()) {
      throw new UsageException("expected an address or a symbol");
    }
    return program
        .symbols()
        .first(name)
        .orElseThrow(
            () ->
                new LookupException(
                    "symbol",
                    name,
                    program
                        .symbols()
                        .completions(name.substring(0, Math.max(1, name.length() * 2 / 3)), 3)));
  }

  /** A type and some of its members, as in {@code list_head} or {@code task_struct.pid,comm}. */
  record Named(CType type, List<String> members) {}

  /**
   * Reads {@code name}, {@code name.member,member} or the same behind {@code struct } or {@code
   * union }.
   *
   * @param keywords what {@code name} may be the tag of, the likeliest first; else it is looked for
   *     as a plain type
   */
  static Named typeAndMembers(Invocation call, String text, String... keywords) {
    int dot = text.indexOf('.');
    var name = dot < 0 ? text : text.substring(0, dot);
    var members =
        dot < 0 ? List.<String>of() : List.of(text.substring(dot + 1).split(",", MEMBER_LIMIT));
    if (members.contains("")) {
      throw new UsageException("a member is missing in '" + text + "'");
    }
    return new Named(type(call, name, keywords), members);
  }

  private static CType type(Invocation call, String name, String... keywords) {
    var types = call.program().types();
    for (var keyword : keywords) {
      var found = TypeName.parse(keyword + " " + name).flatMap(types::find);
      if (found.isPresent()) {
        return found.get();
      }
    }
    return TypeName.parse(name)
        .flatMap(types::find)
        .orElseThrow(() -> new LookupException("type", keywords[0] + " " + name));
  }

  /** The member of a structure, also by the name that other kernels have for it. */
  static Value member(Invocation call, Value value, String path) {
    if (!value.has(path) && value.type().resolved() instanceof CompositeType type) {
      var alias = call.kernel().memberAliases().get(type.name() + "." + path);
      if (alias != null && value.has(alias)) {
        return value.member(alias);
      }
    }
    return value.member(path);
  }

  /** A count of things to show. */
  static long count(String text) {
    long count =
        number(text).orElseThrow(() -> new UsageException("'" + text + "' is not a count"));
    if (count <= 0 || count > COUNT_LIMIT) {
      throw new UsageException("count must be between 1 and " + COUNT_LIMIT);
    }
    return count;
  }

  /** The user memory of the selected task. */
  static AddressSpace userSpace(Invocation call) {
    return userSpace(call, Tasks.selected(call));
  }

  static AddressSpace userSpace(Invocation call, Task task) {
    return call.kernel()
        .userSpace(task)
        .orElseThrow(
            () -> new EvalException(task.name() + "/" + task.idText() + " has no user memory"));
  }

  /** The text as a hexadecimal number; empty when it is none. */
  static OptionalLong hexadecimal(String text) {
    return digits(text.startsWith("0x") || text.startsWith("0X") ? text.substring(2) : text, 16);
  }

  /** The text as a number: decimal, or hexadecimal behind {@code 0x}; empty when it is none. */
  static OptionalLong number(String text) {
    return text.startsWith("0x") || text.startsWith("0X")
        ? digits(text.substring(2), 16)
        : digits(text, 10);
  }

  private static OptionalLong digits(String text, int radix) {
    try {
      return text.isEmpty() || text.startsWith("-") || text.startsWith("+")
          ? OptionalLong.empty()
          : OptionalLong.of(Long.parseUnsignedLong(text, radix));
    } catch (NumberFormatException _) {
      return OptionalLong.empty();
    }
  }

  /**
   * The tasks that an argument selects: a process or thread id, the address of a task's structure,
   * or a name.
   */
  static List<Task> tasks(Invocation call, String text) {
    var kernel = call.kernel();
    var id = digits(text, 10);
    if (id.isPresent()) {
      var found = kernel.taskOfId(id.getAsLong());
      if (found.isPresent()) {
        return List.of(found.get());
      }
    }
    var address = hexadecimal(text);
    if (address.isPresent()) {
      var found = first(call, t -> t.object().address() == address.getAsLong());
      if (!found.isEmpty()) {
        return found;
      }
    }
    var named = new ArrayList<Task>();
    kernel.tasks(call).filter(t -> t.name().equals(text)).forEach(named::add);
    if (named.isEmpty()) {
      throw new LookupException("process id, task address or command name", text);
    }
    return named;
  }

  private static List<Task> first(Invocation call, Predicate<Task> wanted) {
    return call.kernel().tasks(call).filter(wanted).limit(1).toList();
  }

  /** The CPUs of a list such as {@code 0,2-3}, {@code a} or {@code all}. */
  static List<Integer> cpus(Invocation call, String text) {
    var known = call.kernel().cpus();
    var chosen = new ArrayList<Integer>();
    if (text.isEmpty() || text.equals("a") || text.equals("all")) {
      known.forEach(cpu -> chosen.add(cpu.id()));
      return chosen;
    }
    for (var part : text.split(",")) {
      var ends = part.split("-", 2);
      var from = digits(ends[0], 10);
      var to = digits(ends[ends.length - 1], 10);
      if (from.isEmpty() || to.isEmpty()) {
        throw new UsageException("'" + text + "' is not a list of CPUs, such as 0,2-3 or all");
      }
      int before = chosen.size();
      for (var cpu : known) {
        if (cpu.id() >= from.getAsLong() && cpu.id() <= to.getAsLong()) {
          chosen.add(cpu.id());
        }
      }
      if (chosen.size() == before) {
        throw new LookupException("CPU", part);
      }
    }
    if (chosen.isEmpty()) {
      throw new UsageException("'" + text + "' is not a list of CPUs, such as 0,2-3 or all");
    }
    return chosen;
  }

  /** Names in C expressions: variables of the program, registers of the selected task. */
  static Scope scope(Invocation call) {
    return new CScope(call);
  }
}
