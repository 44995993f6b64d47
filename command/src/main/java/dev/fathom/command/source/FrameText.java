// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.source;

import dev.fathom.base.Cell;
import dev.fathom.base.Datum;
import dev.fathom.base.EvalException;
import dev.fathom.base.TargetException;
import dev.fathom.command.EntryValues;
import dev.fathom.command.Invocation;
import dev.fathom.command.Item;
import dev.fathom.command.StackView;
import dev.fathom.command.ValueTree;
import dev.fathom.model.Value;
import dev.fathom.model.source.Activation;
import dev.fathom.model.source.SourceFrame;
import dev.fathom.model.source.SourceLine;
import dev.fathom.model.source.Variable;
import dev.fathom.model.unwind.Frame;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/** Frames and variables as gdb shows them. */
public final class FrameText {
  /** Of values in a word. */
  private static final ValueTree.Options BRIEF = ValueTree.Options.crash(Cell.Radix.DECIMAL);

  private FrameText() {}

  /**
   * The frames of a stack, with arguments and places in the source.
   *
   * @param full also the locals of each
   */
  public static List<Item> stack(Invocation call, List<SourceFrame> frames, boolean full) {
    var items = new ArrayList<Item>();
    Optional<SourceFrame> inner = Optional.empty();
    for (var frame : frames) {
      var at = frame.frame();
      if (inner.isPresent() && inner.get().view().index() != frame.view().index()) {
        between(inner.get().frame(), at)
            .ifPresent(text -> items.add(Item.show(new Datum.Fact(text, List.of()))));
      }
      inner = Optional.of(frame);
      items.add(Item.show(of(call, frame)));
      if (full) {
        items.addAll(locals(call, frame));
      }
    }
    return items;
  }

  /** The function of a frame, by its symbol where nothing else tells it. */
  static Optional<String> function(Invocation call, SourceFrame frame) {
    return frame
        .activation()
        .map(Activation::function)
        .or(
            () ->
                call.program().symbols().at(frame.frame().lookup()).map(at -> at.symbol().name()));
  }

  /** What lies between a frame and its caller, when it is no call. */
  private static Optional<String> between(Frame inner, Frame outer) {
    if (outer.how() == Frame.How.EXCEPTION) {
      if (!inner.stack().equals(outer.stack())) {
        return Optional.of("<" + inner.stack() + " stack>");
      }
      // Kernels are in the upper half of the addresses; a process is interrupted by signals.
      return Optional.of(outer.pc() < 0 ? "<exception>" : "<signal handler called>");
    }
    return inner.stack().equals(outer.stack())
        ? Optional.empty()
        : Optional.of("<" + inner.stack() + " stack>");
  }

  /** One frame on a line. */
  public static Datum.Fact of(Invocation call, SourceFrame frame) {
    var fields = new ArrayList<Datum.Field>();
    fields.add(new Datum.Field("frame", "", Cell.decimal(frame.number())));
    var text = new StringBuilder("#").append(frame.number());
    text.append(" ".repeat(Math.max(1, 4 - text.length())));
    long pc = frame.frame().pc();
    fields.add(new Datum.Field("pc", "", Cell.address(pc)));
    if (!frame.inlined()) {
      text.append("0x").append(Long.toHexString(pc)).append(" in ");
    }
    if (frame.activation().isEmpty()) {
      var symbol = StackView.symbol(call.program().symbols(), frame.frame());
      fields.add(new Datum.Field("symbol", "", Cell.text(symbol)));
      return new Datum.Fact(text.append(symbol).append(" ()").toString(), fields);
    }
    var activation = frame.activation().get();
    fields.add(new Datum.Field("function", "", Cell.text(activation.function())));
    fields.add(new Datum.Field("inlined", "", new Cell.Flag(frame.inlined())));
    text.append(activation.function())
        .append(" (")
        .append(arguments(call, frame, activation))
        .append(')');
    if (activation.line().isPresent()) {
      var line = activation.line().get();
      text.append(" at ").append(line.text());
      fields.addAll(fields(line));
    }
    return new Datum.Fact(text.toString(), fields);
  }

  /** One frame on a line, and its line of the source where the file is found. */
  public static List<Item> withLine(Invocation call, SourceFrame frame) {
    var items = new ArrayList<Item>();
    items.add(Item.show(of(call, frame)));
    frame
        .activation()
        .flatMap(Activation::line)
        .flatMap(line -> SourceText.line(call, line))
        .ifPresent(text -> items.add(Item.show(new Datum.Text(text))));
    return items;
  }

  static List<Datum.Field> fields(SourceLine line) {
    return List.of(
        new Datum.Field("file", "", Cell.text(line.path())),
        new Datum.Field("line", "", Cell.decimal(line.line())));
  }

  private static String arguments(Invocation call, SourceFrame frame, Activation activation) {
    var mode = call.environment().gdb().entryValues();
    var all = new ArrayList<String>();
    for (var parameter : activation.parameters()) {
      var now = parameter.in(frame.view());
      var entry =
          mode == EntryValues.NO ? Optional.<Value>empty() : parameter.atEntry(frame.view());
      var passed = entry.map(FrameText::brief);
      all.add(
          switch (now) {
            case Variable.Present(Value value) ->
                mode.of(
                    parameter.name(),
                    Optional.of(brief(value)),
                    passed,
                    entry.filter(e -> isSame(value, e)).isPresent(),
                    "");
            case Variable.AtEntry _ ->
                mode.of(
                    parameter.name(), Optional.empty(), passed, false, Variable.Gone.OPTIMISED_OUT);
            case Variable.Gone(String why) ->
                mode.of(parameter.name(), Optional.empty(), passed, false, why);
          });
    }
    return String.join(", ", all);
  }

  /** Whether values have the same bytes: in a word all structures look alike. */
  private static boolean isSame(Value now, Value entry) {
    try {
      int size = Math.toIntExact(entry.type().bytes());
      return Arrays.equals(now.bytes(size), entry.bytes(size));
    } catch (EvalException | TargetException _) {
      return false; // What cannot be read is shown as such.
    }
  }

  /** A value in a word; structures and arrays are not opened. */
  static String brief(Value value) {
    return brief(ValueTree.of(Optional.empty(), value, BRIEF).root().shape());
  }

  private static String brief(Datum.Shape shape) {
    return switch (shape) {
      case Datum.Leaf leaf -> text(leaf);
      case Datum.Characters characters -> characters.literal();
      case Datum.Reference reference ->
          "@0x"
              + Long.toHexString(reference.address())
              + reference.target().map(target -> ": " + brief(target)).orElse("");
      case Datum.Presented presented ->
          presented.parts().isEmpty() && !presented.summary().isEmpty()
              ? presented.summary()
              : presented.summary().isEmpty() ? "..." : presented.summary() + " = {...}";
      case Datum.Composite _, Datum.Elements _, Datum.Declared _ -> "...";
    };
  }

  private static String text(Datum.Leaf leaf) {
    var text =
        switch (leaf.value()) {
          case Cell.Int(long bits, Cell.Radix radix, boolean signed, boolean _) ->
              radix == Cell.Radix.HEX
                  ? "0x" + Long.toHexString(bits)
                  : signed ? Long.toString(bits) : Long.toUnsignedString(bits);
          case Cell.Address address -> "0x" + Long.toHexString(address.value());
          case Cell.Symbolic symbolic -> "0x" + Long.toHexString(symbolic.address());
          case Cell.Text(String t) -> t;
          case Cell.Flag flag -> Boolean.toString(flag.value());
          case Cell.Real real -> Double.toString(real.value());
          case Cell.Absent(String why, boolean _) -> "<" + why + ">";
        };
    return leaf.note().map(note -> text + " " + note).orElse(text);
  }

  /** What is missing of a variable that is not in memory is no fault of the target. */
  private static Item shown(Invocation call, Optional<String> name, Value value) {
    var state = call.environment().gdb();
    var options = ValueTree.Options.variables(state.pretty(), state.elements());
    return value instanceof Value.Ref ref && ref.space().equals(call.program().memory())
        ? ValueTree.show(call, name, value, options)
        : Item.show(ValueTree.of(name, value, options));
  }

  /** The locals of a frame, each on its lines. */
  public static List<Item> locals(Invocation call, SourceFrame frame) {
    if (frame.activation().isEmpty()) {
      return List.of();
    }
    var locals = frame.activation().get().locals();
    return locals.isEmpty()
        ? List.of(Item.show(new Datum.Fact("No locals.", List.of())))
        : variables(call, frame, locals);
  }

  /** Variables, each on its lines. */
  public static List<Item> variables(Invocation call, SourceFrame frame, List<Variable> variables) {
    var items = new ArrayList<Item>();
    for (var variable : variables) {
      var name = Optional.of("        " + variable.name());
      items.add(
          switch (variable.in(frame.view())) {
            case Variable.Present(Value value) -> shown(call, name, value);
            case Variable.AtEntry(Value value) -> shown(call, name.map(n -> n + "@entry"), value);
            case Variable.Gone(String why) ->
                Item.show(
                    new Datum.Tree(
                        new Datum.Node(
                            name,
                            Optional.empty(),
                            OptionalLong.empty(),
                            new Datum.Leaf(new Cell.Absent(why), Optional.empty())),
                        Datum.Style.CRASH));
          });
    }
    return items;
  }
}
