// SPDX-License-Identifier: Apache-2.0
package dev.fathom.cli;

import dev.fathom.base.Sink;
import dev.fathom.base.TextRenderer;
import dev.fathom.command.CommandService;
import dev.fathom.session.Session;
import java.io.IOException;
import java.nio.file.Files;
import org.jline.reader.EndOfFileException;
import org.jline.reader.LineReader;
import org.jline.reader.LineReaderBuilder;
import org.jline.reader.Reference;
import org.jline.reader.UserInterruptException;
import org.jline.terminal.Terminal;
import org.jline.terminal.TerminalBuilder;
import org.jline.utils.Signals;

/**
 * The interactive session: a prompt, history across runs, completion, a pager. Ctrl-C stops the
 * command that runs and not the program; Ctrl-D leaves.
 */
final class Repl implements AutoCloseable {
  private static final String PROMPT = "> ";
  private static final String EARLY_END = "fathom-early-end";
  private static final long EARLY_NANOS = 1_000_000_000;

  private final Session session;
  private final CommandService service;
  private final Terminal terminal;
  private final LineReader reader;
  private final boolean coloured;
  private final Warnings warnings;

  /** When the line that is being read was asked for, by the clock of {@link System#nanoTime}. */
  private long asked;

  Repl(
      Session session,
      CommandService service,
      Terminal terminal,
      Warnings warnings,
      boolean coloured) {
    this.session = session;
    this.service = service;
    this.terminal = terminal;
    this.coloured = coloured;
    this.warnings = warnings;
    var builder =
        LineReaderBuilder.builder()
            .terminal(terminal)
            .appName("fathom")
            .parser(new WholeLineParser())
            .completer(new SessionCompleter(session, service))
            .option(LineReader.Option.DISABLE_EVENT_EXPANSION, true)
            .option(LineReader.Option.HISTORY_REDUCE_BLANKS, false)
            .option(LineReader.Option.CASE_INSENSITIVE, false)
            .option(LineReader.Option.AUTO_FRESH_LINE, false)
            .variable(LineReader.HISTORY_SIZE, 5000)
            .variable(LineReader.HISTORY_FILE_SIZE, 10000);
    Folders.history().ifPresent(file -> builder.variable(LineReader.HISTORY_FILE, file));
    this.reader = builder.build();
    bindEarlyEnd();
  }

  /**
   * The end of input that a terminal was told before a line was asked for (Ctrl-D while a command
   * ran, or {@code script} with nothing to type) is still there then, as a NUL: Linux's terminals
   * keep it so. It comes at once; what is typed as NUL later, Ctrl-Space, sets the mark.
   */
  private void bindEarlyEnd() {
    var widgets = reader.getWidgets();
    widgets.put(
        LineReader.CALLBACK_INIT,
        () -> {
          asked = System.nanoTime();
          return true;
        });
    widgets.put(
        EARLY_END,
        () -> {
          if (reader.getBuffer().length() == 0 && System.nanoTime() - asked < EARLY_NANOS) {
            throw new EndOfFileException();
          }
          reader.callWidget(LineReader.SET_MARK_COMMAND);
          return true;
        });
    reader.getKeyMaps().get(LineReader.MAIN).bind(new Reference(EARLY_END), "\0");
  }

  /** Takes over the terminal. */
  static Repl open(Session session, CommandService service, Warnings warnings, boolean coloured)
      throws IOException {
    var history = Folders.history();
    if (history.isPresent()) {
      Files.createDirectories(history.get().getParent());
    }
    // Asking the terminal what it can do costs up to 200 ms where nobody answers.
    System.setProperty("org.jline.terminal.graphemeCluster", "false");
    return new Repl(
        session, service, TerminalBuilder.builder().system(true).build(), warnings, coloured);
  }

  void run(boolean quiet) throws IOException {
    terminal.handle(Terminal.Signal.INT, _ -> service.interrupt());
    boolean deaf = terminal.getType().startsWith(Terminal.TYPE_DUMB);
    if (!deaf) {
      ask(quiet);
      return;
    }
    // JLine leaves the signals of such a terminal to the system, which would end the program.
    var before = Signals.register("INT", () -> terminal.raise(Terminal.Signal.INT));
    try {
      ask(quiet);
    } finally {
      Signals.unregister("INT", before);
    }
  }

  private void ask(boolean quiet) {
    service.environment().settings().width(Math.max(terminal.getSize().getColumns(), 40));
    if (!quiet) {
      greet();
    }
    while (!service.environment().quitting()) {
      String line;
      try {
        line = reader.readLine(PROMPT);
      } catch (UserInterruptException again) {
        continue;
      } catch (EndOfFileException end) {
        return;
      }
      if (!line.isBlank()) {
        run(line);
      }
    }
  }

  private void greet() {
    var info = session.target().info();
    terminal
        .writer()
        .println("fathom: " + info.name() + ": " + info.format() + ", " + session.kernel().os());
    for (var fact : session.kernel().facts()) {
      if (fact.key().equals("release") || fact.key().equals("panic")) {
        terminal
            .writer()
            .println("fathom: " + fact.label() + ": " + TextRenderer.text(fact.value()));
      }
    }
    terminal
        .writer()
        .println("Type ::help for the commands, ::status for a summary, Ctrl-D to leave.");
    terminal.flush();
  }

  private void run(String line) {
    var progress = new ProgressLine(terminal.output(), true);
    var pager = new Pager(terminal, service::interrupt, progress);
    int word = session.kernel().program().architecture().layout().wordBytes();
    service.environment().settings().screen(pager);
    Sink sink =
        new TextRenderer(
            pager,
            pager,
            new TextRenderer.Options(
                "fathom", Math.max(terminal.getSize().getColumns(), 40), word, coloured));
    try (var _ = progress.watch(line)) {
      service.run(line, sink);
    } finally {
      terminal.flush();
      warnings.show();
    }
  }

  @Override
  public void close() throws IOException {
    terminal.close();
  }
}
