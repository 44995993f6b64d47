// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.gdb;

import dev.fathom.base.Datum;
import dev.fathom.base.UsageException;
import dev.fathom.command.CExpression;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import dev.fathom.model.Symbol;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.CompositeType;
import java.util.Optional;
import java.util.stream.Stream;

/** {@code ptype}. */
final class PtypeCommand implements Command {
  @Override
  public CommandSpec spec() {
    return CommandSpec.crash("ptype", "show how a type, or an expression's type, is defined")
        .reading(CommandSpec.Reading.C)
        .arguments("[/o] type | expression")
        .help(
            """
            Shows the definition of a type or of the type of a C expression, with typedefs replaced
            by what they stand for. With `/o` each member of a structure has its offset and size in
            front, and what lies unused between members is shown.

                > ptype struct list_head
                > ptype/o struct page
                > ptype init_task.mm
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    var words = Words.of(call);
    boolean offsets = !words.isEmpty() && words.getFirst().startsWith("/");
    if (offsets && !words.getFirst().equals("/o")) {
      throw new UsageException("the only format of ptype is /o");
    }
    var text = Words.joined(words, offsets ? 1 : 0);
    if (text.isEmpty()) {
      throw new UsageException("expected a type or an expression");
    }
    return PtypeText.of(type(call, text), offsets).stream()
        .map(line -> Item.show(new Datum.Text(line)));
  }

  private static boolean isClass(CType type) {
    return type.resolved() instanceof CompositeType c && c.isCxx();
  }

  /** The type that text names, unless it is a variable's name alone; else the expression's. */
  static CType type(Invocation call, String text) {
    var symbol = call.program().symbols().first(text);
    // The functions that make objects have the name of their class.
    boolean function = symbol.filter(s -> s.kind() == Symbol.Kind.TEXT).isPresent();
    Optional<CType> named =
        symbol.isPresent() && !function ? Optional.empty() : CExpression.type(call, text);
    if (function && !named.filter(PtypeCommand::isClass).isPresent()) {
      named = Optional.empty();
    }
    return named.orElseGet(() -> CExpression.evaluate(call, text).type());
  }
}
