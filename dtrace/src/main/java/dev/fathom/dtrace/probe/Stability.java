// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.probe;

/** How stable an interface is, as {@code -lv} shows: names, data, and the class of systems. */
public record Stability(Level name, Level data, DependencyClass dependency) {
  public enum Level {
    INTERNAL("Internal"),
    PRIVATE("Private"),
    OBSOLETE("Obsolete"),
    EXTERNAL("External"),
    UNSTABLE("Unstable"),
    EVOLVING("Evolving"),
    STABLE("Stable"),
    STANDARD("Standard");

    private final String text;

    Level(String text) {
      this.text = text;
    }

    public String text() {
      return text;
    }
  }

  public enum DependencyClass {
    UNKNOWN("Unknown"),
    CPU("CPU"),
    PLATFORM("Platform"),
    GROUP("Group"),
    ISA("ISA"),
    COMMON("Common");

    private final String text;

    DependencyClass(String text) {
      this.text = text;
    }

    public String text() {
      return text;
    }
  }

  /** What a provider says that says nothing. */
  public static final Stability PRIVATE =
      new Stability(Level.PRIVATE, Level.PRIVATE, DependencyClass.UNKNOWN);

  public static final Stability STABLE =
      new Stability(Level.STABLE, Level.STABLE, DependencyClass.COMMON);
}
