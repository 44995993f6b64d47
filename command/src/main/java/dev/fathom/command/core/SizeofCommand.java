// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.core;

import dev.fathom.base.Cell;
import dev.fathom.base.Datum;
import dev.fathom.base.TextRenderer;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import dev.fathom.command.TypeWords;
import java.util.List;
import java.util.stream.Stream;

/** {@code ::sizeof}. */
final class SizeofCommand implements Command {
  @Override
  public CommandSpec spec() {
    return CommandSpec.mdb("sizeof", "print the size of a type")
        .arguments("type")
        .help(
            """
            Prints the size of a type in bytes.

                > ::sizeof struct list_head
                sizeof (struct list_head) = 0x10
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    var type = TypeWords.get(call.program().types(), call.args().operands());
    call.args().expect(type.words(), type.words());
    var size = Cell.hex(type.type().bytes());
    return Stream.of(
        Item.show(
            new Datum.Fact(
                "sizeof (" + type.type().text() + ") = " + TextRenderer.text(size),
                List.of(
                    new Datum.Field("type", "type", Cell.text(type.type().text())),
                    new Datum.Field("size", "size", Cell.unsigned(type.type().bytes()))))));
  }
}
