// SPDX-License-Identifier: Apache-2.0
package dev.fathom.bench;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * An ELF core with one more piece of memory, all zeros and taking no room on disk, above all other
 * memory: the dump of a large machine for one who has only a small one.
 *
 * <p>The program headers are copied to the end of the file with one more behind them, and the ELF
 * header (e_phoff at 32, e_phnum at 56; ELF-64) points there.
 */
final class SparseDump {
  private static final int HEADER = 64;
  private static final int E_PHOFF = 32;
  private static final int E_PHENTSIZE = 54;
  private static final int E_PHNUM = 56;
  private static final int PHENTSIZE = 56;
  private static final int PT_LOAD = 1;
  private static final int PF_RWX = 7;
  private static final long ABOVE_ALL = 1L << 40;

  private SparseDump() {}

  /** Writes {@code to}: the dump {@code from} and {@code extra} bytes of zeros at 1 TiB. */
  static Path write(Path from, long extra, Path to) throws IOException {
    Files.copy(from, to);
    try (FileChannel file =
        FileChannel.open(to, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      ByteBuffer header = read(file, 0, HEADER);
      int count = Short.toUnsignedInt(header.getShort(E_PHNUM));
      if (header.getInt(0) != 0x464c457f || header.getShort(E_PHENTSIZE) != PHENTSIZE) {
        throw new IOException(from + ": not an ELF-64 core");
      }
      long hole = (file.size() + 0xffff) & -0x10000L;
      long table = hole + extra;
      ByteBuffer headers = ByteBuffer.allocate((count + 1) * PHENTSIZE);
      headers.order(ByteOrder.LITTLE_ENDIAN);
      headers.put(read(file, header.getLong(E_PHOFF), count * PHENTSIZE));
      headers.putInt(PT_LOAD).putInt(PF_RWX).putLong(hole).putLong(0).putLong(ABOVE_ALL);
      headers.putLong(extra).putLong(extra).putLong(0);
      write(file, table, headers.flip());
      header.putLong(E_PHOFF, table).putShort(E_PHNUM, (short) (count + 1));
      write(file, 0, header.clear());
    }
    return to;
  }

  private static ByteBuffer read(FileChannel file, long at, int length) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
    while (bytes.hasRemaining()) {
      if (file.read(bytes, at + bytes.position()) < 0) {
        throw new IOException("the dump ends within its headers");
      }
    }
    return bytes.flip();
  }

  private static void write(FileChannel file, long at, ByteBuffer bytes) throws IOException {
    long next = at;
    while (bytes.hasRemaining()) {
      next += file.write(bytes, next);
    }
  }
}
