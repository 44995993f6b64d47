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
import java.util.Locale;
import java.util.stream.Stream;

/** {@code ::modinfo}. */
final class ModinfoCommand implements Command {
  @Override
  public CommandSpec spec() {
    return CommandSpec.mdb("modinfo", "list module information")
        .help(
            """
            Lists the kernel proper and its modules: number, address of the structure that
            describes it, load address, size in hexadecimal over all its ranges, more that the
            kernel knows of each (such as how many use it), name, build-id.

                > ::modinfo
                ID  ADDR             LOADADDR         SIZE     REFS NAME         BUILD-ID
                  0 -                ffffffff81000000 2e00000     - vmlinux      8a62...
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    call.args().expect(0, 0);
    var kernel = call.kernel();
    var items = new ArrayList<Item>();
    int id = 0;
    for (var image : kernel.images()) {
      var details = kernel.details(image);
      if (id == 0) {
        items.add(Item.show(header(details)));
      }
      items.add(Item.show(row(id++, image, details)));
    }
    return items.stream();
  }

  private static Datum.Header header(List<Datum.Field> details) {
    var columns = new ArrayList<Column>();
    columns.add(new Column("id", "ID", 3, Align.RIGHT));
    columns.add(new Column("addr", "ADDR", 16, Align.LEFT));
    columns.add(new Column("load_addr", "LOADADDR", 16, Align.LEFT));
    columns.add(new Column("size", "SIZE", 8, Align.RIGHT));
    for (var field : details) {
      columns.add(new Column(field.key(), field.label().toUpperCase(Locale.ROOT), 4, Align.RIGHT));
    }
    columns.add(new Column("name", "NAME", 20, Align.LEFT));
    columns.add(new Column("build_id", "BUILD-ID", 0, Align.LEFT));
    return new Datum.Header("modules", columns);
  }

  private static Datum.Row row(int id, Image image, List<Datum.Field> details) {
    long size = 0;
    for (var range : image.ranges()) {
      size += range.length();
    }
    var cells = new ArrayList<Cell>();
    cells.add(Cell.decimal(id));
    cells.add(
        image.object().isPresent()
            ? Cell.address(image.object().getAsLong())
            : new Cell.Absent("no structure describes the kernel proper"));
    cells.add(
        image.ranges().isEmpty()
            ? new Cell.Absent("load address not found")
            : Cell.address(image.ranges().getFirst().start()));
    cells.add(Cell.bareHex(size));
    for (var field : details) {
      cells.add(field.value());
    }
    cells.add(Cell.text(image.name()));
    cells.add(image.buildId().map(Cell::text).orElseGet(() -> new Cell.Absent("no build-id")));
    return new Datum.Row(cells);
  }
}
