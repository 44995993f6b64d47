// SPDX-License-Identifier: Apache-2.0
package dev.fathom.bench;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.concurrent.CopyOnWriteArrayList;

/** Passes one connection on to a port of this machine; {@link #close} ends it. */
final class Forwarder implements AutoCloseable {
  private final ServerSocket server;
  private final CopyOnWriteArrayList<Socket> sockets = new CopyOnWriteArrayList<>();

  Forwarder(int to) throws IOException {
    server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
    Thread.ofPlatform().daemon().start(() -> serve(to));
  }

  int port() {
    return server.getLocalPort();
  }

  private void serve(int to) {
    try {
      Socket client = keep(server.accept());
      Socket stub = keep(new Socket(InetAddress.getLoopbackAddress(), to));
      Thread.ofPlatform().daemon().start(() -> pass(client, stub));
      pass(stub, client);
    } catch (IOException _) {
      end(); // Closed before anybody came, or nobody listens.
    }
  }

  private Socket keep(Socket socket) throws IOException {
    socket.setTcpNoDelay(true);
    sockets.add(socket);
    return socket;
  }

  private void pass(Socket from, Socket to) {
    try {
      from.getInputStream().transferTo(to.getOutputStream());
    } catch (IOException _) {
      end(); // One side is gone, and with it the other.
    }
    end();
  }

  private void end() {
    for (Socket socket : sockets) {
      try {
        socket.close();
      } catch (IOException _) {
        continue; // It is of no use any more.
      }
    }
  }

  @Override
  public void close() throws IOException {
    server.close();
    end();
  }
}
