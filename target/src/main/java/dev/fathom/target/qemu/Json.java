// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.qemu;

import dev.fathom.base.TargetException;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.json.JsonFactory;

/** JSON texts of the machine protocol as maps, lists, strings, {@code Long}s and booleans. */
final class Json {
  private static final int MAX_DEPTH = 64;

  private final JsonFactory factory;

  /**
   * @param maxBytes the longest text that is read
   */
  Json(int maxBytes) {
    factory =
        JsonFactory.builder()
            .streamReadConstraints(
                StreamReadConstraints.builder()
                    .maxNestingDepth(MAX_DEPTH)
                    .maxStringLength(maxBytes)
                    .maxDocumentLength(maxBytes)
                    .build())
            .build();
  }

  /**
   * The object that the UTF-8 text is.
   *
   * @throws TargetException when it is no JSON object
   */
  Map<String, Object> object(byte[] text, int length) {
    try (JsonParser parser = factory.createParser(ObjectReadContext.empty(), text, 0, length)) {
      if (parser.nextToken() == JsonToken.START_OBJECT) {
        Map<String, Object> object = object(parser);
        if (parser.nextToken() == null) {
          return object;
        }
      }
      throw new TargetException("QMP: a line that is no JSON object");
    } catch (JacksonException e) {
      throw new TargetException("QMP: a line that is no JSON: " + e.getOriginalMessage(), e);
    }
  }

  private static Map<String, Object> object(JsonParser parser) {
    Map<String, Object> object = new LinkedHashMap<>();
    while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
      String name = parser.currentName();
      parser.nextToken();
      object.put(name, value(parser));
    }
    return object;
  }

  private static List<Object> array(JsonParser parser) {
    List<Object> array = new ArrayList<>();
    while (parser.nextToken() != JsonToken.END_ARRAY) {
      array.add(value(parser));
    }
    return array;
  }

  /** The parser's limit of nesting bounds the recursion. */
  private static Object value(JsonParser parser) {
    JsonToken token = parser.currentToken();
    if (token == JsonToken.START_OBJECT) {
      return object(parser);
    }
    if (token == JsonToken.START_ARRAY) {
      return array(parser);
    }
    if (token == JsonToken.VALUE_NUMBER_INT) {
      return parser.getBigIntegerValue().longValue();
    }
    if (token == JsonToken.VALUE_TRUE || token == JsonToken.VALUE_FALSE) {
      return token == JsonToken.VALUE_TRUE;
    }
    return parser.getString() == null ? "" : parser.getString();
  }

  /**
   * A command of the protocol as one line.
   *
   * @param arguments strings, {@code Long}s, {@code Integer}s and booleans
   */
  String command(String name, long id, Map<String, ?> arguments) {
    StringWriter text = new StringWriter();
    try (JsonGenerator json = factory.createGenerator(ObjectWriteContext.empty(), text)) {
      json.writeStartObject();
      json.writeStringProperty("execute", name);
      json.writeNumberProperty("id", id);
      if (!arguments.isEmpty()) {
        json.writeName("arguments").writeStartObject();
        for (Map.Entry<String, ?> argument : arguments.entrySet()) {
          json.writeName(argument.getKey());
          Object value = argument.getValue();
          if (value instanceof Number number) {
            json.writeNumber(number.longValue());
          } else if (value instanceof Boolean flag) {
            json.writeBoolean(flag);
          } else {
            json.writeString(String.valueOf(value));
          }
        }
        json.writeEndObject();
      }
      json.writeEndObject();
    }
    return text + "\n";
  }
}
