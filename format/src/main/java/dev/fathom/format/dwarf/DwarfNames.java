// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.dwarf;

import dev.fathom.base.BadDataException;
import dev.fathom.base.LongSet;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;

/**
 * Where the entries with a name are: types, variables and functions that are defined outside of
 * functions, and enumerators. One pass over all units makes it, in parallel; it can be kept as a
 * few arrays of numbers. Of what many units say in the same words (name, kind, size and line) the
 * first is listed, so that a header's structure is there once, and structures that only share their
 * name are all there.
 *
 * <p>Names are found by a hash: {@link #find} answers entries that probably have the name, and the
 * caller compares. Of split units what the {@code .dwo} files hold is listed, as far as these are
 * there.
 */
public final class DwarfNames {
  /** What an entry is. */
  public enum Kind {
    BASE,
    TYPEDEF,
    STRUCT,
    UNION,
    ENUM,
    ENUMERATOR,
    VARIABLE,
    FUNCTION
  }

  /** How many threads at most; more would wait for the memory. */
  private static final int MAX_THREADS = 8;

  private static final int MAX_UNITS = 1 << 26;
  private static final int CHUNKS_PER_THREAD = 32;
  private static final int ORDINAL_BITS = 26;
  private static final int ORDINALS = (1 << ORDINAL_BITS) - 1;
  private static final int EXTERNAL = 1 << 30;
  private static final int DECLARATION = 1 << 31;

  /** How many damaged units are told about one by one. */
  private static final int MAX_PROBLEMS = 100;

  private final Dwarf dwarf;

  /** Offsets of the units of {@code .debug_info}, two words each, then of {@code .debug_types}. */
  private final int[] starts;

  private final int[] hashes;
  private final int[] units;
  private final int[] offsets;
  private final List<BadDataException> problems;

  /** The units by number, as they are asked for. */
  private final Unit[] known;

  private DwarfNames(
      Dwarf dwarf,
      int[] starts,
      int[] hashes,
      int[] units,
      int[] offsets,
      List<BadDataException> problems) {
    this.dwarf = dwarf;
    this.starts = starts;
    this.hashes = hashes;
    this.units = units;
    this.offsets = offsets;
    this.problems = problems;
    this.known = new Unit[starts.length / STARTS];
  }

  /**
   * Words in {@link #starts} for each unit: low and high half of the offset, which section. Of a
   * type unit that was split off the halves are of its signature, and above {@link #WHERE_BITS} is
   * the number of the unit that leads to its file.
   */
  private static final int STARTS = 3;

  private static final int IN_INFO = 0;
  private static final int IN_TYPES = 1;
  private static final int IN_SUPPLEMENTARY = 2;
  private static final int IN_SPLIT = 3;
  private static final int WHERE_BITS = 2;

  static int pack(int ordinal, Kind kind, boolean declaration, boolean external) {
    return ordinal
        | kind.ordinal() << ORDINAL_BITS
        | (external ? EXTERNAL : 0)
        | (declaration ? DECLARATION : 0);
  }

  /** An entry with a name; {@link #die} reads it. */
  public final class Entry {
    private final int index;

    private Entry(int index) {
      this.index = index;
    }

    public Kind kind() {
      return KINDS[(units[index] >>> ORDINAL_BITS) & 0xf];
    }

    /** Whether a type or variable is only declared here, or a variable was optimised away. */
    public boolean isDeclaration() {
      return (units[index] & DECLARATION) != 0;
    }

    /** Whether a variable or function is known outside of its unit. */
    public boolean isExternal() {
      return (units[index] & EXTERNAL) != 0;
    }

    /**
     * The entry itself; of an enumerator the enumeration that it is in.
     *
     * @throws BadDataException when it cannot be decoded
     */
    public Die die() {
      Unit unit = unit(units[index] & ORDINALS);
      return unit.die(unit.offset() + Integer.toUnsignedLong(offsets[index]));
    }
  }

  private static final Kind[] KINDS = Kind.values();

  /**
   * Passes over all units of a file and its supplementary one. Units that cannot be followed to
   * their end are listed as far as they go; {@link #problems} says which.
   *
   * @param threads how many threads to use at most
   */
  public static DwarfNames build(Dwarf dwarf, int threads) {
    var units = new ArrayList<>(dwarf.units());
    var problems = new ArrayList<>(dwarf.problems());
    int own = units.size();
    try {
      dwarf.supplementary().ifPresent(s -> units.addAll(s.units()));
    } catch (BadDataException e) {
      problems.add(e);
    }
    var leading = new HashMap<Unit, Unit>();
    if (!dwarf.splitParts().isEmpty()) {
      dwarf
          .splitTypeUnits()
          .forEach(
              (unit, types) -> {
                types.forEach(type -> leading.put(type, unit));
                units.addAll(types);
              });
    }
    return build(dwarf, units, own, leading, threads, problems);
  }

  /**
   * The names of a few units of a file.
   *
   * @param units those of {@link Dwarf#units} that are looked at
   */
  public static DwarfNames of(Dwarf dwarf, List<Unit> units) {
    return build(dwarf, units, units.size(), Map.of(), 1, new ArrayList<>());
  }

  private static DwarfNames build(
      Dwarf dwarf,
      List<Unit> units,
      int own,
      Map<Unit, Unit> leading,
      int threads,
      List<BadDataException> problems) {
    if (units.size() > MAX_UNITS) {
      throw new BadDataException(
          dwarf.name(), 0, units.size() + " units, expected at most " + MAX_UNITS);
    }
    var starts = new int[units.size() * STARTS];
    var ordinals = new HashMap<Unit, Integer>();
    for (int i = 0; i < units.size(); i++) {
      var unit = units.get(i);
      var leader = Optional.ofNullable(leading.get(unit));
      ordinals.put(unit, i);
      long start = leader.isPresent() ? unit.typeSignature().orElseThrow() : unit.offset();
      starts[STARTS * i] = (int) start;
      starts[STARTS * i + 1] = (int) (start >>> 32);
      starts[STARTS * i + 2] =
          leader.isPresent()
              ? ordinals.get(leader.get()) << WHERE_BITS | IN_SPLIT
              : i >= own
                  ? IN_SUPPLEMENTARY
                  : unit.typeSignature().isPresent() && unit.version() < 5 ? IN_TYPES : IN_INFO;
    }
    int count = Math.clamp(threads, 1, MAX_THREADS);
    var work = new Work(dwarf, units, chunks(units, count * CHUNKS_PER_THREAD));
    work.run(count);
    problems.addAll(work.problems);
    return join(dwarf, starts, work.parts, problems);
  }

  /** Only the entries that {@link #find} answers for a name. */
  public DwarfNames only(String name) {
    int hash = NameHash.of(name);
    int first = NameHash.first(hashes, hash);
    int last = first;
    while (last < hashes.length && hashes[last] == hash) {
      last++;
    }
    return new DwarfNames(
        dwarf,
        starts,
        Arrays.copyOfRange(hashes, first, last),
        Arrays.copyOfRange(units, first, last),
        Arrays.copyOfRange(offsets, first, last),
        problems);
  }

  /** The first unit of each of about {@code wanted} rows of units with as many bytes. */
  private static int[] chunks(List<Unit> units, int wanted) {
    long total = 0;
    for (var unit : units) {
      total += unit.end() - unit.offset();
    }
    long each = Math.max(total / wanted, 1);
    var firsts = new int[units.size() + 1];
    int count = 0;
    long filled = each;
    for (int i = 0; i < units.size(); i++) {
      if (filled >= each) {
        firsts[count++] = i;
        filled = 0;
      }
      filled += units.get(i).end() - units.get(i).offset();
    }
    firsts[count++] = units.size();
    return Arrays.copyOf(firsts, count);
  }

  /** The pass, shared by its threads. */
  private static final class Work implements Runnable {
    private final Dwarf dwarf;
    private final List<Unit> units;
    private final int[] chunks;
    private final AtomicInteger next = new AtomicInteger();
    private final AtomicReference<Throwable> failure = new AtomicReference<>();
    private final NameCollector.Part[] parts;
    private final List<BadDataException> problems = new ArrayList<>();

    Work(Dwarf dwarf, List<Unit> units, int[] chunks) {
      this.dwarf = dwarf;
      this.units = units;
      this.chunks = chunks;
      this.parts = new NameCollector.Part[chunks.length - 1];
    }

    void run(int count) {
      var threads = new ArrayList<Thread>();
      for (int i = 1; i < count; i++) {
        threads.add(Thread.ofPlatform().name("dwarf-names-" + i).daemon().start(this));
      }
      run();
      boolean interrupted = false;
      for (var thread : threads) {
        while (thread.isAlive()) {
          try {
            thread.join();
          } catch (InterruptedException e) {
            interrupted = true; // the pass is short; whoever wants to stop is told afterwards
          }
        }
      }
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
      switch (failure.get()) {
        case null -> {}
        case RuntimeException e -> throw e;
        case Error e -> throw e;
        case Throwable e -> throw new IllegalStateException(e);
      }
    }

    @Override
    public void run() {
      try {
        // Each thread takes rows in ascending order, so what it leaves out for having seen it came
        // before.
        var collector = new NameCollector(dwarf);
        var scanner = new UnitScanner(collector);
        for (int chunk = next.getAndIncrement();
            chunk < parts.length && failure.get() == null;
            chunk = next.getAndIncrement()) {
          for (int i = chunks[chunk]; i < chunks[chunk + 1]; i++) {
            scan(scanner, units.get(i), i);
          }
          parts[chunk] = collector.takePart();
        }
      } catch (RuntimeException | Error e) {
        failure.compareAndSet(null, e);
      }
    }

    private void scan(UnitScanner scanner, Unit unit, int ordinal) {
      try {
        var split = unit.split();
        scanner.scan(split.orElse(unit), ordinal);
      } catch (BadDataException e) {
        synchronized (problems) {
          if (problems.size() < MAX_PROBLEMS) {
            problems.add(e);
          }
        }
      }
    }
  }

  private static DwarfNames join(
      Dwarf dwarf, int[] starts, NameCollector.Part[] parts, List<BadDataException> problems) {
    int total = 0;
    for (var part : parts) {
      total += part.count;
    }
    var hashes = new int[total];
    var units = new int[total];
    var offsets = new int[total];
    var order = new long[total];
    var seen = new LongSet();
    int count = 0;
    for (var part : parts) {
      for (int i = 0; i < part.count; i++) {
        if (seen.add(part.prints[i])) {
          units[count] = part.units[i];
          offsets[count] = part.offsets[i];
          order[count] = (long) part.hashes[i] << 32 | count;
          count++;
        }
      }
    }
    order = Arrays.copyOf(order, count);
    Arrays.sort(order);
    var sortedUnits = new int[count];
    var sortedOffsets = new int[count];
    for (int i = 0; i < count; i++) {
      int from = (int) order[i];
      hashes[i] = (int) (order[i] >>> 32);
      sortedUnits[i] = units[from];
      sortedOffsets[i] = offsets[from];
    }
    return new DwarfNames(
        dwarf, starts, Arrays.copyOf(hashes, count), sortedUnits, sortedOffsets, problems);
  }

  /** What {@link #of} makes the same names from, as long as the file is the same. */
  public int[][] arrays() {
    return new int[][] {starts, hashes, units, offsets};
  }

  /**
   * The names that an earlier {@link #build} found in the same file, from its {@link #arrays}.
   * Empty when they cannot be that.
   */
  public static Optional<DwarfNames> of(Dwarf dwarf, int[][] arrays) {
    if (arrays.length != 4
        || arrays[0].length % STARTS != 0
        || arrays[1].length != arrays[2].length
        || arrays[1].length != arrays[3].length) {
      return Optional.empty();
    }
    return Optional.of(
        new DwarfNames(dwarf, arrays[0], arrays[1], arrays[2], arrays[3], List.of()));
  }

  /** What was wrong with units that are not or not wholly listed; empty when loaded. */
  public List<BadDataException> problems() {
    return problems;
  }

  public Dwarf dwarf() {
    return dwarf;
  }

  /** How many entries there are. */
  public int size() {
    return hashes.length;
  }

  /**
   * The entries that define something of these kinds, unit by unit, so that what is read of them
   * one after the other lies together.
   */
  public Stream<Entry> defined(Set<Kind> kinds) {
    var order = new long[size()];
    int count = 0;
    for (int i = 0; i < order.length; i++) {
      var entry = new Entry(i);
      if (kinds.contains(entry.kind()) && !entry.isDeclaration()) {
        order[count++] = (long) (units[i] & ORDINALS) << 32 | i;
      }
    }
    Arrays.sort(order, 0, count);
    return Arrays.stream(order, 0, count).mapToObj(place -> new Entry((int) place));
  }

  /** An entry by its number; they are in no order that has a meaning. */
  public Entry get(int index) {
    return new Entry(index);
  }

  /**
   * Entries whose qualified name is probably {@code name}, such as {@code task_struct} or {@code
   * std::vector<int>}, in the order of the units.
   */
  public List<Entry> find(String name) {
    int hash = NameHash.of(name);
    var found = new ArrayList<Entry>();
    for (int i = NameHash.first(hashes, hash); i < hashes.length && hashes[i] == hash; i++) {
      found.add(new Entry(i));
    }
    return found;
  }

  /** Whether two qualified names are the same but for blanks that do not count. */
  public static boolean same(String a, String b) {
    return a.equals(b) || NameHash.plain(a).equals(NameHash.plain(b));
  }

  /** Whether a qualified name begins with another but for blanks that do not count. */
  public static boolean begins(String name, String start) {
    return NameHash.plain(name).startsWith(NameHash.plain(start));
  }

  private Unit unit(int ordinal) {
    if (ordinal >= known.length) {
      throw new BadDataException(dwarf.name(), 0, "the index names unit " + ordinal);
    }
    var unit = known[ordinal];
    if (unit == null) {
      long offset =
          Integer.toUnsignedLong(starts[STARTS * ordinal])
              | (long) starts[STARTS * ordinal + 1] << 32;
      int where = starts[STARTS * ordinal + 2];
      unit =
          switch (where & (1 << WHERE_BITS) - 1) {
            case IN_SPLIT -> splitType(where >>> WHERE_BITS, ordinal, offset);
            case IN_TYPES -> dwarf.typesUnitStartingAt(offset);
            case IN_SUPPLEMENTARY ->
                dwarf
                    .supplementary()
                    .orElseThrow(
                        () -> new BadDataException(dwarf.name(), 0, "no supplementary file"))
                    .unitStartingAt(offset);
            default -> dwarf.unitStartingAt(offset);
          };
      unit = unit.split().orElse(unit);
      known[ordinal] = unit;
    }
    return unit;
  }

  private Unit splitType(int leader, int ordinal, long signature) {
    if (leader >= ordinal) {
      throw new BadDataException(
          dwarf.name(), 0, "the index says that unit " + leader + " leads to unit " + ordinal);
    }
    return unit(leader)
        .dwarf()
        .typeUnit(signature)
        .orElseThrow(
            () ->
                new BadDataException(
                    dwarf.name(),
                    0,
                    "no type unit has the signature 0x" + Long.toHexString(signature)));
  }
}
