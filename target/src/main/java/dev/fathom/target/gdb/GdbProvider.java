// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.gdb;

import dev.fathom.base.FathomException;
import dev.fathom.base.TargetException;
import dev.fathom.base.UsageException;
import dev.fathom.target.AttachOptions;
import dev.fathom.target.LiveTargetProvider;
import dev.fathom.target.Target;
import dev.fathom.target.TargetWithWarning;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.regex.Pattern;

/** Attaches to gdb stubs over TCP or Unix-domain sockets. */
public final class GdbProvider implements LiveTargetProvider {
  private static final String UNIX = "unix:";
  private static final String STANDS = "; if a guest was stopped by connecting, it may stand still";

  /** A host, in brackets where it is a number with colons, and what should be a port. */
  private static final Pattern HOST_AND_PORT =
      Pattern.compile("(?:[\\w.-]*|\\[[0-9a-fA-F:.%]+\\]):([^:/]*)");

  @Override
  public String name() {
    return "gdb";
  }

  @Override
  public List<String> forms() {
    return List.of("HOST:PORT", "unix:PATH", "PATH");
  }

  @Override
  public boolean accepts(String address) {
    return address.startsWith(UNIX) || port(address) > 0 || isSocket(address);
  }

  @Override
  public Optional<String> flaw(String address) {
    var parts = HOST_AND_PORT.matcher(address);
    return parts.matches()
        ? Optional.of("'" + parts.group(1) + "' is not a port, a number from 1 to 65535")
        : Optional.empty();
  }

  /**
   * @throws TargetException when nobody answers there, or something else than a gdb stub
   */
  @Override
  public Target attach(String address, AttachOptions options) {
    SocketAddress socket = socket(address);
    SocketWire wire;
    try {
      wire = SocketWire.connect(socket, options.timeout());
    } catch (IOException | java.nio.channels.UnresolvedAddressException e) {
      throw new TargetException(address + ": cannot connect: " + e.getMessage(), e);
    }
    var link = new Link(address, wire, options.timeout());
    link.giveUpWhen(options.givenUp());
    try {
      var target = new GdbTarget(Stub.open(link), socket, options.timeout());
      link.giveUpWhen(() -> false);
      return target;
    } catch (RuntimeException e) {
      link.giveUpWhen(() -> false);
      if (link.isMonitor()) {
        link.close();
        return throughMonitor(address, socket, options);
      }
      // Connecting stopped what runs there, and only a detach lets it go on.
      Optional<String> failure = letGo(link);
      link.close();
      if (failure.isPresent() && e instanceof FathomException) {
        throw new TargetException(e.getMessage() + failure.get(), e);
      }
      failure.ifPresent(why -> e.addSuppressed(new TargetException(address + why)));
      throw e;
    }
  }

  /** The target behind QEMU's machine protocol, which serves another backend. */
  private static Target throughMonitor(
      String address, SocketAddress socket, AttachOptions options) {
    String what = address + ": this is QEMU's machine protocol, not a gdb stub";
    if (socket instanceof UnixDomainSocketAddress path) {
      String meant = "qmp:" + path.getPath();
      for (LiveTargetProvider provider : ServiceLoader.load(LiveTargetProvider.class)) {
        if (provider.accepts(meant)) {
          return new TargetWithWarning(
              provider.attach(meant, options), what + ": attached to " + meant);
        }
      }
    }
    throw new TargetException(what);
  }

  /**
   * Lets the target of a connection that is of no use go.
   *
   * @return what to tell when that failed
   */
  private static Optional<String> letGo(Link link) {
    if (link.hasEnded()) {
      return Optional.empty();
    }
    if (!link.hasHeard()) {
      link.farewell();
      return Optional.of(STANDS);
    }
    try {
      if (!link.isBroken() && Stub.abandon(link)) {
        return Optional.empty();
      }
    } catch (FathomException e) {
      return Optional.of(STANDS + " (" + e.getMessage() + ")");
    }
    return Optional.of(STANDS);
  }

  private static SocketAddress socket(String address) {
    if (address.startsWith(UNIX)) {
      return unix(address.substring(UNIX.length()));
    }
    int port = port(address);
    if (port > 0) {
      String host = address.substring(0, address.lastIndexOf(':'));
      if (host.startsWith("[") && host.endsWith("]")) {
        host = host.substring(1, host.length() - 1);
      }
      return new InetSocketAddress(host.isEmpty() ? "localhost" : host, port);
    }
    if (isSocket(address)) {
      return unix(address);
    }
    throw new UsageException(address + ": expected HOST:PORT or the path of a socket");
  }

  private static SocketAddress unix(String path) {
    try {
      return UnixDomainSocketAddress.of(path);
    } catch (IllegalArgumentException e) {
      throw new UsageException(path + ": no path of a socket: " + e.getMessage());
    }
  }

  /** The port of HOST:PORT, or 0 where the address has another form. */
  private static int port(String address) {
    int colon = address.lastIndexOf(':');
    if (colon < 0 || address.indexOf('/') >= 0 || address.length() - colon > 6) {
      return 0;
    }
    int port = 0;
    for (int i = colon + 1; i < address.length(); i++) {
      int digit = address.charAt(i) - '0';
      if (digit < 0 || digit > 9) {
        return 0;
      }
      port = 10 * port + digit;
    }
    return port <= 65535 ? port : 0;
  }

  private static boolean isSocket(String address) {
    try {
      Path path = Path.of(address);
      return Files.exists(path)
          && Files.readAttributes(path, java.nio.file.attribute.BasicFileAttributes.class)
              .isOther();
    } catch (InvalidPathException | IOException e) {
      return false;
    }
  }
}
