// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.crash;

import dev.fathom.base.Cell;
import dev.fathom.base.Datum;
import dev.fathom.base.LookupException;
import dev.fathom.base.UsageException;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import dev.fathom.command.ValueTree;
import dev.fathom.model.Value;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.TypeName;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
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
    var word = args.word(0);
    int dot = word.indexOf('.');
    var tag = dot < 0 ? word : word.substring(0, dot);
    var members = dot < 0 ? List.<String>of() : List.of(word.substring(dot + 1).split(","));
    var type = type(call, tag);
    var options = options(call);
    if (args.count() == 1) {
      return layout(call, type, members, options);
    }
    long count =
        args.count() == 3
            ? Crash.number(args.word(2))
                .orElseThrow(() -> new UsageException("'" + args.word(2) + "' is not a count"))
            : 1;
    long inside = args.option('l').map(a -> inside(call, type, a.text())).orElse(0L);
    var items = new ArrayList<Item>();
    for (long address : addresses(call, args.word(1))) {
      for (long i = 0; i < count; i++) {
        call.checkInterrupt();
        var value = new Value.Ref(call.program(), type, address - inside + i * type.bytes());
        show(call, value, members, options, items);
      }
    }
    return items.stream();
  }

  private static ValueTree.Options options(Invocation call) {
    var args = call.args();
    return ValueTree.Options.crash(args.has('x') ? Cell.Radix.HEX : Cell.Radix.DECIMAL)
        .withAddresses(args.has('o'));
  }

  private CType type(Invocation call, String tag) {
    return TypeName.parse(keyword + " " + tag)
        .flatMap(call.program().types()::find)
        .or(() -> TypeName.parse(tag).flatMap(call.program().types()::find))
        .orElseThrow(() -> new LookupException("type", keyword + " " + tag));
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

  private static void show(
      Invocation call,
      Value value,
      List<String> members,
      ValueTree.Options options,
      List<Item> items) {
    if (call.toPipe()) {
      for (var path : members) {
        items.add(Item.value(value.member(path)));
      }
      if (members.isEmpty()) {
        items.add(Item.value(value));
      }
      return;
    }
    if (members.isEmpty()) {
      items.add(ValueTree.show(call, Optional.of(value.type().text()), value, options));
    }
    for (var path : members) {
      items.add(ValueTree.show(call, Optional.of(path), value.member(path), options));
    }
  }
}
