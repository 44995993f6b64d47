// SPDX-License-Identifier: Apache-2.0
package dev.fathom.bench;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** The least clients of QEMU's stub: what they get is what the stub can give. */
final class RawStub {
  /** Bytes in one request: their digits fill QEMU's packets of 4096 bytes. */
  private static final int PIECE = 2048;

  private static final int ON_THEIR_WAY = 64;

  private RawStub() {}

  /** An x86-64 register's number in QEMU's description. */
  private static final int RIP = 16;

  /**
   * Hits in a second of a breakpoint at a function that begins with a nop of so many bytes, which
   * is not executed; nothing is looked at but that the guest stopped.
   */
  static double hits(int port, long function, int nop, int hits) throws IOException {
    try (var socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      socket.setTcpNoDelay(true);
      var in = socket.getInputStream();
      var out = socket.getOutputStream();
      var buffer = new byte[1 << 16];
      String place = Long.toHexString(function) + ",1";
      // QEMU takes P only from who has asked for its description.
      for (String request :
          List.of(
              "qSupported:multiprocess+;xmlRegisters=i386",
              "qXfer:features:read:target.xml:0,ffb",
              "Z0," + place)) {
        send(out, request);
        replies(in, buffer, 1);
      }
      long next = Long.reverseBytes(function + nop);
      String on = packet("P" + Integer.toHexString(RIP) + "=" + Long.toHexString(next));
      send(out, "vCont;c");
      replies(in, buffer, 1);
      long start = System.nanoTime();
      for (int hit = 1; hit < hits; hit++) {
        send(out, "g");
        replies(in, buffer, 1);
        out.write((on + packet("vCont;c")).getBytes(StandardCharsets.US_ASCII));
        // OK, and the stop.
        replies(in, buffer, 2);
      }
      double seconds = (System.nanoTime() - start) / 1e9;
      send(out, "z0," + place);
      replies(in, buffer, 1);
      send(out, "D;1");
      replies(in, buffer, 1);
      return (hits - 1) / seconds;
    }
  }

  /**
   * Bytes in a second, read from a physical address on, with always so many requests on their way;
   * nothing of the replies is looked at but their ends. The guest goes on afterwards.
   */
  static double rate(int port, long address, long bytes) throws IOException {
    try (var socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      socket.setTcpNoDelay(true);
      var in = socket.getInputStream();
      var out = socket.getOutputStream();
      var buffer = new byte[1 << 18];
      send(
          out,
          "qSupported:multiprocess+"); // QEMU keeps what clients agreed on, and D depends on it.
      replies(in, buffer, 1);
      send(out, "Qqemu.PhyMemMode:1");
      replies(in, buffer, 1);
      long start = System.nanoTime();
      long sent = 0;
      long taken = 0;
      long pieces = bytes / PIECE;
      while (taken < pieces) {
        var text = new StringBuilder();
        while (sent < pieces && sent < taken + ON_THEIR_WAY) {
          text.append(packet("m" + Long.toHexString(address + sent++ * PIECE) + ",800"));
        }
        out.write(text.toString().getBytes(StandardCharsets.US_ASCII));
        taken += replies(in, buffer, 1);
      }
      double seconds = (System.nanoTime() - start) / 1e9;
      send(out, "Qqemu.PhyMemMode:0");
      replies(in, buffer, 1);
      send(out, "D;1");
      replies(in, buffer, 1);
      return pieces * PIECE / seconds;
    }
  }

  private static String packet(String payload) {
    int sum = payload.chars().sum() & 0xff;
    return "$" + payload + "#" + String.format("%02x", sum);
  }

  private static void send(OutputStream out, String payload) throws IOException {
    out.write(packet(payload).getBytes(StandardCharsets.US_ASCII));
  }

  /** Reads until at least {@code least} replies ended; gives how many did. */
  private static int replies(InputStream in, byte[] buffer, int least) throws IOException {
    int ended = 0;
    while (ended < least) {
      int count = in.read(buffer);
      if (count < 0) {
        throw new IOException("the stub hung up");
      }
      for (int i = 0; i < count; i++) {
        ended += buffer[i] == '#' ? 1 : 0;
      }
    }
    return ended;
  }
}
