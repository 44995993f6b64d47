// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command;

import dev.fathom.base.Datum;
import dev.fathom.base.Loss;
import dev.fathom.base.Outcome;
import dev.fathom.base.Sink;
import dev.fathom.base.TargetException;
import dev.fathom.base.TextRenderer;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;

/** A file to which the session's command lines and results are added as text. */
public final class SessionLog {
  private Optional<Path> file = Optional.empty();
  private boolean enabled;

  public Optional<Path> file() {
    return file;
  }

  public boolean enabled() {
    return enabled;
  }

  /** Starts to add to {@code path}, from the next command line on. */
  public void start(Path path) {
    file = Optional.of(path);
    enabled = true;
  }

  public void stop() {
    enabled = false;
  }

  /** A sink that also logs what it passes to {@code sink}, when the log is on. */
  public Sink through(Sink sink) {
    if (!enabled || file.isEmpty()) {
      return sink;
    }
    return new Tee(sink, file.get());
  }

  private static final class Tee implements Sink {
    private final Sink first;
    private final BufferedWriter writer;
    private final TextRenderer log;

    Tee(Sink first, Path path) {
      this.first = first;
      try {
        writer =
            Files.newBufferedWriter(path, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
      } catch (IOException e) {
        throw new TargetException("cannot write the log " + path + ": " + e.getMessage(), e);
      }
      log = new TextRenderer(writer, writer, TextRenderer.Options.PLAIN);
    }

    @Override
    public void begin(String command) {
      first.begin(command);
      log.accept(new Datum.Text("> " + command));
      log.begin(command);
    }

    @Override
    public void accept(Datum datum) {
      first.accept(datum);
      log.accept(datum);
    }

    @Override
    public void flush() {
      first.flush();
    }

    @Override
    public void lost(Loss loss) {
      first.lost(loss);
      log.lost(loss);
    }

    @Override
    public void end(Outcome outcome) {
      first.end(outcome);
      log.end(outcome);
      try {
        writer.close();
      } catch (IOException e) {
        throw new TargetException("cannot write the log: " + e.getMessage(), e);
      }
    }
  }
}
