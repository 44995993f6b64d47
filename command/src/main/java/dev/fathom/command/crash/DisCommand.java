// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.crash;

import dev.fathom.base.Datum;
import dev.fathom.base.FaultException;
import dev.fathom.base.LookupException;
import dev.fathom.base.UsageException;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import dev.fathom.model.Located;
import java.util.ArrayList;
import java.util.stream.Stream;

/** {@code dis}. */
final class DisCommand implements Command {
  private static final long COUNT_LIMIT = 1 << 20;

  @Override
  public CommandSpec spec() {
    return CommandSpec.crash("dis", "disassemble")
        .flag('r', "from the start of the function up to the address")
        .flag('f', "from the address to the end of the function")
        .arguments("address|symbol [count]")
        .help(
            """
            Disassembles a whole function when a symbol or its exact address is given without a
            count, else `count` instructions (one without a count). `=>` marks the address asked
            for inside a function.

                > dis schedule
                > dis ffffffff81c114f0 4
                > dis -r vfs_read+c7
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
      count =
          Crash.number(args.word(1))
              .orElseThrow(() -> new UsageException("'" + args.word(1) + "' is not a count"));
      if (count <= 0 || count > COUNT_LIMIT) {
        throw new UsageException("count must be between 1 and " + COUNT_LIMIT);
      }
    } else if (reverse || forward || (located.isPresent() && located.get().offset() == 0)) {
      var function = located.orElseThrow(() -> new LookupException("function at", args.word(0)));
      start = reverse ? address - function.offset() : address;
      end = reverse ? address + 1 : address - function.offset() + size(function);
    } else {
      count = 1;
    }
    return lines(call, start, end, count, address).stream();
  }

  private static long size(Located function) {
    long size = function.symbol().size();
    return size > 0 ? size : 1;
  }

  /** Instructions from {@code start} up to {@code end} (0 for no end) and {@code count}. */
  private static ArrayList<Item> lines(
      Invocation call, long start, long end, long count, long marked) {
    var disassembly = call.environment().disassembly(call.program());
    var items = new ArrayList<Item>();
    long at = start;
    try {
      for (long i = 0; i < count && (end == 0 || Long.compareUnsigned(at, end) < 0); i++) {
        call.checkInterrupt();
        var line =
            disassembly.at(call.program().memory(), at, at == marked && start != marked, false);
        var shown = line.instruction();
        items.add(
            Item.show(
                new Datum.Instruction(
                    shown.address(),
                    "0x" + Long.toHexString(at) + " <" + shown.symbol() + ">",
                    shown.bytes(),
                    shown.withBytes(),
                    shown.text(),
                    shown.comment(),
                    shown.marked())));
        at += line.length();
      }
    } catch (FaultException e) {
      call.fail(e.getMessage());
    }
    return items;
  }
}
