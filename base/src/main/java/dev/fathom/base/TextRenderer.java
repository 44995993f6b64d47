// SPDX-License-Identifier: Apache-2.0
package dev.fathom.base;

import java.io.Flushable;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;

/**
 * Shows results as text, in mdb's and crash's layouts, line by line as they come. Characters that
 * would steer a terminal are shown escaped.
 */
public final class TextRenderer implements Sink {
  /**
   * How text looks.
   *
   * @param program the name in front of messages
   * @param width columns of the page, at which the output of format verbs wraps
   * @param wordBytes bytes of an address
   * @param colour whether ANSI escape sequences may be used
   */
  public record Options(String program, int width, int wordBytes, boolean colour) {
    public static final Options PLAIN = new Options("fathom", 80, 8, false);
  }

  /** Where mdb's format verbs begin their items. */
  private static final int MARGIN = 16;

  private static final int DEPTH_LIMIT = 200;

  /**
   * Elements of arrays that are the same, and fewer, are written out; gdb's {@code print repeats}.
   */
  private static final int REPEATS = 10;

  private static final String BOLD = "\u001b[1m";
  private static final String UNDERLINE = "\u001b[4m";
  private static final String RED = "\u001b[31m";
  private static final String YELLOW = "\u001b[33m";
  private static final String RESET = "\u001b[0m";

  private final Appendable out;
  private final Appendable err;
  private final Options options;
  private final StringBuilder line = new StringBuilder();
  private final List<Loss> losses = new ArrayList<>();
  private List<Datum.Column> columns = List.of();
  private byte[] lastHexLine = {};
  private boolean squeezing;

  /** Whether structures stand in one line. */
  private boolean inline;

  /**
   * @param out takes results
   * @param err takes notes and errors; may be the same as {@code out}
   */
  public TextRenderer(Appendable out, Appendable err, Options options) {
    this.out = out;
    this.err = err;
    this.options = options;
  }

  /** A cell as text, for prompts and tests. */
  public static String text(Cell cell) {
    return CellText.of(cell, 8);
  }

  @Override
  public void begin(String command) {
    columns = List.of();
    losses.clear();
  }

  @Override
  public void accept(Datum datum) {
    if (!(datum instanceof Datum.Formatted)) {
      endFormatted();
    }
    switch (datum) {
      case Datum.Header header -> header(header);
      case Datum.Row row -> row(row.cells());
      case Datum.Block block -> block(block);
      case Datum.Outline outline -> outline(outline);
      case Datum.Fields fields -> fields(fields);
      case Datum.Text text -> printLine(CellText.clean(text.text()));
      case Datum.Fact fact -> printLine(CellText.clean(fact.text()));
      case Datum.Scalar scalar -> printLine(cell(scalar.value()));
      case Datum.Tree tree -> tree(tree);
      case Datum.Stack stack -> stack(stack);
      case Datum.Instruction instruction -> instruction(instruction);
      case Datum.Hex hex -> hex(hex);
      case Datum.Formatted formatted -> formatted(formatted);
      case Datum.Note note -> note(note);
    }
  }

  @Override
  public void flush() {
    endFormatted();
    try {
      if (out instanceof Flushable buffered) {
        buffered.flush();
      }
      if (err instanceof Flushable buffered) {
        buffered.flush();
      }
    } catch (IOException e) {
      throw new TargetException("cannot write the output: " + e.getMessage(), e);
    }
  }

  @Override
  public void lost(Loss loss) {
    losses.add(loss);
  }

  @Override
  public void end(Outcome outcome) {
    endFormatted();
    for (var loss : losses) {
      message(Datum.Severity.ERROR, "left out: " + loss.count() + " " + loss.what());
    }
    losses.clear();
  }

  private String cell(Cell cell) {
    return CellText.of(cell, options.wordBytes());
  }

  // Tables

  private void header(Datum.Header header) {
    columns = header.columns();
    boolean titled = false;
    for (var column : columns) {
      titled |= !column.title().isEmpty();
    }
    if (titled) {
      for (int i = 0; i < columns.size(); i++) {
        column(i, columns.get(i).title());
      }
      stripLine();
      if (options.colour()) {
        line.insert(0, UNDERLINE).append(RESET);
      }
      endLine();
    }
  }

  private void row(List<Cell> cells) {
    for (int i = 0; i < cells.size(); i++) {
      var value = cells.get(i);
      column(i, value instanceof Cell.Absent ? "-" : cell(value));
    }
    stripLine();
    endLine();
  }

  private void block(Datum.Block block) {
    row(block.cells());
    int indent = columns.isEmpty() ? 0 : columns.getFirst().width() + 1;
    for (var text : block.lines()) {
      blanks(indent);
      line.append(CellText.clean(text));
      endLine();
    }
  }

  private void outline(Datum.Outline outline) {
    blanks(outline.depth() * 5);
    var gap = "";
    for (var field : outline.fields()) {
      line.append(gap).append(cell(field.value()));
      gap = "  ";
    }
    endLine();
  }

  private void column(int index, String text) {
    if (index > 0) {
      line.append(' ');
    }
    if (index >= columns.size()) {
      line.append(text);
      return;
    }
    var column = columns.get(index);
    int gap = column.width() - text.length();
    if (column.align() == Datum.Align.RIGHT) {
      blanks(gap);
      line.append(text);
    } else {
      line.append(text);
      blanks(gap);
    }
  }

  private void fields(Datum.Fields fields) {
    for (var field : fields.fields()) {
      if (fields.labelWidth() > 0) {
        blanks(fields.labelWidth() - field.label().length());
        line.append(field.label()).append(' ');
      } else {
        line.append(field.label()).append(": ");
      }
      line.append(cell(field.value()));
      endLine();
    }
  }

  // Structures

  private void tree(Datum.Tree tree) {
    switch (tree.style()) {
      case MDB -> mdbNode(tree.root(), 0);
      case CRASH -> crashNode(tree.root(), 0);
      case GDB -> {
        inline = true;
        crashNode(tree.root(), 0);
        inline = false;
      }
    }
    endLine();
  }

  private void mdbNode(Datum.Node node, int depth) {
    if (node.address().isPresent()) {
      line.append(Long.toHexString(node.address().getAsLong())).append(' ');
    }
    var name = node.name().orElse("");
    if (node.type().isPresent()) {
      var type = node.type().get();
      line.append(type).append(type.endsWith("*") && !name.isEmpty() ? "" : " ");
    }
    line.append(name);
    if (!name.isEmpty()) {
      line.append(node.shape() instanceof Datum.Declared ? " " : " = ");
    }
    mdbShape(node.shape(), depth);
  }

  private void mdbShape(Datum.Shape shape, int depth) {
    switch (shape) {
      case Datum.Leaf leaf -> leaf(leaf);
      case Datum.Characters text ->
          line.append("[ \"")
              .append(CellText.clean(text.text()))
              .append(text.cut() ? "\" ... ]" : "\" ]");
      case Datum.Composite composite -> {
        line.append('{');
        mdbLines(composite.members(), depth, "", false);
        line.append('}');
      }
      case Datum.Elements elements -> mdbElements(elements, depth);
      case Datum.Reference reference -> {
        reference(reference);
        reference.target().ifPresent(target -> mdbShape(target, depth));
      }
      case Datum.Presented presented -> mdbPresented(presented, depth);
      case Datum.Declared _ -> {}
    }
  }

  /** A reference up to what it refers to. */
  private void reference(Datum.Reference reference) {
    reference.type().ifPresent(type -> line.append('(').append(type).append(") "));
    line.append("@0x").append(Long.toHexString(reference.address()));
    line.append(reference.target().isPresent() ? ": " : "");
  }

  private void mdbPresented(Datum.Presented presented, int depth) {
    line.append(CellText.clean(presented.summary()));
    if (presented.parts().isEmpty() && !presented.cut()) {
      return;
    }
    line.append(presented.summary().isEmpty() ? "" : " ");
    var nodes = nodes(presented);
    switch (presented.form()) {
      case LIST, SINGLE ->
          mdbElements(new Datum.Elements(nodes, nodes.size() + (presented.cut() ? 1 : 0)), depth);
      case MAP, FIELDS -> {
        line.append('{');
        mdbLines(nodes, depth, "", presented.cut());
        line.append('}');
      }
    }
  }

  /** The parts as a tree's; the key of a map's entry is its name. */
  private List<Datum.Node> nodes(Datum.Presented presented) {
    var nodes = new ArrayList<Datum.Node>();
    for (var part : presented.parts()) {
      var value = part.value();
      nodes.add(
          part.key().isEmpty()
              ? value
              : new Datum.Node(
                  Optional.of("[" + brief(part.key().get()) + "]"),
                  value.type(),
                  value.address(),
                  value.shape()));
    }
    return nodes;
  }

  /** A node in one line, as gdb has it. */
  private String brief(Datum.Node node) {
    var text = new StringBuilder();
    var inner = new TextRenderer(text, text, options);
    inner.inline = true;
    inner.crashShape(node.shape(), 0);
    return inner.line.toString();
  }

  private void mdbElements(Datum.Elements array, int depth) {
    boolean cut = array.elements().size() < array.total();
    if (isFlat(array)) {
      line.append('[');
      var separator = " ";
      for (var element : array.elements()) {
        line.append(separator);
        mdbNode(element, depth);
        separator = ", ";
      }
      line.append(cut ? separator + "... ]" : " ]");
      return;
    }
    line.append('[');
    mdbLines(array.elements(), depth, ",", cut);
    line.append(']');
  }

  private void mdbLines(List<Datum.Node> nodes, int depth, String separator, boolean cut) {
    endLine();
    boolean tooDeep = depth >= DEPTH_LIMIT;
    for (int i = 0; i < nodes.size() && !tooDeep; i++) {
      blanks((depth + 1) * 4);
      mdbNode(nodes.get(i), depth + 1);
      line.append(i < nodes.size() - 1 || cut ? separator : "");
      endLine();
    }
    if (cut || tooDeep) {
      blanks((depth + 1) * 4);
      line.append("...");
      endLine();
    }
    blanks(depth * 4);
  }

  private static boolean isFlat(Datum.Elements array) {
    for (var element : array.elements()) {
      if (element.shape() instanceof Datum.Composite
          || (element.shape() instanceof Datum.Elements inner && !isFlat(inner))
          || (element.shape() instanceof Datum.Presented presented && !isFlat(presented))
          || element.address().isPresent()) {
        return false;
      }
    }
    return true;
  }

  private static boolean isFlat(Datum.Presented presented) {
    return switch (presented.form()) {
      case LIST, SINGLE ->
          isFlat(
              new Datum.Elements(
                  presented.parts().stream().map(Datum.Part::value).toList(),
                  presented.parts().size()));
      case MAP, FIELDS -> presented.parts().isEmpty();
    };
  }

  private void leaf(Datum.Leaf leaf) {
    line.append(cell(leaf.value()));
    if (leaf.note().isPresent()) {
      line.append(' ').append(CellText.clean(leaf.note().get()));
    }
  }

  private void crashNode(Datum.Node node, int depth) {
    if (isLayout(node)) {
      crashLayout(node, depth);
      return;
    }
    if (node.address().isPresent() && depth > 0) {
      line.append('[').append(Long.toHexString(node.address().getAsLong())).append("] ");
    }
    if (node.type().isPresent()) {
      line.append(node.type().get()).append(' ');
    }
    if (node.name().isPresent()) {
      line.append(node.name().get()).append(" = ");
    }
    crashShape(node.shape(), depth);
  }

  /** Whether the node declares a member and holds no value. */
  private static boolean isLayout(Datum.Node node) {
    return switch (node.shape()) {
      case Datum.Declared _ -> true;
      case Datum.Composite composite ->
          !composite.members().isEmpty() && isLayout(composite.members().getFirst());
      case Datum.Leaf _,
          Datum.Characters _,
          Datum.Elements _,
          Datum.Reference _,
          Datum.Presented _ ->
          false;
    };
  }

  private void crashLayout(Datum.Node node, int depth) {
    if (node.address().isPresent()) {
      var offset = "[" + node.address().getAsLong() + "]";
      blanks(6 - offset.length());
      line.append(offset).append(' ');
      blanks((depth - 1) * 4);
    } else {
      blanks(depth * 4);
    }
    line.append(node.type().orElse(""));
    if (node.shape() instanceof Datum.Composite composite) {
      line.append(" {");
      endLine();
      for (var member : composite.members()) {
        crashLayout(member, depth + 1);
        endLine();
      }
      blanks(depth * 4);
      line.append('}');
    }
    node.name().ifPresent(name -> line.append(' ').append(name));
    line.append(depth == 0 ? "" : ";");
  }

  private void crashShape(Datum.Shape shape, int depth) {
    switch (shape) {
      case Datum.Leaf(Cell.Flag flag, _) -> line.append(flag.value());
      case Datum.Leaf leaf -> leaf(leaf);
      case Datum.Characters text -> line.append(text.literal()).append(text.cut() ? "..." : "");
      case Datum.Composite composite -> {
        line.append('{');
        crashLines(composite.members(), depth);
        line.append('}');
      }
      case Datum.Elements array -> crashElements(array, depth);
      case Datum.Reference reference -> {
        reference(reference);
        reference.target().ifPresent(target -> crashShape(target, depth));
      }
      case Datum.Presented presented -> crashPresented(presented, depth);
      case Datum.Declared _ -> {}
    }
  }

  /** Elements in a word each; what stands there many times in a row once, with the count. */
  private List<String> folded(List<Datum.Node> elements) {
    var words = elements.stream().map(this::brief).toList();
    var all = new ArrayList<String>();
    for (int i = 0; i < words.size(); ) {
      var first = words.get(i);
      int end = i + 1;
      while (end < words.size() && words.get(end).equals(first)) {
        end++;
      }
      if (end - i < REPEATS) {
        all.addAll(Collections.nCopies(end - i, first));
      } else {
        all.add(first + " <repeats " + (end - i) + " times>");
      }
      i = end;
    }
    return all;
  }

  private void crashElements(Datum.Elements array, int depth) {
    boolean cut = array.elements().size() < array.total();
    line.append('{');
    if (isFlat(array)) {
      line.append(String.join(", ", folded(array.elements())));
      line.append(cut ? "..." : "");
    } else {
      crashLines(array.elements(), depth);
      line.append(cut ? "..." : "");
    }
    line.append('}');
  }

  private void crashPresented(Datum.Presented presented, int depth) {
    line.append(CellText.clean(presented.summary()));
    if (presented.parts().isEmpty() && !presented.cut()) {
      return;
    }
    line.append(presented.summary().isEmpty() ? "" : " = ");
    var nodes = nodes(presented);
    switch (presented.form()) {
      case LIST ->
          crashElements(new Datum.Elements(nodes, nodes.size() + (presented.cut() ? 1 : 0)), depth);
      case SINGLE -> {
        line.append("{ ");
        for (var node : nodes) {
          crashShape(node.shape(), depth);
        }
        line.append(" }");
      }
      case MAP, FIELDS -> {
        line.append('{');
        crashLines(nodes, depth);
        line.append(presented.cut() ? inline ? ", ..." : "..." : "").append('}');
      }
    }
  }

  private void crashLines(List<Datum.Node> nodes, int depth) {
    if (inline) {
      for (int i = 0; i < nodes.size() && depth < DEPTH_LIMIT; i++) {
        line.append(i == 0 ? "" : ", ");
        crashNode(nodes.get(i), depth + 1);
      }
      return;
    }
    endLine();
    if (depth >= DEPTH_LIMIT) {
      blanks((depth + 1) * 2);
      line.append("...");
      endLine();
    } else {
      for (int i = 0; i < nodes.size(); i++) {
        var node = nodes.get(i);
        boolean layout = isLayout(node);
        blanks(layout ? 0 : (depth + 1) * 2);
        crashNode(node, depth + 1);
        line.append(layout || i == nodes.size() - 1 ? "" : ",");
        endLine();
      }
    }
    blanks(depth * 2);
  }

  // Code and memory

  private void stack(Datum.Stack stack) {
    if (!stack.title().isEmpty()) {
      printLine(CellText.clean(stack.title()));
    }
    var indent = stack.title().isEmpty() || stack.style() != Datum.Style.MDB ? "" : "  ";
    int number = 0;
    for (var frame : stack.frames()) {
      if (frame.note().isPresent()) {
        for (var note : frame.note().get().split("\n", -1)) {
          line.append(indent).append(CellText.clean(note));
          endLine();
        }
      }
      line.append(indent);
      switch (stack.style()) {
        case MDB -> mdbFrame(frame, stack.detail());
        case CRASH, GDB -> crashFrame(frame, stack.detail(), number);
      }
      endLine();
      number++;
    }
    if (stack.end().isPresent()) {
      line.append(indent).append("(").append(CellText.clean(stack.end().get())).append(")");
      endLine();
    }
  }

  private void mdbFrame(Datum.StackFrame frame, Datum.Detail detail) {
    if (detail != Datum.Detail.FUNCTIONS) {
      line.append(CellText.address(frame.frame(), options.wordBytes())).append(' ');
    }
    line.append(CellText.clean(frame.symbol())).append("()");
    if (detail == Datum.Detail.FULL) {
      line.append(" [").append(frame.how());
      if (frame.size().isPresent()) {
        line.append(", ").append(frame.size().getAsLong()).append(" bytes");
      }
      line.append(']');
    }
  }

  private void crashFrame(Datum.StackFrame frame, Datum.Detail detail, int number) {
    line.append(number < 10 ? " #" : "#").append(number);
    line.append(" [").append(CellText.address(frame.frame(), options.wordBytes())).append("] ");
    line.append(CellText.clean(frame.symbol())).append(" at ");
    line.append(CellText.address(frame.pc(), options.wordBytes()));
    if (detail == Datum.Detail.FULL) {
      line.append(" [").append(frame.how()).append(']');
    }
  }

  private void instruction(Datum.Instruction instruction) {
    line.append(CellText.clean(instruction.symbol())).append(':');
    blanks(32 - line.length());
    line.append(instruction.marked() ? "  =>    " : "        ");
    if (instruction.withBytes()) {
      var bytes = new StringBuilder();
      for (byte b : instruction.bytes()) {
        hexByte(bytes, b);
        bytes.append(' ');
      }
      line.append(bytes);
      blanks(32 - bytes.length());
    }
    line.append(CellText.clean(instruction.text()));
    if (instruction.comment().isPresent()) {
      line.append("  <").append(CellText.clean(instruction.comment().get())).append('>');
    }
    if (options.colour() && instruction.marked()) {
      line.insert(0, BOLD).append(RESET);
    }
    endLine();
  }

  private void hex(Datum.Hex hex) {
    var layout = hex.layout();
    int addressWidth = layout.relative() ? 8 : options.wordBytes() * 2;
    if (hex.header()) {
      lastHexLine = new byte[0];
      squeezing = false;
      hexHeader(layout, hex.address(), addressWidth);
    }
    for (int from = 0; from < hex.bytes().length; from += layout.perLine()) {
      int count = Math.min(layout.perLine(), hex.bytes().length - from);
      var bytes = Arrays.copyOfRange(hex.bytes(), from, from + count);
      boolean last = from + count >= hex.bytes().length;
      if (layout.squeeze() && !last && Arrays.equals(bytes, lastHexLine)) {
        if (!squeezing) {
          printLine("*");
        }
        squeezing = true;
        continue;
      }
      squeezing = false;
      lastHexLine = bytes;
      long number = hex.address() + from;
      var address = Long.toHexString(layout.relative() ? number - layout.marked() : number);
      blanks(addressWidth - address.length());
      line.append(address).append(":  ");
      hexLine(hex, from, count);
      stripLine();
      endLine();
    }
  }

  private void hexHeader(Datum.HexLayout layout, long start, int addressWidth) {
    int mark = (int) Long.remainderUnsigned(layout.marked() - start, layout.perLine());
    int first = (int) Long.remainderUnsigned(start, 16);
    blanks(addressWidth + 3);
    for (int i = 0; i < layout.perLine(); i++) {
      if (i > 0 && i % layout.group() == 0) {
        line.append(' ');
      }
      line.append(i == mark ? "\\/" : " " + Character.forDigit((first + i) % 16, 16));
    }
    if (layout.ascii()) {
      line.append("  ");
      for (int i = 0; i < layout.perLine(); i++) {
        line.append(i == mark ? 'v' : Character.forDigit((first + i) % 16, 16));
      }
    }
    endLine();
  }

  private void hexLine(Datum.Hex hex, int from, int count) {
    var layout = hex.layout();
    for (int i = 0; i < layout.perLine(); i++) {
      if (i > 0 && i % layout.group() == 0) {
        line.append(' ');
      }
      int inGroup = i % layout.group();
      int at = layout.swap() ? i - inGroup + layout.group() - 1 - inGroup : i;
      if (at < count && hex.readable()[from + at]) {
        hexByte(line, hex.bytes()[from + at]);
      } else {
        line.append("  ");
      }
    }
    if (layout.ascii()) {
      line.append("  ");
      for (int i = 0; i < count; i++) {
        int b = hex.bytes()[from + i];
        boolean printable = b >= ' ' && b < 0x7f;
        line.append(hex.readable()[from + i] ? printable ? (char) b : '.' : ' ');
      }
    }
  }

  private static void hexByte(StringBuilder into, byte b) {
    into.append(Character.forDigit(b >> 4 & 15, 16)).append(Character.forDigit(b & 15, 16));
  }

  // Format verbs

  private void formatted(Datum.Formatted formatted) {
    if (!formatted.continued()) {
      endFormatted();
    }
    if (formatted.heading().isPresent()) {
      printLine(CellText.clean(formatted.heading().get()) + ":");
    }
    if (!formatted.columns()) {
      line.append(CellText.clean(formatted.label().orElse("")));
      formatted.items().forEach(item -> line.append(CellText.clean(item.text())));
      endLine();
      return;
    }
    if (formatted.label().isPresent()) {
      line.append(CellText.clean(formatted.label().get()));
      if (line.charAt(line.length() - 1) != ' ') {
        blanks(MARGIN - line.length() % MARGIN);
      }
    }
    for (var item : formatted.items()) {
      var text = CellText.clean(item.text());
      int start = 0;
      for (int feed = text.indexOf('\n'); feed >= 0; feed = text.indexOf('\n', start)) {
        formattedText(text.substring(start, feed));
        endLine();
        start = feed + 1;
      }
      formattedText(text.substring(start));
    }
  }

  private void formattedText(String text) {
    if (text.isEmpty()) {
      return;
    }
    if (text.equals("\t")) {
      blanks(line.isEmpty() ? MARGIN : 8 - line.length() % 8);
      return;
    }
    if (line.length() > MARGIN && line.length() + text.length() > options.width()) {
      endLine();
    }
    blanks(line.isEmpty() ? MARGIN : 0);
    line.append(text);
  }

  private void endFormatted() {
    if (!line.isEmpty()) {
      endLine();
    }
  }

  // Notes

  private void note(Datum.Note note) {
    message(note.severity(), note.text());
  }

  private void message(Datum.Severity severity, String text) {
    var kind =
        switch (severity) {
          case INFO -> "note: ";
          case WARNING -> "warning: ";
          case ERROR -> "";
        };
    var colour =
        switch (severity) {
          case INFO -> "";
          case WARNING -> YELLOW;
          case ERROR -> RED;
        };
    boolean coloured = options.colour() && !colour.isEmpty();
    write(
        err,
        (coloured ? colour : "")
            + options.program()
            + ": "
            + kind
            + CellText.clean(text)
            + (coloured ? RESET : "")
            + "\n");
  }

  // Lines

  private void printLine(String text) {
    write(out, text + "\n");
  }

  private void blanks(int count) {
    line.repeat(' ', Math.max(0, count));
  }

  private void stripLine() {
    int end = line.length();
    while (end > 0 && line.charAt(end - 1) == ' ') {
      end--;
    }
    line.setLength(end);
  }

  private void endLine() {
    line.append('\n');
    write(out, line);
    line.setLength(0);
  }

  private static void write(Appendable to, CharSequence text) {
    try {
      to.append(text);
    } catch (IOException e) {
      throw new TargetException("cannot write the output: " + e.getMessage(), e);
    }
  }
}
