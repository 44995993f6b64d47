// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.core;

import dev.fathom.base.Cell;
import dev.fathom.base.Datum;
import dev.fathom.base.EvalException;
import dev.fathom.base.FaultException;
import dev.fathom.base.Readability;
import dev.fathom.base.UsageException;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Disassembly;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import dev.fathom.model.Memory;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.Stream;

/** {@code ::dis}. */
final class DisCommand implements Command {
  private static final int WINDOW = 10;
  private static final int WINDOW_LIMIT = 1 << 16;
  private static final long FUNCTION_LIMIT = 1 << 20;

  @Override
  public CommandSpec spec() {
    return CommandSpec.mdb("dis", "disassemble near addr")
        .addressOptional()
        .flag('a', "addresses as numbers")
        .flag('b', "addresses as numbers and symbols")
        .flag('f', "from the object file (a dump has none: the same memory)")
        .option('n', "count", "so many instructions before and behind the address")
        .flag('w', "a window around the address, even at a function's start")
        .arguments("[address]")
        .help(
            """
            Disassembles the whole function when the address is exactly its start, else a window of
            ten instructions before and behind it, in which `=>` marks the address itself. In a whole
            function it marks where the current thread stands and what the kernel died of. Without
            an address: around the instruction at which the current thread stands.

            Addresses in operands are followed by their symbols.

                > schedule::dis
                > vfs_read+0x40::dis -n 4
                > <rip::dis
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    var args = call.args().expect(0, 1);
    if (args.count() == 1 && call.hasAddress()) {
      throw new UsageException("the address is given twice");
    }
    long center =
        args.count() == 1
            ? call.number(args.operands().getFirst())
            : call.hasAddress() ? call.address() : pc(call);
    var memory = call.program().memory();
    var disassembly = call.environment().disassembly(call.program());
    var located = call.program().symbols().at(center);
    boolean whole =
        located.isPresent()
            && located.get().offset() == 0
            && located.get().symbol().size() > 0
            && !args.has('w')
            && !args.has('n');
    if (whole) {
      long size = Math.min(located.orElseThrow().symbol().size(), FUNCTION_LIMIT);
      return range(call, disassembly, memory, center, center + size, marks(call));
    }
    long count = args.option('n').isPresent() ? call.number(args.option('n').get()) : WINDOW;
    return window(call, disassembly, memory, center, count);
  }

  private static OptionalLong pcOf(Invocation call) {
    return call.environment()
        .variables()
        .find(call.program().architecture().registers().pc().name());
  }

  private static long pc(Invocation call) {
    return pcOf(call)
        .orElseThrow(
            () -> new EvalException("no address given, and the current thread's pc is not known"));
  }

  private static Stream<Item> window(
      Invocation call, Disassembly disassembly, Memory memory, long center, long count) {
    if (count < 0 || count > WINDOW_LIMIT) {
      throw new UsageException("-n is at most 0t" + WINDOW_LIMIT);
    }
    var items = new ArrayList<Item>();
    for (long address : before(call, disassembly, memory, center, count)) {
      call.checkInterrupt();
      items.add(line(call, disassembly.at(memory, address, false, false)));
    }
    long at = center;
    try {
      for (long i = 0; i <= count; i++) {
        call.checkInterrupt();
        var line = disassembly.at(memory, at, at == center, false);
        items.add(line(call, line));
        at += line.length();
      }
    } catch (FaultException e) {
      if (at == center) {
        throw e;
      }
      call.fail(e.getMessage());
    }
    call.advance(at - center);
    return items.stream();
  }

  /**
   * Up to {@code count} instructions before {@code center}. Where nothing is mapped there are none;
   * where something is missing the command fails.
   */
  private static Deque<Long> before(
      Invocation call, Disassembly disassembly, Memory memory, long center, long count) {
    var before = new ArrayDeque<Long>();
    var at = OptionalLong.of(center);
    try {
      while (before.size() < count) {
        call.checkInterrupt();
        at = disassembly.before(memory, at.getAsLong());
        if (at.isEmpty()) {
          return before;
        }
        before.addFirst(at.getAsLong());
      }
    } catch (FaultException e) {
      if (e.reason() != Readability.UNMAPPED) {
        call.fail(e.getMessage());
      }
    }
    return before;
  }

  private static Stream<Item> range(
      Invocation call,
      Disassembly disassembly,
      Memory memory,
      long start,
      long end,
      Set<Long> marked) {
    call.advance(end - start);
    return Stream.iterate(
            Optional.of(disassembly.at(memory, start, marked.contains(start), false)),
            Optional::isPresent,
            line -> {
              long next = line.orElseThrow().address() + line.orElseThrow().length();
              return Long.compareUnsigned(next, end) < 0
                  ? Optional.of(disassembly.at(memory, next, marked.contains(next), false))
                  : Optional.empty();
            })
        .map(line -> line(call, line.orElseThrow()));
  }

  /** The instruction at which the current thread stands, and the one that the kernel died of. */
  private static Set<Long> marks(Invocation call) {
    var marks = new HashSet<Long>();
    pcOf(call).ifPresent(marks::add);
    for (var fact : call.kernel().panic()) {
      if (fact.key().equals("pc") && fact.value() instanceof Cell.Symbolic(long address, _)) {
        marks.add(address);
      }
    }
    return marks;
  }

  private static Item line(Invocation call, Disassembly.Line line) {
    if (call.toPipe()) {
      return Item.value(Values.address(call, line.address()));
    }
    var args = call.args();
    var i = line.instruction();
    if (!args.has('a') && !args.has('b')) {
      return Item.show(i);
    }
    var address = Long.toHexString(i.address());
    return Item.show(
        new Datum.Instruction(
            i.address(),
            args.has('b') ? address + " " + i.symbol() : address,
            i.bytes(),
            i.withBytes(),
            i.text(),
            i.comment(),
            i.marked()));
  }
}
