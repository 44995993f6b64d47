// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.compile;

import dev.fathom.dtrace.syntax.Source;
import dev.fathom.dtrace.vprobe.Vprobes;

/**
 * A D text and how its probe descriptions are read.
 *
 * @param source the text; its name starts the error messages
 */
public record Input(Kind kind, Source source) {
  /** Which field a description with one field names. */
  public enum Kind {
    /** A file ({@code -s}): fields are filled from the right, and a clause needs a body. */
    SCRIPT,
    /** A VProbes script, in either syntax. */
    VPROBES,
    /** {@code -n}: filled from the right. */
    NAME,
    /** {@code -f}: {@code [[provider:]module:]function}. */
    FUNCTION,
    /** {@code -m}: {@code [provider:]module}. */
    MODULE,
    /** {@code -P}. */
    PROVIDER,
    /** {@code -i}: a probe's number. */
    ID
  }

  /** A file: VProbes' where its name says so ({@link Vprobes#isScript}), else D's. */
  public static Input script(String name, String text) {
    return new Input(
        Vprobes.isScript(name) ? Kind.VPROBES : Kind.SCRIPT,
        new Source("failed to compile script " + name, text));
  }

  /** An argument of {@code -n}, {@code -f}, {@code -m}, {@code -P} or {@code -i}. */
  public static Input description(Kind kind, String text) {
    return new Input(kind, new Source("invalid probe specifier " + text, text));
  }
}
