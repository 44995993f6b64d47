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
import dev.fathom.testkit.lab.Lab;
import dev.fathom.testkit.lab.LiveGuest;
import dev.fathom.testkit.lab.Recipe;
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

  private void check(Recipe recipe, List<String> more) {
    try (LiveGuest guest = LAB.start(recipe, more)) {
      // The second time the tables come out of the index.
      for (int i = 0; i < 20; i++) {
        var options = new KernelOptions(Optional.of(index), true, Progress.NONE);
        try (Session session =
            Session.attach("qemu:" + guest.pid(), AttachOptions.DEFAULT, options)) {
          assertThat(session.target().warnings()).isEmpty();
          assertThat(session.kernel().warnings()).isEmpty();
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
    assertThat(how(kernel)).isEqualTo("CPU state");
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
