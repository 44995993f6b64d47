// SPDX-License-Identifier: Apache-2.0
package dev.fathom.testkit.lab;

import dev.fathom.base.BadDataException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The named sections of a 64-bit little-endian ELF file, as far as the lab needs them: what a
 * kernel module depends on and what libraries a program needs. The files come from the
 * distribution's packages.
 */
final class ElfSections {
  private final String name;
  private final ByteBuffer file;
  private final Map<String, byte[]> sections = new LinkedHashMap<>();

  /**
   * Reads the section headers.
   *
   * @throws BadDataException when the file is no such ELF file
   */
  ElfSections(String name, byte[] content) {
    this.name = name;
    this.file = ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN);
    if (content.length < 64 || file.getInt(0) != 0x464c457f || file.get(4) != 2) {
      throw new BadDataException(name, 0, "is no 64-bit ELF file");
    }
    long table = file.getLong(40);
    int count = Short.toUnsignedInt(file.getShort(60));
    int names = Short.toUnsignedInt(file.getShort(62));
    if (names >= count) {
      throw new BadDataException(name, 62, "names a section that is not there");
    }
    byte[] strings = content(table + names * 64L);
    for (int i = 0; i < count; i++) {
      long header = table + i * 64L;
      sections.putIfAbsent(string(strings, number(header, 4)), content(header));
    }
  }

  /** A section's bytes; empty for one without bytes in the file. */
  Optional<byte[]> section(String wanted) {
    return Optional.ofNullable(sections.get(wanted));
  }

  /** The value of {@code key=value} in a module's {@code .modinfo}. */
  Optional<String> modinfo(String key) {
    byte[] info = sections.getOrDefault(".modinfo", new byte[0]);
    for (String line : new String(info, StandardCharsets.UTF_8).split("\0")) {
      if (line.startsWith(key + "=")) {
        return Optional.of(line.substring(key.length() + 1));
      }
    }
    return Optional.empty();
  }

  /** The program interpreter, which is the dynamic linker. */
  Optional<String> interpreter() {
    return section(".interp").map(bytes -> string(bytes, 0));
  }

  /** The libraries that the dynamic section names (DT_NEEDED). */
  List<String> needed() {
    List<String> libraries = new ArrayList<>();
    byte[] strings = sections.getOrDefault(".dynstr", new byte[0]);
    ByteBuffer dynamic =
        ByteBuffer.wrap(sections.getOrDefault(".dynamic", new byte[0]))
            .order(ByteOrder.LITTLE_ENDIAN);
    while (dynamic.remaining() >= 16) {
      long tag = dynamic.getLong();
      long value = dynamic.getLong();
      if (tag == 1) {
        libraries.add(string(strings, value));
      }
    }
    return libraries;
  }

  private byte[] content(long header) {
    if (number(header + 4, 4) == 8) {
      return new byte[0];
    }
    long offset = number(header + 24, 8);
    long size = number(header + 32, 8);
    if (offset < 0 || size < 0 || offset > file.capacity() - size) {
      throw new BadDataException(name, header, "describes a section outside of the file");
    }
    byte[] bytes = new byte[(int) size];
    file.get((int) offset, bytes);
    return bytes;
  }

  private long number(long at, int width) {
    if (at < 0 || at > file.capacity() - width) {
      throw new BadDataException(name, at, "ends inside of its section headers");
    }
    return width == 4 ? Integer.toUnsignedLong(file.getInt((int) at)) : file.getLong((int) at);
  }

  private String string(byte[] strings, long at) {
    if (at < 0 || at >= strings.length) {
      throw new BadDataException(name, at, "names a string outside of its table");
    }
    int end = (int) at;
    while (end < strings.length && strings[end] != 0) {
      end++;
    }
    return new String(strings, (int) at, end - (int) at, StandardCharsets.UTF_8);
  }
}
