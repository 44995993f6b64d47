// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.objects;

import dev.fathom.base.ByteSource;
import dev.fathom.format.dwarf.Dwarf;
import dev.fathom.format.dwarf.DwarfSections;
import dev.fathom.format.elf.ElfFile;
import dev.fathom.symbols.dwarf.DwarfTypeSource;
import dev.fathom.symbols.dwarf.NameLookup;
import dev.fathom.symbols.index.TableIndex;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Consumer;

/** The DWARF that an ELF file itself has in full, relocated if it is a kernel module. */
public final class DebugInformation implements DwarfSections {
  /** Names are read by this many threads at most. */
  private static final int THREADS = 2;

  private final ElfFile file;

  private DebugInformation(ElfFile file) {
    this.file = file;
  }

  /**
   * The types of a file; empty where it describes none. Nothing is read before it is asked for.
   *
   * @param name {@code dwarf}, or {@code dwarf:} and an object's name
   * @param index the folder of the on-disk index, where its names are kept by build-id; empty to do
   *     without
   * @param warnings is told what of it cannot be read, and why its own table of names is not used
   */
  public static Optional<DwarfTypeSource> types(
      String name, ElfFile file, Optional<Path> index, Consumer<String> warnings) {
    boolean any =
        file.sections().named(".debug_info").isPresent()
            || file.sections().named(".zdebug_info").isPresent();
    return any
        ? Optional.of(DwarfTypeSource.whereFound(name, () -> names(file, index, warnings)))
        : Optional.empty();
  }

  private static NameLookup names(ElfFile file, Optional<Path> index, Consumer<String> warnings) {
    var id = file.buildId();
    var table =
        index.isPresent() && id.isPresent()
            ? TableIndex.of(index.get(), id.get().hex())
            : TableIndex.none();
    var dwarf = Dwarf.open(new DebugInformation(file));
    if (dwarf.isInParts()) {
      return NameLookup.of(Optional::empty); // Whoever finds the other files reads all of it.
    }
    return table.nameLookup(
        dwarf,
        () -> {
          var names = table.dwarfNames(dwarf, THREADS);
          names.problems().forEach(problem -> warnings.accept(problem.getMessage()));
          return Optional.of(names);
        },
        problem -> warnings.accept("not used: " + problem.getMessage()));
  }

  @Override
  public String name() {
    return file.source().name();
  }

  @Override
  public ByteOrder order() {
    return file.header().order();
  }

  @Override
  public Optional<ByteSource> find(String section) {
    return file.sections().relocated(section);
  }
}
