// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.crash;

import dev.fathom.base.Cell;
import dev.fathom.base.Datum;
import dev.fathom.base.UnsupportedException;
import dev.fathom.base.UsageException;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import dev.fathom.kernel.Walker;
import dev.fathom.model.Value;
import dev.fathom.model.type.VoidType;
import java.util.ArrayList;
import java.util.Optional;
import java.util.stream.Stream;

/** {@code tree}. */
final class TreeCommand implements Command {
  @Override
  public CommandSpec spec() {
    return CommandSpec.crash("tree", "walk a red-black tree, radix tree, xarray or maple tree")
        .option('t', "type", "rbtree (the default), radix, xarray or maple")
        .option('o', "offset", "where the rb_node stands in the structure: bytes, or struct.member")
        .option('s', "struct[.members]", "show each entry as this structure, or these members")
        .arguments("address|symbol")
        .help(
            """
            Shows the entries of a tree whose root stands at the address, in order. Entries of a
            red-black tree are the structures that hold its nodes when `-o` says where.

                > tree -t rbtree -o vmap_area.rb_node vmap_area_root
                > tree -t xarray ffff888003a1c048 -s page.flags
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    var args = call.args().expect(1, 1);
    var type = args.option('t').map(a -> a.text()).orElse("rbtree");
    var walker = walker(call, type);
    long root = ListCommand.address(call, args.word(0));
    long offset = args.option('o').map(a -> ListCommand.offset(call, a.text())).orElse(0L);
    var view = args.option('s').map(a -> new ElementView(call, a.text(), Cell.Radix.DECIMAL));
    var start =
        new Value.Imm(call.program(), call.program().types().pointerTo(VoidType.VOID), root);
    return walker
        .walk(call.program(), Optional.of(start), call)
        .flatMap(
            value -> {
              long address =
                  (value instanceof Value.Ref ref ? ref.address() : value.asLong()) - offset;
              var items = new ArrayList<Item>();
              if (!call.toPipe() || view.isEmpty()) {
                items.add(Item.show(new Datum.Scalar("address", Cell.address(address))));
              }
              view.ifPresent(v -> items.addAll(v.of(address)));
              return items.stream();
            });
  }

  private static Walker walker(Invocation call, String type) {
    switch (type) {
      case "rbtree", "radix", "xarray", "maple" -> {}
      default -> throw new UsageException("'" + type + "' is none of rbtree, radix, xarray, maple");
    }
    for (var walker : call.kernel().walkers()) {
      if (walker.name().equals(type)) {
        return walker;
      }
    }
    throw new UnsupportedException(call.kernel().os() + " has no " + type + " trees here");
  }
}
