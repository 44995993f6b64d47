// SPDX-License-Identifier: Apache-2.0
package dev.fathom.symbols.debugfile;

import dev.fathom.base.BadDataException;
import dev.fathom.base.FathomException;
import dev.fathom.base.MappedFile;
import dev.fathom.base.TargetException;
import dev.fathom.format.elf.AltLink;
import dev.fathom.format.elf.BuildId;
import dev.fathom.format.elf.DebugLink;
import dev.fathom.format.elf.ElfFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import java.util.zip.CRC32;

/**
 * Finds debug files and remembers what it found and where it looked. The order: the files that the
 * user gave, then by build-id and by name in his folders, beside the file, in the system's folders,
 * at the places usual for it, last on the servers. A file is taken only when its build-id is the
 * one that is wanted; without a build-id the checksum of the debug link must be right. One with
 * symbols only is taken when there is none with debug information.
 */
public final class DebugFiles {
  /** How many files of modules' folders are looked at. */
  private static final int MAX_MODULES = 100_000;

  private static final int MAX_DEPTH = 12;
  private static final int CHUNK = 1 << 20;

  private final DebugFileSettings settings;
  private final DownloadProgress progress;
  private final Map<Wanted, Search> searches = new LinkedHashMap<>();
  private final Map<Path, Map<String, Path>> modules = new LinkedHashMap<>();

  public DebugFiles(DebugFileSettings settings, DownloadProgress progress) {
    this.settings = settings;
    this.progress = progress;
  }

  /** As this one, with more files that the user gave; nothing is remembered of earlier searches. */
  public DebugFiles withFiles(List<Path> more) {
    return new DebugFiles(settings.withFiles(more), progress);
  }

  public DebugFileSettings settings() {
    return settings;
  }

  /** Every search so far, in order. */
  public List<Search> searches() {
    return List.copyOf(searches.values());
  }

  /** Looks for the debug file of something; the same question again is answered from memory. */
  public Search find(Wanted wanted) {
    var known = searches.get(wanted);
    if (known == null) {
      known = new Hunt(wanted).run();
      searches.put(wanted, known);
    }
    return known;
  }

  /**
   * What a kernel's debug file is looked for by.
   *
   * @param own the file that it was loaded from, where that is on this machine
   * @param link what that says of its debug file
   */
  public Wanted kernel(
      String release, Optional<Path> own, Optional<BuildId> id, Optional<DebugLink> link) {
    var usual = new ArrayList<Path>();
    for (var folder : settings.system()) {
      usual.add(folder.resolve("boot/vmlinux-" + release));
      usual.add(folder.resolve("lib/modules/" + release + "/vmlinux"));
      usual.add(folder.resolve("usr/lib/modules/" + release + "/vmlinux"));
    }
    var modulesFolder = settings.root().resolve("lib/modules/" + release);
    usual.add(settings.root().resolve("boot/vmlinux-" + release));
    usual.add(modulesFolder.resolve("build/vmlinux"));
    usual.add(modulesFolder.resolve("vmlinux"));
    return new Wanted("vmlinux " + release, own, id, link, usual);
  }

  /** What the debug file of a kernel's module is looked for by; {@code _} and {@code -} are one. */
  public Wanted module(String release, String name, Optional<BuildId> id) {
    var usual = new ArrayList<Path>();
    for (var folder : settings.system()) {
      module(folder.resolve("lib/modules/" + release), name).ifPresent(usual::add);
      module(folder.resolve("usr/lib/modules/" + release), name).ifPresent(usual::add);
    }
    for (var folder : settings.folders()) {
      module(folder, name).ifPresent(usual::add);
    }
    module(settings.root().resolve("lib/modules/" + release), name).ifPresent(usual::add);
    return new Wanted(name, Optional.empty(), id, Optional.empty(), usual);
  }

  private Optional<Path> module(Path folder, String name) {
    var known = modules.computeIfAbsent(folder, DebugFiles::modulesIn);
    return Optional.ofNullable(known.get(name.replace('-', '_')));
  }

  /** The modules in a folder by their names; a {@code .ko.debug} rather than a {@code .ko}. */
  private static Map<String, Path> modulesIn(Path folder) {
    var found = new LinkedHashMap<String, Path>();
    if (!Files.isDirectory(folder)) {
      return found;
    }
    try (Stream<Path> walk = Files.walk(folder, MAX_DEPTH)) {
      walk.limit(MAX_MODULES)
          .forEach(
              path -> {
                var file = path.getFileName().toString();
                int end = file.endsWith(".ko.debug") ? 9 : file.endsWith(".ko") ? 3 : 0;
                if (end > 0) {
                  var name = file.substring(0, file.length() - end).replace('-', '_');
                  found.merge(name, path, (a, b) -> b.toString().endsWith(".debug") ? b : a);
                }
              });
    } catch (IOException | java.io.UncheckedIOException e) {
      return found; // a folder that cannot be read holds nothing for us
    }
    return found;
  }

  /**
   * The source file of a build, from the servers.
   *
   * @param path absolute, as the debug information names it
   */
  public Optional<Path> source(BuildId id, String path) {
    return path.startsWith("/")
        ? servers().flatMap(servers -> servers.fetch(id, "source" + path).file())
        : Optional.empty();
  }

  /** The program or library of a build, from the servers. */
  public Optional<Path> executable(BuildId id) {
    return servers().flatMap(servers -> servers.fetch(id, "executable").file());
  }

  private Optional<Debuginfod> servers() {
    return settings.servers().isEmpty()
        ? Optional.empty()
        : settings
            .cache()
            .map(cache -> new Debuginfod(settings.servers(), cache, settings.timeout(), progress));
  }

  /**
   * Opens the debug file that was found for something.
   *
   * @throws FathomException when it cannot be read
   */
  public Optional<DebugFile> open(Wanted wanted) {
    return find(wanted).found().map(path -> DebugFile.open(path, this));
  }

  /**
   * Opens a file that the user says is the right one.
   *
   * @throws TargetException when it is of another build than {@code wanted}; names both build-ids
   */
  public DebugFile openGiven(Path path, Optional<BuildId> wanted) {
    var file = DebugFile.open(path, this);
    var has = file.elf().buildId();
    if (wanted.isPresent() && has.isPresent() && !has.equals(wanted)) {
      file.close();
      throw new TargetException(path + ": " + new Attempt.OtherBuild(wanted.get(), has).text());
    }
    return file;
  }

  /** Looks for the file that dwz moved shared debug information to. */
  Search alt(Path owner, AltLink link) {
    var usual = new ArrayList<Path>();
    path(link.path())
        .ifPresent(
            path -> {
              var folder = owner.toAbsolutePath().getParent();
              usual.add(folder == null ? path : folder.resolve(path).normalize());
              // What counts from a debug file's usual place, when that file is elsewhere.
              int dwz = link.path().indexOf(".dwz/");
              if (dwz >= 0) {
                for (var system : settings.system()) {
                  usual.add(system.resolve(link.path().substring(dwz)));
                }
              }
            });
    return find(new Wanted(link.path(), Optional.empty(), link.buildId(), Optional.empty(), usual));
  }

  private static Optional<Path> path(String name) {
    try {
      return Optional.of(Path.of(name));
    } catch (InvalidPathException e) {
      return Optional.empty(); // a name that no file has
    }
  }

  /** One search. */
  private final class Hunt {
    private final Wanted wanted;
    private final List<Attempt> attempts = new ArrayList<>();
    private final Set<Path> seen = new LinkedHashSet<>();
    private Optional<Path> symbolsOnly = Optional.empty();

    Hunt(Wanted wanted) {
      this.wanted = wanted;
    }

    Search run() {
      for (var path : settings.files()) {
        if (isGood(path, false)) {
          return found(path);
        }
      }
      for (var path : candidates()) {
        if (seen.add(path) && isGood(path, true)) {
          return found(path);
        }
      }
      return fromServers();
    }

    private Search found(Path path) {
      return new Search(wanted, Optional.of(path), attempts);
    }

    private Search notFound() {
      return new Search(wanted, symbolsOnly, attempts);
    }

    private List<Path> candidates() {
      var paths = new ArrayList<Path>();
      var links = new ArrayList<String>();
      wanted.link().map(DebugLink::fileName).filter(DebugFiles::isPlain).ifPresent(links::add);
      var folders = new ArrayList<>(settings.folders());
      folders.addAll(settings.system());
      for (var folder : folders) {
        wanted.buildId().ifPresent(id -> paths.add(inTree(folder, id)));
      }
      var own = wanted.path().map(Path::toAbsolutePath).map(Path::getParent);
      for (var folder : settings.folders()) {
        for (var link : links) {
          paths.add(folder.resolve(link));
        }
        own.ifPresent(parent -> addUnder(paths, folder, parent, links));
      }
      own.ifPresent(
          parent -> {
            for (var link : links) {
              paths.add(parent.resolve(link));
              paths.add(parent.resolve(".debug").resolve(link));
            }
          });
      for (var folder : settings.system()) {
        own.ifPresent(parent -> addUnder(paths, folder, parent, links));
      }
      paths.addAll(wanted.usual());
      // Not stripped at all.
      wanted.path().ifPresent(paths::add);
      return paths;
    }

    private void addUnder(List<Path> paths, Path folder, Path parent, List<String> links) {
      var relative = parent.getRoot() == null ? parent : parent.getRoot().relativize(parent);
      for (var link : links) {
        paths.add(folder.resolve(relative).resolve(link));
      }
    }

    private Search fromServers() {
      var servers = servers();
      if (wanted.buildId().isEmpty() || servers.isEmpty()) {
        return notFound();
      }
      var answer = servers.get().fetch(wanted.buildId().get(), "debuginfo");
      for (var attempt : answer.attempts()) {
        if (!(attempt.outcome() instanceof Attempt.Good)) {
          attempts.add(attempt);
        }
      }
      var file = answer.file().filter(path -> isGood(path, true));
      return file.map(this::found).orElseGet(this::notFound);
    }

    private boolean isGood(Path path, boolean report) {
      var outcome = look(path);
      boolean good = outcome instanceof Attempt.Good;
      boolean symbols = outcome instanceof Attempt.SymbolsOnly;
      if (symbols && symbolsOnly.isEmpty()) {
        symbolsOnly = Optional.of(path);
      }
      if (good || symbols || report) {
        attempts.add(new Attempt(path.toString(), outcome));
      }
      return good;
    }

    private Attempt.Outcome look(Path path) {
      if (!Files.isRegularFile(path)) {
        return new Attempt.Missing();
      }
      try (var mapped = MappedFile.open(path)) {
        if (!ElfFile.matches(mapped)) {
          return new Attempt.Unusable("is no ELF file");
        }
        var elf = ElfFile.read(mapped);
        var id = elf.buildId();
        if (wanted.buildId().isPresent() && !id.equals(wanted.buildId())) {
          return new Attempt.OtherBuild(wanted.buildId().get(), id);
        }
        boolean described =
            elf.sections().named(".debug_info").isPresent()
                || elf.sections().named(".zdebug_info").isPresent();
        if (!described && elf.symtab().isEmpty()) {
          return new Attempt.Stripped();
        }
        boolean own = wanted.path().filter(path::equals).isPresent();
        if (wanted.buildId().isEmpty() && wanted.link().isPresent() && !own) {
          long crc = crc(mapped);
          if (crc != wanted.link().get().crc32()) {
            return new Attempt.OtherChecksum(wanted.link().get().crc32(), crc);
          }
        }
        return described ? new Attempt.Good() : new Attempt.SymbolsOnly();
      } catch (BadDataException | TargetException e) {
        return new Attempt.Unusable(e.getMessage());
      }
    }
  }

  private static long crc(MappedFile file) {
    var crc = new CRC32();
    for (long at = 0; at < file.size(); at += CHUNK) {
      crc.update(file.bytes(at, (int) Math.min(CHUNK, file.size() - at)));
    }
    return crc.getValue();
  }

  /** Whether a name is one of a file and does not lead elsewhere. */
  private static boolean isPlain(String name) {
    return !name.isEmpty()
        && !name.contains("/")
        && !name.equals("..")
        && !name.equals(".")
        && path(name).isPresent();
  }

  /** {@code FOLDER/.build-id/xx/yyyy.debug}. */
  private static Path inTree(Path folder, BuildId id) {
    var tree = folder.getFileName() != null && folder.getFileName().toString().equals(".build-id");
    return (tree ? folder : folder.resolve(".build-id"))
        .resolve(id.hex().substring(0, 2))
        .resolve(id.hex().substring(2) + ".debug");
  }
}
