// SPDX-License-Identifier: Apache-2.0
package dev.fathom.testkit.lab;

import dev.fathom.base.BadDataException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Unpacks the tar archive that a guest wrote to a raw disk: POSIX ustar blocks of 512 bytes, as
 * busybox writes them. Regular files and directories are taken, all else is passed over. Ends at
 * the first block of zeros, as a disk is larger than its archive.
 */
final class TarReader {
  private static final int BLOCK = 512;

  private TarReader() {}

  /**
   * Unpacks into a directory, which is made.
   *
   * @return the names of the files, in the archive's order
   * @throws BadDataException when a header is not one, or a name leads out of the directory
   */
  static List<String> unpack(Path archive, Path into) throws IOException {
    List<String> names = new ArrayList<>();
    Files.createDirectories(into);
    long offset = 0;
    try (InputStream in = Files.newInputStream(archive)) {
      while (true) {
        byte[] header = in.readNBytes(BLOCK);
        if (header.length < BLOCK || header[0] == 0) {
          return names;
        }
        if (!"ustar".equals(text(header, 257, 5))) {
          throw new BadDataException(archive.toString(), offset, "is no tar header");
        }
        String prefix = text(header, 345, 155);
        String name = prefix.isEmpty() ? text(header, 0, 100) : prefix + "/" + text(header, 0, 100);
        long size = size(archive, offset, header);
        Path to = into.resolve(name.startsWith("/") ? name.substring(1) : name).normalize();
        if (!to.startsWith(into)) {
          throw new BadDataException(archive.toString(), offset, name + " leads out");
        }
        offset += BLOCK + (size + BLOCK - 1) / BLOCK * BLOCK;
        int kind = header[156];
        if (kind == '0' || kind == 0) {
          Files.createDirectories(to.getParent());
          copy(archive, in, to, size);
          names.add(name);
        } else {
          in.skipNBytes((size + BLOCK - 1) / BLOCK * BLOCK);
        }
      }
    }
  }

  private static void copy(Path archive, InputStream in, Path to, long size) throws IOException {
    try (OutputStream out = Files.newOutputStream(to)) {
      long left = size;
      while (left > 0) {
        byte[] part = in.readNBytes((int) Math.min(left, 1 << 20));
        if (part.length == 0) {
          throw new BadDataException(archive.toString(), size - left, "ends inside of " + to);
        }
        out.write(part);
        left -= part.length;
      }
    }
    in.skipNBytes(-size & (BLOCK - 1));
  }

  private static long size(Path archive, long offset, byte[] header) {
    String digits = text(header, 124, 12).trim();
    try {
      return Long.parseLong(digits, 8);
    } catch (NumberFormatException e) {
      throw new BadDataException(
          archive.toString(), offset + 124, "'" + digits + "' is no octal size");
    }
  }

  private static String text(byte[] block, int at, int length) {
    int end = at;
    while (end < at + length && block[end] != 0) {
      end++;
    }
    return new String(block, at, end - at, StandardCharsets.UTF_8);
  }
}
