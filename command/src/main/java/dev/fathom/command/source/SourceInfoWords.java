// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.source;

import dev.fathom.base.Cell;
import dev.fathom.base.Datum;
import dev.fathom.base.EvalException;
import dev.fathom.base.LookupException;
import dev.fathom.base.Range;
import dev.fathom.base.UsageException;
import dev.fathom.command.Frames;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import dev.fathom.model.Located;
import dev.fathom.model.source.Activation;
import dev.fathom.model.source.FrameView;
import dev.fathom.model.source.SourceFrame;
import dev.fathom.model.source.Variable;
import dev.fathom.model.unwind.Frame;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** What gdb's {@code info} says of frames and lines. */
public final class SourceInfoWords {
  private SourceInfoWords() {}

  /** What {@code info WORD} shows, when it is one of these. */
  public static Optional<Stream<Item>> run(Invocation call, String word) {
    var rest = call.args();
    if (word.equals("f") || is(word, "frame", 2)) {
      return Optional.of(frame(call).stream());
    }
    if (is(word, "locals", 2)) {
      return Optional.of(FrameText.locals(call, described(call)).stream());
    }
    if (is(word, "args", 2)) {
      return Optional.of(arguments(call).stream());
    }
    if (is(word, "line", 3)) {
      return Optional.of(line(call, rest.count() > 1 ? rest.word(1) : "").stream());
    }
    if (is(word, "scope", 2)) {
      if (rest.count() < 2) {
        throw new UsageException("expected a function, FILE:LINE or *ADDRESS");
      }
      return Optional.of(scope(call, rest.word(1)).stream());
    }
    if (is(word, "source", 3)) {
      return Optional.of(
          Stream.of(
              Item.show(
                  new Datum.Fact(
                      "current source file is " + Lines.selected(call).path(), List.of()))));
    }
    return Optional.empty();
  }

  private static boolean is(String word, String whole, int least) {
    return word.length() >= least && whole.startsWith(word);
  }

  private static SourceFrame described(Invocation call) {
    var frame = Frames.selected(call);
    if (frame.activation().isEmpty()) {
      throw new EvalException("no debug information describes frame " + frame.number());
    }
    return frame;
  }

  private static List<Item> arguments(Invocation call) {
    var frame = described(call);
    var parameters = frame.activation().orElseThrow().parameters();
    return parameters.isEmpty()
        ? List.of(Item.show(new Datum.Fact("No arguments.", List.of())))
        : FrameText.variables(call, frame, parameters);
  }

  private static List<Item> frame(Invocation call) {
    var frame = Frames.selected(call);
    var at = frame.frame();
    var fields = new ArrayList<Datum.Field>();
    fields.add(new Datum.Field("frame", "frame", Cell.decimal(frame.number())));
    fields.add(new Datum.Field("pc", "pc", place(call, at.pc())));
    frame
        .activation()
        .ifPresent(
            a -> {
              fields.add(new Datum.Field("function", "function", Cell.text(a.function())));
              a.line()
                  .ifPresent(
                      line -> fields.add(new Datum.Field("line", "line", Cell.text(line.text()))));
              if (a.inlined()) {
                fields.add(
                    new Datum.Field("inlined", "inlined into", Cell.decimal(frame.number() + 1L)));
              }
            });
    fields.add(new Datum.Field("cfa", "frame at", Cell.address(at.cfa())));
    fields.add(new Datum.Field("stack", "stack", Cell.text(at.stack())));
    fields.add(new Datum.Field("how", "found by", Cell.text(at.how().text())));
    frame
        .view()
        .caller()
        .ifPresent(
            caller ->
                fields.add(
                    new Datum.Field("caller", "called from", place(call, caller.frame().pc()))));
    registers(at).forEach(fields::add);
    return List.of(Item.show(new Datum.Fields("frame", fields, 12)));
  }

  private static Cell place(Invocation call, long pc) {
    return new Cell.Symbolic(pc, call.program().symbols().text(pc));
  }

  private static List<Datum.Field> registers(Frame frame) {
    var fields = new ArrayList<Datum.Field>();
    for (var register : frame.registers().file().registers()) {
      var value = frame.registers().get(register);
      if (value.isPresent()) {
        fields.add(
            new Datum.Field(register.name(), register.name(), Cell.address(value.getAsLong())));
      }
    }
    return fields;
  }

  private static List<Item> line(Invocation call, String text) {
    var source = call.session().sources();
    if (Lines.isFileLine(text) || text.matches("\\d{1,9}")) {
      var wanted = Lines.of(call, text);
      var places = source.places(wanted.path(), wanted.line());
      if (places.isEmpty()) {
        throw new LookupException("code of line", wanted.text());
      }
      var items = new ArrayList<Item>();
      for (var place : places) {
        items.add(Item.show(lineAt(call, place.address())));
      }
      return items;
    }
    if (text.isEmpty() || text.startsWith("*")) {
      long address =
          text.isEmpty()
              ? Frames.selected(call).frame().lookup()
              : call.evaluate(text.substring(1));
      return List.of(Item.show(lineAt(call, address)));
    }
    // The pieces of an inlined copy are of one line more often than not.
    return FunctionName.places(call, text).stream()
        .map(place -> lineAt(call, place.address()))
        .distinct()
        .map(Item::show)
        .toList();
  }

  private static Datum.Fact lineAt(Invocation call, long address) {
    var source = call.session().sources();
    var symbols = call.program().symbols();
    var line = source.line(address);
    if (line.isEmpty()) {
      return new Datum.Fact(
          "no line number information available for address "
              + "0x"
              + Long.toHexString(address)
              + " <"
              + symbols.text(address)
              + ">",
          List.of(new Datum.Field("pc", "", Cell.address(address))));
    }
    var fields = new ArrayList<>(FrameText.fields(line.get()));
    var text = new StringBuilder("line ").append(line.get().line());
    text.append(" of \"").append(line.get().path()).append('"');
    var range = source.lineRange(address).map(whole -> ofFunction(call, whole, address));
    if (range.isPresent()) {
      long start = range.get().start();
      long end = range.get().end();
      fields.add(new Datum.Field("start", "", Cell.address(start)));
      fields.add(new Datum.Field("end", "", Cell.address(end)));
      text.append(" starts at address 0x").append(Long.toHexString(start));
      text.append(" <").append(symbols.text(start)).append("> and ends at 0x");
      text.append(Long.toHexString(end))
          .append(" <")
          .append(endText(call, address, end))
          .append('>');
    }
    return new Datum.Fact(text.append('.').toString(), fields);
  }

  /** The end of a line by the function that it is in, although what begins there is the next. */
  private static String endText(Invocation call, long address, long end) {
    var symbols = call.program().symbols();
    return symbols
        .at(address)
        .map(Located::symbol)
        .filter(symbol -> end - symbol.address() == symbol.size())
        .map(symbol -> new Located(symbol, symbol.size()).text())
        .orElseGet(() -> symbols.text(end));
  }

  /**
   * The part of a range that is of the function at an address: a line may have several. A size that
   * does not reach the address, or goes around, bounds nothing.
   */
  private static Range ofFunction(Invocation call, Range range, long address) {
    var symbol = call.program().symbols().at(address).map(Located::symbol);
    if (symbol.isEmpty() || symbol.get().size() == 0) {
      return range;
    }
    long start = symbol.get().address();
    long end = start + symbol.get().size();
    return new Range(
        range.contains(start) ? start : range.start(),
        Long.compareUnsigned(end, address) > 0 && range.contains(end) ? end : range.end());
  }

  /** The variables in scope at a place, and where they are kept there. */
  private static List<Item> scope(Invocation call, String text) {
    if (Lines.isFileLine(text)) {
      return scope(call, text, Lines.places(call, text).getFirst().address());
    }
    if (text.startsWith("*")) {
      return scope(call, text, call.evaluate(text.substring(1)));
    }
    var places = FunctionName.places(call, text);
    // What is inlined has the same variables everywhere.
    var own = places.stream().filter(place -> !place.inlined()).toList();
    var items = new ArrayList<Item>();
    for (var place : own.isEmpty() ? places.subList(0, 1) : own) {
      items.addAll(scope(call, text, place.address()));
    }
    return items;
  }

  private static List<Item> scope(Invocation call, String text, long pc) {
    var activations = call.session().sources().activations(pc);
    if (activations.isEmpty()) {
      throw new EvalException("no debug information describes " + text);
    }
    var none = dev.fathom.model.Registers.none(call.program().architecture().registers());
    var frame = new Frame(pc, true, none, 0, Frame.How.REGISTERS, "");
    var view = new FrameView(call.program(), List.of(frame), 0);
    var items = new ArrayList<Item>();
    for (Activation activation : activations) {
      var all = new ArrayList<Variable>(activation.parameters());
      all.addAll(activation.locals());
      for (var variable : all) {
        items.add(
            Item.show(
                new Datum.Fact(
                    "symbol "
                        + variable.name()
                        + " of "
                        + activation.function()
                        + " is "
                        + variable.place(view)
                        + ", length "
                        + variable.type().bytes()
                        + ".",
                    List.of(
                        new Datum.Field("name", "", Cell.text(variable.name())),
                        new Datum.Field("function", "", Cell.text(activation.function())),
                        new Datum.Field("place", "", Cell.text(variable.place(view))),
                        new Datum.Field("bytes", "", Cell.unsigned(variable.type().bytes()))))));
      }
    }
    return items.isEmpty()
        ? List.of(Item.show(new Datum.Fact("no variables are in scope at " + text, List.of())))
        : items;
  }
}
