// SPDX-License-Identifier: Apache-2.0
package dev.fathom.cli;

import dev.fathom.base.Datum;
import dev.fathom.base.FathomException;
import dev.fathom.base.JsonRenderer;
import dev.fathom.base.Loss;
import dev.fathom.base.Outcome;
import dev.fathom.base.Sink;
import dev.fathom.base.TextRenderer;
import dev.fathom.trace.Trace;
import dev.fathom.trace.file.TraceFile;
import dev.fathom.trace.report.Output;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** What the subcommands of {@code fathom trace-file} share: they read one trace and show it. */
abstract class TraceCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Parameters(
      paramLabel = "FILE",
      arity = "0..1",
      defaultValue = "tracefile",
      description = "A trace file or dump of OSv, or a recording; tracefile when left out.")
  private Path file;

  @Option(names = "--json", description = "Write one JSON document.")
  private boolean json;

  /** Shows what the subcommand is about. */
  abstract void show(Trace trace, Output out) throws IOException;

  @Override
  public Integer call() throws IOException {
    var console = Console.standard();
    Sink sink =
        json
            ? new JsonRenderer(console.out())
            : new TextRenderer(
                console.out(),
                console.err(),
                new TextRenderer.Options(
                    "fathom", console.width(), TextRenderer.Options.PLAIN.wordBytes(), false));
    try {
      var outcome = run(sink);
      sink.end(outcome);
      return outcome.ok() ? 0 : Problems.FAILED;
    } finally {
      console.flush();
    }
  }

  /** Opens the trace and shows it; tells how that ended. */
  Outcome run(Sink sink) throws IOException {
    sink.begin(spec.name() + " " + file);
    Optional<String> error = Optional.empty();
    try (var trace = TraceFile.open(file)) {
      show(trace, new Output(sink, !json));
      for (Loss loss : trace.losses()) {
        sink.lost(loss);
        error = error.or(() -> Optional.of("left out: " + loss.count() + " " + loss.what()));
      }
    } catch (FathomException e) {
      sink.accept(new Datum.Note(Datum.Severity.ERROR, e.getMessage()));
      error = error.or(() -> Optional.of(e.getMessage()));
    }
    return new Outcome(error);
  }

  Path file() {
    return file;
  }

  /** A remark that does not make the answer less complete. */
  static void warn(Output out, String text) {
    out.sink().accept(new Datum.Note(Datum.Severity.WARNING, text));
  }

  /** That events began again before they had ended, where that happened. */
  static void warnOfNested(Output out, long nested) {
    if (nested > 0) {
      warn(
          out,
          nested + " times something began again before it had ended; the last beginning counts");
    }
  }

  ParameterException wrong(String message) {
    return new ParameterException(spec.commandLine(), message);
  }
}
