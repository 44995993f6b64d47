// SPDX-License-Identifier: Apache-2.0
package dev.fathom.trace.export;

import java.io.IOException;
import java.io.InputStream;
import java.io.StringWriter;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

/**
 * A flame graph as one page that needs nothing else: zoom by click, search by regular expression,
 * readable without a mouse. Functions that are called by the same ones stand beside each other in
 * the order of their names.
 */
public final class FlameGraph {
  private static final String PAGE = "flamegraph.html";
  private static final String DATA = "@DATA@";
  private static final String TITLE = "@TITLE@";

  /** Deeper than any browser draws usefully; frames beyond are left out of their stack. */
  private static final int MAX_DEPTH = 1 << 10;

  private FlameGraph() {}

  private static final class Node {
    private long weight;
    private final Map<String, Node> children = new TreeMap<>();
  }

  /** Writes the page; the writer is left open. */
  public static void write(Stacks stacks, Writer to) throws IOException {
    var root = new Node();
    for (var stack : stacks.stacks()) {
      var node = root;
      node.weight += stack.weight();
      for (var frame : stack.frames().subList(0, Math.min(stack.frames().size(), MAX_DEPTH))) {
        node = node.children.computeIfAbsent(frame, _ -> new Node());
        node.weight += stack.weight();
      }
    }
    var page = page();
    int title = page.indexOf(TITLE);
    int data = page.indexOf(DATA);
    to.write(page, 0, title);
    to.write(escaped(stacks.name()));
    to.write(page, title + TITLE.length(), data - title - TITLE.length());
    // Inside of a script element nothing but "<" can end it.
    to.write(json(stacks, root).replace("<", "\\u003c"));
    to.write(page.substring(data + DATA.length()));
  }

  private static String page() throws IOException {
    try (InputStream in = FlameGraph.class.getResourceAsStream(PAGE)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  private static String escaped(String text) {
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
  }

  /** Names once each, and the nodes in order, each as level, name and weight. */
  private static String json(Stacks stacks, Node root) {
    Map<String, Integer> names = new LinkedHashMap<>();
    List<long[]> nodes = new ArrayList<>();
    walk(root, 0, names, nodes);
    var text = new StringWriter();
    try (var json = new JsonFactory().createGenerator(ObjectWriteContext.empty(), text)) {
      json.writeStartObject();
      json.writeStringProperty("title", stacks.name());
      json.writeStringProperty("unit", stacks.unit().label());
      json.writeNumberProperty("total", root.weight);
      json.writeName("names").writeStartArray();
      names.keySet().forEach(json::writeString);
      json.writeEndArray();
      json.writeName("nodes").writeStartArray();
      for (long[] node : nodes) {
        numbers(json, node);
      }
      json.writeEndArray();
      json.writeEndObject();
    }
    return text.toString();
  }

  private static void numbers(JsonGenerator json, long[] numbers) {
    for (long number : numbers) {
      json.writeNumber(number);
    }
  }

  private static void walk(Node node, int level, Map<String, Integer> names, List<long[]> nodes) {
    for (var child : node.children.entrySet()) {
      int before = names.size();
      int name = names.computeIfAbsent(child.getKey(), _ -> before);
      nodes.add(new long[] {level, name, child.getValue().weight});
      walk(child.getValue(), level + 1, names, nodes);
    }
  }
}
