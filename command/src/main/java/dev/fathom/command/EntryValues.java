// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command;

import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/** Which values of parameters frames show, as gdb's {@code set print entry-values} has it. */
public enum EntryValues {
  /** As they are now. */
  NO,
  /** As the caller passed them; where nothing tells {@code <optimized out>}. */
  ONLY,
  /** As the caller passed them; where nothing tells as they are now, unless that is lost too. */
  PREFERRED,
  /** As they are now; where they are lost as the caller passed them, if anything tells. */
  IF_NEEDED,
  /** As they are now and as the caller passed them, each also where it is not known. */
  BOTH,
  /** As they are now, and what the caller passed where that is known; in short where it is lost. */
  COMPACT,
  /** As they are now, and what the caller passed where that is known. */
  DEFAULT;

  /** The word for it in {@code set print entry-values}. */
  public String text() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /** What a word of {@code set print entry-values} stands for; empty where it is none of them. */
  public static Optional<EntryValues> of(String text) {
    return Stream.of(values()).filter(one -> one.text().equals(text)).findFirst();
  }

  /**
   * The words for a parameter.
   *
   * @param now its value in short, empty where it is lost
   * @param entry what the caller passed, in short, empty where nothing tells
   * @param same whether both are known and of the same bytes
   * @param lost what is said in place of a value
   */
  public String of(
      String name, Optional<String> now, Optional<String> entry, boolean same, String lost) {
    var own = name + "=" + now.orElse("<" + lost + ">");
    var passed = name + "@entry=" + entry.orElse("<optimized out>");
    return switch (this) {
      case NO -> own;
      case ONLY -> passed;
      case PREFERRED -> entry.isPresent() || now.isEmpty() ? passed : own;
      case IF_NEEDED -> now.isEmpty() && entry.isPresent() ? passed : own;
      case BOTH -> own + ", " + passed;
      case COMPACT, DEFAULT ->
          entry.isEmpty()
              ? own
              : same
                  ? name + "=" + passed
                  : now.isEmpty() && this == COMPACT ? passed : own + ", " + passed;
    };
  }
}
