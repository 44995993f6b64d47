// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.crash;

import dev.fathom.base.Cell;
import dev.fathom.base.Datum;
import dev.fathom.base.Datum.Align;
import dev.fathom.base.Datum.Column;
import dev.fathom.base.LookupException;
import dev.fathom.base.UsageException;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import dev.fathom.model.Located;
import dev.fathom.model.Symbol;
import java.util.Comparator;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Stream;

/** {@code sym}. */
final class SymCommand implements Command {
  @Override
  public CommandSpec spec() {
    return CommandSpec.crash("sym", "translate symbols and addresses")
        .flag('l', "list all symbols by address")
        .option('m', "module", "list the symbols of a module")
        .option('q', "text", "list the symbols whose name holds this text")
        .arguments("[symbol | address ...]")
        .help(
            """
            Shows for an address the symbol that it belongs to, for a symbol its address. The
            letter is `nm`'s: `T` for code, `D` for data, small letters for static ones.

                > sym schedule
                ffffffff81a5b5a0 (T) schedule
                > sym ffffffff81a5b5fa
                ffffffff81a5b5fa (T) schedule+0x5a
                > sym -q nf_conntrack
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    var args = call.args();
    var header =
        new Datum.Header(
            "symbols",
            List.of(
                new Column("address", "", 16, Align.LEFT),
                new Column("type", "", 3, Align.LEFT),
                new Column("symbol", "", 0, Align.LEFT)));
    Stream<Item> rows;
    if (args.has('l') || args.has('m') || args.has('q')) {
      var module = args.option('m').map(a -> a.text());
      var text = args.option('q').map(a -> a.text());
      Predicate<Symbol> wanted =
          s ->
              module.map(m -> s.module().equals(m)).orElse(true)
                  && text.map(t -> s.name().contains(t)).orElse(true);
      rows =
          call.program().symbols().stream()
              .filter(wanted)
              .sorted(Comparator.comparing(Symbol::address, Long::compareUnsigned))
              .map(s -> row(s.address(), new Located(s, 0)));
    } else {
      if (args.isEmpty()) {
        throw new UsageException("expected a symbol or an address");
      }
      rows = args.operands().stream().flatMap(word -> find(call, word.text()));
    }
    return Stream.concat(Stream.of(Item.show(header)), rows);
  }

  private static Stream<Item> find(Invocation call, String text) {
    var symbols = call.program().symbols();
    var named = symbols.named(text);
    if (!named.isEmpty()) {
      return named.stream().map(s -> row(s.address(), new Located(s, 0)));
    }
    long address = Crash.address(call, text);
    var located =
        symbols.at(address).orElseThrow(() -> new LookupException("symbol or address", text));
    return Stream.of(row(address, located));
  }

  private static Item row(long address, Located located) {
    return Item.show(
        new Datum.Row(
            List.of(
                Cell.address(address),
                Cell.text("(" + located.symbol().letter() + ")"),
                Cell.text(located.text()))));
  }
}
