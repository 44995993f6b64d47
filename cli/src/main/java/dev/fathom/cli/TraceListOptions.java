// SPDX-License-Identifier: Apache-2.0
package dev.fathom.cli;

import dev.fathom.trace.Trace;
import dev.fathom.trace.report.EventReport;
import dev.fathom.trace.report.Output;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** What the subcommands that list events share. */
final class TraceListOptions {
  @Mixin private TraceSliceOptions time;

  @Mixin private TraceSymbolOptions symbols;

  @Option(
      names = {"-b", "--backtrace"},
      description = "Show backtraces.")
  private boolean backtrace;

  @Option(
      names = {"-l", "--multiline"},
      description = "Show each frame on a line of its own.")
  private boolean multiline;

  TraceSliceOptions time() {
    return time;
  }

  EventReport report(Trace trace, Path file, Output out) {
    return new EventReport(
        trace,
        time.slice(),
        backtrace ? Optional.of(symbols.backtraces(trace, file)) : Optional.empty(),
        symbols.style(),
        multiline,
        out);
  }
}
