// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.language;

import dev.fathom.base.Datum;
import dev.fathom.base.EvalException;
import dev.fathom.base.TargetException;
import dev.fathom.base.TextRenderer;
import dev.fathom.base.UnsupportedException;
import dev.fathom.command.Item;
import dev.fathom.command.OutputFile;
import dev.fathom.command.Screen;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** Output that goes to a shell command or a file instead of to the user. */
final class Tails {
  /** What a shell or Java reports of a process that Ctrl-C ended. */
  private static final int KILLED_BY_INTERRUPT = 130;

  /** How many bytes of memory may keep a shell command's output. */
  private static final int OUTPUT_LIMIT = 16 << 20;

  private static final int LINE_COST = 64;

  private static final long POLL_MILLIS = 50;

  private Tails() {}

  /**
   * @param items what to send; empty for a shell command on its own
   */
  static void run(Execution execution, Statement.Tail tail, Optional<Iterator<Item>> items) {
    switch (tail) {
      case Statement.ToShell shell -> toShell(execution, shell.command(), items);
      case Statement.ToFile file ->
          toFile(execution, file, items.orElse(Collections.emptyIterator()));
    }
  }

  private static void toFile(Execution execution, Statement.ToFile file, Iterator<Item> items) {
    var path =
        OutputFile.named(file.path(), execution.session(), execution.environment().settings());
    var options =
        new StandardOpenOption[] {
          StandardOpenOption.CREATE,
          StandardOpenOption.WRITE,
          file.append() ? StandardOpenOption.APPEND : StandardOpenOption.TRUNCATE_EXISTING
        };
    try (var writer = Files.newBufferedWriter(path, options)) {
      render(execution, items, writer);
    } catch (IOException e) {
      throw new TargetException("cannot write " + file.path() + ": " + e.getMessage(), e);
    }
  }

  private static void render(Execution execution, Iterator<Item> items, Writer writer) {
    var settings = execution.environment().settings();
    var options = new TextRenderer.Options("fathom", settings.width(), 8, false);
    var renderer = new TextRenderer(writer, writer, options);
    renderer.begin("");
    execution.deliver(items, renderer);
    renderer.end(execution.outcome());
  }

  private static void toShell(Execution execution, String command, Optional<Iterator<Item>> items) {
    var settings = execution.environment().settings();
    if (!settings.shellAllowed()) {
      throw new UnsupportedException("shell commands are switched off");
    }
    var shell = System.getenv("SHELL");
    var builder =
        command.isEmpty()
            ? new ProcessBuilder(shellOr(shell))
            : new ProcessBuilder(shellOr(shell), "-c", command);
    int status;
    try {
      if (settings.screen().isPresent()) {
        execution.flush();
        status = onScreen(execution, settings.screen().get(), builder, items);
      } else {
        status = captured(execution, builder, items);
      }
    } catch (IOException e) {
      throw new TargetException("cannot run '" + command + "': " + e.getMessage(), e);
    }
    if (status == KILLED_BY_INTERRUPT) {
      throw execution.cancelled();
    }
    // What the last command in an interactive shell gave says nothing of this one.
    if (status != 0 && !command.isEmpty()) {
      execution.fail("'" + command + "' ended with status " + status);
    }
  }

  private static String shellOr(String shell) {
    return shell == null || shell.isEmpty() ? "/bin/sh" : shell;
  }

  /**
   * Runs a process that prints by itself. Ctrl-C at the terminal reaches it without us, and it may
   * have a use for it: it ends when it likes.
   */
  private static int onScreen(
      Execution execution, Screen screen, ProcessBuilder builder, Optional<Iterator<Item>> items)
      throws IOException {
    builder.redirectOutput(ProcessBuilder.Redirect.INHERIT);
    builder.redirectError(ProcessBuilder.Redirect.INHERIT);
    if (items.isEmpty() && screen.interactive()) {
      builder.redirectInput(ProcessBuilder.Redirect.INHERIT);
    }
    screen.lend();
    try {
      var process = builder.start();
      try {
        feed(execution, process, items);
      } finally {
        await(process);
        execution.session().takeInterrupt();
      }
      return process.exitValue();
    } finally {
      screen.takeBack();
    }
  }

  private static void await(Process process) {
    try {
      process.waitFor();
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
      throw new EvalException("command cancelled by user");
    }
  }

  /** Runs a process whose output goes to the sink when it has ended. */
  private static int captured(
      Execution execution, ProcessBuilder builder, Optional<Iterator<Item>> items)
      throws IOException {
    builder.redirectErrorStream(true);
    var process = builder.start();
    var output = new Output(process);
    var reader = Thread.ofVirtual().start(output::collect);
    try {
      feed(execution, process, items);
      if (execution.isCancelled()) {
        process.destroy();
      }
      while (!process.waitFor(POLL_MILLIS, TimeUnit.MILLISECONDS)) {
        execution.checkInterrupt();
      }
      reader.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new EvalException("command cancelled by user");
    } finally {
      process.destroy();
    }
    for (var line : output.lines) {
      execution.show(new Datum.Text(line));
    }
    output.problem.ifPresent(execution::fail);
    return output.problem.isPresent() ? 0 : process.exitValue();
  }

  /** Writes the items to the process's standard input and closes it. */
  private static void feed(Execution execution, Process process, Optional<Iterator<Item>> items) {
    try (var writer = new OutputStreamWriter(process.getOutputStream(), StandardCharsets.UTF_8)) {
      if (items.isPresent()) {
        render(execution, items.get(), writer);
      }
    } catch (IOException _) {
      // It ended before it had read all, as head does: it has what it wanted.
    } catch (TargetException e) {
      if (!(e.getCause() instanceof IOException)) {
        throw e;
      }
    }
  }

  /** What a process prints, as far as it is kept. */
  private static final class Output {
    private final Process process;
    private final List<String> lines = new ArrayList<>();
    private Optional<String> problem = Optional.empty();

    Output(Process process) {
      this.process = process;
    }

    void collect() {
      long left = OUTPUT_LIMIT;
      try (var output =
          new BufferedReader(
              new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
        for (var line = line(output, left); line != null; line = line(output, left)) {
          lines.add(line);
          left -= line.length() + LINE_COST;
          if (left <= 0) {
            problem =
                Optional.of("the shell command's output was cut after " + lines.size() + " lines");
            process.destroy();
            return;
          }
        }
      } catch (IOException e) {
        problem = Optional.of("cannot read what the shell command prints: " + e.getMessage());
      }
    }

    /** The next line, or as much of it as {@code limit} allows; null at the end. */
    private static String line(BufferedReader from, long limit) throws IOException {
      var line = new StringBuilder();
      int c = from.read();
      if (c < 0) {
        return null;
      }
      while (c >= 0 && c != '\n' && line.length() < limit) {
        line.append((char) c);
        c = from.read();
      }
      return line.toString();
    }
  }
}
