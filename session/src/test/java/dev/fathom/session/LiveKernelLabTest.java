// SPDX-License-Identifier: Apache-2.0
package dev.fathom.session;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fathom.base.Cell;
import dev.fathom.kernel.Kernel;
import dev.fathom.kernel.KernelOptions;
import dev.fathom.kernel.Progress;
import dev.fathom.kernel.Task;
import dev.fathom.target.AttachOptions;
import dev.fathom.target.Live;
import dev.fathom.target.PhysicalMemory;
import dev.fathom.testkit.gdb.PlainStub;
import dev.fathom.testkit.lab.Lab;
import dev.fathom.testkit.lab.LiveGuest;
import dev.fathom.testkit.lab.Recipe;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/** Kernels found in guests that run, by what a CPU has in its registers at some moment. */
@Tag("lab")
@Timeout(600)
class LiveKernelLabTest {
  private static final Lab LAB = Lab.open();

  @TempDir Path index;

  @ParameterizedTest
  @FieldSource("dev.fathom.testkit.lab.LabRecipes#KERNELS")
  void ofEveryVersion(String version) {
    check(Recipe.healthy(version), List.of());
  }

  @Test
  void withFiveLevelsFourCpusAndMemoryAboveFourGigabytes() {
    check(Recipe.healthy("6.12").withFiveLevels().withCpus(4).memory(5120), List.of());
  }

  @Test
  void whileTheOnlyCpuIsInUserModeWithItsOwnPageTables() {
    String kernelLine = "console=ttyS0,115200 no_timer_check lab.spin=1 pti=on";
    check(Recipe.healthy("6.1").withCpus(1), List.of("-append", kernelLine));
  }

  /** As behind KGDB: small packets, none of the control registers, no physical memory. */
  @Test
  void throughVirtualMemoryAlone() throws IOException {
    check(Recipe.healthy("6.1"), "");
  }

  /** Five levels and KASLR: the place of the direct map stands in the image's data. */
  @Test
  void throughVirtualMemoryAloneWithFiveLevels() throws IOException {
    check(Recipe.healthy("6.12").withFiveLevels(), "PacketSize=1000");
  }

  private void check(Recipe recipe, String features) throws IOException {
    int port = freePort();
    try (LiveGuest guest = LAB.start(recipe, List.of("-gdb", "tcp:127.0.0.1:" + port));
        PlainStub stub = new PlainStub(port, features)) {
      var options = new KernelOptions(Optional.of(index), true, Progress.NONE);
      try (Session session =
          Session.attach("localhost:" + stub.port(), AttachOptions.DEFAULT, options)) {
        assertThat(session.target().find(PhysicalMemory.class)).isEmpty();
        assertThat(session.kernel().warnings()).isEmpty();
        assertThat(how(session.kernel())).contains("direct map");
        check(session.kernel(), guest);
        int stacks = 0;
        for (Task task : session.kernel().tasks(_ -> {}).toList()) {
          stacks += session.kernel().stack(task).frames().size() > 2 ? 1 : 0;
        }
        assertThat(stacks).isGreaterThan(40);
      }
      guest.run("true");
    }
  }

  private static int freePort() throws IOException {
    try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  private void check(Recipe recipe, List<String> more) {
    try (LiveGuest guest = LAB.start(recipe, more)) {
      // The second time the tables come out of the index.
      for (int i = 0; i < 20; i++) {
        var options = new KernelOptions(Optional.of(index), true, Progress.NONE);
        try (Session session =
            Session.attach("qemu:" + guest.pid(), AttachOptions.DEFAULT, options)) {
          assertThat(session.target().warnings()).isEmpty();
          assertThat(session.kernel().warnings()).isEmpty();
          assertThat(how(session.kernel())).isEqualTo("CPU state");
          check(session.kernel(), guest);
          assertThat(session.target().find(Live.class).orElseThrow().state())
              .isEqualTo(Live.State.RUNNING);
        }
      }
      assertThat(guest.guest().monitor().events()).doesNotContain("STOP");
      assertThat(index.toFile().list()).anyMatch(name -> name.endsWith("-positions.index"));
    }
  }

  private static void check(Kernel kernel, LiveGuest guest) {
    assertThat(kernel.program().symbols().first("init_task").orElseThrow().address())
        .isEqualTo(guest.facts().symbol("init_task").orElseThrow());
    List<String> names = kernel.tasks(_ -> {}).map(Task::name).toList();
    assertThat(names).contains("swapper/0", "init", "kthreadd", "lab-thread");
    assertThat(names).filteredOn("sleep"::equals).hasSize(7);
    assertThat(kernel.images()).extracting(image -> image.name()).contains("virtio_blk", "tun");
  }

  private static String how(Kernel kernel) {
    for (var fact : kernel.facts()) {
      if (fact.key().equals("found_by") && fact.value() instanceof Cell.Text(String text)) {
        return text;
      }
    }
    throw new AssertionError("no fact found_by");
  }
}
