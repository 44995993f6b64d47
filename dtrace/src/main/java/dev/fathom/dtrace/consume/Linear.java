// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.consume;

/**
 * {@code lquantize}: buckets of one width, and one for all that is below and above them.
 *
 * @param base where the first bucket begins
 * @param step the width of a bucket
 * @param levels the number of buckets without the two at the ends
 */
record Linear(int base, int step, int levels) implements Buckets {
  @Override
  public int words() {
    return levels + 2;
  }

  @Override
  public int bucket(long value) {
    if (value < base) {
      return 0;
    }
    long level = (value - base) / step;
    return level < 0 || level >= levels ? levels + 1 : (int) level + 1;
  }

  /** Where the bucket begins; below all of them one less than the first one's. */
  @Override
  public long representative(int bucket) {
    return bucket == 0 ? base - 1L : base + (bucket - 1L) * step;
  }
}
