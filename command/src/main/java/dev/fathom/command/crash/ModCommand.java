// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.crash;

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

/** {@code mod}. */
final class ModCommand implements Command {
  @Override
  public CommandSpec spec() {
    return CommandSpec.crash("mod", "list the kernel's modules")
        .help(
            """
            Lists the loaded modules: the address of each one's structure, its name, where it was
            loaded, and its size in bytes. Symbols of modules are there without loading anything.

                > mod
                MODULE           NAME                 BASE             SIZE
                ffffffffc0006080 virtio_net           ffffffffc0001000    65536
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
                    new Column("module", "MODULE", 16, Align.LEFT),
                    new Column("name", "NAME", 20, Align.LEFT),
                    new Column("base", "BASE", 16, Align.LEFT),
                    new Column("size", "SIZE", 8, Align.RIGHT)))));
    for (var image : call.kernel().images()) {
      if (image.object().isPresent()) {
        items.add(Item.show(row(image)));
      }
    }
    return items.stream();
  }

  private static Datum.Row row(Image image) {
    long size = 0;
    for (var range : image.ranges()) {
      size += range.length();
    }
    return new Datum.Row(
        List.of(
            Cell.address(image.object().orElseThrow()),
            Cell.text(image.name()),
            image.ranges().isEmpty()
                ? new Cell.Absent("load address not found")
                : Cell.address(image.ranges().getFirst().start()),
            Cell.unsigned(size)));
  }
}
