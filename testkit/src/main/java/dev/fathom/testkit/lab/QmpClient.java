// SPDX-License-Identifier: Apache-2.0
package dev.fathom.testkit.lab;

import dev.fathom.base.TargetException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Writer;
import java.nio.channels.Channels;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Speaks QEMU's machine protocol (docs/interop/qmp-spec in QEMU's sources): one JSON text to a
 * line; a greeting, {@code qmp_capabilities}, then commands, each answered by a {@code return} or
 * an {@code error}, with events in between. One thread uses a client.
 */
public final class QmpClient implements AutoCloseable {
  private final BufferedReader in;
  private final Writer out;
  private final List<String> events = new ArrayList<>();

  /**
   * Reads the greeting and leaves the negotiation mode.
   *
   * @throws TargetException when the other side does not speak QMP
   */
  public QmpClient(ReadableByteChannel in, WritableByteChannel out) {
    this.in =
        new BufferedReader(
            new InputStreamReader(Channels.newInputStream(in), StandardCharsets.UTF_8));
    this.out = Channels.newWriter(out, StandardCharsets.UTF_8);
    if (!message().containsKey("QMP")) {
      throw new TargetException("QMP: the greeting is missing");
    }
    execute("qmp_capabilities", Map.of());
  }

  /**
   * Runs a command and waits for its answer.
   *
   * @return what the command returned: a map, a list, or a plain value
   * @throws TargetException with QEMU's words when the command failed or the connection broke
   */
  public Object execute(String command, Map<String, ?> arguments) {
    Map<String, Object> request = new LinkedHashMap<>();
    request.put("execute", command);
    request.put("arguments", arguments);
    try {
      out.write(Json.write(request) + "\n");
      out.flush();
    } catch (IOException e) {
      throw new TargetException("QMP: cannot send " + command, e);
    }
    while (true) {
      Map<?, ?> message = message();
      if (message.containsKey("event")) {
        events.add(String.valueOf(message.get("event")));
      } else if (message.get("error") instanceof Map<?, ?> error) {
        throw new TargetException("QMP: " + command + ": " + error.get("desc"));
      } else if (message.containsKey("return")) {
        return message.get("return");
      } else {
        throw new TargetException("QMP: " + command + ": neither return nor error: " + message);
      }
    }
  }

  /** The names of the events that came so far, in order. */
  public List<String> events() {
    return List.copyOf(events);
  }

  @Override
  public void close() throws IOException {
    try (in) {
      out.close();
    }
  }

  private Map<?, ?> message() {
    try {
      String line = in.readLine();
      if (line == null) {
        throw new TargetException("QMP: the connection ended");
      }
      if (Json.read(line) instanceof Map<?, ?> map) {
        return map;
      }
      throw new TargetException("QMP: not an object: " + line);
    } catch (IOException e) {
      throw new TargetException("QMP: cannot read", e);
    }
  }
}
