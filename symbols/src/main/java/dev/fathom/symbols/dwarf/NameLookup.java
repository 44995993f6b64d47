// SPDX-License-Identifier: Apache-2.0
package dev.fathom.symbols.dwarf;

import dev.fathom.base.BadDataException;
import dev.fathom.base.ByteSource;
import dev.fathom.format.dwarf.Dwarf;
import dev.fathom.format.dwarf.DwarfNames;
import dev.fathom.format.dwarf.NameTable;
import dev.fathom.format.dwarf.Unit;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * The names of one file. All of them are found by a pass over all of its units, which takes seconds
 * for a kernel. Where the file has a table of names, only the units that it names are read first:
 * what they define may be the answer, but that they do not have something is none, since tables do
 * not have everything. Used by one thread.
 */
public final class NameLookup {
  /** Of the units that a table names for a name as a type, how many are read; of others as well. */
  private static final int MAX_UNITS = 8;

  /** Names, and units, whose entries are kept. */
  private static final int KEPT = 64;

  /** When this part of the units was read one by one, all are read. */
  private static final int SHARE = 8;

  /** What can be read one by one of any file. */
  private static final long FREE_BYTES = 1 << 22;

  private static final NameTable.Listed NOWHERE = new NameTable.Listed(List.of(), List.of());

  private final Supplier<Optional<DwarfNames>> opener;
  private final Consumer<BadDataException> problems;
  private Optional<NameTable> table;
  private Optional<Optional<DwarfNames>> all = Optional.empty();
  private long bytesRead;
  private final Map<String, Entries> byName = new Kept<>();
  private final Map<Unit, DwarfNames> byUnit = new Kept<>();

  private NameLookup(
      Optional<NameTable> table,
      Supplier<Optional<DwarfNames>> opener,
      Consumer<BadDataException> problems) {
    this.table = table;
    this.opener = opener;
    this.problems = problems;
  }

  /**
   * Without a table.
   *
   * @param opener makes the pass, or has made it; called once, when first asked
   */
  public static NameLookup of(Supplier<Optional<DwarfNames>> opener) {
    return new NameLookup(Optional.empty(), opener, _ -> {});
  }

  /**
   * With a table of names.
   *
   * @param opener makes the pass over all units; called once, if at all
   * @param problems is told when the table turns out to be damaged, and is not used any more
   */
  public static NameLookup of(
      NameTable table, Supplier<Optional<DwarfNames>> opener, Consumer<BadDataException> problems) {
    return new NameLookup(Optional.of(table), opener, problems);
  }

  private static final class Kept<K, V> extends LinkedHashMap<K, V> {
    private static final long serialVersionUID = 1L;

    Kept() {
      super(16, 0.75f, true);
    }

    @Override
    protected boolean removeEldestEntry(Map.Entry<K, V> eldest) {
      return size() > KEPT;
    }
  }

  /**
   * Entries that probably have a name, as {@link DwarfNames#find}.
   *
   * @param allTypes whether all types of that name are among them, as far as is known
   * @param noTypes whether it is known that no type has that name, which tables do not tell
   */
  record Entries(List<DwarfNames.Entry> entries, boolean allTypes, boolean noTypes) {
    static final Entries UNKNOWN = new Entries(List.of(), false, false);
  }

  /** Finds entries by names. */
  interface Finder {
    Entries look(String name);

    default List<DwarfNames.Entry> find(String name) {
      return look(name).entries();
    }
  }

  /**
   * What some entries answer to a question.
   *
   * @param sure whether entries elsewhere could not change it
   */
  record Answer<T>(T value, boolean sure) {}

  /** All names, found if need be; empty when they cannot be had. */
  public Optional<DwarfNames> all() {
    if (all.isEmpty()) {
      all = Optional.of(opener.get());
    }
    return all.get();
  }

  /** Whether only some names are at hand. */
  boolean isPartial() {
    return all.isEmpty() && table.isPresent();
  }

  /** What few units answer, if they are sure, or else all. */
  <T> T ask(Function<Finder, Answer<T>> question) {
    var answer = isPartial() ? askFew(question) : Optional.<T>empty();
    return answer.isPresent() ? answer.get() : question.apply(this::whole).value();
  }

  private <T> Optional<T> askFew(Function<Finder, Answer<T>> question) {
    try {
      var answer = question.apply(this::few);
      return answer.sure() ? Optional.of(answer.value()) : Optional.empty();
    } catch (BadDataException e) {
      return Optional.empty(); // all are asked next, and say so if they have nothing better
    }
  }

  private Entries whole(String name) {
    var found = all().map(names -> names.find(name)).orElse(List.of());
    return new Entries(found, true, found.stream().noneMatch(NameLookup::isType));
  }

  private static boolean isType(DwarfNames.Entry entry) {
    return switch (entry.kind()) {
      case BASE, TYPEDEF, STRUCT, UNION, ENUM -> true;
      case ENUMERATOR, VARIABLE, FUNCTION -> false;
    };
  }

  private Entries few(String name) {
    var known = byName.get(name);
    if (known == null) {
      known = read(name);
      byName.put(name, known);
    }
    return known;
  }

  private Entries read(String name) {
    try {
      var listed = table.isPresent() ? table.get().find(name) : NOWHERE;
      var units = new TreeMap<Long, Unit>();
      first(listed.types(), units);
      first(listed.values(), units);
      if (units.isEmpty() || !mayRead(units.values())) {
        return Entries.UNKNOWN;
      }
      var names = DwarfNames.of(units.firstEntry().getValue().dwarf(), List.copyOf(units.values()));
      // What is damaged is told about by whoever reads all.
      return names.problems().isEmpty()
          ? new Entries(names.only(name).find(name), listed.types().size() <= MAX_UNITS, false)
          : Entries.UNKNOWN;
    } catch (BadDataException e) {
      table = Optional.empty();
      problems.accept(e);
      return Entries.UNKNOWN;
    }
  }

  private static void first(List<Unit> listed, Map<Long, Unit> units) {
    listed.stream().limit(MAX_UNITS).forEach(unit -> units.put(key(unit), unit));
  }

  /** Units of {@code .debug_types} come behind the others. */
  private static long key(Unit unit) {
    boolean inTypes = unit.typeSignature().isPresent() && unit.version() < 5;
    return inTypes ? unit.offset() | 1L << 62 : unit.offset();
  }

  private boolean mayRead(Collection<Unit> units) {
    for (var unit : units) {
      bytesRead += unit.end() - unit.offset();
    }
    long limit = Math.max(FREE_BYTES, size(units.iterator().next().dwarf()) / SHARE);
    if (bytesRead > limit) {
      table = Optional.empty();
    }
    return bytesRead <= limit;
  }

  private static long size(Dwarf dwarf) {
    return dwarf.section(".debug_info").map(ByteSource::size).orElse(0L);
  }

  /**
   * Entries that probably have a name, those of one unit among them if it has any, whatever a table
   * says.
   *
   * @param unit of the file, or split from such a unit
   */
  List<DwarfNames.Entry> near(Unit unit, String name) {
    var primary = unit.skeleton().orElse(unit);
    if (isPartial() && (byUnit.containsKey(primary) || mayRead(List.of(primary)))) {
      return byUnit
          .computeIfAbsent(primary, one -> DwarfNames.of(one.dwarf(), List.of(one)))
          .find(name);
    }
    return whole(name).entries();
  }
}
