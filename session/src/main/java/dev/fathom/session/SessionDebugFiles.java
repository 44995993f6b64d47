// SPDX-License-Identifier: Apache-2.0
package dev.fathom.session;

import dev.fathom.base.FathomException;
import dev.fathom.base.MappedFile;
import dev.fathom.base.TargetException;
import dev.fathom.format.dwarf.Dwarf;
import dev.fathom.format.dwarf.DwarfNames;
import dev.fathom.format.dwarf.LineFiles;
import dev.fathom.format.dwarf.SplitPart;
import dev.fathom.format.elf.BuildId;
import dev.fathom.format.elf.DebugLink;
import dev.fathom.format.elf.Elf;
import dev.fathom.format.elf.ElfFile;
import dev.fathom.model.Image;
import dev.fathom.symbols.debugfile.DebugFile;
import dev.fathom.symbols.debugfile.DebugFiles;
import dev.fathom.symbols.debugfile.Search;
import dev.fathom.symbols.debugfile.Wanted;
import dev.fathom.symbols.dwarf.DwarfTypeSource;
import dev.fathom.symbols.dwarf.NameLookup;
import dev.fathom.symbols.index.TableIndex;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * The files with debug information of the kernel and modules of a session: looked for when asked
 * for, opened once, closed with the session.
 */
public final class SessionDebugFiles {
  /** Only a process's core has the auxiliary vector. */
  private static final int NT_AUXV = 6;

  /** How many files are named in one line. */
  private static final int MAX_NAMES = 4;

  private final Session session;
  private final DebugFiles files;
  private final Optional<Path> index;
  private final Map<Path, DebugFile> opened = new HashMap<>();
  private final Map<Path, Described> described = new HashMap<>();
  private final Map<Image, Optional<Described>> ofImages = new HashMap<>();
  private final List<String> problems = new ArrayList<>();

  /** The DWARF of a debug file and the types in it: read once, whoever asks. */
  record Described(
      DebugFile file, Dwarf dwarf, DwarfTypeSource types, Supplier<LineFiles> lineFiles) {}

  /**
   * @param index the folder of the on-disk index; empty to do without
   */
  SessionDebugFiles(Session session, DebugFiles files, Optional<Path> index) {
    this.session = session;
    this.files = files;
    this.index = index;
  }

  /** Those of several files that are ELF files and no dumps. */
  static List<Path> among(List<Path> paths) {
    var found = new ArrayList<Path>();
    // The program of a process's core is no debug file, but part of what is opened.
    if (paths.size() > 1 && paths.stream().noneMatch(SessionDebugFiles::isProcessCore)) {
      for (var path : paths) {
        if (isProgram(path)) {
          found.add(path);
        }
      }
    }
    return found.size() == paths.size() ? List.of() : found;
  }

  private static boolean isProcessCore(Path path) {
    if (!Files.isRegularFile(path)) {
      return false;
    }
    try (var mapped = MappedFile.open(path)) {
      if (!ElfFile.matches(mapped)) {
        return false;
      }
      var elf = ElfFile.read(mapped);
      return elf.header().type() == Elf.ET_CORE
          && elf.programHeaders().stream()
              .filter(segment -> segment.type() == Elf.PT_NOTE)
              .flatMap(segment -> elf.notes(segment).notes().stream())
              .anyMatch(note -> note.is("CORE", NT_AUXV));
    } catch (FathomException e) {
      return false; // whoever opens it says what is wrong with it
    }
  }

  private static boolean isProgram(Path path) {
    if (!Files.isRegularFile(path)) {
      return false;
    }
    try (var mapped = MappedFile.open(path)) {
      return ElfFile.matches(mapped) && ElfFile.read(mapped).header().type() != Elf.ET_CORE;
    } catch (FathomException e) {
      return false; // whoever opens it as a dump says what is wrong with it
    }
  }

  /**
   * Checks files that the user gave beside the dump.
   *
   * @throws TargetException when one belongs to nothing that is loaded; names both build-ids
   */
  void requireFits(List<Path> given) {
    var images = given.isEmpty() ? List.<Image>of() : session.kernel().images();
    for (var path : given) {
      try (var file = DebugFile.open(path, files)) {
        var id = file.elf().buildId();
        boolean fits =
            id.isPresent()
                && images.stream().anyMatch(i -> i.buildId().equals(id.map(BuildId::hex)));
        var kernel = images.stream().findFirst().flatMap(Image::buildId);
        if (!fits && id.isPresent() && kernel.isPresent()) {
          throw new TargetException(
              path
                  + ": is of another build: has build-id "
                  + id.get()
                  + ", the kernel in "
                  + session.target().info().name()
                  + " has "
                  + kernel.get());
        }
      }
    }
  }

  /** Tells of files that the user gave by options and that belong to nothing that is loaded. */
  void tellUnused(List<Path> given) {
    if (given.isEmpty()) {
      return;
    }
    List<Image> images;
    try {
      images = session.kernel().images();
    } catch (FathomException _) {
      return; // Whoever lists the modules is told.
    }
    var known = images.stream().flatMap(image -> image.buildId().stream()).toList();
    for (var path : given) {
      try (var file = DebugFile.open(path, files)) {
        var id = file.elf().buildId().map(BuildId::hex);
        // It may be of one whose build-id is not known.
        boolean fits = known.size() < images.size() || known.contains(id.orElse(""));
        if (!fits) {
          problems.add(
              path
                  + ": is used for nothing that is loaded now: has build-id "
                  + id.orElse("none")
                  + images.stream()
                      .filter(image -> image.buildId().isPresent())
                      .findFirst()
                      .map(image -> ", " + image.name() + " has " + image.buildId().orElseThrow())
                      .orElse("")
                  + (images.size() > 1 ? ", and what else is loaded has others" : ""));
        }
      } catch (FathomException e) {
        problems.add(e.getMessage());
      }
    }
  }

  /** Where files are looked for, and every search so far. */
  public DebugFiles files() {
    return files;
  }

  /** What the debug file of an image is looked for by. */
  public Wanted wanted(Image image) {
    var id = image.buildId().flatMap(BuildId::parse);
    var release = release();
    boolean kernel = session.kernel().image().filter(image::equals).isPresent();
    var own = session.kernel().file(image);
    var link = own.flatMap(SessionDebugFiles::debugLink);
    if (release.isEmpty()) {
      return new Wanted(image.name(), own, id, link, List.of());
    }
    return kernel
        ? files.kernel(release.get(), own, id, link)
        : files.module(release.get(), image.name(), id);
  }

  /** What a program or library says of the name of its debug file. */
  private static Optional<DebugLink> debugLink(Path path) {
    try (var mapped = MappedFile.open(path)) {
      return ElfFile.read(mapped).sections().debugLink();
    } catch (FathomException e) {
      return Optional.empty(); // whoever loads it says what is wrong with it
    }
  }

  /** A release that would lead out of the folder of releases is none. */
  private Optional<String> release() {
    return session
        .kernel()
        .release()
        .filter(name -> name.matches("[A-Za-z0-9._+~-]{1,128}") && !name.startsWith("."));
  }

  /** Looks for the debug file of an image. */
  public Search find(Image image) {
    return files.find(wanted(image));
  }

  /**
   * The opened debug file of an image; absent when there is none. Closed with the session.
   *
   * @throws FathomException when it was found and cannot be read
   */
  public Optional<DebugFile> open(Image image) {
    return find(image)
        .found()
        .map(path -> opened.computeIfAbsent(path, p -> DebugFile.open(p, files)));
  }

  /**
   * The DWARF of an image's debug file; absent when there is no file, it has none, or it cannot be
   * read, which {@link #problems} tell of. The names in it are read when a type is first asked for,
   * from the on-disk index if they are there.
   */
  Optional<Described> described(Image image) {
    var found = ofImages.get(image);
    if (found == null) {
      found = opened(image);
      ofImages.put(image, found);
    }
    return found;
  }

  /**
   * An image's debug file, for the names in it; {@link #problems} tell of one that is unreadable.
   */
  Optional<ElfFile> elf(Image image) {
    try {
      return open(image).map(DebugFile::elf);
    } catch (FathomException e) {
      report(image, e.getMessage());
      return Optional.empty();
    }
  }

  private Optional<Described> opened(Image image) {
    try {
      return open(image)
          .filter(file -> file.find(".debug_info").isPresent())
          .map(file -> described.computeIfAbsent(file.path(), _ -> describe(image, file)));
    } catch (FathomException e) {
      report(image, e.getMessage());
      return Optional.empty();
    }
  }

  private Described describe(Image image, DebugFile file) {
    boolean module = image.object().isPresent();
    var dwarf = Dwarf.open(file);
    int threads = Runtime.getRuntime().availableProcessors();
    var types =
        DwarfTypeSource.whereFound(
            module ? "dwarf:" + image.name() : "dwarf", () -> lookup(image, file, dwarf, threads));
    return new Described(file, dwarf, types, () -> index(file).lineFiles(dwarf, threads));
  }

  private TableIndex index(DebugFile file) {
    var id = file.elf().buildId();
    return index.isPresent() && id.isPresent()
        ? TableIndex.of(index.get(), id.get().hex())
        : TableIndex.none();
  }

  private NameLookup lookup(Image image, DebugFile file, Dwarf dwarf, int threads) {
    try {
      return index(file)
          .nameLookup(
              dwarf,
              () -> names(image, file, dwarf, threads),
              problem -> report(image, "not used: " + problem.getMessage()));
    } catch (FathomException e) {
      report(image, e.getMessage());
      return NameLookup.of(Optional::empty);
    }
  }

  private Optional<DwarfNames> names(Image image, DebugFile file, Dwarf dwarf, int threads) {
    try {
      var names = index(file).dwarfNames(dwarf, threads);
      names.problems().forEach(problem -> report(image, problem.getMessage()));
      return Optional.of(names);
    } catch (FathomException e) {
      report(image, e.getMessage());
      return Optional.empty();
    }
  }

  private void report(Image image, String message) {
    var problem = image.name() + ": " + message;
    if (!problems.contains(problem)) {
      problems.add(problem);
    }
  }

  /** What could not be read or is not there, for the user. */
  public List<String> problems() {
    var all = new ArrayList<>(problems);
    for (var one : ofImages.entrySet()) {
      one.getValue()
          .filter(found -> found.file().lacksParts())
          .flatMap(found -> missing(one.getKey(), found.dwarf()))
          .ifPresent(all::add);
    }
    return all;
  }

  private static Optional<String> missing(Image image, Dwarf dwarf) {
    var all = dwarf.splitParts();
    var missing = all.stream().filter(part -> part.file().isEmpty()).map(SplitPart::name).toList();
    if (missing.isEmpty()) {
      return Optional.empty(); // It was needed in vain by something that tells so itself.
    }
    var names = String.join(", ", missing.subList(0, Math.min(missing.size(), MAX_NAMES)));
    return Optional.of(
        image.name()
            + ": "
            + missing.size()
            + (missing.size() == 1 ? " .dwo file" : " .dwo files")
            + " of "
            + all.size()
            + " not found, whose types and variables are unknown: "
            + names
            + (missing.size() > MAX_NAMES ? ", ...; ::debugfiles -v names all" : ""));
  }

  /** What the debug file of an image leads to: {@code .dwo} files and their package. */
  public List<SplitPart> parts(Image image) {
    try {
      return described(image).map(found -> found.dwarf().splitParts()).orElse(List.of());
    } catch (FathomException e) {
      report(image, e.getMessage());
      return List.of();
    }
  }

  void close() {
    ofImages.clear();
    described.clear();
    opened.values().forEach(DebugFile::close);
    opened.clear();
  }
}
