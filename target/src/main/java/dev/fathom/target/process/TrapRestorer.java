// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.process;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;

/**
 * A program that puts the code of a process back whose tracer was killed: what a {@link TrapGuard}
 * puts back only when a thread comes to a breakpoint. Runs in the process's directory in {@code
 * /proc}, which stays its own when its number is another's. Uses nothing but the JDK.
 */
final class TrapRestorer {
  private TrapRestorer() {}

  /** The command that runs it, where this program's own files are known. */
  static Optional<List<String>> command(long base, long token) {
    var source = TrapRestorer.class.getProtectionDomain().getCodeSource();
    if (source == null) {
      return Optional.empty();
    }
    var words = new ArrayList<String>();
    words.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    words.addAll(List.of("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx32m"));
    var name = TrapRestorer.class.getName();
    try {
      URI place = source.getLocation().toURI();
      if (place.getScheme().equals("file")) {
        words.addAll(List.of("-cp", Path.of(place).toString(), name));
      } else {
        words.addAll(List.of("-m", TrapRestorer.class.getModule().getName() + '/' + name));
      }
    } catch (URISyntaxException e) {
      throw new IllegalStateException("this program's own place has no name", e);
    }
    words.add(Long.toHexString(base));
    words.add(Long.toHexString(token));
    return Optional.of(words);
  }

  /**
   * Restores.
   *
   * @param arguments where the guard is, and its token, hexadecimal
   */
  public static void main(String[] arguments) throws IOException {
    long base = HexFormat.fromHexDigitsToLong(arguments[0]);
    long token = HexFormat.fromHexDigitsToLong(arguments[1]);
    try (var memory = new RandomAccessFile("mem", "rw")) {
      int count = Math.min(TrapGuard.MOST, read(memory, base + TrapGuard.COUNT, 4).getInt(0));
      var table = read(memory, base + TrapGuard.TABLE, count * TrapGuard.ENTRY);
      for (int i = 0; i < count; i++) {
        // Another tracer that came meanwhile has put this in order, and planted its own.
        if (read(memory, base + TrapGuard.TOKEN, Long.BYTES).getLong(0) != token) {
          return;
        }
        restore(memory, table.getLong(i * TrapGuard.ENTRY), table.get(i * TrapGuard.ENTRY + 8));
      }
    }
  }

  private static void restore(RandomAccessFile memory, long address, byte code) {
    if (address <= 0) {
      return;
    }
    try {
      if (read(memory, address, 1).get(0) == (byte) 0xcc) {
        memory.seek(address);
        memory.write(code);
      }
    } catch (IOException e) {
      return; // Nothing is mapped there any more.
    }
  }

  private static ByteBuffer read(RandomAccessFile memory, long address, int count)
      throws IOException {
    var bytes = new byte[count];
    memory.seek(address);
    memory.readFully(bytes);
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }
}
