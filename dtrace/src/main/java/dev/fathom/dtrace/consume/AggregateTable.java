// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.consume;

import dev.fathom.dtrace.ir.Aggregation;
import dev.fathom.dtrace.ir.AggregationFunction;
import dev.fathom.dtrace.record.Key;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.IntSupplier;

/** What one aggregation has collected, by key. */
final class AggregateTable {
  private static final BigInteger WORD = BigInteger.ONE.shiftLeft(64);

  /** Bytes that an entry takes beside its words, more or less. */
  private static final int OVERHEAD = 96;

  /** The words of a key, and whether a value has come since they were zeroed. */
  static final class Cell {
    private final long[] words;
    private boolean fresh = true;

    private Cell(int count) {
      words = new long[count];
    }

    long[] words() {
      return words;
    }
  }

  /**
   * A key with what was collected under it.
   *
   * @param perCpu by CPU, with {@code aggpercpu} only; cells may be missing
   */
  record Entry(Key key, Cell cell, List<Optional<Cell>> perCpu) {}

  private final Aggregation aggregation;
  private final Optional<Buckets> buckets;
  private final int words;
  private final boolean perCpu;
  private final Map<Key, Entry> entries = new HashMap<>();
  private long normal = 1;
  private boolean printed;

  AggregateTable(Aggregation aggregation, boolean perCpu) {
    this.aggregation = aggregation;
    this.perCpu = perCpu;
    buckets = Buckets.of(aggregation);
    words =
        switch (aggregation.function()) {
          case COUNT, MAX, MIN, SUM -> 1;
          case AVG -> 2;
          case STDDEV -> 4;
          case LLQUANTIZE, LQUANTIZE, QUANTIZE -> buckets.orElseThrow().words();
        };
  }

  Aggregation aggregation() {
    return aggregation;
  }

  Optional<Buckets> buckets() {
    return buckets;
  }

  /** How much memory one more key takes, more or less, in bytes. */
  long entryBytes() {
    return OVERHEAD + 8L * words + 32L * aggregation.keys().size();
  }

  boolean has(Key key) {
    return entries.containsKey(key);
  }

  int size() {
    return entries.size();
  }

  void add(Key key, IntSupplier cpu, long value, long increment) {
    var entry = entry(key);
    feed(entry.cell(), value, increment);
    if (perCpu) {
      feed(cell(entry, cpu.getAsInt()), value, increment);
    }
  }

  void merge(Key key, int cpu, long[] data) {
    var entry = entry(key);
    merge(entry.cell(), data);
    if (perCpu) {
      merge(cell(entry, cpu), data);
    }
  }

  private Entry entry(Key key) {
    var entry = entries.get(key);
    if (entry == null) {
      entry = new Entry(key, new Cell(words), perCpu ? new ArrayList<>() : List.of());
      entries.put(key, entry);
    }
    return entry;
  }

  private Cell cell(Entry entry, int cpu) {
    while (entry.perCpu().size() <= cpu) {
      entry.perCpu().add(Optional.empty());
    }
    var cell = entry.perCpu().get(cpu);
    if (cell.isEmpty()) {
      cell = Optional.of(new Cell(words));
      entry.perCpu().set(cpu, cell);
    }
    return cell.get();
  }

  private void feed(Cell cell, long value, long increment) {
    var w = cell.words;
    switch (aggregation.function()) {
      case COUNT -> w[0]++;
      case SUM -> w[0] += value;
      case MIN -> w[0] = cell.fresh ? value : Math.min(w[0], value);
      case MAX -> w[0] = cell.fresh ? value : Math.max(w[0], value);
      case AVG -> {
        w[0]++;
        w[1] += value;
      }
      case STDDEV -> {
        w[0]++;
        w[1] += value;
        addSquares(w, value * value, Math.multiplyHigh(value, value));
      }
      case LLQUANTIZE, LQUANTIZE, QUANTIZE -> w[buckets.orElseThrow().bucket(value)] += increment;
    }
    cell.fresh = false;
  }

  private void merge(Cell cell, long[] data) {
    var w = cell.words;
    switch (aggregation.function()) {
      case MIN -> w[0] = cell.fresh ? data[0] : Math.min(w[0], data[0]);
      case MAX -> w[0] = cell.fresh ? data[0] : Math.max(w[0], data[0]);
      case STDDEV -> {
        w[0] += data[0];
        w[1] += data[1];
        addSquares(w, data[2], data[3]);
      }
      case AVG, COUNT, LLQUANTIZE, LQUANTIZE, QUANTIZE, SUM -> {
        for (int i = 0; i < w.length; i++) {
          w[i] += data[i];
        }
      }
    }
    cell.fresh = false;
  }

  private static void addSquares(long[] words, long low, long high) {
    long sum = words[2] + low;
    words[3] += high + (Long.compareUnsigned(sum, low) < 0 ? 1 : 0);
    words[2] = sum;
  }

  /** The entries, in no particular order. */
  List<Entry> entries() {
    return new ArrayList<>(entries.values());
  }

  /** An entry that nothing was collected under; it does not become one of the table. */
  Entry zero(Key key) {
    return new Entry(key, new Cell(words), List.of());
  }

  Optional<Entry> find(Key key) {
    return Optional.ofNullable(entries.get(key));
  }

  long normal() {
    return normal;
  }

  /** Values are shown divided by {@code divisor}, which is not 0. */
  void normalize(long divisor) {
    normal = divisor;
  }

  boolean printed() {
    return printed;
  }

  void markPrinted() {
    printed = true;
  }

  /** Zeros every value and keeps the keys. */
  void clear() {
    for (var entry : entries.values()) {
      zero(entry.cell());
      entry.perCpu().forEach(cell -> cell.ifPresent(AggregateTable::zero));
    }
  }

  private static void zero(Cell cell) {
    java.util.Arrays.fill(cell.words, 0);
    cell.fresh = true;
  }

  /** Keeps the {@code count} entries with the greatest values, or with the least for a negative. */
  void truncate(long count) {
    var sorted = entries();
    sorted.sort(AggregateOrder.byValue(this));
    long remove = Math.max(0, sorted.size() - Math.abs(count));
    for (int i = 0; i < remove; i++) {
      var gone = count < 0 ? sorted.get(sorted.size() - 1 - i) : sorted.get(i);
      entries.remove(gone.key());
    }
  }

  /** Whether the number that values come down to is signed. */
  boolean signed() {
    var function = aggregation.function();
    return function != AggregationFunction.COUNT && function != AggregationFunction.STDDEV;
  }

  /**
   * The number that a cell comes down to: what a conversion shows; of a distribution the sum of its
   * buckets' numbers, each as often as it was counted.
   */
  long number(Cell cell) {
    var w = cell.words;
    return switch (aggregation.function()) {
      case COUNT -> Long.divideUnsigned(w[0], normal);
      case MAX, MIN, SUM -> w[0] / normal;
      case AVG -> w[0] == 0 ? 0 : w[1] / normal / w[0];
      case STDDEV -> w[0] == 0 ? 0 : deviation(w);
      case LLQUANTIZE, LQUANTIZE, QUANTIZE -> weight(cell).longValue();
    };
  }

  /** The sum of a distribution's numbers, each as often as it was counted. */
  BigInteger weight(Cell cell) {
    var total = BigInteger.ZERO;
    var where = buckets.orElseThrow();
    for (int i = 0; i < cell.words.length; i++) {
      if (cell.words[i] != 0) {
        total =
            total.add(
                BigInteger.valueOf(cell.words[i])
                    .multiply(BigInteger.valueOf(where.representative(i))));
      }
    }
    return total;
  }

  /**
   * The standard deviation in whole numbers, as DTrace computes it: the root of the mean of the
   * squares less the square of the mean, each cut to a whole number.
   */
  private long deviation(long[] w) {
    var squares = unsigned(w[3]).multiply(WORD).add(unsigned(w[2]));
    var divisor = unsigned(normal);
    var count = BigInteger.valueOf(w[0]);
    var meanOfSquares = squares.divide(divisor).divide(divisor).divide(count);
    var mean = BigInteger.valueOf(w[1]).divide(divisor).divide(count);
    return meanOfSquares.subtract(mean.multiply(mean)).max(BigInteger.ZERO).sqrt().longValue();
  }

  private static BigInteger unsigned(long word) {
    var value = BigInteger.valueOf(word);
    return word < 0 ? value.add(WORD) : value;
  }
}
