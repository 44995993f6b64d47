// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.qemu;

import dev.fathom.base.TargetException;
import java.io.IOException;
import java.net.SocketAddress;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Speaks QEMU's machine protocol (docs/interop/qmp-spec in QEMU's sources): one JSON text to a
 * line. A greeting comes first, {@code qmp_capabilities} leaves the negotiation; then each command
 * is answered by a {@code return} or an {@code error} with the command's id, and events come in
 * between. Used by one thread, until another takes over.
 */
final class QmpClient implements AutoCloseable {
  /** {@code info mtree} of a machine with a thousand devices has about a mebibyte. */
  private static final int MAX_LINE = 16 << 20;

  /** Events that nobody has asked for: the oldest are forgotten. */
  private static final int MAX_EVENTS = 1024;

  /** Lines that may come in front of an answer, or be taken in at a time. */
  private static final int MAX_STRAY = 4096;

  private static final int FIRST_BUFFER = 1 << 16;

  /** What a command led to: QEMU's answer, or its words when it refused. */
  record Answer(Object value, Optional<String> error) {}

  private final String name;
  private final SocketAddress address;
  private final SocketChannel channel;
  private final Selector selector;
  private final Duration timeout;
  private final Json json = new Json(MAX_LINE);
  private final ArrayDeque<String> events = new ArrayDeque<>();
  private byte[] buffer = new byte[FIRST_BUFFER];
  private int filled;
  private int searched;
  private long nextId = 1;
  private volatile boolean broken;
  private final ReentrantLock turn = new ReentrantLock();

  /** The thread that has taken over; null while nobody has. */
  private volatile Thread owner;

  private QmpClient(
      SocketAddress address, SocketChannel channel, Selector selector, Duration timeout) {
    this.name = name(address);
    this.address = address;
    this.channel = channel;
    this.selector = selector;
    this.timeout = timeout;
  }

  /**
   * Connects, reads the greeting and leaves the negotiation.
   *
   * @param timeout how long any answer may take
   * @throws TargetException when nobody listens, does not answer in time, or speaks something else
   */
  static QmpClient connect(SocketAddress address, Duration timeout) {
    QmpClient client = null;
    try {
      SocketChannel channel =
          address instanceof UnixDomainSocketAddress
              ? SocketChannel.open(StandardProtocolFamily.UNIX)
              : SocketChannel.open();
      try {
        channel.configureBlocking(false);
        client = new QmpClient(address, channel, Selector.open(), timeout);
        client.negotiate();
        return client;
      } finally {
        if (client == null) {
          channel.close();
        } else if (client.nextId == 1) {
          client.close();
        }
      }
    } catch (IOException e) {
      throw new TargetException(name(address) + ": cannot connect: " + e.getMessage(), e);
    }
  }

  private static String name(SocketAddress address) {
    String text = address.toString();
    boolean internet = text.startsWith("/") && !(address instanceof UnixDomainSocketAddress);
    return "QMP " + (internet ? text.substring(1) : text);
  }

  /** Ends this connection and makes another one to the same place. */
  QmpClient again() {
    close();
    return connect(address, timeout);
  }

  private void negotiate() throws IOException {
    long deadline = System.nanoTime() + timeout.toNanos();
    if (!channel.connect(address)) {
      SelectionKey key = channel.register(selector, SelectionKey.OP_CONNECT);
      if (!ready(deadline) || !channel.finishConnect()) {
        throw new TargetException(name + ": nobody answers");
      }
      key.interestOps(SelectionKey.OP_READ);
    } else {
      channel.register(selector, SelectionKey.OP_READ);
    }
    Optional<Map<String, Object>> greeting = message(deadline);
    if (greeting.isEmpty()) {
      throw new TargetException(
          name
              + ": no greeting in "
              + timeout.toMillis() / 1000.0
              + " s; QEMU serves one client at a time, is another one connected?");
    }
    if (!greeting.get().containsKey("QMP")) {
      throw new TargetException(name + ": this is not QEMU's machine protocol");
    }
    execute("qmp_capabilities", Map.of());
  }

  /** The socket, for messages. */
  String name() {
    return name;
  }

  /**
   * Runs a command and waits for its answer.
   *
   * @return what the command returned
   * @throws TargetException with QEMU's words when it refused, or when the connection broke
   */
  Object execute(String command, Map<String, ?> arguments) {
    Answer answer = executeAll(List.of(new Request(command, arguments))).getFirst();
    if (answer.error().isPresent()) {
      throw new TargetException(name + ": " + command + ": " + answer.error().get());
    }
    return answer.value();
  }

  /** A command and its arguments. */
  record Request(String command, Map<String, ?> arguments) {}

  /**
   * Sends all commands at once and waits for their answers, given in the same order.
   *
   * @throws TargetException when the connection broke
   */
  List<Answer> executeAll(List<Request> requests) {
    turn.lock();
    try {
      return exchange(requests);
    } finally {
      turn.unlock();
    }
  }

  private List<Answer> exchange(List<Request> requests) {
    long first = nextId;
    StringBuilder lines = new StringBuilder();
    for (Request request : requests) {
      lines.append(json.command(request.command(), nextId++, request.arguments()));
    }
    var answers = new Answer[requests.size()];
    int missing = answers.length;
    try {
      long deadline = System.nanoTime() + timeout.toNanos();
      send(lines.toString(), deadline);
      int stray = 0;
      while (missing > 0) {
        Optional<Map<String, Object>> message = message(deadline);
        if (message.isEmpty() || stray > MAX_STRAY) {
          // The answer may still come, and is known by its number then.
          throw new TargetException(
              name
                  + ": "
                  + requests.getFirst().command()
                  + ": no answer in "
                  + timeout.toMillis() / 1000.0
                  + " s");
        }
        long number = message.get().get("id") instanceof Long id ? id - first : -1;
        if (number >= 0 && number < answers.length && answers[(int) number] == null) {
          answers[(int) number] = answer(message.get());
          missing--;
        } else {
          keepEvent(message.get());
          stray++;
        }
      }
    } catch (IOException e) {
      throw gone(e.getMessage(), e);
    }
    return Arrays.asList(answers);
  }

  /**
   * Runs commands of the human monitor and gives what each printed, with {@code \n} at line ends.
   */
  List<String> monitor(List<String> commands) {
    var requests = new ArrayList<Request>();
    for (String command : commands) {
      requests.add(new Request("human-monitor-command", Map.of("command-line", command)));
    }
    var texts = new ArrayList<String>();
    List<Answer> answers = executeAll(requests);
    for (int i = 0; i < answers.size(); i++) {
      Answer answer = answers.get(i);
      if (answer.error().isPresent()) {
        throw new TargetException(name + ": " + commands.get(i) + ": " + answer.error().get());
      }
      texts.add(answer.value() instanceof String text ? text.replace("\r", "") : "");
    }
    return texts;
  }

  /** Runs one command of the human monitor. */
  String monitor(String command) {
    return monitor(List.of(command)).getFirst();
  }

  /**
   * The next event's name, such as {@code STOP}; empty when none came within {@code wait}.
   *
   * @throws TargetException when the connection broke
   */
  Optional<String> event(Duration wait) {
    long deadline = System.nanoTime() + wait.toNanos();
    turn.lock();
    try {
      for (int stray = 0; events.isEmpty() && stray < MAX_STRAY; stray++) {
        Optional<Map<String, Object>> message = message(deadline);
        if (message.isEmpty()) {
          return Optional.empty();
        }
        keepEvent(message.get());
      }
      return Optional.ofNullable(events.poll());
    } catch (IOException e) {
      throw gone(e.getMessage(), e);
    } finally {
      turn.unlock();
    }
  }

  private Answer answer(Map<String, Object> message) {
    if (message.get("error") instanceof Map<?, ?> error) {
      return new Answer("", Optional.of(String.valueOf(error.get("desc"))));
    }
    if (!message.containsKey("return")) {
      throw gone("an answer that is neither return nor error", null);
    }
    return new Answer(message.get("return"), Optional.empty());
  }

  private void keepEvent(Map<String, Object> message) {
    if (message.get("event") instanceof String event) {
      if (events.size() == MAX_EVENTS) {
        events.removeFirst();
      }
      events.add(event);
    } else if (message.get("error") instanceof Map<?, ?> error && !message.containsKey("id")) {
      throw gone(String.valueOf(error.get("desc")), null);
    }
  }

  private void send(String text, long deadline) throws IOException {
    if (broken) {
      throw new TargetException(name + ": the connection is gone");
    }
    ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
    SelectionKey key = channel.keyFor(selector);
    channel.write(bytes);
    while (bytes.hasRemaining()) {
      key.interestOps(SelectionKey.OP_WRITE);
      boolean writable = ready(deadline);
      key.interestOps(SelectionKey.OP_READ);
      if (!writable) {
        throw gone("cannot send", null);
      }
      channel.write(bytes);
    }
  }

  /** The next line's object; empty when none is complete by the deadline. */
  private Optional<Map<String, Object>> message(long deadline) throws IOException {
    while (true) {
      requireOwn();
      for (; searched < filled; searched++) {
        if (buffer[searched] == '\n') {
          return Optional.of(takeLine());
        }
      }
      if (filled == buffer.length) {
        if (filled >= MAX_LINE) {
          throw gone("a line longer than " + MAX_LINE + " bytes", null);
        }
        buffer = Arrays.copyOf(buffer, filled * 2);
      }
      int count = channel.read(ByteBuffer.wrap(buffer, filled, buffer.length - filled));
      if (count < 0) {
        throw gone("QEMU closed the connection", null);
      }
      filled += count;
      if (count == 0 && !ready(deadline)) {
        return Optional.empty();
      }
    }
  }

  private Map<String, Object> takeLine() {
    try {
      return json.object(buffer, searched);
    } catch (TargetException e) {
      throw gone(e.getMessage(), e);
    } finally {
      int end = searched + 1;
      System.arraycopy(buffer, end, buffer, 0, filled - end);
      filled -= end;
      searched = 0;
    }
  }

  /**
   * From now on only the calling thread uses the connection; another one that waits for an answer
   * gives up with an error.
   */
  void takeOver() {
    owner = Thread.currentThread();
    selector.wakeup();
    turn.lock(); // The other one looks at the owner with every line.
    turn.unlock();
  }

  private void requireOwn() {
    Thread only = owner;
    if (only != null && !only.equals(Thread.currentThread())) {
      throw new TargetException(name + ": the connection is being ended");
    }
  }

  private boolean ready(long deadline) throws IOException {
    requireOwn();
    long left = deadline - System.nanoTime();
    if (left <= 0) {
      return false;
    }
    int keys = selector.select(left / 1_000_000 + 1);
    selector.selectedKeys().clear();
    return keys > 0 || deadline - System.nanoTime() > 0;
  }

  private TargetException gone(String why, Throwable cause) {
    broken = true;
    return new TargetException(name + ": " + why, cause);
  }

  /** Whether the connection still works, as far as is known. */
  boolean works() {
    return !broken;
  }

  @Override
  public void close() {
    broken = true;
    try (selector) {
      channel.close();
    } catch (IOException e) {
      throw new TargetException(name + ": cannot close", e);
    }
  }
}
