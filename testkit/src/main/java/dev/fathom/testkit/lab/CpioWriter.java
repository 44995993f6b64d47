// SPDX-License-Identifier: Apache-2.0
package dev.fathom.testkit.lab;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.Set;

/**
 * Writes a cpio archive in the "new ASCII" (newc) form that Linux unpacks as an initramfs.
 *
 * <pre>
 * archive := entry* trailer
 * entry   := "070701" field{13} name NUL pad4 data pad4     field: 8 hexadecimal digits
 * trailer := entry named "TRAILER!!!" without data
 * </pre>
 *
 * The layout is that of the kernel's Documentation/driver-api/early-userspace/buffer-format.rst.
 * Missing parent directories are made. Times are zero, so that equal input gives equal bytes.
 */
public final class CpioWriter implements AutoCloseable {
  private static final int DIRECTORY = 0x4000;
  private static final int REGULAR = 0x8000;
  private static final int SYMLINK = 0xa000;

  private final OutputStream out;
  private final Set<String> written = new HashSet<>();
  private long position;
  private int inode = 1;

  /** Writes to {@code out}, which {@link #close} closes. */
  public CpioWriter(OutputStream out) {
    this.out = out;
  }

  /** A directory, and those above it; does nothing when it was written before. */
  public void directory(String path) throws IOException {
    String name = clean(path);
    if (name.isEmpty() || written.contains(name)) {
      return;
    }
    parents(name);
    entry(name, DIRECTORY | 0755, new byte[0]);
  }

  /** A regular file with the given permission bits. A second file of that name is an error. */
  public void file(String path, int permissions, byte[] content) throws IOException {
    String name = clean(path);
    parents(name);
    entry(name, REGULAR | permissions, content);
  }

  /** A symbolic link that points to {@code to}. */
  public void symlink(String path, String to) throws IOException {
    String name = clean(path);
    parents(name);
    entry(name, SYMLINK | 0777, to.getBytes(StandardCharsets.UTF_8));
  }

  /** Whether a path was written, as anything. */
  public boolean contains(String path) {
    return written.contains(clean(path));
  }

  @Override
  public void close() throws IOException {
    try (out) {
      written.remove("TRAILER!!!");
      entry("TRAILER!!!", 0, new byte[0]);
    }
  }

  private void parents(String name) throws IOException {
    int slash = name.lastIndexOf('/');
    if (slash > 0) {
      directory(name.substring(0, slash));
    }
  }

  private void entry(String name, int mode, byte[] content) throws IOException {
    if (!written.add(name)) {
      throw new IllegalArgumentException("the archive holds " + name + " already");
    }
    byte[] nameBytes = (name + "\0").getBytes(StandardCharsets.UTF_8);
    StringBuilder header = new StringBuilder("070701");
    int links = (mode & 0xf000) == DIRECTORY ? 2 : 1;
    int[] fields = {inode++, mode, 0, 0, links, 0, content.length, 0, 0, 0, 0, nameBytes.length, 0};
    for (int field : fields) {
      String digits = Integer.toHexString(field);
      header.repeat('0', 8 - digits.length()).append(digits);
    }
    put(header.toString().getBytes(StandardCharsets.US_ASCII));
    put(nameBytes);
    pad();
    put(content);
    pad();
  }

  private void put(byte[] bytes) throws IOException {
    out.write(bytes);
    position += bytes.length;
  }

  private void pad() throws IOException {
    put(new byte[(int) (-position & 3)]);
  }

  private static String clean(String path) {
    return path.startsWith("/") ? path.substring(1) : path;
  }
}
