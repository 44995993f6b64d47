// SPDX-License-Identifier: Apache-2.0
package dev.fathom.base;

/** A program text that cannot be compiled, with the place of what is wrong. */
public final class ProgramException extends FathomException {
  private static final long serialVersionUID = 1L;
  private final String source;
  private final int line;
  private final int column;
  private final String tag;
  private final String detail;

  /**
   * @param source what starts the message: {@code failed to compile script x.d}, {@code invalid
   *     probe specifier BEGIN}
   * @param line from 1
   * @param column from 1
   * @param tag the language's name for the kind of error: {@code D_SYNTAX}
   * @param detail what is wrong, what was expected
   */
  public ProgramException(String source, int line, int column, String tag, String detail) {
    super(source + ": line " + line + ": " + detail + " [" + tag + ", column " + column + "]");
    this.source = source;
    this.line = line;
    this.column = column;
    this.tag = tag;
    this.detail = detail;
  }

  public String source() {
    return source;
  }

  public int line() {
    return line;
  }

  public int column() {
    return column;
  }

  public String tag() {
    return tag;
  }

  public String detail() {
    return detail;
  }
}
