// SPDX-License-Identifier: Apache-2.0
package dev.fathom.testkit.lab;

import dev.fathom.base.TargetException;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * A running guest: the QEMU process, its monitor and its serial console. QEMU connects to two
 * sockets in a directory of the guest's own. {@link #close} ends the process, as does the end of
 * this JVM.
 */
public final class Guest implements AutoCloseable {
  /**
   * The timer's self-test at boot is left out, because it fails when the machine is too busy to
   * emulate ticks in time.
   */
  static final String KERNEL_OPTIONS = "console=ttyS0,115200 loglevel=4 oops=panic no_timer_check ";

  /** The same for 64-bit Arm. */
  static final String ARM_OPTIONS = "console=ttyAMA0 loglevel=4 oops=panic ";

  private static final String SERVED_QMP = "served.qmp";

  /** How long QEMU may take to connect. */
  private static final Duration START = Duration.ofSeconds(30);

  private final Process process;
  private final Path sockets;
  private final Thread hook;
  private QmpClient monitor;
  private Console console;

  private Guest(Process process, Path sockets) {
    this.process = process;
    this.sockets = sockets;
    this.hook = new Thread(this::end, "guest end");
    Runtime.getRuntime().addShutdownHook(hook);
  }

  /**
   * Starts a guest by emulation (no KVM), without network or display.
   *
   * @param qemu the program, such as {@code qemu-system-x86_64}
   * @param kernel the compressed kernel
   * @param initramfs the guest's root file system
   * @param append more for the kernel's command line
   * @param disks raw files, which the guest sees as {@code /dev/vda}, {@code /dev/vdb}, ...
   * @param more further arguments for QEMU, after all others
   * @throws TargetException when QEMU does not start, with its words
   */
  public static Guest start(
      Path qemu,
      Path kernel,
      Path initramfs,
      Recipe recipe,
      String append,
      List<Path> disks,
      List<String> more) {
    try {
      Path directory = Files.createTempDirectory("fathom-lab");
      Path words = directory.resolve("qemu.log");
      try (ServerSocketChannel serial = listen(directory.resolve("serial"));
          ServerSocketChannel qmp = listen(directory.resolve("qmp"))) {
        List<String> command = command(qemu, kernel, initramfs, recipe, append, disks, directory);
        command.addAll(more);
        Process process =
            new ProcessBuilder(command)
                .redirectInput(Path.of("/dev/null").toFile())
                .redirectErrorStream(true)
                .redirectOutput(words.toFile())
                .start();
        Guest guest = new Guest(process, directory);
        try {
          guest.console = new Console(accept(serial, process, words));
          SocketChannel channel = accept(qmp, process, words);
          guest.monitor = new QmpClient(channel, channel);
          return guest;
        } catch (IOException | RuntimeException e) {
          guest.close();
          throw e;
        }
      }
    } catch (IOException e) {
      throw new TargetException("lab: cannot start a guest with " + qemu, e);
    }
  }

  /** The guest's serial console. */
  public Console console() {
    return console;
  }

  /** QEMU's monitor. */
  public QmpClient monitor() {
    return monitor;
  }

  /** A second socket of the machine protocol, for whoever wants to connect. */
  public Path qmpSocket() {
    return sockets.resolve(SERVED_QMP);
  }

  /** The QEMU process's id. */
  public long pid() {
    return process.pid();
  }

  /** Kills QEMU and waits for its end. */
  public void kill() {
    process.destroyForcibly();
    awaitEnd(START);
  }

  /** Whether QEMU runs. */
  public boolean alive() {
    return process.isAlive();
  }

  /** Waits until the guest says something; see {@link Console#await}. */
  public void await(String marker, Duration limit) {
    console.await(marker, limit, process::isAlive);
  }

  /** Waits until the guest switched itself off. */
  public void awaitEnd(Duration limit) {
    try {
      if (!process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
        throw new TargetException("lab: the guest did not switch itself off");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new TargetException("lab: interrupted while waiting for a guest", e);
    }
    console.awaitEnd(Duration.ofSeconds(10));
  }

  /** Stops the virtual CPUs. */
  public void stop() {
    monitor.execute("stop", Map.of());
  }

  /** Whether this QEMU can write a flavour of dump. */
  public boolean offers(Flavour flavour) {
    return monitor.execute("query-dump-guest-memory-capability", Map.of()) instanceof Map<?, ?> map
        && map.get("formats") instanceof List<?> formats
        && formats.contains(flavour.format());
  }

  /** Writes a dump of the guest's memory into a new file. */
  public void dump(Flavour flavour, Path file) {
    monitor.execute(
        "dump-guest-memory",
        Map.of(
            "paging",
            flavour.paging(),
            "protocol",
            "file:" + file.toAbsolutePath(),
            "format",
            flavour.format()));
  }

  /** A break and then a letter on the serial line, which Linux takes for a "magic" key. */
  public void sysrq(char letter) {
    monitor.execute("chardev-send-break", Map.of("id", "serial"));
    console.send(String.valueOf(letter));
  }

  @Override
  public void close() {
    process.destroyForcibly();
    try {
      process.waitFor();
      if (!Thread.currentThread().isInterrupted()) {
        Runtime.getRuntime().removeShutdownHook(hook);
      }
      if (monitor != null) {
        monitor.close();
      }
      if (console != null) {
        console.close();
      }
      Trees.delete(sockets);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (IllegalStateException | IOException e) {
      throw new TargetException("lab: cannot clean up after a guest in " + sockets, e);
    }
  }

  /** What is left to do when this JVM ends before {@link #close}. */
  private void end() {
    process.destroyForcibly();
    try {
      Trees.delete(sockets);
    } catch (IOException e) {
      throw new TargetException("lab: cannot clean up after a guest in " + sockets, e);
    }
  }

  private static List<String> command(
      Path qemu,
      Path kernel,
      Path initramfs,
      Recipe recipe,
      String append,
      List<Path> disks,
      Path directory) {
    List<String> command = new ArrayList<>();
    command.add(qemu.toString());
    command.addAll(List.of("-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"));
    command.addAll(List.of("-accel", "tcg,thread=multi"));
    command.addAll(recipe.board().arguments(recipe.fiveLevel()));
    command.addAll(List.of("-m", recipe.memoryMiB() + "M", "-smp", "" + recipe.cpus()));
    command.addAll(List.of("-kernel", kernel.toString(), "-initrd", initramfs.toString()));
    command.addAll(
        List.of(
            "-append",
            recipe.board().kernelOptions() + (recipe.kaslr() ? "" : "nokaslr ") + append));
    command.addAll(List.of("-chardev", "socket,id=serial,path=" + directory.resolve("serial")));
    command.addAll(List.of("-serial", "chardev:serial"));
    command.addAll(List.of("-chardev", "socket,id=qmp,path=" + directory.resolve("qmp")));
    command.addAll(List.of("-mon", "chardev=qmp,mode=control"));
    command.addAll(
        List.of("-qmp", "unix:" + directory.resolve(SERVED_QMP) + ",server=on,wait=off"));
    if (recipe.vmcoreinfo()) {
      command.addAll(List.of("-device", "vmcoreinfo"));
    }
    for (int i = 0; i < disks.size(); i++) {
      String file = disks.get(i).toAbsolutePath().toString().replace(",", ",,");
      command.addAll(
          List.of("-drive", "if=none,format=raw,cache=unsafe,id=disk" + i + ",file=" + file));
      command.addAll(List.of("-device", "virtio-blk-pci,drive=disk" + i));
    }
    return command;
  }

  private static ServerSocketChannel listen(Path path) throws IOException {
    ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    server.bind(UnixDomainSocketAddress.of(path));
    server.configureBlocking(false);
    return server;
  }

  private static SocketChannel accept(ServerSocketChannel server, Process process, Path words)
      throws IOException {
    long deadline = System.nanoTime() + START.toNanos();
    while (true) {
      SocketChannel channel = server.accept();
      if (channel != null) {
        channel.configureBlocking(true);
        return channel;
      }
      try {
        if (process.waitFor(20, TimeUnit.MILLISECONDS) || System.nanoTime() - deadline > 0) {
          throw new TargetException("lab: QEMU did not start: " + Files.readString(words).strip());
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new TargetException("lab: interrupted while QEMU started", e);
      }
    }
  }
}
