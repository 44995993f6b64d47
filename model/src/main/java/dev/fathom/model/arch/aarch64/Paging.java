// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model.arch.aarch64;

import java.util.Optional;

/**
 * How one half of the address space is translated: what TCR_EL1 says of it (Arm Architecture
 * Reference Manual, section D24.2, TCR_EL1, and D8.2, "Translation process").
 *
 * @param granuleBits 12, 14 or 16: the smallest page has 2 to that power bytes
 * @param virtualBits bits of a virtual address that are translated: 64 - T0SZ or 64 - T1SZ
 * @param largeAddresses TCR_EL1.DS: descriptors hold 52-bit addresses with the granules of 4 and 16
 *     KiB (FEAT_LPA2); with 64 KiB they always can (FEAT_LPA)
 * @param upper whether it is the half that ends with the last address: TTBR1's
 */
public record Paging(int granuleBits, int virtualBits, boolean largeAddresses, boolean upper) {
  /** TCR_EL1: bits 31 to 30 of the upper half, 15 to 14 of the lower; the codes differ. */
  private static final int TG1 = 30;

  private static final int TG0 = 14;
  private static final int T1SZ = 16;
  private static final long DS = 1L << 59;

  public Paging {
    if ((granuleBits != 12 && granuleBits != 14 && granuleBits != 16)
        || virtualBits < 25
        || virtualBits > 52) {
      throw new IllegalArgumentException(
          "no page tables have granules of 2^"
              + granuleBits
              + " bytes and addresses of "
              + virtualBits
              + " bits");
    }
  }

  /**
   * What a value of TCR_EL1 says; empty where it is none that Linux uses.
   *
   * @param upper whether of TTBR1's half
   */
  public static Optional<Paging> of(long tcr, boolean upper) {
    int size = (int) (tcr >>> (upper ? T1SZ : 0)) & 0x3f;
    int code = (int) (tcr >>> (upper ? TG1 : TG0)) & 3;
    int granule =
        switch (code) {
          case 0 -> upper ? 0 : 12;
          case 1 -> upper ? 14 : 16;
          case 2 -> upper ? 12 : 14;
          default -> upper ? 16 : 0;
        };
    return granule == 0 || size < 12 || size > 39
        ? Optional.empty()
        : Optional.of(new Paging(granule, 64 - size, (tcr & DS) != 0, upper));
  }

  /** Tables on the way from the root to a page, each of 2^(granuleBits - 3) entries: 2 to 5. */
  public int levels() {
    return (virtualBits - 4) / (granuleBits - 3);
  }

  /** The level of the root table, as Arm counts: the last level is 3, the first -1 to 2. */
  public int startLevel() {
    return 4 - levels();
  }

  /** Whether an address lies in this half. */
  public boolean contains(long virtual) {
    long above = virtual >> virtualBits;
    return upper ? above == -1 : above == 0;
  }

  /** The same for the other half of the address space, with as many bits. */
  public Paging lower() {
    return new Paging(granuleBits, virtualBits, largeAddresses, false);
  }

  /** Bits of a virtual address that an entry of this level does not translate. */
  int shift(int level) {
    return granuleBits + (granuleBits - 3) * (3 - level);
  }

  /** The number of entries of a table of this level. */
  int entries(int level) {
    int stride = granuleBits - 3;
    return 1 << (level == startLevel() ? Math.min(stride, virtualBits - shift(level)) : stride);
  }
}
