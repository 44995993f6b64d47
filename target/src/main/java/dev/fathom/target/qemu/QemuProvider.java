// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.qemu;

import dev.fathom.base.FathomException;
import dev.fathom.base.TargetException;
import dev.fathom.base.UsageException;
import dev.fathom.target.AttachOptions;
import dev.fathom.target.LiveTargetProvider;
import dev.fathom.target.Target;
import dev.fathom.target.TargetWithWarning;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/** Attaches to a QEMU on this host by its process or by the socket of its machine protocol. */
public final class QemuProvider implements LiveTargetProvider {
  private static final String BY_PROCESS = "qemu:";
  private static final String BY_SOCKET = "qmp:";

  @Override
  public String name() {
    return "qemu";
  }

  @Override
  public List<String> forms() {
    return List.of("qemu:PID", "qmp:PATH");
  }

  @Override
  public boolean accepts(String address) {
    return address.startsWith(BY_PROCESS) || address.startsWith(BY_SOCKET);
  }

  @Override
  public Target attach(String address, AttachOptions options) {
    if (address.startsWith(BY_PROCESS)) {
      return byProcess(address, options);
    }
    if (address.startsWith(BY_SOCKET)) {
      return bySocket(address, options);
    }
    throw new UsageException(address + " is no address of a QEMU: give qemu:PID or qmp:PATH");
  }

  private static Target bySocket(String address, AttachOptions options) {
    String path = address.substring(BY_SOCKET.length());
    if (path.isEmpty()) {
      throw new UsageException(address + ": the path of a socket is missing");
    }
    SocketAddress socket = unix(Path.of(path));
    QmpClient qmp = QmpClient.connect(socket, options.timeout());
    OptionalLong pid = Listeners.find(socket);
    return QemuTarget.attach(
        address,
        qmp,
        pid.isPresent() ? Optional.of(QemuProcess.of(pid.getAsLong())) : Optional.empty(),
        options);
  }

  private static Target byProcess(String address, AttachOptions options) {
    QemuProcess process = QemuProcess.of(pid(address));
    List<SocketAddress> sockets = new ArrayList<>();
    options.qmp().ifPresent(path -> sockets.add(unix(path)));
    if (sockets.isEmpty()) {
      sockets.addAll(process.controlSockets());
    }
    FathomException problem =
        new TargetException(
            address
                + ": process "
                + process.pid()
                + " serves no QMP socket that its command line tells of; start QEMU with"
                + " -qmp unix:PATH,server=on,wait=off, or give the socket");
    boolean first = true;
    for (SocketAddress socket : sockets) {
      try {
        QmpClient qmp = QmpClient.connect(socket, options.timeout());
        return QemuTarget.attach(address, qmp, Optional.of(process), options);
      } catch (TargetException e) {
        problem = first ? e : problem;
        first = false;
      }
    }
    Optional<String> stub = options.stub().or(process::stub);
    if (stub.isEmpty()) {
      throw problem;
    }
    String why = problem.getMessage() + ": attached through the gdb stub alone, which stops it";
    return new TargetWithWarning(LazyStub.attach(stub.get(), options), why);
  }

  private static SocketAddress unix(Path path) {
    return UnixDomainSocketAddress.of(path);
  }

  private static long pid(String address) {
    String number = address.substring(BY_PROCESS.length());
    try {
      long pid = Long.parseLong(number);
      if (pid > 0) {
        return pid;
      }
    } catch (NumberFormatException _) {
      throw new UsageException(address + ": not the number of a process: " + number);
    }
    throw new UsageException(address + ": not the number of a process: " + number);
  }
}
