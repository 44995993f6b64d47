// SPDX-License-Identifier: Apache-2.0
package dev.fathom.cli;

import dev.fathom.kernel.Progress;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

/**
 * One line on the terminal that says what takes so long; shown after half a second, cleared before
 * anything else is written, never shown when the output is no terminal. Work reports itself with
 * {@link #step}; for commands, which do not, {@link #watch} shows the time that they take.
 */
final class ProgressLine implements Progress {
  private static final long PATIENCE_NANOS = 500_000_000;
  private static final long REFRESH_MILLIS = 200;
  private static final int WIDTH = 70;

  private final OutputStream terminal;
  private final boolean enabled;
  private long since;
  private long last;
  private boolean shown;
  private boolean paused;

  ProgressLine(OutputStream terminal, boolean enabled) {
    this.terminal = terminal;
    this.enabled = enabled;
  }

  @Override
  public synchronized void step(String what, long done, long total) {
    if (!enabled) {
      return;
    }
    long now = System.nanoTime();
    if (since == 0) {
      since = now;
    }
    if (now - since < PATIENCE_NANOS || now - last < REFRESH_MILLIS * 1_000_000) {
      return;
    }
    last = now;
    var percent = total > 0 ? " " + Math.clamp(done * 100 / Math.max(total, 1), 0, 100) + "%" : "";
    show(what + percent);
  }

  /** Shows how long {@code command} has been running until the answer is closed. */
  Watch watch(String command) {
    if (!enabled) {
      return () -> {};
    }
    long start = System.nanoTime();
    var ticker =
        Thread.ofPlatform()
            .daemon()
            .name("progress")
            .start(
                () -> {
                  try {
                    Thread.sleep(PATIENCE_NANOS / 1_000_000);
                    while (true) {
                      long seconds = (System.nanoTime() - start) / 1_000_000_000;
                      show(command + " ... " + seconds + " s");
                      Thread.sleep(REFRESH_MILLIS);
                    }
                  } catch (InterruptedException ended) {
                    clear();
                  }
                });
    return () -> {
      ticker.interrupt();
      try {
        ticker.join();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    };
  }

  /** Ends with the command that it watches. */
  interface Watch extends AutoCloseable {
    @Override
    void close();
  }

  /** Takes the line away; the next one waits for half a second again. */
  synchronized void clear() {
    since = 0;
    if (shown) {
      shown = false;
      write("\r\u001b[K");
    }
  }

  /** Takes the line away until {@link #resume}: the user is being asked something. */
  synchronized void pause() {
    clear();
    paused = true;
  }

  synchronized void resume() {
    paused = false;
  }

  private synchronized void show(String text) {
    if (paused) {
      return;
    }
    shown = true;
    write("\r\u001b[K" + (text.length() > WIDTH ? text.substring(0, WIDTH) : text));
  }

  private void write(String text) {
    try {
      terminal.write(text.getBytes(StandardCharsets.UTF_8));
      terminal.flush();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
