// SPDX-License-Identifier: Apache-2.0
package dev.fathom.cli;

import dev.fathom.command.Screen;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.OutputStreamWriter;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;

/**
 * Standard output and standard error: buffered, in UTF-8, in the order in which they were written,
 * and cleared of the progress line before anything else appears. Unlike {@link System#out} it
 * reports a broken pipe.
 */
final class Console implements Screen {
  private static final int BUFFER = 1 << 16;
  private static final int DEFAULT_WIDTH = 80;
  private static final int DEFAULT_HEIGHT = 24;

  private final Stream out;
  private final Stream err;
  private final boolean interactive;
  private final ProgressLine progress;

  private Console(OutputStream out, OutputStream err, boolean interactive) {
    this.interactive = interactive;
    this.progress = new ProgressLine(err, interactive);
    this.out =
        new Stream(
            new OutputStreamWriter(
                new java.io.BufferedOutputStream(out, BUFFER), StandardCharsets.UTF_8),
            progress,
            null);
    this.err = new Stream(new OutputStreamWriter(err, StandardCharsets.UTF_8), progress, this.out);
  }

  /** The process's own streams; interactive when both input and output are a terminal. */
  static Console standard() {
    var console = System.console();
    return new Console(
        new FileOutputStream(FileDescriptor.out),
        new FileOutputStream(FileDescriptor.err),
        console != null && console.isTerminal());
  }

  Writer out() {
    return out;
  }

  Writer err() {
    return err;
  }

  @Override
  public boolean interactive() {
    return interactive;
  }

  ProgressLine progress() {
    return progress;
  }

  /** Columns, as the shell says; 80 when it does not. */
  int width() {
    var columns = System.getenv("COLUMNS");
    return columns != null && columns.matches("[1-9][0-9]{0,3}")
        ? Integer.parseInt(columns)
        : DEFAULT_WIDTH;
  }

  /** Lines, as the terminal says ({@code stty size}); 24 when it does not. */
  int height() {
    try {
      var asked =
          new ProcessBuilder("stty", "size")
              .redirectInput(ProcessBuilder.Redirect.INHERIT)
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start();
      var answer = new String(asked.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
      var lines = answer.strip().split(" ")[0];
      return lines.matches("[1-9][0-9]{0,3}") ? Integer.parseInt(lines) : DEFAULT_HEIGHT;
    } catch (IOException _) {
      return DEFAULT_HEIGHT; // There is no stty.
    }
  }

  @Override
  public void lend() {
    progress.pause();
  }

  @Override
  public void takeBack() {
    progress.resume();
  }

  /** Writes a warning in the program's name. */
  void warn(String text) {
    try {
      err.append("fathom: warning: ").append(text).append('\n');
      err.flush();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  void flush() throws IOException {
    progress.clear();
    out.flush();
    err.flush();
  }

  /**
   * A stream that clears the progress line, and flushes the stream before it in the order of
   * output.
   */
  private static final class Stream extends Writer {
    private final Writer next;
    private final ProgressLine progress;
    private final Writer before;

    Stream(Writer next, ProgressLine progress, Writer before) {
      this.next = next;
      this.progress = progress;
      this.before = before;
    }

    @Override
    public void write(char[] buffer, int from, int count) throws IOException {
      if (before != null) {
        before.flush();
      }
      progress.clear();
      next.write(buffer, from, count);
      if (before != null) {
        next.flush();
      }
    }

    @Override
    public void flush() throws IOException {
      progress.clear();
      next.flush();
    }

    @Override
    public void close() throws IOException {
      flush();
    }
  }
}
