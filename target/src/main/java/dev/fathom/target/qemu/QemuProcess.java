// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.qemu;

import dev.fathom.base.TargetException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A QEMU process on this host as {@code /proc} and its command line show it.
 *
 * @param arguments its command line
 * @param directory where its relative paths start
 */
record QemuProcess(long pid, List<String> arguments, Path directory) {
  QemuProcess {
    arguments = List.copyOf(arguments);
  }

  /**
   * @throws TargetException when there is no such process
   */
  static QemuProcess of(long pid) {
    Path proc = Path.of("/proc/" + pid);
    try {
      String line = Files.readString(proc.resolve("cmdline"), StandardCharsets.ISO_8859_1);
      List<String> arguments =
          List.of(
              new String(line.getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8)
                  .split("\0"));
      return new QemuProcess(pid, arguments, directory(proc));
    } catch (NoSuchFileException e) {
      throw new TargetException("there is no process " + pid, e);
    } catch (IOException e) {
      throw new TargetException("cannot look at process " + pid + ": " + e.getMessage(), e);
    }
  }

  private static Path directory(Path proc) throws IOException {
    try {
      return Files.readSymbolicLink(proc.resolve("cwd"));
    } catch (AccessDeniedException _) {
      return Path.of("/"); // Another user's process: its relative paths cannot be found.
    }
  }

  /**
   * The sockets on which it serves the machine protocol, in the order of its command line: {@code
   * -qmp unix:PATH,server=on}, {@code -qmp tcp:HOST:PORT,...}, and {@code -chardev
   * socket,id=ID,path=PATH} with {@code -mon chardev=ID,mode=control}. Sockets to which QEMU
   * connects are left out.
   */
  List<SocketAddress> controlSockets() {
    var sockets = new ArrayList<SocketAddress>();
    Map<String, Map<String, String>> devices = new HashMap<>();
    for (String value : values("-chardev")) {
      Map<String, String> options = options(value, "backend");
      devices.put(options.getOrDefault("id", ""), options);
    }
    for (int i = 1; i + 1 < arguments.size(); i++) {
      String value = arguments.get(i + 1);
      switch (option(i)) {
        case "-qmp", "-qmp-pretty" -> legacy(value).ifPresent(sockets::add);
        case "-mon" -> {
          Map<String, String> options = options(value, "chardev");
          Map<String, String> device = devices.get(options.getOrDefault("chardev", ""));
          if (device != null && options.getOrDefault("mode", "readline").equals("control")) {
            socket(device).ifPresent(sockets::add);
          }
        }
        default -> {}
      }
    }
    return sockets;
  }

  /**
   * The address of its gdb stub: {@code -s}, {@code -gdb tcp::PORT}, {@code -gdb tcp:HOST:PORT}, or
   * {@code -gdb unix:PATH,server=on}; the last one counts.
   */
  Optional<String> stub() {
    Optional<String> found = Optional.empty();
    for (int i = 1; i < arguments.size(); i++) {
      if (option(i).equals("-s")) {
        found = Optional.of("localhost:1234");
      } else if (option(i).equals("-gdb") && i + 1 < arguments.size()) {
        found = stub(options(arguments.get(i + 1), "address").getOrDefault("address", ""));
      }
    }
    return found;
  }

  private Optional<String> stub(String address) {
    if (address.startsWith("unix:")) {
      return Optional.of("unix:" + directory.resolve(address.substring(5)));
    }
    int colon = address.lastIndexOf(':');
    if (!address.startsWith("tcp:") || colon < 4) {
      return Optional.empty();
    }
    String host = address.substring(4, colon);
    boolean any = host.isEmpty() || host.equals("0.0.0.0") || host.equals("::");
    return Optional.of((any ? "localhost" : host) + address.substring(colon));
  }

  /** QEMU takes {@code --option} for {@code -option}. */
  private String option(int i) {
    String argument = arguments.get(i);
    return argument.startsWith("--") ? argument.substring(1) : argument;
  }

  private List<String> values(String name) {
    var values = new ArrayList<String>();
    for (int i = 1; i + 1 < arguments.size(); i++) {
      if (option(i).equals(name)) {
        values.add(arguments.get(i + 1));
      }
    }
    return values;
  }

  /** {@code unix:PATH,server=on,wait=off} or {@code tcp:HOST:PORT,server=on,wait=off}. */
  private Optional<SocketAddress> legacy(String value) {
    Map<String, String> options = options(value, "address");
    String address = options.getOrDefault("address", "");
    if (!server(options)) {
      return Optional.empty();
    }
    if (address.startsWith("unix:")) {
      return Optional.of(unix(address.substring(5)));
    }
    if (address.startsWith("tcp:")) {
      int colon = address.lastIndexOf(':');
      return tcp(address.substring(4, Math.max(4, colon)), address.substring(colon + 1));
    }
    return Optional.empty();
  }

  private Optional<SocketAddress> socket(Map<String, String> device) {
    if (!device.getOrDefault("backend", "").equals("socket") || !server(device)) {
      return Optional.empty();
    }
    if (device.containsKey("path")) {
      return Optional.of(unix(device.get("path")));
    }
    return device.containsKey("port")
        ? tcp(device.getOrDefault("host", ""), device.get("port"))
        : Optional.empty();
  }

  /** {@code server}, {@code server=on} and, in old spellings, {@code server=yes}. */
  private static boolean server(Map<String, String> options) {
    return switch (options.getOrDefault("server", "off")) {
      case "on", "yes", "true", "y" -> true;
      default -> false;
    };
  }

  private SocketAddress unix(String path) {
    return UnixDomainSocketAddress.of(directory.resolve(path));
  }

  private static Optional<SocketAddress> tcp(String host, String port) {
    boolean any = host.isEmpty() || host.equals("0.0.0.0") || host.equals("::");
    try {
      int number = Integer.parseInt(port);
      return number > 0 && number < 1 << 16
          ? Optional.of(new InetSocketAddress(any ? "localhost" : host, number))
          : Optional.empty();
    } catch (NumberFormatException _) {
      return Optional.empty(); // A service's name: nobody writes that.
    }
  }

  /**
   * QEMU's {@code value,key=value,key}: two commas stand for one, the first value may lack its key,
   * and a key alone is on.
   */
  static Map<String, String> options(String text, String firstKey) {
    var options = new HashMap<String, String>();
    var part = new StringBuilder();
    boolean first = true;
    for (int i = 0; i <= text.length(); i++) {
      boolean end = i == text.length();
      if (!end && text.charAt(i) != ',') {
        part.append(text.charAt(i));
      } else if (!end && i + 1 < text.length() && text.charAt(i + 1) == ',') {
        part.append(',');
        i++;
      } else {
        int equals = part.indexOf("=");
        if (equals >= 0) {
          options.put(part.substring(0, equals), part.substring(equals + 1));
        } else if (first) {
          options.put(firstKey, part.toString());
        } else if (part.toString().startsWith("no")) {
          options.put(part.substring(2), "off");
        } else {
          options.put(part.toString(), "on");
        }
        part.setLength(0);
        first = false;
      }
    }
    return options;
  }
}
