// SPDX-License-Identifier: Apache-2.0
package dev.fathom.testkit.qemu;

import dev.fathom.base.BadDataException;
import dev.fathom.testkit.lab.Json;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Serves QEMU's machine protocol on a Unix socket, one client after the other, as scripted: the
 * answers of commands and of the human monitor's commands, and what is sent besides. A command
 * without a script is answered with an error, as QEMU does.
 */
public final class FakeQmp implements AutoCloseable {
  private static final String GREETING =
      "{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 0, \"minor\": 2, \"major\": 7}}, "
          + "\"capabilities\": [\"oob\"]}}\r\n";

  private static final String NO_JSON =
      "{\"error\": {\"class\": \"GenericError\", \"desc\": \"JSON parse error\"}}\r\n";

  private static final Pattern EXAMINE = Pattern.compile("xp /([0-9]{1,6})xg 0x([0-9a-f]{1,16})");

  private final Path directory;
  private final ServerSocketChannel server;
  private final Thread thread;
  private final Map<String, String> answers = new ConcurrentHashMap<>();
  private final Map<String, String> monitor = new ConcurrentHashMap<>();
  private final Map<String, byte[]> before = new ConcurrentHashMap<>();
  private final Map<Long, MemorySegment> memory = new ConcurrentHashMap<>();
  private final List<String> silent = new CopyOnWriteArrayList<>();
  private final List<String> commands = new CopyOnWriteArrayList<>();
  private volatile byte[] greeting = GREETING.getBytes(StandardCharsets.UTF_8);
  private volatile boolean stateful;
  private volatile SocketChannel client;

  /** Listens on a socket of its own and answers {@code qmp_capabilities}. */
  public FakeQmp() {
    try {
      directory = Files.createTempDirectory("fathom-qmp");
      server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
      server.bind(UnixDomainSocketAddress.of(socket()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    answer("qmp_capabilities", "{}");
    thread = Thread.ofPlatform().daemon().name("fake qmp").start(this::serve);
  }

  public Path socket() {
    return directory.resolve("qmp");
  }

  /** What is sent to a client in place of the greeting. */
  public FakeQmp greeting(byte[] bytes) {
    greeting = bytes.clone();
    return this;
  }

  /** A command's return value as JSON. */
  public FakeQmp answer(String command, String json) {
    answers.put(command, json);
    return this;
  }

  /** Answers {@code query-status}, {@code stop} and {@code cont} as a machine does. */
  public FakeQmp machine(boolean runs) {
    answer("stop", "{}");
    answer("cont", "{}");
    answer(
        "query-status",
        "{\"status\": \"" + (runs ? "running" : "paused") + "\", \"running\": " + runs + "}");
    stateful = true;
    return this;
  }

  /** What a command of the human monitor prints. */
  public FakeQmp monitor(String commandLine, String text) {
    monitor.put(commandLine, text);
    return this;
  }

  /** Guest memory, which the monitor's {@code xp /COUNTxg ADDRESS} prints. */
  public FakeQmp memory(long address, MemorySegment bytes) {
    memory.put(address, bytes);
    return this;
  }

  private Optional<String> examined(String command) {
    Matcher matcher = EXAMINE.matcher(command);
    if (!matcher.matches()) {
      return Optional.empty();
    }
    long address = Long.parseUnsignedLong(matcher.group(2), 16);
    var text = new StringBuilder();
    for (int i = 0; i < Integer.parseInt(matcher.group(1)); i++, address += 8) {
      long at = address;
      var word =
          memory.entrySet().stream()
              .filter(e -> at >= e.getKey() && at + 8 <= e.getKey() + e.getValue().byteSize())
              .map(e -> e.getValue().get(ValueLayout.JAVA_LONG_UNALIGNED, at - e.getKey()))
              .findFirst();
      if (word.isEmpty()) {
        return Optional.of(text + "Cannot access memory\n");
      }
      text.append(i % 2 == 0 ? String.format("%016x:", address) : "");
      text.append(String.format(" 0x%016x%s", word.get(), i % 2 == 1 ? "\n" : ""));
    }
    return Optional.of(text + "\n");
  }

  /** Leaves a command without any answer. */
  public FakeQmp silence(String command) {
    silent.add(command);
    return this;
  }

  /** Bytes that are sent before the answer to a command; events, as a rule. */
  public FakeQmp before(String command, String bytes) {
    before.put(command, bytes.getBytes(StandardCharsets.UTF_8));
    return this;
  }

  /** Sends bytes to the client now. */
  public void send(String bytes) {
    try {
      Channels.newOutputStream(client).write(bytes.getBytes(StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Ends the connection to the client. */
  public void hangUp() {
    try {
      client.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The commands that came, in order; those of the human monitor by their command lines. */
  public List<String> commands() {
    return List.copyOf(commands);
  }

  private void serve() {
    while (server.isOpen()) {
      try (SocketChannel accepted = server.accept()) {
        client = accepted;
        serve(accepted);
      } catch (ClosedChannelException _) {
        continue; // By close() or hangUp().
      } catch (IOException _) {
        continue; // The client went away.
      }
    }
  }

  private void serve(SocketChannel channel) throws IOException {
    OutputStream out = Channels.newOutputStream(channel);
    out.write(greeting);
    var in =
        new BufferedReader(
            new InputStreamReader(Channels.newInputStream(channel), StandardCharsets.UTF_8));
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      try {
        if (Json.read(line) instanceof Map<?, ?> request) {
          out.write(answer(request, out).getBytes(StandardCharsets.UTF_8));
        }
      } catch (BadDataException _) {
        out.write(NO_JSON.getBytes(StandardCharsets.UTF_8));
      }
    }
  }

  private String answer(Map<?, ?> request, OutputStream out) throws IOException {
    String name = String.valueOf(request.get("execute"));
    String script = answers.get(name);
    if (name.equals("human-monitor-command") && request.get("arguments") instanceof Map<?, ?> a) {
      name = String.valueOf(a.get("command-line"));
      String text = monitor.getOrDefault(name, examined(name).orElse(null));
      script = text == null ? null : Json.write(text.replace("\n", "\r\n"));
    }
    commands.add(name);
    if (stateful && (name.equals("stop") || name.equals("cont"))) {
      machine(name.equals("cont"));
    }
    byte[] first = before.get(name);
    if (first != null) {
      out.write(first);
    }
    if (silent.contains(name)) {
      return "";
    }
    String id = Json.write(request.get("id"));
    if (script == null) {
      Map<String, Object> error = new LinkedHashMap<>();
      error.put("class", "GenericError");
      error.put("desc", "no script for " + name);
      return "{\"id\": " + id + ", \"error\": " + Json.write(error) + "}\r\n";
    }
    return "{\"return\": " + script + ", \"id\": " + id + "}\r\n";
  }

  @Override
  public void close() throws IOException {
    server.close();
    SocketChannel open = client;
    if (open != null) {
      open.close();
    }
    try {
      thread.join(5000);
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
    Files.deleteIfExists(socket());
    Files.deleteIfExists(directory);
  }
}
