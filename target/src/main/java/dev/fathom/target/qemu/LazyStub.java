// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.qemu;

import dev.fathom.base.FathomException;
import dev.fathom.base.TargetException;
import dev.fathom.target.AttachOptions;
import dev.fathom.target.Live;
import dev.fathom.target.LiveTargetProvider;
import dev.fathom.target.Target;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.ServiceLoader;

/**
 * QEMU's gdb stub, connected to when it is first needed: the one that QEMU was started with, else
 * one that the monitor's {@code gdbserver} starts and {@link #close} switches off again. To connect
 * stops the machine.
 */
final class LazyStub implements AutoCloseable {
  private static final String BACKEND = "gdb";

  private final QmpClient qmp;
  private final Optional<String> known;
  private final AttachOptions options;
  private Optional<Target> connected = Optional.empty();
  private Optional<Path> directory = Optional.empty();
  private Optional<String> address = Optional.empty();
  private boolean started;

  /**
   * @param known the address of the stub that QEMU was started with
   */
  LazyStub(QmpClient qmp, Optional<String> known, AttachOptions options) {
    this.qmp = qmp;
    this.known = known;
    this.options = options;
  }

  /** The stub, where it was needed before. */
  Optional<Target> connected() {
    return connected;
  }

  /**
   * The stub.
   *
   * @throws TargetException when it cannot be started or serves somebody else
   */
  Target connect() {
    if (connected.isEmpty()) {
      connected = Optional.of(known.isPresent() ? open(known.get()) : start());
    }
    return connected.get();
  }

  /**
   * Gives up a connection that is broken. What it put into the machine is taken out by another one,
   * which leaves the machine as it is: stopped.
   */
  void drop() {
    Optional<Target> old = connected;
    connected = Optional.empty();
    try {
      old.ifPresent(Target::close);
    } catch (TargetException e) {
      if (address.isEmpty()) {
        throw e;
      }
    }
    // What a broken connection could not let go, a new one does.
    if (address.isPresent()) {
      attach(address.get(), options).close();
    }
  }

  /** Attaches to a stub. */
  static Target attach(String address, AttachOptions options) {
    for (LiveTargetProvider provider : ServiceLoader.load(LiveTargetProvider.class)) {
      if (provider.name().equals(BACKEND)) {
        return provider.attach(address, options);
      }
    }
    throw new TargetException("gdb stubs cannot be used in this build");
  }

  /** On a socket that only this user can reach; where QEMU may not make that, on a port. */
  private Target start() {
    try {
      Path socket = makeDirectory().resolve("gdb");
      start("unix:" + socket + ",server=on,wait=off");
      if (Files.exists(socket)) {
        return attachOrEnd("unix:" + socket);
      }
      int port = freePort();
      start("tcp:127.0.0.1:" + port);
      return attachOrEnd("localhost:" + port);
    } catch (IOException | TargetException e) {
      throw new TargetException("cannot start QEMU's gdb stub: " + e.getMessage(), e);
    }
  }

  private Path makeDirectory() throws IOException {
    if (directory.isEmpty()) {
      directory = Optional.of(Files.createTempDirectory("fathom-gdb"));
    }
    return directory.get();
  }

  private void start(String device) {
    started = true;
    qmp.monitor("gdbserver " + device);
  }

  private Target open(String where) {
    Target target = attach(where, options);
    address = Optional.of(where);
    return target;
  }

  private Target attachOrEnd(String address) {
    try {
      return open(address);
    } catch (FathomException e) {
      switchOff();
      throw e;
    }
  }

  private static int freePort() throws IOException {
    try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  private void switchOff() {
    if (started && qmp.works()) {
      qmp.monitor("gdbserver none");
      started = false;
    }
  }

  /** Closes the connection and switches off what was started here. */
  @Override
  public void close() {
    try {
      boolean broken =
          connected
              .flatMap(target -> target.find(Live.class))
              .filter(live -> live.state() == Live.State.GONE)
              .isPresent();
      if (broken && qmp.works()) {
        drop();
      } else {
        connected.ifPresent(Target::close);
      }
    } finally {
      connected = Optional.empty();
      endStub();
    }
  }

  private void endStub() {
    try {
      switchOff();
    } finally {
      removeDirectory();
    }
  }

  private void removeDirectory() {
    try {
      if (directory.isPresent()) {
        Files.deleteIfExists(directory.get().resolve("gdb"));
        Files.deleteIfExists(directory.get());
      }
    } catch (IOException e) {
      throw new TargetException("cannot remove " + directory.get(), e);
    }
  }
}
