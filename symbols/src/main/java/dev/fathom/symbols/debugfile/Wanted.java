// SPDX-License-Identifier: Apache-2.0
package dev.fathom.symbols.debugfile;

import dev.fathom.format.elf.BuildId;
import dev.fathom.format.elf.DebugLink;
import dev.fathom.format.elf.ElfFile;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * What a debug file is wanted for.
 *
 * @param name what the user knows it by
 * @param path where the file itself is, if it is on this machine
 * @param buildId its build-id; without one a file is recognised by its name and checksum only
 * @param link what its {@code .gnu_debuglink} says
 * @param usual further places at which such a file usually is, such as a kernel's
 */
public record Wanted(
    String name,
    Optional<Path> path,
    Optional<BuildId> buildId,
    Optional<DebugLink> link,
    List<Path> usual) {
  public Wanted {
    usual = List.copyOf(usual);
  }

  /** The debug file of a program or library on this machine. */
  public static Wanted of(Path path, ElfFile file) {
    return new Wanted(
        path.toString(), Optional.of(path), file.buildId(), file.sections().debugLink(), List.of());
  }

  /** The debug file of something of which only the build-id is known. */
  public static Wanted of(String name, BuildId id) {
    return new Wanted(name, Optional.empty(), Optional.of(id), Optional.empty(), List.of());
  }
}
