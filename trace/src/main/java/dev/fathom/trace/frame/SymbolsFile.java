// SPDX-License-Identifier: Apache-2.0
package dev.fathom.trace.frame;

import dev.fathom.base.BadDataException;
import dev.fathom.base.ByteSource;
import dev.fathom.trace.Frame;
import dev.fathom.trace.FrameNames;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * The names of the addresses of one trace, a line for each (OSv's scripts/loader.py, {@code osv
 * trace save}): the address in hexadecimal, the source file, the line or {@code <?>}, the function.
 */
public final class SymbolsFile implements FrameNames {
  /** Traces have thousands of addresses. */
  private static final int MAX_SIZE = 1 << 28;

  private final Map<Long, List<Frame>> frames = new HashMap<>();

  private SymbolsFile() {}

  /**
   * @throws BadDataException at the first line that is none
   */
  public static SymbolsFile read(ByteSource source) {
    if (source.size() > MAX_SIZE) {
      throw new BadDataException(
          source.name(), MAX_SIZE, "longer than a symbols file, expected at most 256 MiB");
    }
    var file = new SymbolsFile();
    byte[] bytes = source.bytes(0, (int) source.size());
    int start = 0;
    while (start < bytes.length) {
      int end = start;
      while (end < bytes.length && bytes[end] != '\n') {
        end++;
      }
      var line = new String(bytes, start, end - start, StandardCharsets.UTF_8);
      if (!line.isBlank()) {
        file.add(source, start, line.strip());
      }
      start = end + 1;
    }
    return file;
  }

  private void add(ByteSource source, long at, String line) {
    var parts = line.split("\\s+", 4);
    if (parts.length < 4) {
      throw new BadDataException(
          source.name(), at, "line of " + parts.length + " words, expected address file line name");
    }
    long address;
    var number = OptionalInt.empty();
    try {
      var digits = parts[0].startsWith("0x") ? parts[0].substring(2) : parts[0];
      address = Long.parseUnsignedLong(digits, 16);
      if (!parts[2].equals("<?>") && !parts[2].equals("?")) {
        number = OptionalInt.of(Integer.parseInt(parts[2]));
      }
    } catch (NumberFormatException e) {
      throw new BadDataException(
          source.name(), at, "expected an address and a line number: " + e.getMessage());
    }
    frames.put(
        address, List.of(new Frame(address, Optional.of(parts[3]), Optional.of(parts[1]), number)));
  }

  @Override
  public List<Frame> at(long address) {
    return frames.getOrDefault(address, List.of());
  }
}
