// SPDX-License-Identifier: Apache-2.0
package dev.fathom.base;

import java.io.IOException;
import java.io.Writer;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

/**
 * Shows results as JSON: one document on one line for each command line. {@code docs/json.md}
 * describes its shape, which is stable.
 */
public final class JsonRenderer implements Sink {
  private static final int DEPTH_LIMIT = 200;
  private final Writer out;
  private final JsonFactory factory = new JsonFactory();
  private final List<Datum.Note> notes = new ArrayList<>();
  private final List<Loss> losses = new ArrayList<>();
  private JsonGenerator json;
  private List<Datum.Column> columns = List.of();
  private boolean inTable;

  public JsonRenderer(Writer out) {
    this.out = out;
    this.json = newDocument();
  }

  private JsonGenerator newDocument() {
    return factory.createGenerator(ObjectWriteContext.empty(), new KeepOpen(out));
  }

  @Override
  public void begin(String command) {
    json = newDocument();
    notes.clear();
    losses.clear();
    json.writeStartObject();
    json.writeStringProperty("command", command);
    json.writeName("results").writeStartArray();
  }

  @Override
  public void accept(Datum datum) {
    switch (datum) {
      case Datum.Row row -> row(row.cells(), Optional.empty());
      case Datum.Block block -> row(block.cells(), Optional.of(block));
      case Datum.Outline outline -> outline(outline);
      case Datum.Note note -> notes.add(note);
      case Datum.Header header -> header(header);
      case Datum.Fields fields -> fields(start("fields"), fields);
      case Datum.Text text -> start("text").writeStringProperty("text", text.text());
      case Datum.Fact fact -> fact(fact);
      case Datum.Scalar scalar -> scalar(scalar);
      case Datum.Tree tree -> {
        start("tree").writeName("root");
        node(tree.root(), 0);
      }
      case Datum.Stack stack -> stack(stack);
      case Datum.Instruction instruction -> instruction(instruction);
      case Datum.Hex hex -> hex(hex);
      case Datum.Formatted formatted -> formatted(formatted);
    }
    if (!inTable && !(datum instanceof Datum.Note)) {
      json.writeEndObject();
    }
  }

  @Override
  public void lost(Loss loss) {
    losses.add(loss);
  }

  @Override
  public void end(Outcome outcome) {
    endTable();
    json.writeEndArray();
    json.writeBooleanProperty("ok", outcome.ok());
    json.writeName("notes").writeStartArray();
    for (var note : notes) {
      json.writeStartObject();
      json.writeStringProperty("severity", severity(note.severity()));
      json.writeStringProperty("text", note.text());
      json.writeEndObject();
    }
    json.writeEndArray();
    json.writeName("lost").writeStartArray();
    for (var loss : losses) {
      json.writeStartObject();
      json.writeStringProperty("what", loss.what());
      json.writeNumberProperty("count", loss.count());
      json.writeEndObject();
    }
    json.writeEndArray();
    json.writeName("error");
    if (outcome.error().isPresent()) {
      json.writeString(outcome.error().get());
    } else {
      json.writeNull();
    }
    json.writeEndObject();
    json.close();
    try {
      out.write('\n');
      out.flush();
    } catch (IOException e) {
      throw failed(e);
    }
  }

  private static String severity(Datum.Severity severity) {
    return switch (severity) {
      case INFO -> "info";
      case WARNING -> "warning";
      case ERROR -> "error";
    };
  }

  private JsonGenerator start(String kind) {
    endTable();
    json.writeStartObject();
    json.writeStringProperty("kind", kind);
    return json;
  }

  private void header(Datum.Header header) {
    start("table").writeStringProperty("name", header.name());
    columns = header.columns();
    json.writeName("columns").writeStartArray();
    for (var column : columns) {
      json.writeString(column.key());
    }
    json.writeEndArray();
    json.writeName("rows").writeStartArray();
    inTable = true;
  }

  private void row(List<Cell> cells, Optional<Datum.Block> block) {
    json.writeStartObject();
    for (int i = 0; i < cells.size(); i++) {
      json.writeName(i < columns.size() ? columns.get(i).key() : "column_" + i);
      cell(cells.get(i));
    }
    if (block.isPresent()) {
      json.writeName(block.get().key()).writeStartArray();
      for (var line : block.get().lines()) {
        json.writeString(line);
      }
      json.writeEndArray();
    }
    json.writeEndObject();
  }

  private void outline(Datum.Outline outline) {
    start("outline").writeNumberProperty("depth", outline.depth());
    for (var field : outline.fields()) {
      json.writeName(field.key());
      cell(field.value());
    }
  }

  private void endTable() {
    if (inTable) {
      json.writeEndArray();
      json.writeEndObject();
      inTable = false;
    }
  }

  private void fields(JsonGenerator to, Datum.Fields fields) {
    to.writeStringProperty("name", fields.name());
    to.writeName("fields").writeStartObject();
    for (var field : fields.fields()) {
      to.writeName(field.key());
      cell(field.value());
    }
    to.writeEndObject();
  }

  private void fact(Datum.Fact fact) {
    start("fact").writeStringProperty("text", fact.text());
    for (var field : fact.fields()) {
      json.writeName(field.key());
      cell(field.value());
    }
  }

  private void scalar(Datum.Scalar scalar) {
    start("value").writeStringProperty("name", scalar.key());
    if (scalar.type().isPresent()) {
      json.writeStringProperty("type", scalar.type().get());
    }
    json.writeName("value");
    cell(scalar.value());
  }

  private void node(Datum.Node node, int depth) {
    json.writeStartObject();
    node.name().ifPresent(name -> json.writeStringProperty("name", name));
    node.type().ifPresent(type -> json.writeStringProperty("type", type));
    address("address", node.address());
    shape(node.shape(), depth);
    json.writeEndObject();
  }

  private void shape(Datum.Shape shape, int depth) {
    switch (shape) {
      case Datum.Leaf leaf -> {
        json.writeName("value");
        cell(leaf.value());
        leaf.note().ifPresent(note -> json.writeStringProperty("note", note));
        if (leaf.value() instanceof Cell.Absent absent) {
          json.writeStringProperty("absent", absent.why());
        }
      }
      case Datum.Characters text -> {
        json.writeStringProperty("value", text.text());
        json.writeBooleanProperty("cut", text.cut());
      }
      case Datum.Composite composite -> nodes("members", composite.members(), depth);
      case Datum.Elements array -> {
        nodes("elements", array.elements(), depth);
        json.writeNumberProperty("total", array.total());
      }
      case Datum.Reference reference -> {
        reference.type().ifPresent(type -> json.writeStringProperty("reference", type));
        json.writeName("refers_to");
        cell(Cell.hex(reference.address()));
        reference.target().ifPresent(target -> shape(target, depth));
      }
      case Datum.Presented presented -> presented(presented, depth);
      case Datum.Declared _ -> {}
    }
  }

  private void presented(Datum.Presented presented, int depth) {
    json.writeStringProperty("summary", presented.summary());
    switch (presented.form()) {
      case LIST, SINGLE -> nodes("elements", values(presented), depth);
      case FIELDS -> nodes("members", values(presented), depth);
      case MAP -> {
        json.writeName("entries").writeStartArray();
        for (var part : depth < DEPTH_LIMIT ? presented.parts() : List.<Datum.Part>of()) {
          json.writeStartObject();
          if (part.key().isPresent()) {
            json.writeName("key");
            node(part.key().get(), depth + 1);
          }
          json.writeName("value");
          node(part.value(), depth + 1);
          json.writeEndObject();
        }
        json.writeEndArray();
      }
    }
    json.writeBooleanProperty("cut", presented.cut());
  }

  private static List<Datum.Node> values(Datum.Presented presented) {
    return presented.parts().stream().map(Datum.Part::value).toList();
  }

  private void nodes(String name, List<Datum.Node> nodes, int depth) {
    json.writeName(name).writeStartArray();
    if (depth < DEPTH_LIMIT) {
      for (var node : nodes) {
        node(node, depth + 1);
      }
    }
    json.writeEndArray();
  }

  private void stack(Datum.Stack stack) {
    start("stack").writeStringProperty("title", stack.title());
    address("thread", stack.thread());
    json.writeName("frames").writeStartArray();
    for (var frame : stack.frames()) {
      json.writeStartObject();
      json.writeStringProperty("frame", hex(frame.frame()));
      json.writeStringProperty("pc", hex(frame.pc()));
      json.writeStringProperty("symbol", frame.symbol());
      if (frame.size().isPresent()) {
        json.writeNumberProperty("size", frame.size().getAsLong());
      }
      json.writeStringProperty("how", frame.how());
      frame.note().ifPresent(note -> json.writeStringProperty("note", note));
      json.writeEndObject();
    }
    json.writeEndArray();
    stack.end().ifPresent(end -> json.writeStringProperty("end", end));
  }

  private void instruction(Datum.Instruction instruction) {
    start("instruction").writeStringProperty("address", hex(instruction.address()));
    json.writeStringProperty("symbol", instruction.symbol());
    json.writeStringProperty("bytes", digits(instruction.bytes()));
    json.writeStringProperty("text", instruction.text());
    instruction.comment().ifPresent(comment -> json.writeStringProperty("comment", comment));
    json.writeBooleanProperty("marked", instruction.marked());
  }

  private void hex(Datum.Hex hex) {
    start("memory").writeStringProperty("address", hex(hex.address()));
    json.writeName("pieces").writeStartArray();
    int from = 0;
    while (from < hex.bytes().length) {
      int to = from;
      while (to < hex.bytes().length && hex.readable()[to] == hex.readable()[from]) {
        to++;
      }
      json.writeStartObject();
      json.writeStringProperty("address", hex(hex.address() + from));
      json.writeNumberProperty("length", to - from);
      json.writeName("bytes");
      if (hex.readable()[from]) {
        json.writeString(digits(java.util.Arrays.copyOfRange(hex.bytes(), from, to)));
      } else {
        json.writeNull();
      }
      json.writeEndObject();
      from = to;
    }
    json.writeEndArray();
  }

  private void formatted(Datum.Formatted formatted) {
    start("format");
    address("address", formatted.address());
    formatted.heading().ifPresent(text -> json.writeStringProperty("symbol", text));
    formatted.label().ifPresent(text -> json.writeStringProperty("label", text));
    json.writeName("items").writeStartArray();
    for (var item : formatted.items()) {
      json.writeStartObject();
      json.writeStringProperty("text", item.text());
      if (item.value().isPresent()) {
        json.writeName("value");
        cell(item.value().get());
      }
      json.writeEndObject();
    }
    json.writeEndArray();
  }

  private void address(String name, OptionalLong address) {
    if (address.isPresent()) {
      json.writeStringProperty(name, hex(address.getAsLong()));
    }
  }

  private void cell(Cell cell) {
    switch (cell) {
      case Cell.Address a -> json.writeString(hex(a.value()));
      case Cell.Symbolic s -> {
        json.writeStartObject();
        json.writeStringProperty("address", hex(s.address()));
        json.writeStringProperty("symbol", s.text());
        json.writeEndObject();
      }
      case Cell.Int i -> integer(i);
      case Cell.Real r -> {
        if (Double.isFinite(r.value())) {
          json.writeNumber(r.value());
        } else {
          json.writeString(Double.toString(r.value()));
        }
      }
      case Cell.Text t -> json.writeString(t.value());
      case Cell.Flag f -> json.writeBoolean(f.value());
      case Cell.Absent _ -> json.writeNull();
    }
  }

  private void integer(Cell.Int cell) {
    if (cell.radix() == Cell.Radix.HEX) {
      json.writeString(hex(cell.value()));
    } else if (cell.signed() || cell.value() >= 0) {
      json.writeNumber(cell.value());
    } else {
      json.writeNumber(new BigInteger(Long.toUnsignedString(cell.value())));
    }
  }

  private static String hex(long value) {
    return "0x" + Long.toHexString(value);
  }

  private static String digits(byte[] bytes) {
    return java.util.HexFormat.of().formatHex(bytes);
  }

  /** Passes all on but the end of the document: the program's output stays open. */
  private static final class KeepOpen extends Writer {
    private final Writer to;

    KeepOpen(Writer to) {
      this.to = to;
    }

    @Override
    public void write(char[] buffer, int from, int count) {
      try {
        to.write(buffer, from, count);
      } catch (IOException e) {
        throw failed(e);
      }
    }

    @Override
    public void flush() {
      try {
        to.flush();
      } catch (IOException e) {
        throw failed(e);
      }
    }

    @Override
    public void close() {
      flush();
    }
  }

  private static TargetException failed(IOException e) {
    return new TargetException("cannot write the output: " + e.getMessage(), e);
  }
}
