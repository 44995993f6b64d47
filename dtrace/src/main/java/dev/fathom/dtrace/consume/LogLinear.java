// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.consume;

import java.math.BigInteger;

/**
 * {@code llquantize}: the ranges from each power of {@code factor} to the next, each cut in {@code
 * steps} buckets of one width, of both signs, and one bucket for what is too small, one on each
 * side for what is too large.
 *
 * @param factor the ratio of a range's end to its beginning
 * @param low the least power
 * @param high the greatest power
 * @param steps into how many buckets the numbers up to a range's end are cut; the first {@code
 *     steps / factor} of them belong to smaller ranges
 */
record LogLinear(int factor, int low, int high, int steps) implements Buckets {
  /** Buckets of one range. */
  private int perRange() {
    return steps - steps / factor;
  }

  /** The bucket of what is nearer to 0 than the smallest range. */
  int middle() {
    return 1 + (high - low + 1) * perRange();
  }

  @Override
  public int words() {
    return 2 * middle() + 1;
  }

  private static long power(long base, int exponent) {
    long result = 1;
    for (int i = 0; i < exponent; i++) {
      result *= base;
    }
    return result;
  }

  @Override
  public int bucket(long value) {
    // As an unsigned number, since the least of all has no positive counterpart.
    long size = Math.abs(value);
    int distance = distance(size);
    return value < 0 ? middle() - distance : middle() + distance;
  }

  /** How many buckets from the middle. */
  private int distance(long size) {
    long start = power(factor, low);
    if (Long.compareUnsigned(size, start) < 0) {
      return 0;
    }
    for (int magnitude = low; magnitude <= high; magnitude++) {
      long end = start * factor;
      // The last range may end at 2^64.
      boolean beyond = end != 0 && Long.compareUnsigned(size, end) >= 0;
      if (!beyond) {
        return 1 + (magnitude - low) * perRange() + within(size, end);
      }
      start = end;
    }
    return middle();
  }

  /** Which bucket of the range that ends at {@code end}, from 0 on. */
  private int within(long size, long end) {
    var width = BigInteger.valueOf(steps);
    var last = end == 0 ? BigInteger.ONE.shiftLeft(64) : new BigInteger(Long.toUnsignedString(end));
    if (end != 0 && Long.compareUnsigned(end, 1L << 47) < 0) {
      // Ranges narrower than their number of steps: buckets are numbers, some stay empty.
      return (int) (size * steps / end - steps / factor);
    }
    var step = new BigInteger(Long.toUnsignedString(size)).multiply(width).divide(last);
    return step.intValue() - steps / factor;
  }

  /** The end of the bucket that is nearest to 0; 0 in the middle. */
  @Override
  public long representative(int bucket) {
    int distance = Math.abs(bucket - middle());
    if (distance == 0) {
      return 0;
    }
    int magnitude = low + (distance - 1) / perRange();
    long size;
    if (magnitude > high) {
      size = power(factor, high + 1);
    } else {
      int step = (distance - 1) % perRange() + steps / factor;
      var end = BigInteger.valueOf(factor).pow(magnitude + 1);
      size =
          end.multiply(BigInteger.valueOf(step))
              .add(BigInteger.valueOf(steps - 1L))
              .divide(BigInteger.valueOf(steps))
              .max(BigInteger.valueOf(factor).pow(magnitude))
              .longValue();
    }
    return bucket < middle() ? -size : size;
  }
}
