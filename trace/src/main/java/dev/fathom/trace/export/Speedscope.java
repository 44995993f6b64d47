// SPDX-License-Identifier: Apache-2.0
package dev.fathom.trace.export;

import java.io.Writer;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

/**
 * The file format of speedscope (www.speedscope.app), a profile of the kind {@code sampled} for
 * each collection of stacks.
 */
public final class Speedscope {
  private static final String SCHEMA = "https://www.speedscope.app/file-format-schema.json";

  private Speedscope() {}

  /** Writes profiles that share their frames; the writer is left open. */
  public static void write(List<Stacks> profiles, Writer to) {
    Map<String, Integer> frames = new LinkedHashMap<>();
    for (var profile : profiles) {
      for (var stack : profile.stacks()) {
        stack.frames().forEach(frame -> frames.putIfAbsent(frame, frames.size()));
      }
    }
    try (var json =
        new JsonFactory().createGenerator(ObjectWriteContext.empty(), new KeepOpen(to))) {
      json.writeStartObject();
      json.writeStringProperty("$schema", SCHEMA);
      json.writeStringProperty("exporter", "fathom");
      if (!profiles.isEmpty()) {
        json.writeStringProperty("name", profiles.getFirst().name());
        json.writeNumberProperty("activeProfileIndex", 0);
      }
      json.writeName("shared").writeStartObject();
      json.writeName("frames").writeStartArray();
      for (var frame : frames.keySet()) {
        json.writeStartObject();
        json.writeStringProperty("name", frame);
        json.writeEndObject();
      }
      json.writeEndArray();
      json.writeEndObject();
      json.writeName("profiles").writeStartArray();
      for (var profile : profiles) {
        profile(json, profile, frames);
      }
      json.writeEndArray();
      json.writeEndObject();
    }
  }

  private static void profile(JsonGenerator json, Stacks profile, Map<String, Integer> frames) {
    json.writeStartObject();
    json.writeStringProperty("type", "sampled");
    json.writeStringProperty("name", profile.name());
    json.writeStringProperty("unit", profile.unit().speedscope());
    json.writeNumberProperty("startValue", 0);
    json.writeNumberProperty("endValue", profile.total());
    json.writeName("samples").writeStartArray();
    for (var stack : profile.stacks()) {
      json.writeStartArray();
      for (var frame : stack.frames()) {
        json.writeNumber(frames.get(frame));
      }
      json.writeEndArray();
    }
    json.writeEndArray();
    json.writeName("weights").writeStartArray();
    for (var stack : profile.stacks()) {
      json.writeNumber(stack.weight());
    }
    json.writeEndArray();
    json.writeEndObject();
  }
}
