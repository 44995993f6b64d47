// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.syntax;

import dev.fathom.base.ProgramException;
import dev.fathom.base.Span;

/**
 * A D text.
 *
 * @param name how errors call it: {@code failed to compile script x.d}
 */
public record Source(String name, String text) {
  /** The line that a position is on, from 1. */
  public int line(int position) {
    int line = 1;
    for (int i = 0; i < Math.min(position, text.length()); i++) {
      if (text.charAt(i) == '\n') {
        line++;
      }
    }
    return line;
  }

  public int column(int position) {
    return position - text.lastIndexOf('\n', Math.max(0, position) - 1);
  }

  public ProgramException error(Span at, Tag tag, String detail) {
    return new ProgramException(
        name, line(at.start()), Math.max(1, column(at.start())), tag.name(), detail);
  }

  String at(Span span) {
    return text.substring(span.start(), Math.min(span.end(), text.length()));
  }
}
