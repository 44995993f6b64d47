// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.consume;

/**
 * {@code quantize}: buckets from each power of two, of both signs, to the next. Bucket 63 is that
 * of 0, 64 + n that of 2^n, 62 - n that of -2^n.
 */
record PowersOfTwo() implements Buckets {
  static final int COUNT = 127;

  /** The bucket of 0. */
  static final int ZERO = 63;

  @Override
  public int words() {
    return COUNT;
  }

  @Override
  public int bucket(long value) {
    if (value == 0) {
      return ZERO;
    }
    return value > 0
        ? ZERO + 64 - Long.numberOfLeadingZeros(value)
        : Math.max(0, ZERO - 64 + Long.numberOfLeadingZeros(-value));
  }

  /** The end of the bucket that is nearest to 0. */
  @Override
  public long representative(int bucket) {
    return bucket == ZERO
        ? 0
        : bucket > ZERO ? 1L << (bucket - ZERO - 1) : -(1L << (ZERO - 1 - bucket));
  }
}
