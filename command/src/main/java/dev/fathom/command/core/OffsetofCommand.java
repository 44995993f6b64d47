// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.core;

import dev.fathom.base.Cell;
import dev.fathom.base.Datum;
import dev.fathom.base.EvalException;
import dev.fathom.base.TextRenderer;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import dev.fathom.command.TypeWords;
import java.util.List;
import java.util.stream.Stream;

/** {@code ::offsetof}. */
final class OffsetofCommand implements Command {
  @Override
  public CommandSpec spec() {
    return CommandSpec.mdb("offsetof", "print the offset of a given struct or union member")
        .arguments("type member")
        .help(
            """
            Prints the offset of a member in bytes, and its size. A bit-field's offset has its bit
            behind a dot. The member may be a path.

                > ::offsetof struct list_head prev
                offsetof (struct list_head, prev) = 8, sizeof (struct list_head->prev) = 8
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    var type = TypeWords.get(call.program().types(), call.args().operands());
    call.args().expect(type.words() + 1, type.words() + 1);
    var name = call.args().word(type.words());
    var typeText = type.type().text();
    var found =
        call.program()
            .types()
            .member(type.type(), name)
            .orElseThrow(
                () ->
                    new EvalException(
                        "failed to find member "
                            + name
                            + " of "
                            + typeText
                            + ": no such member of structure or union"));
    long bits = found.bitOffset() % 8;
    long size = found.member().type().bytes();
    var text =
        "offsetof ("
            + typeText
            + ", "
            + name
            + ") = "
            + TextRenderer.text(Cell.hex(found.byteOffset()))
            + (bits == 0 ? "" : "." + bits)
            + ", sizeof ("
            + typeText
            + "->"
            + name
            + ") = "
            + TextRenderer.text(Cell.hex(size));
    return Stream.of(
        Item.show(
            new Datum.Fact(
                text,
                List.of(
                    new Datum.Field("type", "type", Cell.text(typeText)),
                    new Datum.Field("member", "member", Cell.text(name)),
                    new Datum.Field("size", "size", Cell.unsigned(size)),
                    new Datum.Field("bit", "bit", Cell.unsigned(bits)),
                    new Datum.Field("offset", "offset", Cell.unsigned(found.byteOffset()))))));
  }
}
