// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.core;

import dev.fathom.base.Cell;
import dev.fathom.base.Datum;
import dev.fathom.base.UsageException;
import dev.fathom.command.Argument;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import dev.fathom.model.type.TypeSource;
import dev.fathom.model.type.TypeSystem;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** {@code ::typesources}. */
final class TypesourcesCommand implements Command {
  @Override
  public CommandSpec spec() {
    return CommandSpec.mdb("typesources", "list, order or switch off sources of types")
        .flag('a', "ask all sources again, in their own order")
        .flag('x', "ask the sources named no more")
        .arguments("[NAME...]")
        .help(
            """
            Lists where types come from, in the order in which they are asked for a type; the
            first that defines it answers. Sources that know every variable and function are asked
            before the others about the type of one. Those named are put first, in that order.

                > ::typesources
                > ::typesources dwarf
                > ::typesources -x "btf of modules" btf
                > ::typesources -a
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    var args = call.args();
    var types = call.program().types();
    if (args.has('a')) {
      args.expect(0, 0);
      if (args.has('x')) {
        throw new UsageException("-a and -x exclude each other");
      }
      types.use(types.known());
      return Stream.empty();
    }
    var named = new ArrayList<TypeSource>();
    for (var name : args.operands().stream().map(Argument::text).toList()) {
      var source = find(types, name);
      if (!named.contains(source)) {
        named.add(source);
      }
    }
    if (named.isEmpty()) {
      if (args.has('x')) {
        throw new UsageException("-x needs a source's name");
      }
      return list(types);
    }
    var ordered = args.has('x') ? new ArrayList<TypeSource>() : named;
    types.sources().stream().filter(source -> !named.contains(source)).forEach(ordered::add);
    types.use(ordered);
    return Stream.empty();
  }

  private static TypeSource find(TypeSystem types, String name) {
    return types.known().stream()
        .filter(source -> source.name().equals(name))
        .findFirst()
        .orElseThrow(() -> new UsageException("no source of types is called '" + name + "'"));
  }

  private static Stream<Item> list(TypeSystem types) {
    var items = new ArrayList<Item>();
    items.add(
        Item.show(
            new Datum.Header(
                "typesources",
                List.of(
                    new Datum.Column("order", "ORDER", 5, Datum.Align.RIGHT),
                    new Datum.Column("symbols", "SYMBOLS", 7, Datum.Align.LEFT),
                    new Datum.Column("name", "NAME", 0, Datum.Align.LEFT)))));
    int order = 0;
    for (var source : types.sources()) {
      items.add(row(Cell.decimal(++order), source));
    }
    for (var source : types.known()) {
      if (!types.sources().contains(source)) {
        items.add(row(new Cell.Absent("not asked"), source));
      }
    }
    return items.stream();
  }

  private static Item row(Cell order, TypeSource source) {
    var symbols = Cell.text(source.knowsSymbols() ? "all" : "some");
    return Item.show(new Datum.Row(List.of(order, symbols, Cell.text(source.name()))));
  }
}
