// SPDX-License-Identifier: Apache-2.0
package dev.fathom.symbols.debugfile;

import dev.fathom.base.ByteSource;
import dev.fathom.base.FathomException;
import dev.fathom.base.MappedFile;
import dev.fathom.format.dwarf.DwarfSections;
import dev.fathom.format.dwarf.SplitPart;
import dev.fathom.format.elf.ElfFile;
import java.io.IOException;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * An opened file with debug information: its ELF sections as DWARF's reader wants them, and the
 * files that it leads to, which are opened when asked for and closed with this one.
 */
public final class DebugFile implements DwarfSections, AutoCloseable {
  private final Path path;
  private final MappedFile mapped;
  private final ElfFile elf;
  private final DebugFiles files;
  private final List<DebugFile> opened = new ArrayList<>();
  private Optional<DwarfSections> supplementary;
  private Optional<DwarfSections> splitPackage;
  private boolean lacksParts;

  private DebugFile(Path path, MappedFile mapped, ElfFile elf, DebugFiles files) {
    this.path = path;
    this.mapped = mapped;
    this.elf = elf;
    this.files = files;
  }

  /**
   * Opens the file at {@code path}.
   *
   * @param files finds the file of shared debug information, where this one leads to such a file
   * @throws FathomException when it cannot be read or is no ELF file
   */
  public static DebugFile open(Path path, DebugFiles files) {
    var mapped = MappedFile.open(path);
    try {
      return new DebugFile(path, mapped, ElfFile.read(mapped), files);
    } catch (FathomException e) {
      mapped.close();
      throw e;
    }
  }

  public Path path() {
    return path;
  }

  public ElfFile elf() {
    return elf;
  }

  @Override
  public String name() {
    return path.toString();
  }

  @Override
  public ByteOrder order() {
    return elf.header().order();
  }

  @Override
  public Optional<ByteSource> find(String section) {
    return elf.sections().relocated(section);
  }

  @Override
  public synchronized Optional<DwarfSections> supplementary() {
    if (supplementary == null) {
      supplementary =
          elf.sections()
              .altLink()
              .flatMap(link -> files.alt(path, link).found())
              .map(this::companion);
    }
    return supplementary;
  }

  @Override
  public synchronized Optional<DwarfSections> split(String name, String directory, long id) {
    var place = place(name, directory);
    lacksParts |= place.isEmpty();
    return place.map(this::companion);
  }

  private Optional<Path> place(String name, String directory) {
    return candidates(name, directory).stream().filter(Files::isRegularFile).findFirst();
  }

  @Override
  public Optional<SplitPart.Stamp> splitStamp(String name, String directory) {
    var stamp = place(name, directory).flatMap(DebugFile::stamp);
    if (stamp.isEmpty()) {
      synchronized (this) {
        lacksParts = true;
      }
    }
    return stamp;
  }

  /** Whether a {@code .dwo} file was wanted that is not there. */
  public synchronized boolean lacksParts() {
    return lacksParts;
  }

  private static Optional<SplitPart.Stamp> stamp(Path path) {
    try {
      var attributes = Files.readAttributes(path, BasicFileAttributes.class);
      return attributes.isRegularFile()
          ? Optional.of(
              new SplitPart.Stamp(
                  path.toString(),
                  attributes.size(),
                  attributes.lastModifiedTime().to(TimeUnit.NANOSECONDS)))
          : Optional.empty();
    } catch (IOException _) {
      return Optional.empty(); // It is not there, or not for us.
    }
  }

  /** Where a {@code .dwo} file may be: where it was made, and beside this file. */
  private List<Path> candidates(String name, String directory) {
    try {
      var made = Path.of(directory).resolve(name);
      var candidates = new ArrayList<Path>();
      if (made.getFileName() == null) {
        return candidates;
      }
      if (made.isAbsolute()) {
        candidates.add(made);
      }
      candidates.add(path.resolveSibling(name));
      candidates.add(path.resolveSibling(made.getFileName()));
      for (var folder : files.settings().folders()) {
        candidates.add(folder.resolve(made.getFileName()));
      }
      return candidates;
    } catch (InvalidPathException e) {
      return List.of(); // names no file
    }
  }

  @Override
  public synchronized Optional<DwarfSections> splitPackage() {
    if (splitPackage == null) {
      var dwp = dwp();
      splitPackage = Files.isRegularFile(dwp) ? Optional.of(companion(dwp)) : Optional.empty();
    }
    return splitPackage;
  }

  @Override
  public Optional<SplitPart.Stamp> splitPackageStamp() {
    return stamp(dwp());
  }

  private Path dwp() {
    return path.resolveSibling(path.getFileName() + ".dwp");
  }

  private DwarfSections companion(Path other) {
    for (var known : opened) {
      if (known.path.equals(other)) {
        return known;
      }
    }
    var file = open(other, files);
    opened.add(file);
    return file;
  }

  @Override
  public synchronized void close() {
    opened.forEach(DebugFile::close);
    opened.clear();
    mapped.close();
  }
}
