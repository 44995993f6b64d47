// SPDX-License-Identifier: Apache-2.0
package dev.fathom.session.dump;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fathom.base.EvalException;
import dev.fathom.base.TargetException;
import dev.fathom.kernel.KernelOptions;
import dev.fathom.kernel.Progress;
import dev.fathom.session.Session;
import dev.fathom.session.dump.DumpOptions.Compression;
import dev.fathom.session.dump.DumpOptions.Exclusion;
import dev.fathom.session.dump.DumpOptions.Format;
import dev.fathom.target.AttachOptions;
import dev.fathom.target.Live;
import dev.fathom.testkit.lab.GuestFacts;
import dev.fathom.testkit.lab.Lab;
import dev.fathom.testkit.lab.LiveGuest;
import dev.fathom.testkit.lab.Recipe;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Dumps of guests that run. */
@Tag("lab")
@Timeout(600)
class LiveDumpLabTest {
  private static final Lab LAB = Lab.open();
  private static final KernelOptions OPTIONS =
      new KernelOptions(Optional.empty(), true, Progress.NONE);

  @TempDir private Path folder;

  private static DumpSource attach(LiveGuest guest, boolean stop, List<String> warnings) {
    var how = new AttachOptions(stop, Optional.empty(), Optional.empty(), Duration.ofSeconds(10));
    return DumpSource.attach("qemu:" + guest.pid(), how, OPTIONS, warnings::add);
  }

  private static DumpJob job(DumpSource source, DumpOptions options, Progress progress) {
    return new DumpJob(source.target(), source.kernel(), options, progress, _ -> {});
  }

  private static DumpOptions options(boolean resume) {
    return new DumpOptions(
        Format.KDUMP,
        Compression.ZSTD,
        false,
        EnumSet.of(Exclusion.USER, Exclusion.FREE),
        resume,
        false);
  }

  private static boolean runs(LiveGuest guest) {
    return guest.guest().monitor().execute("query-status", Map.of()).toString().contains("running");
  }

  @Test
  void aGuestStandsStillWhileItIsDumpedAndGoesOn() {
    try (var guest = LAB.start(Recipe.healthy("6.1"), List.of())) {
      Path file = folder.resolve("dump");
      var warnings = new ArrayList<String>();
      try (var source = attach(guest, true, warnings)) {
        var live = source.target().find(Live.class).orElseThrow();
        assertThat(live.state()).isEqualTo(Live.State.STOPPED);
        assertThatThrownBy(() -> job(source, options(false), interrupting()).toFile(file))
            .isInstanceOf(EvalException.class);
        var report = job(source, options(true), Progress.NONE).toFile(file);
        assertThat(report.unreadable()).isZero();
        assertThat(report.missing()).isZero();
        assertThat(live.state()).isEqualTo(Live.State.STOPPED);
      }
      assertThat(warnings).isEmpty();
      assertThat(runs(guest)).isTrue();
      check(file, guest.facts());

      Path running = folder.resolve("running");
      try (var source = attach(guest, false, warnings)) {
        job(source, options(false), Progress.NONE).toFile(running);
      }
      assertThat(warnings).singleElement().asString().contains("not of one moment");
      check(running, guest.facts());
    }
  }

  private static Progress interrupting() {
    var batches = new int[1];
    return (what, _, _) -> {
      if (what.startsWith("writing") && ++batches[0] == 20) {
        throw new EvalException("interrupted");
      }
    };
  }

  /** Every process that the guest told of is in the dump, and each CPU has its registers. */
  private static void check(Path file, GuestFacts facts) {
    try (var session = Session.open(List.of(file), OPTIONS)) {
      Set<String> names =
          session.kernel().tasks(_ -> {}).map(t -> t.name()).collect(Collectors.toSet());
      for (var task : facts.tasks()) {
        if (task.name().matches("sleep|lab-thread|init|kthreadd|ksoftirqd.*")) {
          assertThat(names).contains(task.name());
        }
      }
      assertThat(session.kernel().cpus())
          .allSatisfy(cpu -> assertThat(cpu.registers()).isPresent());
    }
  }

  @Test
  void aGuestThatEndsLeavesNoDump() {
    try (var guest = LAB.start(Recipe.healthy("6.1"), List.of())) {
      Path file = folder.resolve("dump");
      var batches = new int[1];
      try (var source = attach(guest, true, new ArrayList<>())) {
        Progress killing =
            (what, _, _) -> {
              if (what.startsWith("writing") && ++batches[0] == 20) {
                guest.guest().kill();
              }
            };
        assertThatThrownBy(() -> job(source, options(false), killing).toFile(file))
            .isInstanceOf(TargetException.class);
      } catch (TargetException e) {
        // What is gone cannot go on either.
        assertThat(e).hasMessageContaining("qemu");
      }
      assertThat(batches[0]).isGreaterThanOrEqualTo(20);
      assertThat(file).doesNotExist();
      assertThat(FileOutput.part(file)).exists();
    }
  }
}
