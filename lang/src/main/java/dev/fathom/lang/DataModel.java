// SPDX-License-Identifier: Apache-2.0
package dev.fathom.lang;

import dev.fathom.model.type.TypeSystem;

/**
 * Sizes and alignments, in bytes, of C's types where ABIs differ.
 *
 * @param wordBytes a pointer
 * @param longBytes {@code long}
 * @param wideAlign the greatest alignment of {@code long long} and {@code double} in a structure
 * @param longDoubleBytes {@code long double}, padding included
 * @param longDoubleAlign its alignment
 */
public record DataModel(
    int wordBytes, int longBytes, int wideAlign, int longDoubleBytes, int longDoubleAlign) {
  /** System V ABI, AMD64 supplement, figure 3.1; also AAPCS64 (IHI 0055), table 3. */
  public static final DataModel LP64 = new DataModel(8, 8, 8, 16, 16);

  /** System V ABI, Intel386 supplement, figure 2.1. */
  public static final DataModel ILP32 = new DataModel(4, 4, 4, 12, 4);

  /** The model of a program with these types: by the size of its pointers. */
  public static DataModel of(TypeSystem types) {
    return types.wordBytes() == 4 ? ILP32 : LP64;
  }
}
