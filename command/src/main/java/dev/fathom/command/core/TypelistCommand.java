// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.core;

import dev.fathom.base.Datum;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import dev.fathom.model.type.TypeSource;
import java.util.stream.Stream;

/** {@code ::typelist}. */
final class TypelistCommand implements Command {
  @Override
  public CommandSpec spec() {
    return CommandSpec.mdb("typelist", "list known types")
        .arguments("[text]")
        .help(
            """
            Lists the names of the types that are known, those of modules too, or of those in whose
            name the text occurs.

                > ::typelist list_head
                struct list_head
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    var args = call.args().expect(0, 1);
    var wanted = args.count() == 1 ? args.word(0) : "";
    return call.program().types().sources().stream()
        .flatMap(TypeSource::typeNames)
        .map(TypeSource.Named::text)
        .filter(name -> name.contains(wanted))
        .peek(_ -> call.checkInterrupt())
        .map(name -> Item.show(new Datum.Text(name)));
  }
}
