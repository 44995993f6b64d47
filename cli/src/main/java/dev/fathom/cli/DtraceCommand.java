// SPDX-License-Identifier: Apache-2.0
package dev.fathom.cli;

import picocli.CommandLine.Command;

/** {@code fathom dtrace}: the same for scripts that expect dtrace. */
@Command(
    name = "dtrace",
    description = "The same as trace, with dtrace's messages, for scripts that expect it.",
    mixinStandardHelpOptions = true)
final class DtraceCommand extends TraceProgramCommand {
  @Override
  String program() {
    return "dtrace";
  }

  /** There it is how often values are collected, which here they are at once. */
  @Override
  boolean showsAggregations() {
    return false;
  }
}
