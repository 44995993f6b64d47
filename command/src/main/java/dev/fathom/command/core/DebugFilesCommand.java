// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.core;

import dev.fathom.base.Cell;
import dev.fathom.base.Datum;
import dev.fathom.base.UsageException;
import dev.fathom.command.Argument;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import dev.fathom.format.dwarf.SplitPart;
import dev.fathom.model.Image;
import dev.fathom.symbols.debugfile.DebugFileSettings;
import dev.fathom.symbols.debugfile.Search;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** {@code ::debugfiles}. */
final class DebugFilesCommand implements Command {
  @Override
  public CommandSpec spec() {
    return CommandSpec.mdb("debugfiles", "show debug files that were found, and where")
        .flag('a', "of every module, not only of the kernel")
        .flag('v', "also every place that was searched")
        .arguments("[MODULE...]")
        .help(
            """
            Looks for the file with debug information of the kernel, or of the modules named, and
            says where it is. A file of another build is refused; both build-ids are shown. What was
            wrong with those that were read so far is told.

                > ::debugfiles
                > ::debugfiles -v virtio_net

            The files and folders of --debug-file, --debug-dir and FATHOM_DEBUG_PATH are searched
            first, then /usr/lib/debug and /lib/modules. Servers are asked only when DEBUGINFOD_URLS
            names some.
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    var files = call.session().debugFiles();
    boolean verbose = call.args().has('v');
    var items = new ArrayList<Item>();
    items.add(
        Item.show(
            new Datum.Header(
                "debugfiles",
                List.of(
                    new Datum.Column("name", "NAME", 20, Datum.Align.LEFT),
                    new Datum.Column("build_id", "BUILD-ID", 40, Datum.Align.LEFT),
                    new Datum.Column("file", "FILE", 0, Datum.Align.LEFT)))));
    boolean missing = false;
    for (var image : wanted(call)) {
      var search = files.find(image);
      missing |= search.found().isEmpty();
      items.add(Item.show(verbose ? block(image, search, files.parts(image)) : row(image, search)));
      for (var refused : search.refused()) {
        items.add(
            Item.show(
                new Datum.Note(
                    Datum.Severity.WARNING, refused.where() + ": " + refused.outcome().text())));
      }
    }
    if (missing) {
      items.add(Item.show(new Datum.Note(Datum.Severity.INFO, hint(files.files().settings()))));
    }
    for (var problem : call.session().sources().problems()) {
      items.add(Item.show(new Datum.Note(Datum.Severity.WARNING, problem)));
    }
    return items.stream();
  }

  private static List<Image> wanted(Invocation call) {
    var images = call.kernel().images();
    var names = call.args().operands().stream().map(Argument::text).toList();
    if (names.isEmpty()) {
      return call.args().has('a') ? images : images.stream().limit(1).toList();
    }
    var wanted = new ArrayList<Image>();
    for (var name : names) {
      var found = images.stream().filter(i -> i.name().equals(name)).findFirst();
      wanted.add(found.orElseThrow(() -> new UsageException("no module '" + name + "' is loaded")));
    }
    return wanted;
  }

  private static Datum row(Image image, Search search) {
    return new Datum.Row(cells(image, search));
  }

  private static Datum block(Image image, Search search, List<SplitPart> parts) {
    var places = new ArrayList<String>();
    search.attempts().forEach(a -> places.add(a.where() + ": " + a.outcome().text()));
    for (var part : parts) {
      places.add(part.file().map(f -> f.path() + ": found").orElse(part.name() + ": not there"));
    }
    return new Datum.Block(cells(image, search), "searched", places);
  }

  private static List<Cell> cells(Image image, Search search) {
    Cell id =
        image.buildId().isPresent()
            ? Cell.text(image.buildId().get())
            : new Cell.Absent("not known");
    Cell file =
        search.found().isPresent()
            ? Cell.text(search.found().get().toString())
            : new Cell.Absent("not found");
    return List.of(Cell.text(image.name()), id, file);
  }

  private static String hint(DebugFileSettings settings) {
    return "debug files come with packages such as linux-image-RELEASE-dbg or kernel-debuginfo, or"
        + " by --debug-file and --debug-dir"
        + (settings.servers().isEmpty()
            ? "; DEBUGINFOD_URLS names servers to fetch them from"
            : "");
  }
}
