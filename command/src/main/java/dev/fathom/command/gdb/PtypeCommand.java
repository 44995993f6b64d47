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
import dev.fathom.model.type.TypeName;
import java.util.List;
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
            front, structures and unions in it are shown whole, and so is what lies unused between
            members.

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
    var symbols = call.program().symbols().exactly(text);
    // A class goes before variables that other files keep for themselves.
    if (!symbols.isEmpty()
        && symbols.stream().allMatch(s -> Character.isLowerCase(s.letter()))
        && CExpression.type(call, text).filter(PtypeCommand::isClass).isPresent()) {
      symbols = List.of();
    }
    // The functions that make objects have the name of their class.
    boolean function = symbols.stream().anyMatch(s -> s.kind() == Symbol.Kind.TEXT);
    Optional<CType> named =
        !symbols.isEmpty() && !function ? Optional.empty() : CExpression.type(call, text);
    if (function && !named.filter(PtypeCommand::isClass).isPresent()) {
      named = Optional.empty();
    }
    boolean unknown = symbols.isEmpty();
    return named
        .or(() -> unknown ? made(call, text) : Optional.empty())
        .orElseGet(() -> CExpression.evaluate(call, text).type());
  }

  /** A class that is in another or in a namespace, by a function that makes its objects. */
  private static Optional<CType> made(Invocation call, String text) {
    var own = "::" + text + "::" + text + "(";
    return call.program().symbols().named(text).stream()
        .map(Symbol::name)
        .filter(name -> name.contains(own))
        .map(name -> name.substring(0, name.indexOf(own) + 2 + text.length()))
        .flatMap(name -> call.program().types().find(TypeName.plain(name)).stream())
        .findFirst();
  }
}
