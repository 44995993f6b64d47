// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.objects;

import dev.fathom.base.TargetException;
import dev.fathom.format.elf.ElfFile;
import dev.fathom.model.Located;
import dev.fathom.model.Memory;
import dev.fathom.model.Symbol;
import dev.fathom.model.SymbolTable;
import dev.fathom.model.arch.Architecture;
import dev.fathom.model.unwind.Frame;
import dev.fathom.model.unwind.UnwindRow;
import dev.fathom.model.unwind.UnwindSource;
import dev.fathom.target.ProcessView;
import dev.fathom.target.ProcessView.Mapped;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * The objects that are loaded into a process, found by the files that are mapped with an ELF header
 * at their start; their symbols and their call frame information. Objects that stay are kept from
 * one look to the next.
 */
public final class LoadedObjects implements SymbolTable, UnwindSource {
  /** AT_ENTRY in the auxiliary vector: where the program begins. */
  private static final long AT_ENTRY = 9;

  private static final String VDSO = "[vdso]";

  private final ProcessView view;
  private final Memory memory;
  private final Architecture architecture;
  private final Consumer<String> warnings;
  private Function<LoadedObject, Optional<ElfFile>> debugFiles = _ -> Optional.empty();
  private List<LoadedObject> objects = List.of();
  private List<Mapped> mappings = List.of();
  private boolean read;

  /**
   * @param memory the process's, by its own addresses
   * @param warnings told of objects that cannot be read
   */
  public LoadedObjects(
      ProcessView view, Memory memory, Architecture architecture, Consumer<String> warnings) {
    this.view = view;
    this.memory = memory;
    this.architecture = architecture;
    this.warnings = warnings;
  }

  /** Where the names of a stripped object are; asked when one of it is first looked for. */
  public void debugFiles(Function<LoadedObject, Optional<ElfFile>> files) {
    debugFiles = files;
  }

  /** Mappings may have come or gone. */
  public void forget() {
    read = false;
  }

  /** The process's mappings in the order of their addresses. */
  public List<Mapped> mappings() {
    refresh();
    return mappings;
  }

  /** The program first, then the others by address. */
  public List<LoadedObject> all() {
    refresh();
    return objects;
  }

  private void refresh() {
    if (read) {
      return;
    }
    read = true;
    List<Mapped> current;
    try {
      current = view.mappings();
    } catch (TargetException e) {
      if (mappings.isEmpty()) {
        throw e;
      }
      return; // It has ended: what was seen of it is shown by the names that it had.
    }
    if (current.equals(mappings) || current.isEmpty()) {
      return; // The latter of one that has ended and that nobody has waited for.
    }
    mappings = current;
    var old = new ArrayList<>(objects);
    var found = new ArrayList<LoadedObject>();
    Long entry = view.auxiliary().get(AT_ENTRY);
    int i = 0;
    while (i < current.size()) {
      int end = endOfGroup(current, i);
      var group = objectIn(current.subList(i, end));
      if (!group.isEmpty()) {
        found.add(known(old, group).orElseGet(() -> object(group, entry)));
      }
      i = end;
    }
    old.removeAll(found);
    old.forEach(LoadedObject::close);
    found.sort(
        (a, b) ->
            a.module().isEmpty() != b.module().isEmpty()
                ? (a.module().isEmpty() ? -1 : 1)
                : Long.compareUnsigned(a.start(), b.start()));
    objects = List.copyOf(found);
  }

  /**
   * The end of the run of mappings that may be one object from number {@code i} on: those of the
   * same file, and anonymous ones between them, which are its zeroed data.
   */
  private int endOfGroup(List<Mapped> all, int i) {
    String name = all.get(i).name();
    int end = i + 1;
    if (name.isEmpty() || name.equals(VDSO)) {
      return end;
    }
    int last = end;
    while (end < all.size()
        && (isPart(all.get(i), all.get(end))
            || (all.get(end).name().isEmpty()
                && all.get(end).range().start() == all.get(end - 1).range().end()))) {
      end++;
      if (all.get(end - 1).name().equals(name)) {
        last = end;
      }
    }
    // The data behind the last one that the file has, as long as it is the object's own.
    return last < end && isData(all.get(last - 1)) ? last + 1 : last;
  }

  /**
   * Whether a mapping of the same file is of the object that begins with {@code first}. Where the
   * file begins so does another object, but a small file may have more than one segment in its
   * first page, which is then mapped for each of them, as lld lays files out.
   */
  private boolean isPart(Mapped first, Mapped mapping) {
    return mapping.name().equals(first.name())
        && (mapping.offset() != 0
            || LoadedObject.extent(memory, first.range().start())
                .filter(extent -> extent.contains(mapping.range().start()))
                .isPresent());
  }

  private static boolean isData(Mapped mapping) {
    return mapping.protection().contains("w");
  }

  /**
   * The mappings from the one on that starts as an ELF file does; none when none does. Of a program
   * that was not started they are all of its file: a kernel's header is in no segment.
   */
  private List<Mapped> objectIn(List<Mapped> group) {
    if (!view.isStarted()) {
      return List.copyOf(group);
    }
    for (int i = 0; i < group.size(); i++) {
      var mapping = group.get(i);
      boolean candidate =
          mapping.name().equals(VDSO) || (mapping.isFile() && mapping.offset() == 0);
      if (candidate && LoadedObject.beginsAt(memory, mapping.range().start())) {
        return List.copyOf(group.subList(i, group.size()));
      }
    }
    return List.of();
  }

  private static Optional<LoadedObject> known(List<LoadedObject> old, List<Mapped> group) {
    return old.stream().filter(object -> object.isOf(group)).findFirst();
  }

  private LoadedObject object(List<Mapped> group, Long entry) {
    boolean program = !view.isStarted(); // Which is all there is.
    for (var mapping : group) {
      program |= entry != null && mapping.range().contains(entry);
    }
    return new LoadedObject(
        group, program, memory, view::file, one -> debugFiles.apply(one), warnings);
  }

  /** The object that has an address. */
  public Optional<LoadedObject> containing(long address) {
    for (var object : all()) {
      if (object.contains(address)) {
        return Optional.of(object);
      }
    }
    return Optional.empty();
  }

  /** The mapping that has an address. */
  public Optional<Mapped> mappingAt(long address) {
    var all = mappings();
    int low = 0;
    int high = all.size() - 1;
    while (low <= high) {
      int middle = (low + high) >>> 1;
      if (Long.compareUnsigned(all.get(middle).range().start(), address) <= 0) {
        low = middle + 1;
      } else {
        high = middle - 1;
      }
    }
    return high >= 0 && all.get(high).range().contains(address)
        ? Optional.of(all.get(high))
        : Optional.empty();
  }

  /** Closes the objects' files. */
  public void close() {
    objects.forEach(LoadedObject::close);
  }

  // Symbols

  /** The tables of all objects, or of those that a name asks for, each read when it is come to. */
  private Stream<SymbolTable> tables(String name) {
    int tick = name.indexOf('`');
    var wanted = name.substring(0, Math.max(0, tick));
    return all().stream()
        .filter(object -> wanted.isEmpty() || object.name().equals(wanted))
        .flatMap(object -> object.symbols().stream());
  }

  private static String plain(String name) {
    return name.substring(name.indexOf('`') + 1);
  }

  /** {@inheritDoc} Where a stripped object has no name the object's own counts. */
  @Override
  public Optional<Located> at(long address) {
    var object = containing(address);
    if (object.isEmpty()) {
      return Optional.empty();
    }
    var found = object.get().symbols().flatMap(symbols -> symbols.at(address));
    if (found.isPresent()) {
      return found;
    }
    // What follows an object's data without being of its file is the heap more often than not.
    return mappingAt(address).filter(Mapped::isFile).isPresent() || object.get().path().equals(VDSO)
        ? Optional.of(within(object.get(), address))
        : Optional.empty();
  }

  private static Located within(LoadedObject object, long address) {
    long size = object.end() - object.start();
    return new Located(
        new Symbol(object.name(), object.start(), size, Symbol.Kind.TEXT, 't', ""),
        address - object.start());
  }

  /** {@inheritDoc} {@code libc.so.6`malloc} asks for one object's. */
  @Override
  public List<Symbol> named(String name) {
    return tables(name).flatMap(table -> table.named(plain(name)).stream()).toList();
  }

  @Override
  public List<Symbol> exactly(String name) {
    return tables(name).flatMap(table -> table.exactly(plain(name)).stream()).toList();
  }

  /** {@inheritDoc} A member of the program's own class comes behind what a library has outside. */
  @Override
  public Optional<Symbol> first(String name) {
    var plain = plain(name);
    Optional<Symbol> member = Optional.empty();
    for (var table : (Iterable<SymbolTable>) tables(name)::iterator) {
      var found = table.first(plain);
      if (found.isPresent()
          && (found.get().name().equals(plain) || table.exactly(plain).contains(found.get()))) {
        return found;
      }
      member = member.or(() -> found);
    }
    return member;
  }

  @Override
  public Stream<Symbol> stream() {
    return tables("").flatMap(SymbolTable::stream);
  }

  @Override
  public List<String> completions(String prefix, int limit) {
    var module = prefix.substring(0, prefix.indexOf('`') + 1);
    return tables(prefix)
        .flatMap(table -> table.completions(plain(prefix), limit).stream())
        .map(name -> module + name)
        .sorted()
        .distinct()
        .limit(limit)
        .toList();
  }

  // Unwinding

  @Override
  public String name() {
    return "cfi";
  }

  @Override
  public Frame.How how() {
    return Frame.How.CFI;
  }

  @Override
  public Optional<UnwindRow> rowAt(long pc) {
    var object = containing(pc);
    if (object.isPresent()) {
      for (var source : object.get().frames(architecture)) {
        var row = source.rowAt(pc);
        if (row.isPresent()) {
          return row;
        }
      }
    }
    return Optional.empty();
  }
}
