// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.core;

import dev.fathom.base.Datum;
import dev.fathom.base.EvalException;
import dev.fathom.base.UsageException;
import dev.fathom.command.Argument;
import dev.fathom.command.Command;
import dev.fathom.command.CommandSpec;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import dev.fathom.model.Memory;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.Spliterators;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/** {@code ::dump}. */
final class DumpCommand implements Command {
  private static final int CHUNK = 4096;
  private static final int PARAGRAPH = 16;

  @Override
  public CommandSpec spec() {
    return CommandSpec.mdb("dump", "dump memory from specified address")
        .addressOptional()
        .flag('e', "the bytes of each group last first (little-endian numbers)")
        .flag('q', "no characters on the right")
        .flag('r', "number the lines from 0; implies -u")
        .flag('s', "replace repeated lines by *")
        .flag('t', "show only the bytes asked for")
        .flag('u', "do not align lines to 16 bytes")
        .flag('f', "from the object file (a dump has none: the same memory)")
        .flag('p', "the address is a physical one")
        .option('g', "bytes", "bytes in a group: a power of two, normally 4")
        .option('l', "bytes", "how many bytes; whole lines are shown")
        .option('w', "paragraphs", "paragraphs of 16 bytes in a line, up to 16 (hexadecimal 10)")
        .help(
            """
            Shows memory in hexadecimal and as characters. What cannot be read stays blank, and an
            error says where it begins.

                > ffff888003858000::dump -l 20
                                   \\/ 1 2 3  4 5 6 7  8 9 a b  c d e f  v123456789abcdef
                ffff888003858000:  00400000 00000000 00000000 00000000  .@..............
            """);
  }

  @Override
  public Stream<Item> run(Invocation call) {
    var args = call.args().expect(0, 0);
    int group = (int) option(call, 'g', 4, 1, PARAGRAPH);
    if (Integer.bitCount(group) != 1) {
      throw new UsageException("the group size must be a power of two");
    }
    int perLine = (int) option(call, 'w', 1, 1, 16) * PARAGRAPH;
    long length = option(call, 'l', 1, 1, Long.MAX_VALUE);
    boolean relative = args.has('r');
    long address = call.hasAddress() ? call.address() : call.dot();
    long start = relative || args.has('u') ? address : address & -PARAGRAPH;
    var layout =
        new Datum.HexLayout(
            group, perLine, args.has('e'), relative, args.has('s'), !args.has('q'), address);
    long shown = address - start + length;
    long lines = Long.divideUnsigned(shown + perLine - 1, perLine);
    var memory = args.has('p') ? call.program().physical() : call.program().memory();
    call.advance(length);
    var pieces = new Pieces(memory, layout, start, lines * perLine, args.has('t') ? length : 0);
    return StreamSupport.stream(Spliterators.spliteratorUnknownSize(pieces, 0), false);
  }

  private static long option(Invocation call, char letter, long normal, long least, long most) {
    Optional<Argument> given = call.args().option(letter);
    if (given.isEmpty()) {
      return normal;
    }
    long value = call.number(given.get());
    if (Long.compareUnsigned(value, least) < 0 || Long.compareUnsigned(value, most) > 0) {
      throw new UsageException("-" + letter + " must be between " + least + " and " + most);
    }
    return value;
  }

  /** Pieces of a dump, up to the first byte that cannot be read. */
  private static final class Pieces implements Iterator<Item> {
    private final Memory memory;
    private final Datum.HexLayout layout;
    private final long start;
    private final long length;
    private final long only;
    private long done;
    private Optional<EvalException> problem = Optional.empty();

    /**
     * @param only how many bytes from the marked one on are read; 0 for whole lines
     */
    Pieces(Memory memory, Datum.HexLayout layout, long start, long length, long only) {
      this.memory = memory;
      this.layout = layout;
      this.start = start;
      this.length = length;
      this.only = only;
    }

    @Override
    public boolean hasNext() {
      if (problem.isPresent()) {
        var thrown = problem.get();
        problem = Optional.empty();
        done = length;
        throw thrown;
      }
      return Long.compareUnsigned(done, length) < 0;
    }

    @Override
    public Item next() {
      if (!hasNext()) {
        throw new NoSuchElementException();
      }
      long left = length - done;
      int size =
          left < 0 || left > CHUNK ? CHUNK / layout.perLine() * layout.perLine() : (int) left;
      long from = start + done;
      int skip = only > 0 && done == 0 ? (int) (layout.marked() - start) : 0;
      int want = size - skip;
      if (only > 0) {
        want = (int) Math.min(want, layout.marked() + only - from - skip);
      }
      var bytes = new byte[size];
      int got =
          memory.read(from + skip, MemorySegment.ofArray(bytes).asSlice(skip, Math.max(0, want)));
      var readable = new boolean[size];
      Arrays.fill(readable, skip, skip + got, true);
      int shown = size;
      if (got < want) {
        long bad = from + skip + got;
        problem =
            Optional.of(
                new EvalException(
                    "failed to read data at 0x"
                        + Long.toHexString(bad)
                        + ": "
                        + memory.fault(bad).why()));
        shown =
            Math.min(size, (skip + got + layout.perLine()) / layout.perLine() * layout.perLine());
      }
      var piece =
          new Datum.Hex(
              from, Arrays.copyOf(bytes, shown), Arrays.copyOf(readable, shown), layout, done == 0);
      done += size;
      return Item.show(piece);
    }
  }
}
