// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.qemu;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;

/**
 * Which process of this host listens on a socket. {@code /proc/net/unix} and {@code /proc/net/tcp}
 * tell the sockets' inode numbers (proc(5)), {@code /proc/PID/fd} who has them open:
 *
 * <pre>
 * Num       RefCount Protocol Flags    Type St Inode Path
 * ...:      00000002 00000000 00010000 0001 01 17205 /run/guest.qmp
 *   sl  local_address rem_address   st tx_queue:rx_queue tr:tm->when retrnsmt   uid  timeout inode
 *    0: 0100007F:04D2 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 17311
 * </pre>
 */
final class Listeners {
  private static final String LISTENING_TCP = "0A";

  /** {@code __SO_ACCEPTCON}. */
  private static final int LISTENING_UNIX = 1 << 16;

  private Listeners() {}

  /**
   * The process that listens on {@code address}; empty when it is not of this host, or this user
   * may not see it.
   */
  static OptionalLong find(SocketAddress address) {
    try {
      if (address instanceof UnixDomainSocketAddress unix) {
        return ofUnix(unix.getPath());
      }
      if (address instanceof InetSocketAddress internet && isHere(internet)) {
        var inodes = new ArrayList<String>();
        tcpInodes(Path.of("/proc/net/tcp"), internet.getPort(), inodes);
        tcpInodes(Path.of("/proc/net/tcp6"), internet.getPort(), inodes);
        return holder(inodes);
      }
      return OptionalLong.empty();
    } catch (IOException _) {
      return OptionalLong.empty(); // No /proc, or not ours to see: as if it were elsewhere.
    }
  }

  private static boolean isHere(InetSocketAddress address) {
    return address.getAddress() != null && address.getAddress().isLoopbackAddress();
  }

  private static OptionalLong ofUnix(Path path) throws IOException {
    Path name = path.getFileName();
    var inodes = new ArrayList<String>();
    var bound = new ArrayList<Path>();
    for (String line : lines(Path.of("/proc/net/unix"))) {
      String[] fields = line.strip().split(" +", 8);
      if (name != null
          && fields.length == 8
          && (flags(fields[3]) & LISTENING_UNIX) != 0
          && fields[7].endsWith(name.toString())) {
        inodes.add(fields[6]);
        bound.add(Path.of(fields[7]));
      }
    }
    for (int i = 0; i < inodes.size(); i++) {
      OptionalLong pid = holder(List.of(inodes.get(i)));
      if (pid.isPresent() && isSame(path, bound.get(i), pid.getAsLong())) {
        return pid;
      }
    }
    return OptionalLong.empty();
  }

  /** Whether a path that a process bound, as it wrote it, is {@code path}. */
  private static boolean isSame(Path path, Path bound, long pid) {
    try {
      Path directory = bound.isAbsolute() ? Path.of("/") : Path.of("/proc/" + pid + "/cwd");
      return Files.isSameFile(path, directory.resolve(bound));
    } catch (IOException _) {
      return false; // Another directory's socket of that name, which this user may not see.
    }
  }

  private static int flags(String hex) {
    try {
      return Integer.parseUnsignedInt(hex, 16);
    } catch (NumberFormatException _) {
      return 0; // The heading.
    }
  }

  private static void tcpInodes(Path table, int port, List<String> inodes) throws IOException {
    if (!Files.exists(table)) {
      return;
    }
    for (String line : lines(table)) {
      String[] fields = line.strip().split(" +", 11);
      if (fields.length >= 10 && fields[3].equals(LISTENING_TCP)) {
        int colon = fields[1].lastIndexOf(':');
        if (colon >= 0 && flags(fields[1].substring(colon + 1)) == port) {
          inodes.add(fields[9]);
        }
      }
    }
  }

  private static List<String> lines(Path file) throws IOException {
    return Files.readAllLines(file, StandardCharsets.ISO_8859_1);
  }

  /** The process that has one of the sockets open. */
  private static OptionalLong holder(List<String> inodes) throws IOException {
    if (inodes.isEmpty()) {
      return OptionalLong.empty();
    }
    try (DirectoryStream<Path> processes = Files.newDirectoryStream(Path.of("/proc"), "[1-9]*")) {
      for (Path process : processes) {
        if (has(process, inodes)) {
          return OptionalLong.of(Long.parseLong(process.getFileName().toString()));
        }
      }
    } catch (NumberFormatException _) {
      return OptionalLong.empty(); // Not a /proc that is known.
    }
    return OptionalLong.empty();
  }

  private static boolean has(Path process, List<String> inodes) {
    try (DirectoryStream<Path> files = Files.newDirectoryStream(process.resolve("fd"))) {
      for (Path file : files) {
        String target = Files.readSymbolicLink(file).toString();
        if (target.startsWith("socket:[")
            && inodes.contains(target.substring(8, target.length() - 1))) {
          return true;
        }
      }
    } catch (IOException | java.nio.file.DirectoryIteratorException _) {
      return false; // Another user's, or it has ended.
    }
    return false;
  }
}
