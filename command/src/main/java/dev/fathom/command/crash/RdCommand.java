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
import dev.fathom.command.Lazily;
import dev.fathom.model.Memory;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.stream.Stream;

/** {@code rd}. */
final class RdCommand implements Command {
  private static final int LINE_BYTES = 16;
  private static final int DEFAULT_SIZE = 8;

  /** Columns of a decimal number of 1, 2, 4 and 8 bytes, sign included. */
  private static final int[] DIGITS = {5, 7, 12, 21};

  @Override
  public CommandSpec spec() {
    return CommandSpec.crash("rd", "read memory")
        .flag('p', "the address is physical")
        .flag('u', "the address is one of the selected task's user space")
        .flag('s', "words that are addresses of symbols as symbols")
        .flag('d', "numbers in signed decimal")
        .flag('D', "numbers in unsigned decimal")
        .flag('x', "numbers alone, without text beside them")
        .flag('a', "as text")
        .option('e', "address", "read up to this address")
        .option('o', "offset", "start that many bytes behind the address")
        .arguments("[-8|-16|-32|-64] address|symbol [count]")
        .help(
            """
            Shows memory as numbers, of 64 bits unless another size is given, and as text. Addresses are kernel virtual ones unless `-p` or
            `-u` says otherwise.

                > rd linux_banner 4
                > rd -32 jiffies
                > rd -s ffffc90000013d18 20
                > rd -p 1000 2
                > rd -a linux_banner
            """);
  }

  /** What to show, and how. */
  private record Plan(Memory memory, long start, int size, long count) {}

  @Override
  public Stream<Item> run(Invocation call) {
    var args = call.args();
    int size = DEFAULT_SIZE;
    var words = new ArrayList<String>();
    for (var operand : args.operands()) {
      var given = size(operand.text());
      if (given.isPresent()) {
        size = given.getAsInt();
      } else {
        words.add(operand.text());
      }
    }
    if (words.isEmpty() || words.size() > 2) {
      throw new UsageException(
          words.isEmpty() ? "expected an address" : "unexpected argument " + words.get(2));
    }
    if (args.has('d') && args.has('D')) {
      throw new UsageException("-d and -D are mutually exclusive");
    }
    var memory = memory(call);
    long start =
        Crash.address(call, words.getFirst())
            + args.option('o').map(a -> number(a.text())).orElse(0L);
    var count = words.size() == 2 ? Optional.of(words.get(1)) : Optional.<String>empty();
    if (args.has('a')) {
      var text = memory.cString(start, (int) Math.min(count(args, count, start, 1, 1024), 1 << 20));
      return Stream.of(
          Item.show(
              line(start, List.of(new Datum.FormattedItem(Optional.of(Cell.text(text)), text)))));
    }
    var plan = new Plan(memory, start, size, count(args, count, start, size, 1));
    return Lazily.stream(new Lines(call, plan));
  }

  private static Memory memory(Invocation call) {
    if (call.args().has('p')) {
      return call.program().physical();
    }
    return call.args().has('u') ? Crash.userSpace(call) : call.program().memory();
  }

  /** The bytes of a number that an option asks for; empty when {@code word} is none. */
  private static OptionalInt size(String word) {
    if (!word.startsWith("-")) {
      return OptionalInt.empty();
    }
    return OptionalInt.of(
        switch (word) {
          case "-8" -> 1;
          case "-16" -> 2;
          case "-32" -> 4;
          case "-64" -> 8;
          default -> throw new UsageException("illegal option " + word);
        });
  }

  private static long number(String text) {
    return Crash.number(text)
        .orElseThrow(() -> new UsageException("'" + text + "' is not a number"));
  }

  private static long count(
      Arguments args, Optional<String> given, long start, int size, long otherwise) {
    if (!args.has('e')) {
      return given.isPresent() ? Crash.count(given.get()) : otherwise;
    }
    var text = args.option('e').orElseThrow().text();
    long end =
        Crash.hexadecimal(text)
            .orElseThrow(() -> new UsageException("'" + text + "' is not an address"));
    if (Long.compareUnsigned(end, start) <= 0) {
      throw new UsageException("the end is not behind the start");
    }
    long count = Long.divideUnsigned(end - start + size - 1, size);
    if (count <= 0 || count > Crash.COUNT_LIMIT) {
      throw new UsageException("more than " + Crash.COUNT_LIMIT + " numbers");
    }
    return count;
  }

  /** The lines, up to one with memory that cannot be read. */
  private static final class Lines extends Lazily<Item> {
    private final Invocation call;
    private final Plan plan;
    private final int perLine;
    private long done;
    private boolean ended;

    Lines(Invocation call, Plan plan) {
      this.call = call;
      this.plan = plan;
      this.perLine = LINE_BYTES / (call.args().has('s') ? DEFAULT_SIZE : plan.size());
    }

    @Override
    protected Optional<Item> advance() {
      if (ended || done >= plan.count()) {
        return Optional.empty();
      }
      long at = plan.start() + done * plan.size();
      int here = (int) Math.min(perLine, plan.count() - done);
      done += here;
      var cells = new ArrayList<Datum.FormattedItem>();
      var text = new StringBuilder();
      for (int i = 0; i < here && !ended; i++) {
        try {
          long value = plan.memory().unsigned(at + (long) i * plan.size(), plan.size());
          cells.add(item(call, value, plan.size()));
          append(text, value, plan.size());
        } catch (FaultException e) {
          call.fail(e.getMessage());
          ended = true;
        }
      }
      if (cells.isEmpty()) {
        return Optional.empty();
      }
      if (withText(call.args())) {
        int gap = 2 + (perLine - cells.size()) * (plan.size() * 2 + 1);
        cells.add(new Datum.FormattedItem(Optional.empty(), " ".repeat(gap) + text));
      }
      return Optional.of(Item.show(line(at, cells)));
    }
  }

  private static boolean withText(Arguments args) {
    return !args.has('s') && !args.has('d') && !args.has('D') && !args.has('x');
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
    if (call.args().has('d') || call.args().has('D')) {
      int unused = Long.SIZE - size * Byte.SIZE;
      boolean signed = call.args().has('d');
      long number = signed ? value << unused >> unused : value;
      var text = signed ? Long.toString(number) : Long.toUnsignedString(number);
      return new Datum.FormattedItem(
          Optional.of(new Cell.Int(number, Cell.Radix.DECIMAL, signed, false)),
          pad(text, DIGITS[Integer.numberOfTrailingZeros(size)]));
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
