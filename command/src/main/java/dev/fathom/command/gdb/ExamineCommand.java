// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.gdb;

import dev.fathom.base.Cell;
import dev.fathom.base.Datum;
import dev.fathom.base.FaultException;
import dev.fathom.base.UsageException;
import dev.fathom.command.CExpression;
import dev.fathom.command.CScope;
import dev.fathom.command.CharacterText;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.GdbState;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import dev.fathom.command.LetterFormat;
import dev.fathom.lang.Expressions;
import dev.fathom.model.Symbol;
import dev.fathom.model.Value;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.CompositeType;
import dev.fathom.model.type.IntType;
import java.lang.foreign.MemorySegment;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Stream;

/** {@code x}. */
final class ExamineCommand implements Command {
  private static final int STRING_LIMIT = 200;

  @Override
  public CommandSpec spec() {
    return CommandSpec.crash("x", "show memory as numbers, strings or instructions")
        .reading(CommandSpec.Reading.EXPRESSION)
        .arguments("[/[count][format][unit]] [address]")
        .help(
            """
            Shows memory at an address, which is a C expression. The format letters are those of
            `print`, and `i` for instructions and `s` for strings; the units are `b` (1 byte), `h`
            (2), `w` (4) and `g` (8). Format and unit stay until others are given; without an
            address it goes on behind what it showed last. A count below 0 shows what lies before.
            `$_` is the last address shown, `$__` what stands there.

                > x/4i panic
                > x/2xg &init_task.tasks
                > x/s linux_banner
                > x
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    var words = Words.of(call);
    var format = Format.NONE;
    int at = 0;
    if (!words.isEmpty() && words.getFirst().startsWith("/")) {
      format = Format.parse(words.getFirst());
      at = 1;
    }
    var state = call.environment().gdb();
    var last = state.examined();
    char letter = format.letter().orElse(last.letter());
    if (letter == 'r') {
      letter = 'x';
    }
    char unit = format.unit().orElse(unit(letter, format, last, call));
    var text = Words.joined(words, at);
    long start =
        text.isEmpty()
            ? last.next().orElseThrow(() -> new UsageException("an address is needed"))
            : bare(call, text)
                .orElseGet(() -> address(call, CExpression.evaluate(call, text).referred()));
    int count = format.count().orElse(1);
    return switch (letter) {
      case 'i' -> instructions(call, start, count);
      case 's' -> strings(call, start, count);
      default -> numbers(call, start, count, letter, unit).stream();
    };
  }

  private static char unit(char letter, Format format, GdbState.Examined last, Invocation call) {
    boolean fresh = format.letter().isPresent();
    return switch (letter) {
      case 'a' -> call.program().memory().layout().wordBytes() == 8 ? 'g' : 'w';
      case 'c' -> fresh ? 'b' : last.unit();
      case 'f' -> last.unit() == 'w' && !fresh ? 'w' : 'g';
      default -> last.unit();
    };
  }

  /** The address of a symbol whose type nobody knows, so that it is no value. */
  private static Optional<Long> bare(Invocation call, String text) {
    var name = text.startsWith("&") ? text.substring(1).strip() : text;
    return call.program()
        .symbols()
        .first(name)
        .filter(symbol -> symbol.kind() == Symbol.Kind.DATA)
        .filter(symbol -> call.program().types().ofSymbol(name).isEmpty())
        .map(Symbol::address);
  }

  /** What a value leads to: a pointer or number its target, anything else its own place. */
  private static long address(Invocation call, Value value) {
    var place = value.type().resolved() instanceof CompositeType;
    return place ? value.address() : Expressions.decayed(value, new CScope(call)).asLong();
  }

  private static int bytes(char unit) {
    return switch (unit) {
      case 'b' -> 1;
      case 'h' -> 2;
      case 'w' -> 4;
      default -> 8;
    };
  }

  private List<Item> numbers(Invocation call, long from, int count, char letter, char unit) {
    int size = bytes(unit);
    int perLine = unit == 'w' ? 4 : unit == 'g' ? 2 : 8;
    long start = count < 0 ? from + (long) count * size : from;
    int total = Math.abs(count);
    var memory = call.program().memory();
    var items = new ArrayList<Item>();
    for (int done = 0; done < total; ) {
      call.checkInterrupt();
      long address = start + (long) done * size;
      var cells = new ArrayList<Datum.FormattedItem>();
      for (int i = 0; i < perLine && done < total; i++, done++) {
        long at = start + (long) done * size;
        try {
          long bits = memory.unsigned(at, size);
          var number = new BigInteger(Long.toUnsignedString(bits));
          var text = LetterFormat.of(call.program(), number, size, letter, true);
          cells.add(new Datum.FormattedItem(Optional.of(Cell.hex(bits)), "\t" + text));
          remember(call, at, size, bits, letter, unit);
        } catch (FaultException e) {
          call.fail(e.getMessage());
          done = total;
        }
      }
      if (!cells.isEmpty()) {
        items.add(line(call, address, cells));
      }
    }
    return items;
  }

  private static void remember(
      Invocation call, long at, int size, long bits, char letter, char unit) {
    var state = call.environment().gdb();
    state.examined(new GdbState.Examined(letter, unit, Optional.of(at + size)));
    var program = call.program();
    CType type =
        size == 8
            ? new IntType("long", 8, true, false)
            : size == 4
                ? new IntType("int", 4, true, false)
                : size == 2
                    ? new IntType("short", 2, true, false)
                    : new IntType("char", 1, true, true);
    long value = size == 8 ? bits : bits << (64 - size * 8) >> (64 - size * 8);
    state.set("_", new Value.Imm(program, program.types().pointerTo(type), at));
    state.set("__", new Value.Imm(program, type, value));
  }

  private static Item line(Invocation call, long address, List<Datum.FormattedItem> cells) {
    var symbol = call.program().symbols().at(address);
    return Item.show(
        new Datum.Formatted(
            Optional.empty(),
            OptionalLong.of(address),
            Optional.of(
                "0x"
                    + Long.toHexString(address)
                    + symbol.map(s -> " <" + s.text() + ">").orElse("")
                    + ":"),
            false,
            false,
            cells));
  }

  private Stream<Item> strings(Invocation call, long from, int count) {
    if (count < 0) {
      throw new UsageException("strings are shown forwards only");
    }
    var memory = call.program().memory();
    var items = new ArrayList<Item>();
    long at = from;
    for (int i = 0; i < count; i++) {
      call.checkInterrupt();
      var bytes = new byte[STRING_LIMIT];
      int got = memory.read(at, MemorySegment.ofArray(bytes));
      int end = 0;
      while (end < got && bytes[end] != 0) {
        end++;
      }
      if (end == got && got < STRING_LIMIT) {
        call.fail(memory.fault(at + got).getMessage());
        break;
      }
      var text = "\t" + CharacterText.string(bytes, end) + (end == STRING_LIMIT ? "..." : "");
      var raw = new String(bytes, 0, end, StandardCharsets.UTF_8);
      items.add(
          line(call, at, List.of(new Datum.FormattedItem(Optional.of(Cell.text(raw)), text))));
      at += end == STRING_LIMIT ? end : end + 1;
      call.environment().gdb().examined(new GdbState.Examined('s', 'b', Optional.of(at)));
    }
    return items.stream();
  }

  private Stream<Item> instructions(Invocation call, long from, int count) {
    var memory = call.program().memory();
    var disassembly = call.environment().disassembly(call.program());
    var pc =
        call.environment()
            .currentTask(call.kernel())
            .flatMap(call.kernel()::registersOf)
            .map(registers -> registers.pc())
            .orElse(OptionalLong.empty());
    long at = from;
    for (int i = count; i < 0; i++) {
      var before = disassembly.before(memory, at);
      if (before.isEmpty()) {
        break;
      }
      at = before.getAsLong();
    }
    var items = new ArrayList<Item>();
    for (int i = 0; i < Math.abs(count); i++) {
      call.checkInterrupt();
      var line = disassembly.at(memory, at, pc.equals(OptionalLong.of(at)), false);
      items.add(Item.show(line.instruction()));
      at += line.length();
      call.environment().gdb().examined(new GdbState.Examined('i', 'b', Optional.of(at)));
    }
    return items.stream();
  }
}
