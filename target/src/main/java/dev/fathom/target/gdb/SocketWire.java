// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.gdb;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.StandardProtocolFamily;
import java.net.StandardSocketOptions;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** A TCP or Unix-domain socket. */
final class SocketWire implements Wire {
  private final SocketChannel channel;
  private final Selector selector;
  private final SelectionKey key;

  private SocketWire(SocketChannel channel, Selector selector) throws IOException {
    this.channel = channel;
    this.selector = selector;
    this.key = channel.register(selector, SelectionKey.OP_READ);
  }

  /** Connects, for at most {@code timeout}. */
  static SocketWire connect(SocketAddress address, Duration timeout) throws IOException {
    boolean local = address instanceof UnixDomainSocketAddress;
    SocketChannel channel =
        local ? SocketChannel.open(StandardProtocolFamily.UNIX) : SocketChannel.open();
    Selector selector = null;
    try {
      if (local) {
        channel.connect(address);
        channel.configureBlocking(false);
      } else {
        if (address instanceof InetSocketAddress inet && inet.isUnresolved()) {
          throw new java.net.UnknownHostException("no such host: " + inet.getHostString());
        }
        channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
        channel.configureBlocking(false);
        finish(channel, address, timeout);
      }
      selector = Selector.open();
      return new SocketWire(channel, selector);
    } catch (IOException | RuntimeException e) {
      channel.close();
      if (selector != null) {
        selector.close();
      }
      throw e;
    }
  }

  private static void finish(SocketChannel channel, SocketAddress address, Duration timeout)
      throws IOException {
    if (channel.connect(address)) {
      return;
    }
    long deadline = System.nanoTime() + timeout.toNanos();
    try (Selector selector = Selector.open()) {
      channel.register(selector, SelectionKey.OP_CONNECT);
      while (!channel.finishConnect()) {
        long left = deadline - System.nanoTime();
        if (left <= 0 || Thread.currentThread().isInterrupted()) {
          throw new java.net.SocketTimeoutException(
              "no connection within " + timeout.toMillis() + " ms");
        }
        selector.select(millis(left));
      }
    }
  }

  @Override
  public int read(ByteBuffer into, long deadline) throws IOException {
    int count = channel.read(into);
    if (count != 0) {
      return count;
    }
    long left = deadline - System.nanoTime();
    if (left <= 0) {
      return 0;
    }
    if (key.interestOps() != SelectionKey.OP_READ) {
      key.interestOps(SelectionKey.OP_READ);
    }
    selector.select(millis(left));
    selector.selectedKeys().clear();
    return channel.read(into);
  }

  @Override
  public boolean write(ByteBuffer from, long deadline) throws IOException {
    while (from.hasRemaining()) {
      if (channel.write(from) == 0) {
        long left = deadline - System.nanoTime();
        if (left <= 0) {
          return false;
        }
        key.interestOps(SelectionKey.OP_WRITE);
        selector.select(millis(left));
        selector.selectedKeys().clear();
      }
    }
    return true;
  }

  @Override
  public void wakeUp() {
    selector.wakeup();
  }

  @Override
  public void close() throws IOException {
    try (selector) {
      channel.close();
    }
  }

  /** Rounded up: 0 would wait for ever. */
  private static long millis(long nanos) {
    return TimeUnit.NANOSECONDS.toMillis(nanos) + 1;
  }
}
