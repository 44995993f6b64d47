// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.language;

import dev.fathom.base.Datum;
import dev.fathom.base.EvalException;
import dev.fathom.base.FathomException;
import dev.fathom.base.TargetException;
import dev.fathom.base.TextRenderer;
import dev.fathom.base.UnsupportedException;
import dev.fathom.command.Item;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;

/** Output that goes to a shell command or a file instead of to the user. */
final class Tails {
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
    var options =
        new StandardOpenOption[] {
          StandardOpenOption.CREATE,
          StandardOpenOption.WRITE,
          file.append() ? StandardOpenOption.APPEND : StandardOpenOption.TRUNCATE_EXISTING
        };
    try (var writer = Files.newBufferedWriter(Path.of(file.path()), options)) {
      render(execution, items, writer);
    } catch (IOException | InvalidPathException e) {
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
    boolean direct = settings.shellOnTerminal();
    var shell = System.getenv("SHELL");
    var builder =
        command.isEmpty()
            ? new ProcessBuilder(shellOr(shell))
            : new ProcessBuilder(shellOr(shell), "-c", command);
    builder.redirectErrorStream(!direct);
    if (direct) {
      builder.redirectOutput(ProcessBuilder.Redirect.INHERIT);
      builder.redirectError(ProcessBuilder.Redirect.INHERIT);
      if (items.isEmpty()) {
        builder.redirectInput(ProcessBuilder.Redirect.INHERIT);
      }
    }
    try {
      feed(execution, builder.start(), items);
    } catch (IOException e) {
      throw new TargetException("cannot run '" + command + "': " + e.getMessage(), e);
    }
  }

  private static String shellOr(String shell) {
    return shell == null || shell.isEmpty() ? "/bin/sh" : shell;
  }

  private static void feed(Execution execution, Process process, Optional<Iterator<Item>> items)
      throws IOException {
    var lines = Collections.synchronizedList(new ArrayList<String>());
    var problems = Collections.synchronizedList(new ArrayList<String>());
    var reader = Thread.ofVirtual().start(() -> collect(process, lines, problems));
    try {
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
      process.waitFor();
      reader.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new EvalException("command cancelled by user");
    } catch (FathomException e) {
      process.destroy();
      throw e;
    }
    for (var line : lines) {
      execution.show(new Datum.Text(line));
    }
    problems.forEach(execution::warn);
  }

  private static void collect(Process process, List<String> lines, List<String> problems) {
    try (var output =
        new BufferedReader(
            new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
      for (var line = output.readLine(); line != null; line = output.readLine()) {
        lines.add(line);
      }
    } catch (IOException e) {
      problems.add(e.getMessage());
    }
  }
}
