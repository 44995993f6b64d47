// SPDX-License-Identifier: Apache-2.0
package dev.fathom.testkit.lab;

import dev.fathom.base.TargetException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ByteChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.function.BooleanSupplier;

/**
 * A guest's serial console: everything it said so far, and waiting for what it should say. A thread
 * of its own reads, so that the guest never waits for us. Safe for use by several threads.
 */
public final class Console implements AutoCloseable {
  /** What Linux prints last when it panics. */
  static final String PANIC_END = "---[ end Kernel panic";

  /** What the lab's scripts say before they tell what they could not do. */
  static final String FAILED = "LAB-FAILED";

  private static final int LONGEST = 64 << 20;

  private final ByteChannel channel;
  private final Thread reader;
  private final StringBuilder said = new StringBuilder();
  private boolean ended;

  /** Begins to read; {@link #close} closes the channel. */
  public Console(ByteChannel channel) {
    this.channel = channel;
    this.reader = Thread.ofPlatform().daemon().name("guest console").start(this::read);
  }

  /** All that the guest said so far, with line ends as {@code \n}. */
  public synchronized String text() {
    return said.toString().replace("\r", "");
  }

  /**
   * Waits until the guest says something.
   *
   * @param alive says whether there is still somebody to wait for
   * @throws TargetException when the time is over, the guest ended or failed, or it panicked while
   *     something else was waited for; the message ends with the console's last lines
   */
  public void await(String marker, Duration limit, BooleanSupplier alive) {
    long deadline = System.nanoTime() + limit.toNanos();
    boolean panicWanted = PANIC_END.startsWith(marker) || marker.contains("panic");
    synchronized (this) {
      while (said.indexOf(marker) < 0) {
        if (!panicWanted && said.indexOf(PANIC_END) >= 0) {
          throw new TargetException("lab: the guest panicked before '" + marker + "'" + tail());
        }
        if (said.indexOf(FAILED) >= 0) {
          throw new TargetException("lab: the guest failed before '" + marker + "'" + tail());
        }
        if (ended || !alive.getAsBoolean()) {
          throw new TargetException("lab: the guest ended before '" + marker + "'" + tail());
        }
        if (System.nanoTime() - deadline >= 0) {
          throw new TargetException(
              "lab: no '" + marker + "' within " + limit.toSeconds() + " s" + tail());
        }
        try {
          wait(200);
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
          throw new TargetException("lab: interrupted while waiting for '" + marker + "'", e);
        }
      }
    }
  }

  /** Types at the guest's console. */
  public void send(String text) {
    ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII));
    try {
      while (bytes.hasRemaining()) {
        if (channel.write(bytes) < 0) {
          throw new TargetException("lab: the console is closed");
        }
      }
    } catch (IOException e) {
      throw new TargetException("lab: cannot write to the console", e);
    }
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }

  /** Waits until the other side closed the console, so that {@link #text} is all there will be. */
  void awaitEnd(Duration limit) {
    try {
      if (!reader.join(limit)) {
        throw new TargetException("lab: the console did not end" + tail());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new TargetException("lab: interrupted while waiting for the console's end", e);
    }
  }

  private void read() {
    ByteBuffer buffer = ByteBuffer.allocate(1 << 16);
    try {
      while (channel.read(buffer.clear()) >= 0) {
        String part = StandardCharsets.ISO_8859_1.decode(buffer.flip()).toString();
        synchronized (this) {
          if (said.length() + part.length() <= LONGEST) {
            said.append(part);
          }
          notifyAll();
        }
      }
    } catch (IOException e) {
      synchronized (this) {
        said.append("\n[console: ").append(e.getClass().getSimpleName()).append("]\n");
      }
    } finally {
      synchronized (this) {
        ended = true;
        notifyAll();
      }
    }
  }

  private synchronized String tail() {
    String all = text();
    return "; its console ends with:\n" + all.substring(Math.max(0, all.length() - 2000));
  }
}
