// SPDX-License-Identifier: Apache-2.0
package dev.fathom.cli;

import dev.fathom.trace.analysis.Threshold;
import java.util.Optional;
import java.util.OptionalInt;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.Spec.Target;

/** How much of a tree is shown. */
final class TraceThresholds {
  @Spec(Target.MIXEE)
  private CommandSpec spec;

  @Option(
      names = "--min-hits",
      paramLabel = "N",
      description = "Leave out nodes with fewer hits, or less of all hits: 100, 5%%.")
  private String minHits;

  @Option(
      names = "--max-levels",
      paramLabel = "N",
      description = "Levels of the tree that are shown.")
  private Integer maxLevels;

  Optional<Threshold> minHits() {
    if (minHits == null) {
      return Optional.empty();
    }
    try {
      boolean percent = minHits.endsWith("%");
      Threshold threshold =
          percent
              ? new Threshold.Percent(
                  Double.parseDouble(minHits.substring(0, minHits.length() - 1)))
              : new Threshold.AtLeast(Long.parseLong(minHits));
      return Optional.of(threshold);
    } catch (NumberFormatException _) {
      throw new ParameterException(
          spec.commandLine(), "--min-hits " + minHits + ", expected a number or a percentage");
    }
  }

  OptionalInt maxLevels() {
    if (maxLevels == null) {
      return OptionalInt.empty();
    }
    if (maxLevels < 1) {
      throw new ParameterException(
          spec.commandLine(), "--max-levels " + maxLevels + ", expected 1 or more");
    }
    return OptionalInt.of(maxLevels);
  }
}
