// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.crash;

import dev.fathom.base.Cell;
import dev.fathom.base.Datum;
import dev.fathom.base.FathomException;
import dev.fathom.base.UsageException;
import dev.fathom.command.CExpression;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import dev.fathom.command.ValueTree;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.CompositeType;
import dev.fathom.model.type.EnumType;
import dev.fathom.model.type.TypedefType;
import java.util.ArrayList;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** {@code whatis}. */
final class WhatisCommand implements Command {
  /** What can stand in a declaration; of other expressions the type alone is shown. */
  private static final Pattern NAME = Pattern.compile("[A-Za-z_$][\\w$]*(::[A-Za-z_$][\\w$]*)*");

  @Override
  public CommandSpec spec() {
    return CommandSpec.crash("whatis", "show the definition of a type, or the type of a symbol")
        .reading(CommandSpec.Reading.C)
        .flag('o', "with the offset of each member")
        .arguments("type | symbol | expression")
        .help(
            """
            Shows how a structure, union, enum or typedef is defined, or which type a variable, a
            function or a C expression has.

                > whatis struct list_head
                > whatis pid_t
                > whatis schedule
                > whatis init_task.comm
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    var text = call.args().joined();
    if (text.isEmpty()) {
      throw new UsageException("expected a type or an expression");
    }
    boolean tagged = text.matches("(struct|union|enum)\\s.*");
    if (tagged || call.program().symbols().first(text).isEmpty()) {
      var type = CExpression.type(call, text);
      if (type.isPresent()) {
        return definition(call, type.get());
      }
    }
    var found = typeOf(call, text);
    return Stream.of(
        line((NAME.matcher(text).matches() ? found.declare(text) : found.text()) + ";"));
  }

  /** The type of what the text names here, or of a symbol that has no value. */
  private static CType typeOf(Invocation call, String text) {
    try {
      return CExpression.evaluate(call, text).type();
    } catch (FathomException e) {
      return call.program().types().ofSymbol(text).orElseThrow(() -> e);
    }
  }

  private static Stream<Item> definition(Invocation call, CType type) {
    return switch (type) {
      case TypedefType t -> Stream.of(line("typedef " + t.target().declare(t.name()) + ";"));
      case CompositeType c -> {
        var options =
            ValueTree.Options.crash(Cell.Radix.DECIMAL).withAddresses(call.args().has('o'));
        yield Stream.of(
            Item.show(ValueTree.layout(call.program(), c, options)), line("SIZE: " + c.bytes()));
      }
      case EnumType e -> {
        var items = new ArrayList<Item>();
        items.add(line("enum " + e.name() + " {"));
        for (var item : e.enumerators()) {
          items.add(line("  " + item.name() + " = " + item.value() + ","));
        }
        items.add(line("};"));
        yield items.stream();
      }
      default -> Stream.of(line(type.text() + " (" + type.bytes() + " bytes)"));
    };
  }

  private static Item line(String text) {
    return Item.show(new Datum.Text(text));
  }
}
