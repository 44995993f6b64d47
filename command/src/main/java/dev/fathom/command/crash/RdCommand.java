// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.crash;

import dev.fathom.base.Cell;
import dev.fathom.base.Datum;
import dev.fathom.base.FaultException;
import dev.fathom.base.UsageException;
import dev.fathom.command.Arguments;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import dev.fathom.model.Memory;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Stream;

/** {@code rd}. */
final class RdCommand implements Command {
  private static final long COUNT_LIMIT = 1 << 24;
  private static final int LINE_BYTES = 16;

  @Override
  public CommandSpec spec() {
    return CommandSpec.crash("rd", "read memory")
        .flag('p', "the address is physical")
        .flag('u', "the address is one of the selected task's user space")
        .flag('s', "words that are addresses of symbols as symbols")
        .flag('d', "numbers in decimal")
        .flag('a', "as text")
        .flag('8', "8-bit numbers")
        .flag('1', "with 6 behind it: 16-bit numbers")
        .flag('6', "with 4 behind it: 64-bit numbers (the default)")
        .flag('4', "64-bit numbers, behind 6")
        .flag('3', "with 2 behind it: 32-bit numbers")
        .flag('2', "32-bit numbers, behind 3")
        .option('e', "address", "read up to this address")
        .option('o', "offset", "start that many bytes behind the address")
        .arguments("address|symbol [count]")
        .help(
            """
            Shows memory as numbers and as text. Addresses are kernel virtual ones unless `-p` or
            `-u` says otherwise.

                > rd linux_banner 4
                > rd -32 jiffies
                > rd -s ffffc90000013d18 20
                > rd -p 1000 2
                > rd -a linux_banner
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    var args = call.args().expect(1, 2);
    var memory = memory(call);
    long start = Crash.address(call, args.word(0));
    start += args.option('o').map(a -> number(a.text())).orElse(0L);
    if (args.has('a')) {
      var text = memory.cString(start, (int) Math.min(count(args, start, 1, 1024), 1 << 20));
      return Stream.of(
          Item.show(
              line(start, List.of(new Datum.FormattedItem(Optional.of(Cell.text(text)), text)))));
    }
    int size = size(args);
    return lines(call, memory, start, size, count(args, start, size, 1)).stream();
  }

  private static Memory memory(Invocation call) {
    if (call.args().has('p')) {
      return call.program().physical();
    }
    if (!call.args().has('u')) {
      return call.program().memory();
    }
    var task = Crash.selected(call);
    return call.kernel()
        .userSpace(task)
        .orElseThrow(
            () -> new UsageException(task.name() + "/" + task.idText() + " has no user memory"));
  }

  private static int size(Arguments args) {
    var letters = args.letters();
    if (letters.contains("16")) {
      return 2;
    }
    if (letters.contains("32")) {
      return 4;
    }
    return args.has('8') ? 1 : 8;
  }

  private static long number(String text) {
    return Crash.number(text)
        .orElseThrow(() -> new UsageException("'" + text + "' is not a number"));
  }

  private static long count(Arguments args, long start, int size, long otherwise) {
    long count;
    if (args.has('e')) {
      var end = args.option('e').map(a -> a.text()).orElse("");
      count =
          (Crash.hexadecimal(end)
                      .orElseThrow(() -> new UsageException("'" + end + "' is not an address"))
                  - start
                  + size
                  - 1)
              / size;
    } else {
      count = args.count() == 2 ? number(args.word(1)) : otherwise;
    }
    if (count <= 0 || count > COUNT_LIMIT) {
      throw new UsageException("count must be between 1 and " + COUNT_LIMIT);
    }
    return count;
  }

  private static List<Item> lines(
      Invocation call, Memory memory, long start, int size, long count) {
    var items = new ArrayList<Item>();
    int perLine = call.args().has('s') ? 2 : Math.min(LINE_BYTES / size, 8);
    for (long done = 0; done < count; done += perLine) {
      call.checkInterrupt();
      long at = start + done * size;
      int here = (int) Math.min(perLine, count - done);
      var cells = new ArrayList<Datum.FormattedItem>();
      var text = new StringBuilder();
      for (int i = 0; i < here; i++) {
        try {
          long value = memory.unsigned(at + (long) i * size, size);
          cells.add(item(call, value, size));
          append(text, value, size);
        } catch (FaultException e) {
          if (!cells.isEmpty()) {
            items.add(Item.show(line(at, cells)));
          }
          call.fail(e.getMessage());
          return items;
        }
      }
      if (!call.args().has('s')) {
        cells.add(new Datum.FormattedItem(Optional.empty(), "  " + text));
      }
      items.add(Item.show(line(at, cells)));
    }
    return items;
  }

  private static void append(StringBuilder text, long value, int size) {
    for (int i = 0; i < size; i++) {
      char c = (char) (value >>> (8 * i) & 0xff);
      text.append(c >= ' ' && c < 0x7f ? c : '.');
    }
  }

  private static Datum.FormattedItem item(Invocation call, long value, int size) {
    if (call.args().has('s')) {
      var symbol = call.program().symbols().at(value);
      if (symbol.isPresent()) {
        var text = symbol.get().text();
        return new Datum.FormattedItem(Optional.of(new Cell.Symbolic(value, text)), pad(text, 33));
      }
    }
    if (call.args().has('d')) {
      var text = Long.toUnsignedString(value);
      return new Datum.FormattedItem(Optional.of(Cell.unsigned(value)), pad(text, 21));
    }
    var digits = Long.toHexString(value);
    var text = "0".repeat(size * 2 - digits.length()) + digits;
    var padded = call.args().has('s') ? pad(text, 33) : text + " ";
    return new Datum.FormattedItem(Optional.of(Cell.hex(value)), padded);
  }

  private static String pad(String text, int width) {
    return text + " ".repeat(Math.max(1, width - text.length()));
  }

  private static Datum.Formatted line(long address, List<Datum.FormattedItem> items) {
    return new Datum.Formatted(
        Optional.empty(),
        OptionalLong.of(address),
        Optional.of(Long.toHexString(address) + ":  "),
        false,
        false,
        items);
  }
}
