// SPDX-License-Identifier: Apache-2.0
package dev.fathom.base;

/**
 * A half-open range {@code [start, end)} of unsigned 64-bit addresses or offsets. An end of 0 with
 * a start above 0 means the end of the address space, 2<sup>64</sup>.
 */
public record Range(long start, long end) {
  public Range {
    if (end != 0 && Long.compareUnsigned(end, start) < 0) {
      throw new IllegalArgumentException(
          "range 0x"
              + Long.toHexString(start)
              + "..0x"
              + Long.toHexString(end)
              + " ends before it starts");
    }
  }

  /** The range of {@code length} bytes at {@code start}. */
  public static Range of(long start, long length) {
    return new Range(start, start + length);
  }

  /** The length in bytes, unsigned. */
  public long length() {
    return end - start;
  }

  public boolean isEmpty() {
    return start == end;
  }

  public boolean contains(long address) {
    return Long.compareUnsigned(address - start, end - start) < 0;
  }
}
