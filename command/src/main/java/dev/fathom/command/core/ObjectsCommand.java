// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.core;

import dev.fathom.base.Cell;
import dev.fathom.base.Datum;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import dev.fathom.model.Image;
import java.util.List;
import java.util.stream.Stream;

/** {@code ::objects} and {@code $f}. */
final class ObjectsCommand implements Command {
  @Override
  public CommandSpec spec() {
    return CommandSpec.mdb("objects", "print load objects information")
        .alias("$f")
        .flag('v', "also the build-id")
        .help(
            """
            Lists what is loaded: the kernel and its modules, with the addresses they take.

                > ::objects
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    call.args().expect(0, 0);
    boolean verbose = call.args().has('v');
    return Stream.concat(
        Stream.of(Item.show(header(verbose))),
        call.kernel().images().stream().flatMap(image -> rows(image, verbose)));
  }

  private static Datum header(boolean verbose) {
    var base = new Datum.Column("base", "BASE", 16, Datum.Align.RIGHT);
    var limit = new Datum.Column("limit", "LIMIT", 16, Datum.Align.RIGHT);
    var size = new Datum.Column("size", "SIZE", 12, Datum.Align.RIGHT);
    var id = new Datum.Column("build_id", "BUILD-ID", 40, Datum.Align.LEFT);
    var name = new Datum.Column("name", "NAME", 0, Datum.Align.LEFT);
    return new Datum.Header(
        "objects",
        verbose ? List.of(base, limit, size, id, name) : List.of(base, limit, size, name));
  }

  private static Stream<Item> rows(Image image, boolean verbose) {
    return image.ranges().stream()
        .map(
            range -> {
              var base = Cell.address(range.start());
              var limit = Cell.address(range.end());
              var size = Cell.bareHex(range.length());
              var name = Cell.text(image.name());
              Cell id =
                  image.buildId().isPresent()
                      ? Cell.text(image.buildId().get())
                      : new Cell.Absent("not known");
              return Item.show(
                  new Datum.Row(
                      verbose
                          ? List.of(base, limit, size, id, name)
                          : List.of(base, limit, size, name)));
            });
  }
}
