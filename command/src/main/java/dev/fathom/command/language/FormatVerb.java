// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.language;

import dev.fathom.base.Cell;
import dev.fathom.base.Datum;
import dev.fathom.base.EvalException;
import dev.fathom.base.FaultException;
import dev.fathom.command.Item;
import dev.fathom.command.Lazily;
import dev.fathom.model.Located;
import dev.fathom.model.Memory;
import java.io.ByteArrayOutputStream;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Stream;

/**
 * The verbs {@code / \ @ ? =}: reads memory from dot on (for {@code =}, takes dot itself) and shows
 * it as a list of formats says.
 */
final class FormatVerb {
  private static final int MARGIN = 16;
  private static final int ITEMS_AT_ONCE = 64;
  private static final int STRING_LIMIT = 64 << 10;

  /** A format and how often, unsigned, it is applied, or text to be shown as it is. */
  private record Step(Optional<Format> format, long count, String text) {}

  private final char verb;
  private final List<Step> steps;

  private FormatVerb(char verb, List<Step> steps) {
    this.verb = verb;
    this.steps = steps;
  }

  static FormatVerb of(Statement.Verb stage, Execution execution) {
    if (stage.items().isEmpty()) {
      if (stage.verb() == '=') {
        throw new EvalException("expected one or more format characters following '='");
      }
      return new FormatVerb(
          stage.verb(), List.of(step('X', 1), step('^', 1), text("= "), step('i', 1)));
    }
    var steps = new ArrayList<Step>();
    long count = 1;
    for (var item : stage.items()) {
      switch (item) {
        case Statement.FormatCount c -> count = execution.evaluate(c.count());
        case Statement.FormatChar c -> {
          steps.add(step(c.character(), count));
          count = 1;
        }
        case Statement.FormatText t -> {
          steps.add(text(t.text()));
          count = 1;
        }
      }
    }
    return new FormatVerb(stage.verb(), List.copyOf(steps));
  }

  private static Step step(char character, long count) {
    var format =
        Format.named(character)
            .orElseThrow(
                () -> new EvalException("invalid format character -- '" + character + "'"));
    return new Step(Optional.of(format), count, "");
  }

  private static Step text(String text) {
    return new Step(Optional.empty(), 1, text);
  }

  Stream<Item> run(Call call) {
    return Lazily.stream(new Run(call));
  }

  /** One application of the whole format. */
  private final class Run extends Lazily<Item> {
    private final Call call;
    private final Memory memory;
    private final boolean physical;
    private final long start;
    private long address;
    private long lastSize;
    private int step;
    private long done;
    private boolean begun;
    private boolean ended;
    private Optional<EvalException> problem = Optional.empty();

    Run(Call call) {
      this.call = call;
      this.physical = verb == '\\' || verb == '@';
      this.memory = physical ? call.program().physical() : call.program().memory();
      this.start = call.dot();
      this.address = start;
    }

    @Override
    protected Optional<Item> advance() {
      if (problem.isPresent()) {
        throw problem.get();
      }
      if (ended) {
        return Optional.empty();
      }
      boolean opening = !begun && call.first() && !call.toPipe() && verb != '=';
      boolean continued = begun || !call.first();
      begun = true;
      Optional<String> heading = opening ? heading() : Optional.empty();
      Optional<String> label = opening && !isDisassembly() ? label() : Optional.empty();
      var items = new ArrayList<Datum.FormattedItem>();
      try {
        while (items.size() < ITEMS_AT_ONCE && step < steps.size()) {
          var current = steps.get(step);
          if (isAddress(current)) {
            if (!items.isEmpty() || label.isPresent()) {
              break;
            }
            label = Optional.of(symbol(address) + ":");
            step++;
          } else {
            apply(current, items);
          }
        }
      } catch (FaultException e) {
        problem = Optional.of(unreadable(e));
      }
      if (step >= steps.size()) {
        ended = true;
        if (verb == '=') {
          call.advance(0);
          call.moveDot(address);
        } else {
          call.advance(address - start);
        }
      }
      return Optional.of(
          Item.show(
              new Datum.Formatted(
                  heading,
                  verb == '=' ? OptionalLong.empty() : OptionalLong.of(start),
                  label,
                  continued,
                  true,
                  items)));
    }

    private static boolean isAddress(Step step) {
      return step.format().isPresent() && step.format().get().kind() == Format.Kind.ADDRESS;
    }

    private String symbol(long at) {
      return physical ? "0x" + Long.toHexString(at) : call.program().symbols().text(at);
    }

    private Optional<String> label() {
      return Optional.of(symbol(start) + ":");
    }

    private EvalException unreadable(FaultException e) {
      return new EvalException(
          "failed to read data from target: "
              + (e.why().equals(e.reason().text())
                  ? e.why() + " 0x" + Long.toHexString(e.address())
                  : "0x" + Long.toHexString(e.address()) + ": " + e.why()));
    }

    /** The symbol at dot; where every line has its address, the first stands above as well. */
    private Optional<String> heading() {
      if (isDisassembly()) {
        return Optional.of(symbol(start));
      }
      if (physical) {
        return Optional.empty();
      }
      return call.program()
          .symbols()
          .at(start)
          .filter(located -> located.offset() == 0)
          .map(Located::text);
    }

    private boolean isDisassembly() {
      return steps.size() == 2
          && isAddress(steps.get(0))
          && steps.get(1).format().isPresent()
          && steps.get(1).format().get().kind() == Format.Kind.INSTRUCTION;
    }

    /** Applies a step once and moves to the next one when it has been applied as often as asked. */
    private void apply(Step current, List<Datum.FormattedItem> into) {
      if (current.format().isEmpty()) {
        into.add(new Datum.FormattedItem(Optional.empty(), current.text()));
        step++;
        return;
      }
      var format = current.format().get();
      switch (format.kind()) {
        case FORWARD -> {
          address += current.count();
          step++;
        }
        case BACKWARD -> {
          address -= current.count();
          step++;
        }
        case UNDO -> {
          address -= lastSize * current.count();
          step++;
        }
        case SEARCH ->
            throw new EvalException(
                "format '" + format.character() + "' searches and must come first");
        default -> {
          if (Long.compareUnsigned(done, current.count()) < 0) {
            into.add(item(format));
            done++;
          }
          if (Long.compareUnsigned(done, current.count()) >= 0) {
            done = 0;
            step++;
          }
        }
      }
    }

    private Datum.FormattedItem item(Format format) {
      if (format.isNumber()) {
        return number(format);
      }
      return switch (format.kind()) {
        case STRING, ESCAPED_STRING -> string(format);
        case INSTRUCTION, INSTRUCTION_BYTES -> instruction(format);
        case BLANK -> new Datum.FormattedItem(Optional.empty(), " ");
        case TAB -> new Datum.FormattedItem(Optional.empty(), "\t");
        default -> new Datum.FormattedItem(Optional.empty(), "\n");
      };
    }

    private Datum.FormattedItem number(Format format) {
      // For '=' the number is dot itself, which only + and - change.
      long raw = address;
      if (verb != '=') {
        raw = memory.unsigned(address, format.size());
        moved(format.size());
      }
      call.environment().variables().set("0", raw);
      var symbol = format.kind() == Format.Kind.SYMBOL ? call.program().symbols().text(raw) : "";
      return format.item(raw, call.environment().settings().radix(), symbol);
    }

    private void moved(long size) {
      address += size;
      lastSize = size;
    }

    private void needMemory(Format format) {
      if (verb == '=') {
        throw new EvalException("format '" + format.character() + "' cannot be used with '='");
      }
    }

    private Datum.FormattedItem string(Format format) {
      needMemory(format);
      byte[] bytes = stringBytes();
      moved(bytes.length + 1L);
      var text = new String(bytes, StandardCharsets.UTF_8);
      if (format.kind() == Format.Kind.ESCAPED_STRING) {
        var escaped = new StringBuilder();
        for (byte b : bytes) {
          escaped.append(b == 0 ? "" : Format.escaped(b & 0xff));
        }
        text = escaped.toString();
      }
      return new Datum.FormattedItem(Optional.of(new Cell.Text(text)), text);
    }

    private byte[] stringBytes() {
      var bytes = new ByteArrayOutputStream();
      var buffer = new byte[64];
      while (bytes.size() < STRING_LIMIT) {
        int got = memory.read(address + bytes.size(), MemorySegment.ofArray(buffer));
        for (int i = 0; i < got; i++) {
          if (buffer[i] == 0) {
            bytes.write(buffer, 0, i);
            return bytes.toByteArray();
          }
        }
        bytes.write(buffer, 0, got);
        if (got < buffer.length) {
          throw memory.fault(address + bytes.size());
        }
      }
      return bytes.toByteArray();
    }

    private Datum.FormattedItem instruction(Format format) {
      needMemory(format);
      boolean withBytes = format.kind() == Format.Kind.INSTRUCTION_BYTES;
      var line =
          call.environment().disassembly(call.program()).at(memory, address, false, withBytes);
      moved(line.length());
      var shown = line.instruction();
      var text = new StringBuilder();
      if (withBytes) {
        text.append(Format.pad(shown.symbol() + ":", MARGIN));
        var bytes = new StringBuilder();
        for (byte b : shown.bytes()) {
          bytes.append(Character.forDigit(b >> 4 & 15, 16));
          bytes.append(Character.forDigit(b & 15, 16)).append(' ');
        }
        text.append(Format.pad(bytes.toString(), 32));
      }
      text.append(shown.text());
      shown.comment().ifPresent(comment -> text.append("  <").append(comment).append('>'));
      return new Datum.FormattedItem(
          Optional.of(new Cell.Text(text.toString())), text.append('\n').toString());
    }
  }
}
