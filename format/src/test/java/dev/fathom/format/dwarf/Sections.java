// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.dwarf;

import dev.fathom.base.ByteSource;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;

/** The sections of the machine's own little-endian 64-bit ELF files, and what programs say. */
final class Sections {
  /** Where a section is when the file is loaded as linked, and what it holds. */
  record Section(long address, ByteSource bytes) {}

  private final Map<String, Section> sections = new HashMap<>();

  private Sections() {}

  /** Those of {@code file}; empty when it is not such a file. */
  static Optional<Sections> of(Path file) throws IOException {
    byte[] all = Files.readAllBytes(file);
    if (all.length < 64 || all[0] != 0x7f || all[1] != 'E' || all[4] != 2 || all[5] != 1) {
      return Optional.empty();
    }
    var in = ByteBuffer.wrap(all).order(ByteOrder.LITTLE_ENDIAN);
    int table = (int) in.getLong(0x28);
    int count = in.getShort(0x3c);
    int names = table + 64 * in.getShort(0x3e);
    int strings = (int) in.getLong(names + 0x18);
    var found = new Sections();
    for (int i = 0; i < count; i++) {
      int at = table + 64 * i;
      int name = strings + in.getInt(at);
      int end = name;
      while (all[end] != 0) {
        end++;
      }
      if (in.getInt(at + 4) == 8) {
        continue; // No bytes in the file.
      }
      int offset = (int) in.getLong(at + 0x18);
      int size = (int) in.getLong(at + 0x20);
      var text = new String(all, name, end - name, StandardCharsets.UTF_8);
      found.sections.put(
          text,
          new Section(
              in.getLong(at + 0x10),
              ByteSource.of(
                  file.getFileName() + text, Arrays.copyOfRange(all, offset, offset + size))));
    }
    return Optional.of(found);
  }

  Optional<Section> section(String name) {
    return Optional.ofNullable(sections.get(name));
  }

  ByteSource bytes(String name) {
    return section(name).map(Section::bytes).orElseGet(() -> ByteSource.of(name, new byte[0]));
  }

  /** The machine's programs and libraries, in an order that {@code random} decides. */
  static List<Path> programs(Random random) throws IOException {
    var found = new ArrayList<Path>();
    for (var folder : List.of("/usr/bin", "/usr/lib/x86_64-linux-gnu")) {
      var path = Path.of(folder);
      if (Files.isDirectory(path)) {
        try (var files = Files.list(path)) {
          files
              .filter(Files::isRegularFile)
              .filter(f -> f.toFile().length() < 20_000_000)
              .sorted()
              .forEach(found::add);
        }
      }
    }
    Collections.shuffle(found, random);
    return found;
  }

  /** What a program writes, lines of standard output; its complaints are left out. */
  static List<String> run(String... command) throws IOException {
    var process =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
    var out = new String(process.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
    return out.lines().toList();
  }
}
