// SPDX-License-Identifier: Apache-2.0
package dev.fathom.base;

/**
 * A piece of a text that the user typed.
 *
 * @param start index of the first character
 * @param end index after the last character
 */
public record Span(int start, int end) {
  public Span {
    if (start < 0 || end < start) {
      throw new IllegalArgumentException("span " + start + ".." + end);
    }
  }

  public static Span at(int position) {
    return new Span(position, position);
  }

  public Span to(Span other) {
    return new Span(Math.min(start, other.start), Math.max(end, other.end));
  }
}
