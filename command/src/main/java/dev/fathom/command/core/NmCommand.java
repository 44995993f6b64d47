// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.core;

import dev.fathom.base.Cell;
import dev.fathom.base.Datum;
import dev.fathom.base.EvalException;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import dev.fathom.model.Symbol;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** {@code ::nm}. */
final class NmCommand implements Command {
  private final boolean globalOnly;

  /**
   * @param globalOnly whether local symbols are left out, as {@code $e} does
   */
  NmCommand(boolean globalOnly) {
    this.globalOnly = globalOnly;
  }

  @Override
  public CommandSpec spec() {
    return CommandSpec.mdb("nm", "print symbols")
        .alias("$e")
        .addressOptional()
        .flag('d', "values in decimal")
        .flag('g', "global symbols only")
        .flag('h', "no heading")
        .flag('n', "sort by name")
        .flag('o', "values in octal")
        .flag('v', "sort by value")
        .flag('x', "values in hexadecimal (as without it)")
        .arguments("[object]")
        .help(
            """
            Lists the symbols of the kernel, or of one object (`vmlinux` or a module), or the one
            that holds the address. `$e` lists the global ones.

                > ::nm -n virtio_blk
                > schedule::nm
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    var args = call.args().expect(0, 1);
    Stream<Symbol> symbols;
    if (call.hasAddress()) {
      symbols =
          Stream.of(
              call.program()
                  .symbols()
                  .at(call.address())
                  .orElseThrow(() -> new EvalException("no symbol corresponds to address"))
                  .symbol());
    } else if (args.count() == 1) {
      symbols = ofObject(call, args.word(0));
    } else {
      symbols = call.program().symbols().stream();
    }
    if (globalOnly || args.has('g')) {
      symbols = symbols.filter(symbol -> Character.isUpperCase(symbol.letter()));
    }
    if (args.has('n')) {
      symbols = symbols.sorted(Comparator.comparing(Symbol::qualified));
    } else if (args.has('v')) {
      symbols = symbols.sorted((a, b) -> Long.compareUnsigned(a.address(), b.address()));
    }
    if (call.toPipe()) {
      return symbols.map(symbol -> Item.value(Values.address(call, symbol.address())));
    }
    var rows = symbols.map(symbol -> row(call, symbol));
    return call.first() ? Stream.concat(Stream.of(Item.show(header(call))), rows) : rows;
  }

  private static Stream<Symbol> ofObject(Invocation call, String name) {
    var kernel = call.kernel().images().getFirst().name();
    boolean known = call.kernel().images().stream().anyMatch(image -> image.name().equals(name));
    if (!known && !name.equals("unix")) {
      throw new EvalException("no object named " + name);
    }
    var module = name.equals(kernel) || name.equals("unix") ? "" : name;
    return call.program().symbols().stream().filter(symbol -> symbol.module().equals(module));
  }

  private static Datum.Header header(Invocation call) {
    boolean titled = !call.args().has('h');
    return new Datum.Header(
        "symbols",
        List.of(
            column("value", titled ? "Value" : "", 18),
            column("size", titled ? "Size" : "", 18),
            column("type", titled ? "Type" : "", 5),
            column("bind", titled ? "Bind" : "", 5),
            column("name", titled ? "Name" : "", 0)));
  }

  private static Datum.Column column(String key, String title, int width) {
    return new Datum.Column(key, title, width, Datum.Align.LEFT);
  }

  private static Item row(Invocation call, Symbol symbol) {
    var type =
        switch (symbol.kind()) {
          case TEXT -> "FUNC";
          case DATA -> "OBJT";
          case PER_CPU -> "PCPU";
          case ABSOLUTE -> "ABS";
        };
    return Item.show(
        new Datum.Row(
            List.of(
                number(call, symbol.address()),
                symbol.size() == 0 ? new Cell.Absent("not known") : number(call, symbol.size()),
                Cell.text(type),
                Cell.text(Character.isUpperCase(symbol.letter()) ? "GLOB" : "LOCL"),
                Cell.text(symbol.qualified()))));
  }

  private static Cell number(Invocation call, long value) {
    if (call.args().has('d')) {
      return Cell.unsigned(value);
    }
    return call.args().has('o')
        ? new Cell.Int(value, Cell.Radix.OCTAL, false, false)
        : Cell.address(value);
  }
}
