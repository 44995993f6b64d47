// SPDX-License-Identifier: Apache-2.0
package dev.fathom.trace.export;

import java.io.Writer;
import java.math.BigDecimal;
import java.util.LinkedHashMap;
import java.util.Map;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

/**
 * Chrome's trace event format as JSON, which Perfetto (ui.perfetto.dev) and speedscope open: what
 * happened on which thread and when. Events are written as they come, in any order; {@link #close}
 * ends the document.
 */
public final class ChromeTrace implements AutoCloseable {
  private final JsonGenerator json;

  /** Numbers for threads and CPUs, which readers want small. */
  private final Map<String, Integer> rows = new LinkedHashMap<>();

  /**
   * @param process what the threads belong to, for a title; the writer is left open
   */
  public ChromeTrace(Writer to, String process) {
    json = new JsonFactory().createGenerator(ObjectWriteContext.empty(), new KeepOpen(to));
    json.writeStartObject();
    json.writeStringProperty("displayTimeUnit", "ns");
    json.writeName("traceEvents").writeStartArray();
    meta("process_name", 0, process);
  }

  /**
   * Something that lasted.
   *
   * @param row the thread, or the CPU, as shown at the left
   * @param start nanoseconds
   * @param duration nanoseconds
   * @param values what is shown with it, by name
   */
  public void slice(
      String row, String name, long start, long duration, Map<String, String> values) {
    event("X", row, name, start);
    json.writeName("dur").writeNumber(micros(duration));
    end(values);
  }

  /** Something that happened at a moment; for {@code row} and the others see {@link #slice}. */
  public void instant(String row, String name, long time, Map<String, String> values) {
    event("i", row, name, time);
    json.writeStringProperty("s", "t");
    end(values);
  }

  /** A number that has this value from now on. */
  public void counter(String name, long time, long value) {
    json.writeStartObject();
    json.writeStringProperty("name", name);
    json.writeStringProperty("ph", "C");
    json.writeName("ts").writeNumber(micros(time));
    json.writeNumberProperty("pid", 0);
    json.writeName("args").writeStartObject();
    json.writeNumberProperty("value", value);
    json.writeEndObject();
    json.writeEndObject();
  }

  private void event(String phase, String row, String name, long time) {
    var number = rows.get(row);
    if (number == null) {
      number = rows.size() + 1;
      rows.put(row, number);
      meta("thread_name", number, row);
    }
    json.writeStartObject();
    json.writeStringProperty("name", name);
    json.writeStringProperty("cat", "trace");
    json.writeStringProperty("ph", phase);
    json.writeName("ts").writeNumber(micros(time));
    json.writeNumberProperty("pid", 0);
    json.writeNumberProperty("tid", number);
  }

  private void end(Map<String, String> values) {
    if (!values.isEmpty()) {
      json.writeName("args").writeStartObject();
      values.forEach(json::writeStringProperty);
      json.writeEndObject();
    }
    json.writeEndObject();
  }

  private void meta(String what, int row, String name) {
    json.writeStartObject();
    json.writeStringProperty("name", what);
    json.writeStringProperty("ph", "M");
    json.writeNumberProperty("pid", 0);
    json.writeNumberProperty("tid", row);
    json.writeName("args").writeStartObject();
    json.writeStringProperty("name", name);
    json.writeEndObject();
    json.writeEndObject();
  }

  /** Microseconds, exact. */
  private static BigDecimal micros(long nanos) {
    return BigDecimal.valueOf(nanos, 3);
  }

  @Override
  public void close() {
    json.writeEndArray();
    json.writeEndObject();
    json.close();
  }
}
