// SPDX-License-Identifier: Apache-2.0
package dev.fathom.cli;

import dev.fathom.trace.Trace;
import dev.fathom.trace.analysis.Profile;
import dev.fathom.trace.analysis.ProfileOptions;
import dev.fathom.trace.analysis.Samples;
import dev.fathom.trace.report.Output;
import dev.fathom.trace.report.ProfileReport;
import java.util.Optional;
import java.util.OptionalLong;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** What the subcommands share that show a tree of backtraces. */
abstract class TraceProfileCommand extends TraceCommand {
  /** {@code -g}; the names are those that users type. */
  enum Grouping {
    none,
    thread,
    cpu
  }

  @Mixin private TraceSliceOptions time;

  @Mixin private TraceSymbolOptions symbols;

  @Mixin private TraceThresholds thresholds;

  @Option(
      names = {"-r", "--caller-oriented"},
      description = "Begin with the outermost functions.")
  private boolean callers;

  @Option(
      names = {"-g", "--group-by"},
      paramLabel = "WHAT",
      defaultValue = "none",
      description = "A tree for each thread or cpu; none (default) for one tree.")
  private Grouping grouping;

  @Option(
      names = "--function",
      paramLabel = "NAME",
      description = "Begin trees with this function; leave out backtraces without it.")
  private String function;

  @Option(
      names = "--min-duration",
      paramLabel = "TIME",
      description = "Leave out nodes that took less: 200ms; ns without a unit.")
  private String minDuration;

  /** What is profiled. */
  abstract Samples samples();

  @Override
  void show(Trace trace, Output out) {
    var by =
        switch (grouping) {
          case none -> ProfileOptions.Grouping.NONE;
          case thread -> ProfileOptions.Grouping.THREAD;
          case cpu -> ProfileOptions.Grouping.CPU;
        };
    var least =
        minDuration == null
            ? OptionalLong.empty()
            : OptionalLong.of((long) Math.ceil(time.nanos("--min-duration", minDuration, 1)));
    var options =
        new ProfileOptions(
            time.slice(),
            callers,
            by,
            Optional.ofNullable(function),
            least,
            thresholds.minHits(),
            thresholds.maxLevels(),
            symbols.style());
    var backtraces = symbols.backtraces(trace, file());
    ProfileReport.show(Profile.of(trace.events(), samples(), backtraces, options), out);
  }
}
