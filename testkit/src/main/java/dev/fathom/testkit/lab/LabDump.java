// SPDX-License-Identifier: Apache-2.0
package dev.fathom.testkit.lab;

import dev.fathom.base.TargetException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What a recipe gave.
 *
 * @param recipe the recipe
 * @param directory where its files are; only to be read
 */
public record LabDump(Recipe recipe, Path directory) {
  /** QEMU's dump of a flavour; empty when the recipe has not asked or this QEMU cannot write it. */
  public Optional<Path> dump(Flavour flavour) {
    Path file = directory.resolve(flavour.fileName());
    return Files.exists(file) ? Optional.of(file) : Optional.empty();
  }

  /** The recipe's first dump by QEMU. */
  public Path dump() {
    return recipe.flavours().stream()
        .flatMap(flavour -> dump(flavour).stream())
        .findFirst()
        .orElseThrow(() -> new TargetException("lab: " + recipe.name() + " has no dump by QEMU"));
  }

  /**
   * A file that the crash kernel wrote, by its name: {@code zlib-d31}, {@code lzo-d31}, {@code
   * raw-d31}, {@code lzo-d0}, {@code elf-d31}, {@code split.0} to {@code split.2}, {@code
   * flat-lzo-d31}, {@code flat-elf-d31}, and {@code vmcore}, the copy of {@code /proc/vmcore}.
   */
  public Path kdump(String name) {
    Path file = directory.resolve("kdump").resolve(name);
    if (!Files.exists(file)) {
      throw new TargetException("lab: " + recipe.name() + " has no kdump " + name);
    }
    return file;
  }

  /** The names that {@link #kdump} takes, sorted; none for a recipe without a crash kernel. */
  public List<String> kdumps() {
    Path all = directory.resolve("kdump");
    if (!Files.exists(all)) {
      return List.of();
    }
    try (Stream<Path> files = Files.list(all)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    } catch (IOException e) {
      throw new TargetException("lab: cannot list " + all, e);
    }
  }

  /** What the guest said about itself before the fault and the dump. */
  public GuestFacts facts() {
    return new GuestFacts(directory.resolve("facts"));
  }

  /** All that came over the guest's console, its panic included. */
  public String console() {
    try {
      return Files.readString(directory.resolve("console"), StandardCharsets.ISO_8859_1);
    } catch (IOException e) {
      throw new TargetException("lab: cannot read the console of " + recipe.name(), e);
    }
  }
}
