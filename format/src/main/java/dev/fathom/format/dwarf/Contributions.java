// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.dwarf;

/**
 * Where the parts of one unit begin in the sections of a package file; all 0 outside of packages.
 */
record Contributions(
    long info, long abbrev, long line, long locations, long strOffsets, long rangeLists) {
  static final Contributions NONE = new Contributions(0, 0, 0, 0, 0, 0);
}
