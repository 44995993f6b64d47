// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.consume;

import dev.fathom.dtrace.consume.AggregateTable.Entry;
import dev.fathom.dtrace.record.DValue;
import dev.fathom.dtrace.record.Key;
import java.util.Comparator;
import java.util.List;
import java.util.function.Function;

/**
 * The order of aggregations' entries: by value, upwards, keys decide between equal ones; or by keys
 * first. The options {@code aggsortkey}, {@code aggsortkeypos} and {@code aggsortrev} change it.
 *
 * @param keysFirst {@code aggsortkey}
 * @param keyPosition the key that counts most, from 0; the others follow in a circle
 * @param reversed {@code aggsortrev}
 */
record AggregateOrder(boolean keysFirst, int keyPosition, boolean reversed) {
  /** By value, then by keys, upwards. */
  static final AggregateOrder USUAL = new AggregateOrder(false, 0, false);

  static Comparator<Entry> byValue(AggregateTable table) {
    return USUAL.of(table);
  }

  /** The order of the entries of {@code table}. */
  private Comparator<Entry> of(AggregateTable table) {
    return with((a, b) -> values(table, a.cell(), b.cell()), Entry::key);
  }

  /**
   * The order of rows of aggregations joined by their keys: by the value of the first, of the next
   * where those are equal, and so on.
   *
   * @param first the one that counts most; the others follow in a circle
   */
  Comparator<Output.Row> of(List<AggregateTable> joined, int first) {
    return with(
        (a, b) -> {
          for (int i = 0; i < joined.size(); i++) {
            int at = (i + first) % joined.size();
            var table = joined.get(at);
            int order = values(table, cell(table, a, at), cell(table, b, at));
            if (order != 0) {
              return order;
            }
          }
          return 0;
        },
        Output.Row::key);
  }

  private static AggregateTable.Cell cell(AggregateTable table, Output.Row row, int at) {
    return row.cells().get(at).orElseGet(() -> table.zero(row.key())).cell();
  }

  private <T> Comparator<T> with(Comparator<T> values, Function<T, Key> key) {
    Comparator<T> keys = (a, b) -> keys(key.apply(a), key.apply(b));
    var order = keysFirst ? keys.thenComparing(values) : values.thenComparing(keys);
    return reversed ? order.reversed() : order;
  }

  private static int values(AggregateTable table, AggregateTable.Cell a, AggregateTable.Cell b) {
    if (table.buckets().isEmpty()) {
      return table.signed()
          ? Long.compare(table.number(a), table.number(b))
          : Long.compareUnsigned(table.number(a), table.number(b));
    }
    int byWeight = table.weight(a).compareTo(table.weight(b));
    // Numbers at 0 weigh nothing: the more of them, the greater.
    int zero = table.buckets().get().bucket(0);
    return byWeight != 0 ? byWeight : Long.compare(a.words()[zero], b.words()[zero]);
  }

  /** Keys, the one at {@link #keyPosition} first. */
  int keys(Key a, Key b) {
    int size = a.size();
    for (int i = 0; i < size; i++) {
      int at = (i + keyPosition) % size;
      int order = compare(a.get(at), b.get(at));
      if (order != 0) {
        return order;
      }
    }
    return 0;
  }

  private static int compare(DValue a, DValue b) {
    return switch (a) {
      case DValue.Num(long x) when b instanceof DValue.Num(long y) -> Long.compare(x, y);
      case DValue.Text(String x) when b instanceof DValue.Text(String y) -> x.compareTo(y);
      case DValue.Blob(byte[] x) when b instanceof DValue.Blob(byte[] y) ->
          java.util.Arrays.compareUnsigned(x, y);
      case DValue.Stack(long[] x) when b instanceof DValue.Stack(long[] y) -> addresses(x, y);
      case DValue.UserStack x when b instanceof DValue.UserStack y ->
          x.pid() != y.pid() ? Long.compare(x.pid(), y.pid()) : addresses(x.pcs(), y.pcs());
      case DValue.UserAddress x when b instanceof DValue.UserAddress y ->
          x.pid() != y.pid()
              ? Long.compare(x.pid(), y.pid())
              : Long.compareUnsigned(x.address(), y.address());
      default -> throw new IllegalArgumentException("keys of different types");
    };
  }

  private static int addresses(long[] a, long[] b) {
    for (int i = 0; i < Math.min(a.length, b.length); i++) {
      int order = Long.compareUnsigned(a[i], b[i]);
      if (order != 0) {
        return order;
      }
    }
    return Integer.compare(a.length, b.length);
  }
}
