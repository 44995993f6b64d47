// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.crash;

import dev.fathom.base.Cell;
import dev.fathom.base.Datum;
import dev.fathom.base.LookupException;
import dev.fathom.base.UsageException;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import dev.fathom.command.Lazily;
import dev.fathom.model.Located;
import dev.fathom.model.Memory;
import dev.fathom.model.source.SourceLine;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** {@code dis}. */
final class DisCommand implements Command {
  private static final long COUNT_LIMIT = 1 << 20;

  @Override
  public CommandSpec spec() {
    return CommandSpec.crash("dis", "disassemble")
        .flag('r', "from the start of the function up to the address")
        .flag('f', "from the address to the end of the function")
        .flag('u', "the address is one of the selected task's user space")
        .flag('x', "offsets in hexadecimal (they always are)")
        .flag('l', "with the lines of the source, by a debug file")
        .arguments("address|symbol [count]")
        .help(
            """
            Disassembles a whole function when a symbol or its exact address is given without a
            count, else `count` instructions (one without a count). `=>` marks the address asked
            for inside a function.

                > dis schedule
                > dis ffffffff81c114f0 4
                > dis -r vfs_read+c7
                > dis -l vfs_read
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    var args = call.args().expect(1, 2);
    long address = Crash.address(call, args.word(0));
    var located = call.program().symbols().at(address);
    boolean reverse = args.has('r');
    boolean forward = args.has('f');
    if (reverse && forward) {
      throw new UsageException("-r and -f are mutually exclusive");
    }
    long start = address;
    long end = 0;
    long count = COUNT_LIMIT;
    if (args.count() == 2) {
      count = Crash.count(args.word(1));
    } else if (reverse || forward || (located.isPresent() && located.get().offset() == 0)) {
      var function = located.orElseThrow(() -> new LookupException("function at", args.word(0)));
      start = reverse ? address - function.offset() : address;
      end = reverse ? address + 1 : address - function.offset() + size(function);
    } else {
      count = 1;
    }
    return Lazily.stream(new Lines(call, start, end, count, address));
  }

  private static long size(Located function) {
    long size = function.symbol().size();
    return size > 0 ? size : 1;
  }

  /** Instructions from {@code start} up to {@code end} (0 for no end) and {@code count}. */
  private static final class Lines extends Lazily<Item> {
    private final Invocation call;
    private final Memory memory;
    private final long start;
    private final long end;
    private final long marked;
    private long at;
    private long left;

    /** With {@code -l}: the line that was shown last, and the instruction behind one. */
    private Optional<SourceLine> last = Optional.empty();

    private Optional<Item> behind = Optional.empty();
    private boolean told;

    Lines(Invocation call, long start, long end, long count, long marked) {
      this.call = call;
      this.memory = call.args().has('u') ? Crash.userSpace(call) : call.program().memory();
      this.start = start;
      this.end = end;
      this.marked = marked;
      this.at = start;
      this.left = count;
    }

    @Override
    protected Optional<Item> advance() {
      if (behind.isPresent()) {
        var next = behind;
        behind = Optional.empty();
        return next;
      }
      if (left-- == 0 || (end != 0 && Long.compareUnsigned(at, end) >= 0)) {
        return Optional.empty();
      }
      var line = call.args().has('l') ? lineAt(at) : Optional.<Item>empty();
      var instruction = instruction();
      behind = line.isPresent() ? Optional.of(instruction) : Optional.empty();
      return line.isPresent() ? line : Optional.of(instruction);
    }

    /** The line of the source, when it is another than that of the last instruction. */
    private Optional<Item> lineAt(long address) {
      var found = call.session().sources().line(address);
      if (found.isEmpty() && !told) {
        call.warn(
            "no debug information tells the line of " + call.program().symbols().text(address));
        told = true;
      }
      if (found.isEmpty() || (last.isPresent() && found.get().sameLine(last.get()))) {
        return Optional.empty();
      }
      last = found;
      var line = found.get();
      return Optional.of(
          Item.show(
              new Datum.Fact(
                  line.path() + ": " + line.line(),
                  List.of(
                      new Datum.Field("file", "", Cell.text(line.path())),
                      new Datum.Field("line", "", Cell.decimal(line.line()))))));
    }

    private Item instruction() {
      boolean pointedOut = at == marked && start != marked;
      var disassembly = call.environment().disassembly(call.program());
      var line = disassembly.at(memory, at, pointedOut, false);
      at += line.length();
      var shown = line.instruction();
      return Item.show(
          new Datum.Instruction(
              shown.address(),
              "0x" + Long.toHexString(shown.address()) + " <" + shown.symbol() + ">",
              shown.bytes(),
              shown.withBytes(),
              shown.text(),
              shown.comment(),
              shown.marked()));
    }
  }
}
