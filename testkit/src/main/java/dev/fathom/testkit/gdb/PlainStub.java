// SPDX-License-Identifier: Apache-2.0
package dev.fathom.testkit.gdb;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * QEMU's gdb stub with what KGDB's lacks taken away: a real guest of which nothing but the virtual
 * memory of the CPU that stopped and general registers can be had. One client at a time, which
 * waits for each answer.
 */
public final class PlainStub implements AutoCloseable {
  /** Requests that are unknown to it. */
  private static final List<String> HIDDEN =
      List.of("qqemu", "Qqemu", "qRcmd", "qXfer", "qAttached", "vCont", "vFile", "P", "p");

  /** Characters of the general registers but fs and gs. */
  private static final int GENERAL = 2 * (17 * 8 + 5 * 4);

  private final int behind;
  private final String features;
  private final ServerSocket server;
  private final Thread thread;
  private volatile String lastRequest = "";
  private volatile String allRegisters = "";

  /**
   * @param behind the port of QEMU's stub on this host
   * @param features what it answers to {@code qSupported}
   */
  public PlainStub(int behind, String features) throws IOException {
    this.behind = behind;
    this.features = features;
    this.server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
    this.thread = Thread.ofPlatform().daemon().name("plain stub").start(this::serve);
  }

  public int port() {
    return server.getLocalPort();
  }

  private void serve() {
    while (!server.isClosed()) {
      try (Socket client = server.accept();
          Socket qemu = new Socket(InetAddress.getLoopbackAddress(), behind)) {
        client.setTcpNoDelay(true);
        qemu.setTcpNoDelay(true);
        var back = Thread.ofPlatform().daemon().start(() -> answers(qemu, client));
        requests(client, qemu);
        qemu.shutdownOutput();
        back.join();
      } catch (IOException _) {
        continue; // The client or the guest went away.
      } catch (InterruptedException _) {
        return;
      }
    }
  }

  private void requests(Socket client, Socket qemu) throws IOException {
    var in = new BufferedInputStream(client.getInputStream());
    while (true) {
      int first = in.read();
      if (first < 0) {
        return;
      }
      if (first == 3) {
        qemu.getOutputStream().write(3);
      } else if (first == '$') {
        request(packet(in), client.getOutputStream(), qemu.getOutputStream());
      }
    }
  }

  private void request(String request, OutputStream client, OutputStream qemu) throws IOException {
    if (request.startsWith("qSupported")) {
      client.write(("+" + framed(features)).getBytes(StandardCharsets.ISO_8859_1));
    } else if (HIDDEN.stream().anyMatch(request::startsWith)) {
      client.write(("+" + framed("")).getBytes(StandardCharsets.ISO_8859_1));
    } else {
      client.write('+');
      lastRequest = request;
      boolean sets = request.startsWith("G") && request.length() == 1 + GENERAL;
      String whole = sets ? request + allRegisters.substring(GENERAL) : request;
      qemu.write(framed(whole).getBytes(StandardCharsets.ISO_8859_1));
    }
  }

  private void answers(Socket qemu, Socket client) {
    try {
      var in = new BufferedInputStream(qemu.getInputStream());
      for (int first = in.read(); first >= 0; first = in.read()) {
        if (first != '$') {
          continue;
        }
        String answer = packet(in);
        qemu.getOutputStream().write('+');
        if (lastRequest.equals("g") && answer.length() > GENERAL) {
          allRegisters = answer;
          answer = answer.substring(0, GENERAL);
        }
        client.getOutputStream().write(framed(answer).getBytes(StandardCharsets.ISO_8859_1));
      }
      client.shutdownOutput();
    } catch (IOException _) {
      return; // One of them is gone; the other side's thread sees it too.
    }
  }

  /** What is between $ and #. */
  private static String packet(InputStream in) throws IOException {
    var text = new ByteArrayOutputStream();
    for (int c = in.read(); c != '#'; c = in.read()) {
      if (c < 0) {
        throw new IOException("a packet without an end");
      }
      text.write(c);
    }
    in.readNBytes(2);
    return text.toString(StandardCharsets.ISO_8859_1);
  }

  private static String framed(String text) {
    int sum = 0;
    for (int i = 0; i < text.length(); i++) {
      sum += text.charAt(i);
    }
    return String.format("$%s#%02x", text, sum & 0xff);
  }

  @Override
  public void close() throws IOException {
    server.close();
    thread.interrupt();
  }
}
