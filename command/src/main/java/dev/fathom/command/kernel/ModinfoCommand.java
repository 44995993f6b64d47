// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.kernel;

import dev.fathom.base.Cell;
import dev.fathom.base.Datum;
import dev.fathom.base.Datum.Align;
import dev.fathom.base.Datum.Column;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import dev.fathom.model.Image;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** {@code ::modinfo}. */
final class ModinfoCommand implements Command {
  @Override
  public CommandSpec spec() {
    return CommandSpec.mdb("modinfo", "list module information")
        .help(
            """
            Lists the kernel proper and its modules: number, address of the structure that
            describes it, load address, size in hexadecimal over all its ranges, name, build-id.

                > ::modinfo
                ID  ADDR             LOADADDR         SIZE     NAME         BUILD-ID
                  0 -                ffffffff81000000 2e00000  vmlinux      8a62...
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    call.args().expect(0, 0);
    var items = new ArrayList<Item>();
    items.add(
        Item.show(
            new Datum.Header(
                "modules",
                List.of(
                    new Column("id", "ID", 3, Align.RIGHT),
                    new Column("addr", "ADDR", 16, Align.LEFT),
                    new Column("load_addr", "LOADADDR", 16, Align.LEFT),
                    new Column("size", "SIZE", 8, Align.RIGHT),
                    new Column("name", "NAME", 20, Align.LEFT),
                    new Column("build_id", "BUILD-ID", 0, Align.LEFT)))));
    int id = 0;
    for (var image : call.kernel().images()) {
      items.add(Item.show(row(id++, image)));
    }
    return items.stream();
  }

  private static Datum.Row row(int id, Image image) {
    long size = 0;
    for (var range : image.ranges()) {
      size += range.length();
    }
    return new Datum.Row(
        List.of(
            Cell.decimal(id),
            image.object().isPresent()
                ? Cell.address(image.object().getAsLong())
                : new Cell.Absent("no structure describes the kernel proper"),
            image.ranges().isEmpty()
                ? new Cell.Absent("load address not found")
                : Cell.address(image.ranges().getFirst().start()),
            Cell.bareHex(size),
            Cell.text(image.name()),
            image.buildId().map(Cell::text).orElseGet(() -> new Cell.Absent("no build-id"))));
  }
}
