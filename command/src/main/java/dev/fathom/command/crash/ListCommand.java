// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.crash;

import dev.fathom.base.Cell;
import dev.fathom.base.Datum;
import dev.fathom.base.FaultException;
import dev.fathom.base.LookupException;
import dev.fathom.base.UsageException;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import dev.fathom.command.ValueTree;
import dev.fathom.lang.Expressions;
import dev.fathom.model.Value;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.TypeName;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** {@code list}. */
final class ListCommand implements Command {
  private static final int LIMIT = 1_000_000;
  private static final int PREVIOUS = 8;

  @Override
  public CommandSpec spec() {
    return CommandSpec.crash("list", "walk a linked list")
        .flag('H', "the address is a list_head outside of the structures: it is not an element")
        .flag('h', "the address is a structure with the list inside: it is the first element")
        .flag('r', "backwards, along prev")
        .option('o', "offset", "where the link stands: bytes, or struct.member")
        .option('s', "struct[.members]", "show each element as this structure, or these members")
        .option('e', "address", "stop at this address")
        .arguments("[struct.member] address|symbol")
        .help(
            """
            Follows a linked list and shows the address of each element; elements of a `list_head`
            list are found at the start of the structure that holds the link when `struct.member`
            (or `-o`) names it. The walk ends at NULL, at the start, at the end given, and with a
            remark where a list is corrupt.

                > list -H task_struct.tasks init_task.tasks
                > list task_struct.tasks -s task_struct.pid,comm -h ffff888003858000
                > list -H module.list modules -s module.name
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    var words = new ArrayList<String>();
    var again = call.args();
    again.operands().forEach(a -> words.add(a.text()));
    if (words.isEmpty() || words.size() > 2) {
      throw new UsageException(
          words.isEmpty() ? "too few arguments" : "unexpected argument " + words.get(2));
    }
    boolean headed = again.has('H');
    var link =
        again
            .option('o')
            .map(a -> a.text())
            .or(() -> words.size() == 2 ? Optional.of(words.getFirst()) : Optional.empty());
    long offset = link.map(text -> offset(call, text)).orElse(0L);
    long start = address(call, words.getLast());
    var end = again.option('e').map(a -> Crash.address(call, a.text()));
    long first = headed ? start : again.has('h') || link.isPresent() ? start + offset : start;
    long bias = headed || again.has('h') || link.isPresent() ? offset : 0;
    var view = again.option('s').map(a -> new ElementView(call, a.text()));
    var found = walk(call, first, bias, headed, again.has('r') ? PREVIOUS : 0, end);
    var items = new ArrayList<Item>();
    for (long element : found) {
      items.add(Item.show(new Datum.Scalar("address", Cell.address(element))));
      view.ifPresent(v -> v.show(element, items));
    }
    return items.stream();
  }

  static long offset(Invocation call, String text) {
    var number = Crash.number(text);
    if (number.isPresent()) {
      return number.getAsLong();
    }
    int dot = text.indexOf('.');
    if (dot < 0) {
      throw new UsageException("'" + text + "' is neither an offset nor struct.member");
    }
    return call.program().types().offset(text.substring(0, dot), text.substring(dot + 1));
  }

  /** An address, or {@code symbol.member}. */
  static long address(Invocation call, String text) {
    int dot = text.indexOf('.');
    if (dot < 0) {
      return Crash.address(call, text);
    }
    return Expressions.evaluate("&" + text, Crash.scope(call)).asLong();
  }

  private static List<Long> walk(
      Invocation call, long first, long bias, boolean headed, int link, Optional<Long> end) {
    var memory = call.program().memory();
    var seen = new HashSet<Long>();
    var found = new ArrayList<Long>();
    long at = first;
    try {
      if (headed) {
        seen.add(at);
        at = memory.pointer(at + link);
      }
      while (at != 0) {
        call.checkInterrupt();
        if (end.isPresent() && (at == end.get() || at - bias == end.get())) {
          return found;
        }
        if (!seen.add(at)) {
          if (at != first) {
            call.fail(
                "the list comes back to 0x" + Long.toHexString(at) + ", which is not its start");
          }
          return found;
        }
        if (found.size() == LIMIT) {
          call.fail("the list has more than " + LIMIT + " elements; stopped");
          return found;
        }
        long next = memory.pointer(at + link);
        found.add(at - bias);
        at = next;
      }
    } catch (FaultException e) {
      call.fail("the list ends early: " + e.getMessage());
    }
    return found;
  }

  /** Used by {@code list} and {@code tree}: shows an element as {@code struct[.member,...]}. */
  static final class ElementView {
    private final Invocation call;
    private final CType type;
    private final List<String> members;
    private final ValueTree.Options options = ValueTree.Options.crash(Cell.Radix.DECIMAL);

    ElementView(Invocation call, String text) {
      this.call = call;
      int dot = text.indexOf('.');
      var tag = dot < 0 ? text : text.substring(0, dot);
      this.type =
          TypeName.parse(tag.startsWith("struct ") ? tag : "struct " + tag)
              .flatMap(call.program().types()::find)
              .orElseThrow(() -> new LookupException("type", "struct " + tag));
      this.members = dot < 0 ? List.of() : List.of(text.substring(dot + 1).split(","));
    }

    void show(long address, List<Item> items) {
      var value = new Value.Ref(call.program(), type, address);
      if (members.isEmpty()) {
        items.add(ValueTree.show(call, Optional.of(type.text()), value, options));
      }
      for (var path : members) {
        items.add(ValueTree.show(call, Optional.of("  " + path), value.member(path), options));
      }
    }
  }
}
