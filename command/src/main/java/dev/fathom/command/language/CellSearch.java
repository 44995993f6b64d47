// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.language;

import dev.fathom.base.Cell;
import dev.fathom.base.Datum;
import dev.fathom.base.EvalException;
import dev.fathom.base.FaultException;
import dev.fathom.command.Item;
import dev.fathom.command.Writing;
import dev.fathom.model.Memory;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * The letters that come first behind a format verb: {@code l L M} search for a 2, 4 or 8 byte cell
 * with {@code (cell & mask) == value}, in steps of its size from dot on; {@code v w W Z} write
 * cells of 1, 2, 4 and 8 bytes ({@code z} is {@code Z}), where the user allowed it.
 */
final class CellSearch {
  private static final int CHUNK = 4096;

  private CellSearch() {}

  static Stream<Item> run(Statement.Cells cells, Call call) {
    int size =
        switch (cells.letter()) {
          case 'v' -> 1;
          case 'l', 'w' -> 2;
          case 'L', 'W' -> 4;
          default -> 8;
        };
    if ("vwWzZ".indexOf(cells.letter()) >= 0) {
      return write(cells, call, size);
    }
    var arguments = call.rawArguments();
    if (arguments.isEmpty()) {
      throw new EvalException("expected value following " + cells.letter());
    }
    if (arguments.size() > 2) {
      throw new EvalException("too many arguments following " + cells.letter());
    }
    long value = call.number(arguments.get(0));
    long mask = arguments.size() > 1 ? call.number(arguments.get(1)) : -1;
    int unused = 64 - size * 8;
    long cellMask = mask << unused >>> unused;
    var memory = cells.verb() == '\\' ? call.program().physical() : call.program().memory();
    long found = search(call, memory, call.dot(), size, value & -1L >>> unused, cellMask);
    call.moveDot(found);
    call.advance(size);
    return Stream.of(Item.show(new Datum.Scalar("address", new Cell.Address(found))));
  }

  /** What stands where something is to be written. */
  private static long before(Memory memory, long address, int size) {
    try {
      return memory.unsigned(address, size);
    } catch (FaultException e) {
      throw Writing.cannotWrite(e);
    }
  }

  /** Writes one cell for each value, and tells what stood there. */
  private static Stream<Item> write(Statement.Cells cells, Call call, int size) {
    var arguments = call.rawArguments();
    if (arguments.isEmpty()) {
      throw new EvalException("expected value following " + cells.letter());
    }
    boolean physical = cells.verb() == '\\';
    var memory = physical ? call.program().physical() : call.program().memory();
    boolean little = memory.layout().order() == ByteOrder.LITTLE_ENDIAN;
    var items = new ArrayList<Item>();
    long address = call.dot();
    for (var argument : arguments) {
      Writing.checkAllowed(call.session(), call.environment());
      long value = call.number(argument) & -1L >>> (64 - size * 8);
      long old = before(memory, address, size);
      var bytes = new byte[size];
      for (int i = 0; i < size; i++) {
        bytes[little ? i : size - 1 - i] = (byte) (value >>> (8 * i));
      }
      Writing.memory(call.session(), call.environment(), physical, address, bytes);
      var name = call.program().symbols().text(address);
      items.add(
          Item.show(
              new Datum.Fact(
                  name + ": 0x" + Long.toHexString(old) + " = 0x" + Long.toHexString(value),
                  List.of(
                      new Datum.Field("address", "", Cell.address(address)),
                      new Datum.Field("old", "", Cell.hex(old)),
                      new Datum.Field("new", "", Cell.hex(value))))));
      address += size;
    }
    call.advance(address - call.dot());
    return items.stream();
  }

  private static long search(
      Call call, Memory memory, long start, int size, long value, long mask) {
    var buffer = new byte[CHUNK];
    boolean little = memory.layout().order() == ByteOrder.LITTLE_ENDIAN;
    long address = start;
    while (true) {
      call.checkInterrupt();
      int got = memory.read(address, MemorySegment.ofArray(buffer));
      int whole = got / size * size;
      for (int i = 0; i < whole; i += size) {
        long cell = 0;
        for (int b = 0; b < size; b++) {
          cell = cell << 8 | (buffer[i + (little ? size - 1 - b : b)] & 0xff);
        }
        if ((cell & mask) == value) {
          return address + i;
        }
      }
      address += whole;
      if (whole < CHUNK) {
        FaultException fault = memory.fault(address + got - whole);
        throw new EvalException(
            "cell match failed: "
                + fault.reason().text()
                + " 0x"
                + Long.toHexString(fault.address()));
      }
    }
  }
}
