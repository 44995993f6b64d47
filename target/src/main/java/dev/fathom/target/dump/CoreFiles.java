// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.dump;

import dev.fathom.base.BadDataException;
import dev.fathom.base.ByteSource;
import dev.fathom.base.FathomException;
import dev.fathom.base.MappedFile;
import dev.fathom.format.elf.Elf;
import dev.fathom.format.elf.ElfFile;
import dev.fathom.format.elf.ElfNote;
import dev.fathom.format.elf.ElfNotes;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * The files on this machine that a process of a core had mapped: for the program the one that the
 * user gave, then the one where the core says. Of another build is none of them: the build-ids are
 * compared, as far as the core has them.
 */
final class CoreFiles {
  private static final int NT_GNU_BUILD_ID = 3;

  /** A file that is the right one. */
  private record Found(Path path, MappedFile source) {}

  private final Optional<Path> given;
  private final Function<String, Optional<String>> kept;
  private final List<String> warnings;
  private final Map<String, Optional<Found>> known = new HashMap<>();
  private final Map<String, Optional<ByteSource>> used = new HashMap<>();
  private Optional<String> program = Optional.empty();

  /**
   * @param given the program, from the user
   * @param kept the build-id that the core has of a file
   * @param warnings is told what is not used
   */
  CoreFiles(Optional<Path> given, Function<String, Optional<String>> kept, List<String> warnings) {
    this.given = given;
    this.kept = kept;
    this.warnings = warnings;
  }

  /** Which of the mapped files is the program. */
  void program(Optional<String> name) {
    program = name;
  }

  /** Where the file is that was mapped under a name; empty when it is not here. */
  Optional<Path> path(String name) {
    return found(name).map(Found::path);
  }

  /** The bytes of the file that was mapped under a name, which the core has not all of. */
  Optional<ByteSource> source(String name) {
    return used.computeIfAbsent(name, this::use);
  }

  private Optional<ByteSource> use(String name) {
    int told = warnings.size();
    var found = found(name);
    if (found.isEmpty() && warnings.size() == told) {
      warnings.add(name + ": is not here, and the core has not all of it");
    } else if (found.isPresent() && kept.apply(name).isEmpty()) {
      warnings.add(
          found.get().path()
              + ": taken for what the process ran: the core does not tell its build-id");
    }
    return found.map(Found::source);
  }

  private Optional<Found> found(String name) {
    var answer = known.get(name);
    if (answer == null) {
      answer = find(name);
      known.put(name, answer);
    }
    return answer;
  }

  private Optional<Found> find(String name) {
    for (var path : candidates(name)) {
      try {
        var source = MappedFile.open(path);
        var there = buildId(source);
        var wanted = kept.apply(name);
        if (there.isEmpty() || wanted.isEmpty() || there.equals(wanted)) {
          return Optional.of(new Found(path, source));
        }
        source.close();
        warnings.add(
            path
                + ": has build-id "
                + there.get()
                + ", and the process ran "
                + wanted.get()
                + ": another build, which is not used");
      } catch (FathomException e) {
        warnings.add(e.getMessage());
      }
    }
    return Optional.empty();
  }

  private List<Path> candidates(String name) {
    var paths = new ArrayList<Path>();
    if (program.filter(name::equals).isPresent()) {
      given.ifPresent(paths::add);
    }
    try {
      var own = Path.of(name);
      if (!paths.contains(own) && Files.isReadable(own) && Files.isRegularFile(own)) {
        paths.add(own);
      }
    } catch (InvalidPathException _) {
      return paths; // A name that no file has.
    }
    return paths;
  }

  /** The build-id in the notes at the start of an ELF file, which is where linkers put it. */
  static Optional<String> buildId(ByteSource source) {
    try {
      if (!ElfFile.matches(source)) {
        return Optional.empty();
      }
      var elf = ElfFile.read(source);
      for (var segment : elf.programHeaders()) {
        if (segment.type() != Elf.PT_NOTE
            || segment.offset() < 0
            || segment.filesz() < 0
            || segment.offset() > source.size() - segment.filesz()) {
          continue;
        }
        for (ElfNote note :
            ElfNotes.read(
                    source,
                    segment.offset(),
                    segment.filesz(),
                    segment.align(),
                    elf.header().order())
                .notes()) {
          if (note.is("GNU", NT_GNU_BUILD_ID) && note.descriptor().size() <= 64) {
            return Optional.of(
                HexFormat.of()
                    .formatHex(note.descriptor().bytes(0, (int) note.descriptor().size())));
          }
        }
      }
    } catch (BadDataException _) {
      return Optional.empty(); // No ELF file, or not enough of one: it has no build-id.
    }
    return Optional.empty();
  }

  void close() {
    known.values().forEach(found -> found.ifPresent(file -> file.source().close()));
    known.clear();
  }
}
