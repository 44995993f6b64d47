// SPDX-License-Identifier: Apache-2.0
package dev.fathom.lang;

/**
 * Places the members of one structure or union (System V ABI, AMD64 supplement, section 3.1.2; what
 * {@code packed} and {@code aligned} do: gcc's manual, "Common Type Attributes").
 */
final class StructLayout {
  private final boolean union;
  private final boolean packed;
  private final long pack;
  private long bits;
  private long end;
  private long align = 1;

  /**
   * @param packed whether members need no alignment
   * @param pack the greatest alignment of members by {@code #pragma pack}; 0 for any
   */
  StructLayout(boolean union, boolean packed, long pack) {
    this.union = union;
    this.packed = packed;
    this.pack = pack;
  }

  /** The alignment that its members ask for, in bytes. */
  long align() {
    return align;
  }

  /** Its size when it is aligned to {@code alignment}. */
  long bytes(long alignment) {
    return up((end + 7) / 8, alignment);
  }

  /** Where a member begins, in bits. */
  long member(long bytes, long natural, TypeParser.Attributes attributes) {
    long wanted = wanted(natural, attributes);
    long at = union ? 0 : up(up(bits, 8), wanted * 8);
    align = Math.max(align, wanted);
    take(at, bytes * 8);
    return at;
  }

  private long wanted(long natural, TypeParser.Attributes attributes) {
    long usual = packed || attributes.packed() ? 1 : natural;
    long wanted = Math.max(usual, attributes.align());
    return pack > 0 ? Math.min(wanted, pack) : wanted;
  }

  /**
   * Where a bit-field begins, in bits. It does not cross a boundary of the storage units of its
   * type, unless it is packed; one without bits moves the next to such a boundary.
   *
   * @param named only then the structure is aligned as the type needs
   */
  long bitField(
      long bytes, long natural, long width, boolean named, TypeParser.Attributes attributes) {
    long usual = pack > 0 ? Math.min(natural, pack) : natural;
    if (width == 0) {
      long at = union ? 0 : up(bits, natural * 8);
      take(at, 0);
      return at;
    }
    boolean tight = packed || attributes.packed();
    long at = union ? 0 : bits;
    if (attributes.align() > 0) {
      at = up(at, attributes.align() * 8);
      align = Math.max(align, attributes.align());
    }
    if (!tight) {
      long unit = usual * 8;
      if ((at % unit + width + unit - 1) / unit > bytes * 8 / unit) {
        at = up(at, unit);
      }
      if (named) {
        align = Math.max(align, usual);
      }
    }
    take(at, width);
    return at;
  }

  private void take(long at, long width) {
    bits = union ? 0 : at + width;
    end = Math.max(end, at + width);
  }

  private static long up(long value, long to) {
    return (value + to - 1) / to * to;
  }
}
