// SPDX-License-Identifier: Apache-2.0
package dev.fathom.symbols.debugfile;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;

/** A debuginfod server on the loopback interface: paths and what it answers to them. */
final class FakeDebuginfod implements AutoCloseable {
  private final ServerSocket socket;
  private final Map<String, byte[]> files = new ConcurrentHashMap<>();
  private final List<String> asked = new CopyOnWriteArrayList<>();
  private volatile String status = "404 Not Found";
  private volatile boolean stalls;

  FakeDebuginfod() throws IOException {
    socket = new ServerSocket(0, 16, InetAddress.getLoopbackAddress());
    Thread.ofVirtual().start(this::serve);
  }

  URI url() {
    return URI.create("http://127.0.0.1:" + socket.getLocalPort() + "/");
  }

  void put(String path, byte[] content) {
    files.put(path, content);
  }

  /** What is said of paths that it does not have. */
  void answerOthers(String line) {
    status = line;
  }

  /** Sends half of each file and then nothing more. */
  void stall() {
    stalls = true;
  }

  List<String> asked() {
    return asked;
  }

  private void serve() {
    while (!socket.isClosed()) {
      try {
        var connection = socket.accept();
        Thread.ofVirtual().start(() -> answer(connection));
      } catch (IOException e) {
        return; // closed
      }
    }
  }

  private void answer(Socket connection) {
    try (connection) {
      var in = connection.getInputStream();
      var head = new StringBuilder();
      while (head.indexOf("\r\n\r\n") < 0) {
        int c = in.read();
        if (c < 0) {
          return;
        }
        head.append((char) c);
      }
      var path = head.toString().split(" ")[1];
      asked.add(path);
      byte[] content = files.get(path);
      var out = connection.getOutputStream();
      var line = content == null ? status : "200 OK";
      byte[] body = content == null ? "none\n".getBytes(StandardCharsets.US_ASCII) : content;
      out.write(
          ("HTTP/1.1 "
                  + line
                  + "\r\nConnection: close\r\nContent-Length: "
                  + body.length
                  + "\r\n\r\n")
              .getBytes(StandardCharsets.US_ASCII));
      out.write(body, 0, stalls ? body.length / 2 : body.length);
      out.flush();
      if (stalls) {
        in.read(); // until the client gives up
      }
    } catch (IOException e) {
      assert e.getMessage() != null; // the client gave up
    }
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
