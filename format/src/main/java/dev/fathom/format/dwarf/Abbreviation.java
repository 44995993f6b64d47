// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.dwarf;

/**
 * One entry of an abbreviation table: what entries with its code look like.
 *
 * @param names the attributes' names, in order
 * @param forms the form of each
 * @param constants for each the number that {@code DW_FORM_implicit_const} stands for, else 0
 */
record Abbreviation(
    long code, int tag, boolean hasChildren, int[] names, int[] forms, long[] constants) {
  /** Where an attribute stands; -1 when entries of this kind have none of that name. */
  int indexOf(int name) {
    for (int i = 0; i < names.length; i++) {
      if (names[i] == name) {
        return i;
      }
    }
    return -1;
  }
}
