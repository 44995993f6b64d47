// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model.source;

/**
 * A place in a source file.
 *
 * @param path the file, absolute where that is known, as the compiler named it
 * @param line from 1; 0 where the code belongs to no line
 * @param column from 1; 0 where it is not told
 */
public record SourceLine(String path, int line, int column) {
  /** The file's name without its folders. */
  public String file() {
    return path.substring(path.lastIndexOf('/') + 1);
  }

  /** {@code fs/read_write.c:450}. */
  public String text() {
    return path + ":" + (line == 0 ? "?" : Integer.toString(line));
  }

  public boolean sameLine(SourceLine other) {
    return line == other.line && path.equals(other.path);
  }
}
