// SPDX-License-Identifier: Apache-2.0
package dev.fathom.symbols;

import dev.fathom.base.Range;
import dev.fathom.format.kallsyms.Kallsyms;
import dev.fathom.model.Located;
import dev.fathom.model.Symbol;
import dev.fathom.model.SymbolTable;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * The symbols of a Linux kernel proper, out of its kallsyms. A symbol ends where the next one
 * begins. {@link Symbol} objects are made on demand. Used by one thread.
 */
public final class KallsymsSymbols implements SymbolTable {
  private static final String AREA_START = "__per_cpu_start";

  private final Kallsyms kallsyms;

  private final int count;

  /**
   * The numbers of the symbols in ascending order of their addresses; empty when that is the order
   * of the table, as it is but for kernels that moved their functions at boot.
   */
  private final int[] numbers;

  private final Range perCpu;

  /** Whether the kernel has no symbol in the upper half: it runs as a process. */
  private final boolean lower;

  private final NameTable names;

  private KallsymsSymbols(Kallsyms kallsyms, int[] numbers, Optional<NameIndex> index) {
    this.kallsyms = kallsyms;
    this.count = kallsyms.count();
    this.numbers = numbers;
    this.names =
        index.isPresent() && index.get().nexts.length == count
            ? new NameTable(index.get().heads, index.get().nexts)
            : NameTable.of(kallsyms.nameHashes());
    this.perCpu = perCpuArea();
    this.lower = count > 0 && addressAt(count - 1) >= 0;
  }

  /**
   * The table of names as numbers, to be kept for the next time.
   *
   * @param heads for each slot one more than the number of the first symbol
   * @param nexts for each symbol one more than the number of the next in its slot
   */
  public record NameIndex(int[] heads, int[] nexts) {}

  /** The table of names. */
  public NameIndex nameIndex() {
    return new NameIndex(names.heads(), names.nexts());
  }

  public static KallsymsSymbols of(Kallsyms kallsyms) {
    return of(kallsyms, Optional.empty());
  }

  /**
   * As {@link #of(Kallsyms)}, with the table of names that an earlier reading of the same bytes
   * made.
   */
  public static KallsymsSymbols of(Kallsyms kallsyms, NameIndex names) {
    return of(kallsyms, Optional.of(names));
  }

  private static KallsymsSymbols of(Kallsyms kallsyms, Optional<NameIndex> names) {
    if (kallsyms.isSorted()) {
      return new KallsymsSymbols(kallsyms, new int[0], names);
    }
    int[] numbers =
        IntStream.range(0, kallsyms.count())
            .boxed()
            .sorted((a, b) -> Long.compareUnsigned(kallsyms.address(a), kallsyms.address(b)))
            .mapToInt(Integer::intValue)
            .toArray();
    return new KallsymsSymbols(kallsyms, numbers, names);
  }

  private Range perCpuArea() {
    int start = find(AREA_START);
    int end = find("__per_cpu_end");
    if (start < 0
        || end < 0
        || Long.compareUnsigned(kallsyms.address(start), kallsyms.address(end)) >= 0) {
      return new Range(0, 0);
    }
    return new Range(kallsyms.address(start), kallsyms.address(end));
  }

  /** The kallsyms that the symbols come from. */
  public Kallsyms kallsyms() {
    return kallsyms;
  }

  /** The number of the first symbol of that name, or -1. */
  private int find(String name) {
    byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
    return find(bytes, names.first(Kallsyms.hash(bytes)));
  }

  private int find(byte[] name, int from) {
    int number = from;
    while (number >= 0 && !kallsyms.nameEquals(number, name)) {
      number = names.next(number);
    }
    return number;
  }

  @Override
  public Optional<Located> at(long address) {
    // Kernel addresses are negative as numbers; the offsets of per-CPU symbols are no addresses.
    int i = address < 0 || lower ? floor(address) : -1;
    if (i < 0 || (addressAt(i) >= 0 && !lower)) {
      return Optional.empty();
    }
    long start = addressAt(i);
    if (i == count - 1 && start != address) {
      return Optional.empty();
    }
    while (i > 0 && addressAt(i - 1) == start) {
      i--; // of symbols with the same address, the kernel puts the best first
    }
    return Optional.of(new Located(symbol(number(i), i), address - start));
  }

  @Override
  public Optional<Located> perCpuAt(long offset) {
    if (!perCpu.contains(offset)) {
      return Optional.empty();
    }
    int last = floor(offset);
    long start = addressAt(last);
    int best = last;
    // Of several names the shortest: the others are aliases such as const_pcpu_hot. The linker's
    // mark of the area's start names no variable.
    for (int i = last - 1; i >= 0 && addressAt(i) == start; i--) {
      var name = kallsyms.name(number(i));
      var other = kallsyms.name(number(best));
      boolean better = name.length() <= other.length() && !name.equals(AREA_START);
      if (better || other.equals(AREA_START)) {
        best = i;
      }
    }
    return Optional.of(new Located(symbol(number(best), best), offset - start));
  }

  /** The place of the last address that is not above {@code address}, or -1. */
  private int floor(long address) {
    int low = 0;
    int high = count - 1;
    while (low <= high) {
      int middle = (low + high) >>> 1;
      if (Long.compareUnsigned(addressAt(middle), address) <= 0) {
        low = middle + 1;
      } else {
        high = middle - 1;
      }
    }
    return high;
  }

  private long addressAt(int place) {
    return kallsyms.address(number(place));
  }

  private int number(int place) {
    return numbers.length == 0 ? place : numbers[place];
  }

  private Symbol symbol(int number) {
    return symbol(number, floor(kallsyms.address(number)));
  }

  /** The symbol, given the place of any symbol with its address. */
  private Symbol symbol(int number, int place) {
    long address = addressAt(place);
    int next = place;
    while (next < count && addressAt(next) == address) {
      next++;
    }
    boolean known = next < count && addressAt(next) >= 0 == address >= 0;
    char letter = kallsyms.type(number);
    return new Symbol(
        kallsyms.name(number),
        address,
        known ? addressAt(next) - address : 0,
        kind(address, letter),
        letter,
        "");
  }

  private Symbol.Kind kind(long address, char letter) {
    if (perCpu.contains(address) || (address == perCpu.end() && !perCpu.isEmpty())) {
      return Symbol.Kind.PER_CPU;
    }
    return switch (letter) {
      case 't', 'T', 'w', 'W' -> Symbol.Kind.TEXT;
      case 'a', 'A' -> address < 0 ? Symbol.Kind.DATA : Symbol.Kind.ABSOLUTE;
      default -> Symbol.Kind.DATA;
    };
  }

  @Override
  public List<Symbol> named(String name) {
    int tick = name.indexOf('`');
    if (tick >= 0) {
      var module = name.substring(0, tick);
      return module.isEmpty() || module.equals("vmlinux") || module.equals("unix")
          ? named(name.substring(tick + 1))
          : List.of();
    }
    byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
    var found = new ArrayList<Symbol>(1);
    for (int number = find(bytes, names.first(Kallsyms.hash(bytes)));
        number >= 0;
        number = find(bytes, names.next(number))) {
      found.add(symbol(number));
    }
    return found;
  }

  @Override
  public Stream<Symbol> stream() {
    return IntStream.range(0, count).mapToObj(i -> symbol(number(i), i));
  }

  @Override
  public List<String> completions(String prefix, int limit) {
    byte[] bytes = prefix.getBytes(StandardCharsets.UTF_8);
    var found = new TreeSet<String>();
    for (int number = 0; number < kallsyms.count() && limit > 0; number++) {
      if (kallsyms.nameStartsWith(number, bytes)) {
        found.add(kallsyms.name(number));
        if (found.size() > limit) {
          found.removeLast();
        }
      }
    }
    return List.copyOf(found);
  }
}
