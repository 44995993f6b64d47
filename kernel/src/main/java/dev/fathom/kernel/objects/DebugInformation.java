// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.objects;

import dev.fathom.base.ByteSource;
import dev.fathom.format.dwarf.Dwarf;
import dev.fathom.format.dwarf.DwarfNames;
import dev.fathom.format.dwarf.DwarfSections;
import dev.fathom.format.elf.ElfFile;
import dev.fathom.symbols.dwarf.DwarfTypeSource;
import java.nio.ByteOrder;
import java.util.Optional;

/** The DWARF that an ELF file itself has, relocated if it is a kernel module. */
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
   */
  public static Optional<DwarfTypeSource> types(String name, ElfFile file) {
    boolean any =
        file.sections().named(".debug_info").isPresent()
            || file.sections().named(".zdebug_info").isPresent();
    return any
        ? Optional.of(
            new DwarfTypeSource(
                name, () -> DwarfNames.build(Dwarf.open(new DebugInformation(file)), THREADS)))
        : Optional.empty();
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
