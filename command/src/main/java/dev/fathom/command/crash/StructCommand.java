// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.crash;

import dev.fathom.base.Cell;
import dev.fathom.base.Datum;
import dev.fathom.base.LookupException;
import dev.fathom.base.UsageException;
import dev.fathom.command.Arguments;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import dev.fathom.command.ValueTree;
import dev.fathom.model.Value;
import dev.fathom.model.type.CType;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/** {@code struct} and {@code union}. */
final class StructCommand implements Command {
  private final String keyword;

  StructCommand(String keyword) {
    this.keyword = keyword;
  }

  @Override
  public CommandSpec spec() {
    return CommandSpec.crash(keyword, "show a " + keyword + ": its layout, or one in memory")
        .flag('o', "with the offset of each member, or the address of each in memory")
        .flag('x', "numbers in hexadecimal")
        .flag('d', "numbers in decimal (the default)")
        .flag('u', "the address is one of the selected task's user space")
        .option('c', "count", "show this many, one behind the other")
        .option('l', "offset", "the address given is that many bytes, or that member, inside it")
        .arguments("name[.member,member...] [address | symbol[:cpus]] [count]")
        .help(
            """
            Shows the layout of a structure, or with an address the one that stands there; `count`
            shows several in a row. Behind the name one or more members may be picked.

                > struct list_head
                > struct -o task_struct
                > struct task_struct.pid,comm init_task
                > struct page ffffea0000000000 2
                > struct task_struct.comm -l tasks ffff888003858500
            """
                .replace("> struct", "> " + keyword)
                .replace("a structure", keyword.equals("union") ? "a union" : "a structure"));
  }

  @Override
  public Stream<Item> run(Invocation call) {
    var args = call.args().expect(1, 3);
    var named = Crash.typeAndMembers(call, args.word(0), keyword);
    var options = options(call);
    if (args.count() == 1) {
      return layout(call, named.type(), named.members(), options);
    }
    long count = count(args);
    long inside = args.option('l').map(a -> inside(call, named.type(), a.text())).orElse(0L);
    var space = args.has('u') ? Crash.userSpace(call) : call.program().memory();
    var addresses = addresses(call, args.word(1));
    long bytes = named.type().bytes();
    return LongStream.range(0, addresses.size() * count)
        .mapToObj(
            i -> {
              long start = addresses.get((int) (i / count)) - inside + i % count * bytes;
              return new Value.Ref(call.program(), named.type(), space, start, 0, 0);
            })
        .flatMap(value -> show(call, value, named.members(), options).stream());
  }

  private static long count(Arguments args) {
    if (args.count() == 3 && args.has('c')) {
      throw new UsageException("the count is given twice");
    }
    return args.count() == 3
        ? Crash.count(args.word(2))
        : args.option('c').map(a -> Crash.count(a.text())).orElse(1L);
  }

  private static ValueTree.Options options(Invocation call) {
    var args = call.args();
    return ValueTree.Options.crash(args.has('x') ? Cell.Radix.HEX : Cell.Radix.DECIMAL)
        .withAddresses(args.has('o'));
  }

  private static long inside(Invocation call, CType type, String text) {
    var number = Crash.number(text);
    if (number.isPresent()) {
      return number.getAsLong();
    }
    var path = text.substring(text.indexOf('.') + 1);
    return call.program()
        .types()
        .member(type, path)
        .orElseThrow(() -> new LookupException("member of " + type.text(), path))
        .byteOffset();
  }

  private static List<Long> addresses(Invocation call, String text) {
    int colon = text.indexOf(':');
    if (colon < 0) {
      return List.of(Crash.address(call, text));
    }
    long offset = Crash.address(call, text.substring(0, colon));
    var addresses = new ArrayList<Long>();
    for (int cpu : Crash.cpus(call, text.substring(colon + 1))) {
      addresses.add(
          call.kernel()
              .perCpu(offset, cpu)
              .orElseThrow(() -> new LookupException("CPU", Integer.toString(cpu))));
    }
    return addresses;
  }

  private static Stream<Item> layout(
      Invocation call, CType type, List<String> members, ValueTree.Options options) {
    var items = new ArrayList<Item>();
    if (members.isEmpty()) {
      items.add(Item.show(ValueTree.layout(call.program(), type, options)));
      items.add(Item.show(new Datum.Scalar("size", Cell.text("SIZE: " + type.bytes()))));
    }
    for (var path : members) {
      var found =
          call.program()
              .types()
              .member(type, path)
              .orElseThrow(() -> new LookupException("member of " + type.text(), path));
      items.add(
          Item.show(
              new Datum.Text(
                  "["
                      + found.byteOffset()
                      + "] "
                      + found.member().type().declare(found.member().name())
                      + ";")));
    }
    return items.stream();
  }

  private static List<Item> show(
      Invocation call, Value value, List<String> members, ValueTree.Options options) {
    var items = new ArrayList<Item>();
    if (members.isEmpty()) {
      items.add(
          call.toPipe()
              ? Item.value(value)
              : ValueTree.show(call, Optional.of(value.type().text()), value, options));
    }
    for (var path : members) {
      var member = Crash.member(call, value, path);
      items.add(
          call.toPipe()
              ? Item.contents(member)
              : ValueTree.show(call, Optional.of(path), member, options));
    }
    return items;
  }
}
