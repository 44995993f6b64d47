// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.core;

import dev.fathom.base.Cell;
import dev.fathom.base.Datum;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import dev.fathom.command.Tasks;
import dev.fathom.kernel.Mapping;
import java.util.List;
import java.util.stream.Stream;

/** {@code ::mappings} and {@code $m}. */
final class MappingsCommand implements Command {
  @Override
  public CommandSpec spec() {
    return CommandSpec.mdb("mappings", "print address space mappings")
        .alias("$m")
        .addressOptional()
        .arguments("[name]")
        .help(
            """
            Lists the regions of the kernel's address space; with a task (address or id) in front,
            the mappings of that process. A name picks those that contain it.

                > ::mappings
                > 0t1::mappings libc
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    var args = call.args().expect(0, 1);
    List<Mapping> mappings =
        call.hasAddress()
            ? call.kernel().mappings(Tasks.current(call), call)
            : call.kernel().mappings();
    var rows =
        mappings.stream()
            .filter(mapping -> args.isEmpty() || mapping.name().contains(args.word(0)));
    if (call.toPipe()) {
      return rows.map(mapping -> Item.value(Values.address(call, mapping.range().start())));
    }
    return Stream.concat(Stream.of(Item.show(header())), rows.map(MappingsCommand::row));
  }

  private static Datum header() {
    return new Datum.Header(
        "mappings",
        List.of(
            new Datum.Column("base", "BASE", 16, Datum.Align.RIGHT),
            new Datum.Column("limit", "LIMIT", 16, Datum.Align.RIGHT),
            new Datum.Column("size", "SIZE", 12, Datum.Align.RIGHT),
            new Datum.Column("protection", "PROT", 4, Datum.Align.LEFT),
            new Datum.Column("name", "NAME", 0, Datum.Align.LEFT)));
  }

  private static Item row(Mapping mapping) {
    return Item.show(
        new Datum.Row(
            List.of(
                Cell.address(mapping.range().start()),
                Cell.address(mapping.range().end()),
                Cell.bareHex(mapping.range().length()),
                Cell.text(mapping.protection()),
                Cell.text(mapping.name()))));
  }
}
