// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.consume;

import dev.fathom.base.TargetException;
import dev.fathom.dtrace.ir.Action;
import dev.fathom.dtrace.ir.Format;
import dev.fathom.dtrace.ir.Shape;
import dev.fathom.dtrace.probe.EnabledProbe;
import dev.fathom.dtrace.record.DValue;
import dev.fathom.dtrace.record.Drop;
import dev.fathom.dtrace.record.Firing;
import dev.fathom.dtrace.record.ProbeError;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.StreamWriteFeature;
import tools.jackson.core.json.JsonFactory;

/** A JSON object on a line for each firing, aggregation, error and drop. */
final class JsonOutput implements Output {
  private OutputStream out;
  private final ValueText values;
  private final TypedText typed;
  private final Formatter formatter;
  private final JsonFactory factory =
      JsonFactory.builder().disable(StreamWriteFeature.AUTO_CLOSE_TARGET).build();
  private JsonGenerator json;

  JsonOutput(OutputStream out, ValueText values, TypedText typed, Formatter formatter) {
    this.out = out;
    this.values = values;
    this.typed = typed;
    this.formatter = formatter;
    this.json = generator();
    json.close();
  }

  private JsonGenerator generator() {
    return factory.createGenerator(ObjectWriteContext.empty(), out);
  }

  private void start(String type) {
    json = generator();
    json.writeStartObject();
    json.writeStringProperty("type", type);
  }

  private void finishLine() {
    json.writeEndObject();
    json.writeRaw('\n');
    json.close();
  }

  private void probe(EnabledProbe enabled, int cpu) {
    json.writeStringProperty("probe", enabled.probe().name().toString());
    json.writeNumberProperty("id", enabled.probe().id());
    json.writeNumberProperty("cpu", cpu);
  }

  @Override
  public void begin(EnabledProbe enabled, Firing firing) {
    start("firing");
    probe(enabled, firing.cpu());
    json.writeNumberProperty("timestamp", firing.timestamp());
    json.writeName("data").writeStartArray();
  }

  /** The text behind a byte string; bytes that are no UTF-8 become replacement characters. */
  private static String unicode(String bytes) {
    return new String(bytes.getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8);
  }

  @Override
  public void value(Action action, List<DValue> given) {
    switch (action) {
      case Action.Printf p ->
          json.writeString(unicode(formatter.format(p.format(), p.arguments(), given)));
      case Action.Print(var shape) ->
          json.writeString(unicode(typed.text(shape, given.getFirst())));
      default -> {
        var shapes = action.shapes();
        for (int i = 0; i < shapes.size(); i++) {
          value(shapes.get(i), given.get(i));
        }
      }
    }
  }

  private void value(Shape shape, DValue value) {
    switch (shape.form()) {
      case SIGNED -> json.writeNumber(ValueText.cut(shape, ValueText.number(value)));
      case UNSIGNED ->
          json.writeNumber(
              new java.math.BigInteger(ValueText.digits(shape, ValueText.number(value))));
      case STRING -> json.writeString(unicode(ValueText.text(value)));
      case BYTES -> json.writeString(HexFormat.of().formatHex(((DValue.Blob) value).bytes()));
      case MOD, SYM, UADDR, UMOD, USYM -> json.writeString(values.name(shape, value));
      case STACK, USTACK -> {
        json.writeStartArray();
        for (var frame : values.frames(value)) {
          json.writeString(frame);
        }
        json.writeEndArray();
      }
    }
  }

  @Override
  public void aggregations(List<AggregateTable> tables, List<Row> rows, Optional<Format> format) {
    boolean nested = !json.isClosed();
    if (nested) {
      json.writeStartObject();
    } else {
      start("aggregation");
    }
    json.writeName("aggregations").writeStartArray();
    for (var table : tables) {
      json.writeStartObject();
      json.writeStringProperty("name", "@" + table.aggregation().name());
      json.writeStringProperty("function", table.aggregation().function().text());
      json.writeEndObject();
    }
    json.writeEndArray();
    json.writeName("rows").writeStartArray();
    for (var row : rows) {
      row(tables, row);
    }
    json.writeEndArray();
    if (nested) {
      json.writeEndObject();
    } else {
      finishLine();
    }
  }

  private void row(List<AggregateTable> tables, Row row) {
    json.writeStartObject();
    json.writeName("key").writeStartArray();
    var shapes = tables.getFirst().aggregation().keys();
    for (int i = 0; i < shapes.size(); i++) {
      value(shapes.get(i), row.key().get(i));
    }
    json.writeEndArray();
    json.writeName("values").writeStartArray();
    for (int i = 0; i < tables.size(); i++) {
      var table = tables.get(i);
      cell(table, row.cells().get(i).orElseGet(() -> table.zero(row.key())).cell());
    }
    json.writeEndArray();
    json.writeEndObject();
  }

  private void cell(AggregateTable table, AggregateTable.Cell cell) {
    if (table.buckets().isEmpty()) {
      long number = table.number(cell);
      json.writeNumber(
          table.signed()
              ? java.math.BigInteger.valueOf(number)
              : new java.math.BigInteger(Long.toUnsignedString(number)));
      return;
    }
    var buckets = table.buckets().get();
    json.writeStartArray();
    for (int i = 0; i < cell.words().length; i++) {
      if (cell.words()[i] != 0) {
        json.writeStartObject();
        json.writeNumberProperty("from", buckets.representative(i));
        json.writeNumberProperty("count", cell.words()[i] / table.normal());
        json.writeEndObject();
      }
    }
    json.writeEndArray();
  }

  @Override
  public void end() {
    json.writeEndArray();
    finishLine();
  }

  @Override
  public void finish() {}

  @Override
  public void error(EnabledProbe enabled, ProbeError error) {
    start("error");
    probe(enabled, error.cpu());
    json.writeNumberProperty("action", error.action());
    json.writeStringProperty("reason", error.kind().text());
    if (error.kind().hasAddress()) {
      json.writeStringProperty("address", AddressText.hex(error.value()));
    }
    finishLine();
  }

  @Override
  public void dropped(Drop what, int cpu, long count) {
    start("drops");
    json.writeNumberProperty("cpu", cpu);
    json.writeStringProperty("what", what.text(2));
    json.writeNumberProperty("count", count);
    finishLine();
  }

  @Override
  public void redirect(String file) {
    json.writeStartObject();
    json.writeStringProperty("freopen", file);
    json.writeEndObject();
  }

  @Override
  public void truncate() {}

  @Override
  public void flush() {
    try {
      out.flush();
    } catch (IOException e) {
      throw new TargetException("cannot write the output: " + e.getMessage());
    }
  }

  @Override
  public void into(OutputStream to, Runnable action) {
    var before = out;
    out = to;
    try {
      action.run();
    } finally {
      out = before;
    }
  }
}
