// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.record;

import java.util.Arrays;
import java.util.List;

/** The keys of an aggregation's entry; the array is not changed after it was given. */
public final class Key {
  private static final DValue[] NOTHING = {};

  /** The key of an aggregation without keys. */
  public static final Key NONE = new Key(NOTHING);

  private final DValue[] values;
  private final int hash;

  public Key(DValue... values) {
    this.values = values;
    int h = 1;
    for (var v : values) {
      h = 31 * h + v.hashCode();
    }
    hash = h;
  }

  public int size() {
    return values.length;
  }

  public DValue get(int index) {
    return values[index];
  }

  public List<DValue> values() {
    return List.of(values);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Key k && k.hash == hash && Arrays.equals(k.values, values);
  }

  @Override
  public int hashCode() {
    return hash;
  }

  @Override
  public String toString() {
    return Arrays.toString(values);
  }
}
