// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.dwarf;

import java.util.Optional;

/**
 * A {@code .dwo} or package file that a file's DWARF leads to.
 *
 * @param name as the skeleton unit names it ({@code DW_AT_dwo_name}), or the package's own
 * @param file what is there; empty when nothing is
 */
public record SplitPart(String name, Optional<Stamp> file) {
  /**
   * Which state of a file it is.
   *
   * @param path where it is
   * @param size in bytes
   * @param modified when it was last written, in nanoseconds since 1970
   */
  public record Stamp(String path, long size, long modified) {}
}
