// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.core;

import dev.fathom.base.Cell;
import dev.fathom.base.Datum;
import dev.fathom.base.EvalException;
import dev.fathom.base.UsageException;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import dev.fathom.model.type.EnumType;
import dev.fathom.model.type.TypeName;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** {@code ::enum}. */
final class EnumCommand implements Command {
  @Override
  public CommandSpec spec() {
    return CommandSpec.mdb("enum", "print an enumeration")
        .addressOptional()
        .flag('e', "as C would declare it")
        .flag('x', "values in hexadecimal")
        .arguments("enum [name]")
        .help(
            """
            Prints the enumerators of an enumeration: all, the one called `name`, or, with an
            address, those of that value.

                > ::enum pid_type
                VALUE NAME
                0     PIDTYPE_PID
                1     PIDTYPE_TGID
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    var words = new ArrayList<String>();
    call.args().operands().forEach(operand -> words.add(operand.text()));
    if (words.size() > 1 && words.getFirst().equals("enum")) {
      words.removeFirst();
    }
    if (words.isEmpty() || words.size() > 2) {
      throw new UsageException("the name of an enumeration is needed");
    }
    var type = find(call, words.getFirst());
    var chosen =
        type.enumerators().stream()
            .filter(item -> words.size() < 2 || item.name().equals(words.get(1)))
            .filter(item -> !call.hasAddress() || item.value() == call.address())
            .toList();
    if (chosen.isEmpty()) {
      throw new EvalException(
          words.size() < 2
              ? "no enumerator of " + type.text() + " has that value"
              : words.get(1) + " is no enumerator of " + type.text());
    }
    if (call.toPipe()) {
      return chosen.stream().map(item -> Item.value(Values.address(call, item.value())));
    }
    return call.args().has('e') ? declaration(call, type, chosen) : table(call, type, chosen);
  }

  private static EnumType find(Invocation call, String name) {
    var text = name.startsWith("enum ") ? name.substring(5).strip() : name;
    var types = call.program().types();
    for (var kind : List.of(TypeName.Kind.ENUM, TypeName.Kind.PLAIN)) {
      var found = types.find(new TypeName(kind, text));
      if (found.isPresent() && found.get().resolved() instanceof EnumType type) {
        return type;
      }
    }
    throw new EvalException("failed to look up type enum " + text);
  }

  private static Cell value(Invocation call, EnumType type, EnumType.Enumerator item) {
    return call.args().has('x')
        ? Cell.hex(item.value())
        : new Cell.Int(item.value(), Cell.Radix.DECIMAL, type.signed(), false);
  }

  private static Stream<Item> table(
      Invocation call, EnumType type, List<EnumType.Enumerator> chosen) {
    var header =
        new Datum.Header(
            "enum",
            List.of(
                new Datum.Column("value", "VALUE", 5, Datum.Align.LEFT),
                new Datum.Column("name", "NAME", 0, Datum.Align.LEFT)));
    return Stream.concat(
        Stream.of(Item.show(header)),
        chosen.stream()
            .map(
                item ->
                    Item.show(
                        new Datum.Row(List.of(value(call, type, item), Cell.text(item.name()))))));
  }

  private static Stream<Item> declaration(
      Invocation call, EnumType type, List<EnumType.Enumerator> chosen) {
    var members = new ArrayList<Datum.Node>();
    for (var item : chosen) {
      members.add(
          new Datum.Node(
              Optional.of(item.name()),
              Optional.empty(),
              java.util.OptionalLong.empty(),
              new Datum.Leaf(value(call, type, item), Optional.empty())));
    }
    return Stream.of(
        Item.show(
            new Datum.Tree(
                new Datum.Node(
                    Optional.empty(),
                    Optional.of(type.text()),
                    java.util.OptionalLong.empty(),
                    new Datum.Composite(members)),
                Datum.Style.CRASH)));
  }
}
