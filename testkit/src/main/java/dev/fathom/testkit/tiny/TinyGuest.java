// SPDX-License-Identifier: Apache-2.0
package dev.fathom.testkit.tiny;

import dev.fathom.testkit.qemu.FakeQmp;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The made-up Linux as a guest that can be attached to: its memory lies in this process, which
 * answers as QEMU does.
 */
public final class TinyGuest implements AutoCloseable {
  private final Arena arena = Arena.ofShared();
  private final FakeQmp qemu = new FakeQmp();

  public TinyGuest() {
    var linux = new TinyLinux().withoutVmcoreinfo();
    linux.vmcore();
    byte[] bytes = linux.memory();
    MemorySegment memory = arena.allocate(bytes.length, 4096);
    MemorySegment.copy(bytes, 0, memory, ValueLayout.JAVA_BYTE, 0, bytes.length);
    long last = TinyLinux.PHYSICAL + bytes.length - 1;
    qemu.memory(TinyLinux.PHYSICAL, memory)
        .answer("query-target", "{\"arch\": \"x86_64\"}")
        .machine(true)
        .monitor("info registers -a", linux.monitorRegisters())
        .monitor(
            "info mtree -f",
            String.format(
                "FlatView #0%n AS \"memory\", root: system%n  %016x-%016x (prio 0, ram): pc.ram%n",
                TinyLinux.PHYSICAL, last))
        .monitor(
            "gpa2hva 0x" + Long.toHexString(TinyLinux.PHYSICAL),
            "Host virtual address is 0x" + Long.toHexString(memory.address()) + "\n");
  }

  /** The socket of the machine protocol. */
  public Path socket() {
    return qemu.socket();
  }

  /**
   * Serves for as many seconds as the first argument says, or until the process is ended; writes
   * the socket's path into the file that the second one names, for the build.
   */
  public static void main(String[] arguments) throws IOException, InterruptedException {
    try (var guest = new TinyGuest()) {
      Files.writeString(Path.of(arguments[1]), guest.socket().toString());
      Thread.sleep(Long.parseLong(arguments[0]) * 1000);
    }
  }

  @Override
  public void close() throws IOException {
    qemu.close();
    arena.close();
  }
}
