// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.source;

import dev.fathom.base.Datum;
import dev.fathom.base.LookupException;
import dev.fathom.base.UsageException;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Frames;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import dev.fathom.command.Lazily;
import dev.fathom.model.Located;
import dev.fathom.model.source.SourceLine;
import java.util.ArrayDeque;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Stream;

/** gdb's {@code disassemble}. */
final class DisassembleCommand implements Command {
  /** Larger than any function. */
  private static final long LARGEST = 1 << 20;

  @Override
  public CommandSpec spec() {
    return CommandSpec.crash("disassemble", "disassemble a function, with its source")
        .alias("disas")
        .reading(CommandSpec.Reading.C)
        .arguments("[/s] [/r] [function | *address | expression]")
        .help(
            """
            Disassembles the whole function around a place, or around where the selected frame
            stands, which `=>` marks. `/s` shows before the instructions the line of the source
            that they are of, where debug information tells it; `/r` the instructions' bytes.

                > disassemble /s vfs_read
                > disassemble
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    var words = call.args().operands();
    int at = 0;
    boolean source = false;
    boolean bytes = false;
    while (at < words.size() && words.get(at).text().startsWith("/")) {
      for (char letter : words.get(at).text().substring(1).toCharArray()) {
        switch (letter) {
          case 's', 'm' -> source = true;
          case 'r', 'b' -> bytes = true;
          default -> throw new UsageException("/" + letter + ": expected /s or /r");
        }
      }
      at++;
    }
    if (words.size() > at + 1) {
      throw new UsageException("expected one place");
    }
    var pc = words.size() > at ? OptionalLong.empty() : OptionalLong.of(pc(call));
    long place = pc.isPresent() ? pc.getAsLong() : place(call, words.get(at).text());
    var function =
        call.program()
            .symbols()
            .at(place)
            .filter(found -> found.symbol().size() > 0)
            .orElseThrow(() -> new LookupException("function at", Long.toHexString(place)));
    return Lazily.stream(new Code(call, function, place, pc, source, bytes));
  }

  private static long pc(Invocation call) {
    return Frames.selected(call).frame().pc();
  }

  private static long place(Invocation call, String text) {
    var symbol = call.program().symbols().first(text);
    return symbol.isPresent()
        ? symbol.get().address()
        : call.evaluate(text.startsWith("*") ? text.substring(1) : text);
  }

  /** The instructions of a function with the lines between them. */
  private static final class Code extends Lazily<Item> {
    private final Invocation call;
    private final OptionalLong marked;
    private final boolean source;
    private final boolean bytes;
    private final long start;
    private final long end;
    private final ArrayDeque<Item> ready = new ArrayDeque<>();
    private Optional<SourceLine> last = Optional.empty();
    private long at;

    Code(
        Invocation call,
        Located function,
        long place,
        OptionalLong marked,
        boolean source,
        boolean bytes) {
      this.call = call;
      this.marked = marked;
      this.source = source;
      this.bytes = bytes;
      this.start = place - function.offset();
      this.end = start + Math.min(function.symbol().size(), LARGEST);
      this.at = start;
      ready.add(text("Dump of assembler code for function " + function.symbol().name() + ":"));
    }

    private static Item text(String line) {
      return Item.show(new Datum.Text(line));
    }

    @Override
    protected Optional<Item> advance() {
      if (ready.isEmpty() && Long.compareUnsigned(at, end) < 0) {
        call.checkInterrupt();
        if (source) {
          line();
        }
        instruction();
        if (Long.compareUnsigned(at, end) >= 0) {
          ready.add(text("End of assembler dump."));
        }
      }
      return Optional.ofNullable(ready.poll());
    }

    private void line() {
      var found = call.session().sources().line(at);
      if (found.isEmpty() || (last.isPresent() && found.get().sameLine(last.get()))) {
        return;
      }
      var line = found.get();
      boolean sameFile = last.isPresent() && last.get().path().equals(line.path());
      var written = SourceText.line(call, line);
      if (!sameFile && written.isPresent()) {
        ready.add(text(line.path() + ":"));
      }
      last = found;
      ready.add(text(written.orElse(line.text())));
    }

    private void instruction() {
      boolean here = marked.isPresent() && marked.getAsLong() == at;
      var decoded =
          call.environment()
              .disassembly(call.program())
              .at(call.program().memory(), at, here, bytes);
      var shown = decoded.instruction();
      ready.add(
          Item.show(
              new Datum.Instruction(
                  shown.address(),
                  "   0x" + Long.toHexString(at) + " <+" + (at - start) + ">",
                  shown.bytes(),
                  shown.withBytes(),
                  shown.text(),
                  shown.comment(),
                  shown.marked())));
      at += decoded.length();
    }
  }
}
