// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.qemu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fathom.base.Range;
import dev.fathom.base.TargetException;
import dev.fathom.model.arch.x86_64.X86_64;
import dev.fathom.target.AttachOptions;
import dev.fathom.target.Breakpoints;
import dev.fathom.target.Cpu;
import dev.fathom.target.Live;
import dev.fathom.target.LiveTargetProvider;
import dev.fathom.target.PhysicalMemory;
import dev.fathom.target.RunControl;
import dev.fathom.target.Target;
import dev.fathom.testkit.lab.Lab;
import dev.fathom.testkit.lab.LiveGuest;
import dev.fathom.testkit.lab.Recipe;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceLoader;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Guests of every memory layout; each is booted anew. */
@Tag("lab")
@Timeout(600)
class QemuLabTest {
  private static final AttachOptions DEFAULT = AttachOptions.DEFAULT;
  private static final Lab LAB = Lab.open();
  private static final Recipe SMALL = Recipe.healthy("6.1");

  @TempDir Path directory;

  @Test
  void oneRunningGuest() throws IOException {
    try (LiveGuest guest = LAB.start(SMALL.withCpus(1), List.of());
        Target target = attach(guest)) {
      assertThat(target.warnings()).isEmpty();
      assertThat(target.find(Live.class).orElseThrow().state()).isEqualTo(Live.State.RUNNING);
      assertThat(target.cpus()).extracting(Cpu::source).containsExactly("QEMU, running");
      assertThat(target.cpus().getFirst().registers().get(X86_64.IDT_BASE)).isPresent();
      assertThat(target.cpus().getFirst().registers().get(X86_64.CR3)).isPresent();
      sameAsSaved(guest, target);
    }
  }

  @Test
  void memoryAboveFourGigabytesAndFourCpus() throws IOException {
    try (LiveGuest guest = LAB.start(SMALL.memory(5120).withCpus(4).withFiveLevels(), List.of());
        Target target = attach(guest)) {
      assertThat(target.cpus()).extracting(Cpu::id).containsExactly(0, 1, 2, 3);
      assertThat(memory(target).ranges().getLast().start()).isEqualTo(0x100000000L - 0x40000);
      assertThat(memory(target).ranges().getLast().end()).isGreaterThan(0x140000000L);
      sameAsSaved(guest, target);
    }
  }

  @Test
  void twoNodesOneOfThemASharedFile() throws IOException {
    Path file = directory.resolve("node1.ram");
    List<String> nodes =
        List.of(
            "-object", "memory-backend-ram,id=m0,size=256M",
            "-object", "memory-backend-file,id=m1,size=256M,share=on,mem-path=" + file,
            "-numa", "node,memdev=m0,cpus=0",
            "-numa", "node,memdev=m1,cpus=1");
    try (LiveGuest guest = LAB.start(SMALL, nodes);
        Target target = attach(guest)) {
      sameAsSaved(guest, target);
      stopped(
          target,
          () -> {
            byte[] inFile = new byte[4096];
            try (var in = Files.newInputStream(file)) {
              in.skipNBytes(0x100000);
              in.readNBytes(inFile, 0, inFile.length);
            }
            assertThat(memory(target).bytes((256 << 20) + 0x100000, 4096)).isEqualTo(inFile);
          });
    }
  }

  @Test
  void aSharedAnonymousFile() throws IOException {
    List<String> backend =
        List.of(
            "-object", "memory-backend-memfd,id=m0,size=512M,share=on",
            "-machine", "memory-backend=m0");
    try (LiveGuest guest = LAB.start(SMALL, backend);
        Target target = attach(guest)) {
      sameAsSaved(guest, target);
    }
  }

  @Test
  void memoryThatIsPluggedIn() throws IOException {
    try (LiveGuest guest = LAB.start(SMALL, List.of("-m", "slots=2,maxmem=2G"));
        Target target = attach(guest)) {
      long before = memory(target).ranges().getLast().end();
      var monitor = guest.guest().monitor();
      monitor.execute(
          "object-add", Map.of("qom-type", "memory-backend-ram", "id", "more", "size", 128 << 20));
      monitor.execute("device_add", Map.of("driver", "pc-dimm", "id", "dimm", "memdev", "more"));
      long deadline = System.nanoTime() + Duration.ofSeconds(30).toNanos();
      while (memory(target).ranges().getLast().end() == before && System.nanoTime() < deadline) {
        Thread.onSpinWait();
      }
      List<Range> after = memory(target).ranges();
      assertThat(after.getLast().start()).isEqualTo(0x100000000L - 0x40000);
      assertThat(after.getLast().end()).isEqualTo(0x100000000L + (128 << 20));
      sameAsSaved(guest, target);
    }
  }

  @Test
  void theEndOfTheGuestIsNoticedAtOnce() {
    try (LiveGuest guest = LAB.start(SMALL, List.of());
        Target target = attach(guest)) {
      guest.guest().kill();
      assertThat(target.find(Live.class).orElseThrow().state()).isEqualTo(Live.State.GONE);
      assertThatThrownBy(() -> memory(target).u64(0x100000))
          .isInstanceOf(TargetException.class)
          .hasMessageContaining("has ended");
      assertThatThrownBy(target::cpus).isInstanceOf(TargetException.class);
    }
  }

  @Test
  void aResetRaisesTheEpoch() {
    try (LiveGuest guest = LAB.start(SMALL, List.of("-no-reboot", "-action", "reboot=reset"));
        Target target = attach(guest)) {
      Live live = target.find(Live.class).orElseThrow();
      long epoch = live.epoch();
      guest.guest().monitor().execute("system_reset", Map.of());
      long deadline = System.nanoTime() + Duration.ofSeconds(30).toNanos();
      while (live.epoch() == epoch && System.nanoTime() < deadline) {
        Thread.onSpinWait();
      }
      assertThat(live.epoch()).isGreaterThan(epoch);
      assertThat(live.state()).isEqualTo(Live.State.RUNNING);
      assertThat(memory(target).read(0, MemorySegment.ofArray(new byte[4096]))).isEqualTo(4096);
    }
  }

  @Test
  void aSecondClientIsToldThatThereIsAnother() {
    try (LiveGuest guest = LAB.start(SMALL, List.of());
        Target target = attach(guest)) {
      var hasty =
          new AttachOptions(false, Optional.empty(), Optional.empty(), Duration.ofMillis(300));
      assertThatThrownBy(() -> new QemuProvider().attach("qemu:" + guest.pid(), hasty))
          .isInstanceOf(TargetException.class)
          .hasMessageContaining("is another one connected?");
      assertThat(target.cpus()).hasSize(2);
    }
  }

  @Test
  void aBreakpointByAStubThatIsStartedForIt() {
    try (LiveGuest guest = LAB.start(SMALL.withoutKaslr(), List.of())) {
      try (Target target = attach(guest)) {
        breakOnce(target, guest);
      }
      assertThat(running(guest)).isTrue();
      assertThat(guest.guest().monitor().execute("query-chardev", Map.of()).toString())
          .doesNotContain("fathom-gdb");
    }
  }

  @Test
  void aBreakpointByTheStubThatIsThere() {
    Path socket = directory.resolve("stub");
    List<String> stub = List.of("-gdb", "unix:" + socket + ",server=on,wait=off");
    try (LiveGuest guest = LAB.start(SMALL.withoutKaslr(), stub)) {
      try (Target target = new QemuProvider().attach("qemu:" + guest.pid(), DEFAULT)) {
        breakOnce(target, guest);
        target.find(RunControl.class).orElseThrow().stop();
      }
      assertThat(running(guest)).isTrue();
      guest.guest().stop();
      try (Target target = new QemuProvider().attach("qemu:" + guest.pid(), DEFAULT)) {
        target.find(RunControl.class).orElseThrow().step(0, false, false);
        assertThat(target.find(RunControl.class).orElseThrow().await(Duration.ofSeconds(20)))
            .isPresent();
      }
      assertThat(running(guest)).isFalse();
    }
  }

  @Test
  void theStubAloneReadsMemoryInPlace() throws IOException {
    Path socket = directory.resolve("stub");
    List<String> stub = List.of("-gdb", "unix:" + socket + ",server=on,wait=off");
    try (LiveGuest guest = LAB.start(SMALL, stub);
        Target target = byStub("unix:" + socket)) {
      assertThat(target.warnings()).isEmpty();
      assertThat(target.find(PhysicalMemory.class).orElseThrow()).isInstanceOf(GuestRam.class);
      for (Range range : memory(target).ranges()) {
        sameAsSaved(guest, target, range);
      }
      target.find(RunControl.class).orElseThrow().resume();
      assertThat(memory(target).read(0x100000, MemorySegment.ofArray(new byte[4096])))
          .isEqualTo(4096);
    }
  }

  @Test
  void theStubHelpsOutWhereTheMachineProtocolIsTaken() {
    Path socket = directory.resolve("stub");
    List<String> stub = List.of("-gdb", "unix:" + socket + ",server=on,wait=off");
    var hasty = new AttachOptions(false, Optional.empty(), Optional.empty(), Duration.ofSeconds(5));
    try (LiveGuest guest = LAB.start(SMALL, stub);
        Target first = attach(guest)) {
      try (Target second = new QemuProvider().attach("qemu:" + guest.pid(), hasty)) {
        assertThat(second.warnings().getFirst())
            .contains("is another one connected?")
            .contains("through the gdb stub alone");
        assertThat(second.cpus()).hasSize(2);
        assertThat(memory(second).bytes(0x100000, 4096))
            .isEqualTo(memory(first).bytes(0x100000, 4096));
      }
      assertThat(running(guest)).isTrue();
    }
  }

  private static Target byStub(String address) {
    for (LiveTargetProvider provider : ServiceLoader.load(LiveTargetProvider.class)) {
      if (provider.accepts(address)) {
        return provider.attach(address, DEFAULT);
      }
    }
    throw new IllegalStateException(address);
  }

  private static boolean running(LiveGuest guest) {
    return guest
        .guest()
        .monitor()
        .execute("query-status", Map.of())
        .toString()
        .contains("running=true");
  }

  private static long pc(Target target, int cpu) {
    return target.cpu(cpu).orElseThrow().registers().pc().orElseThrow();
  }

  /** Stops at a function that every timer tick calls, and goes on. */
  private static void breakOnce(Target target, LiveGuest guest) {
    RunControl control = target.find(RunControl.class).orElseThrow();
    Breakpoints breakpoints = target.find(Breakpoints.class).orElseThrow();
    long function = guest.facts().symbol("scheduler_tick").orElseThrow();
    control.stop();
    assertThat(breakpoints.insert(Breakpoints.Kind.SOFTWARE, function, 1)).isTrue();
    control.resume();
    int cpu = control.await(Duration.ofSeconds(60)).orElseThrow().cpu();
    Cpu stopped = target.cpu(cpu).orElseThrow();
    assertThat(stopped.registers().pc()).hasValue(function);
    assertThat(stopped.registers().get(X86_64.KERNEL_GS_BASE)).isPresent();
    assertThat(stopped.registers().get(X86_64.IDT_BASE)).isPresent();
    breakpoints.remove(Breakpoints.Kind.SOFTWARE, function, 1);
    // QEMU may tell of the other CPU's stop at the same place in place of the step.
    for (int i = 0; i < 5 && pc(target, cpu) == function; i++) {
      control.step(cpu, false, false);
      assertThat(control.await(Duration.ofSeconds(60))).isPresent();
    }
    assertThat(pc(target, cpu)).isNotEqualTo(function);
    control.resume();
    assertThat(target.find(Live.class).orElseThrow().state()).isEqualTo(Live.State.RUNNING);
    assertThat(target.cpus()).extracting(Cpu::source).containsOnly("QEMU, running");
  }

  private Target attach(LiveGuest guest) {
    Target byProcess = new QemuProvider().attach("qemu:" + guest.pid(), DEFAULT);
    List<Range> ranges = memory(byProcess).ranges();
    byProcess.close();
    Target bySocket = new QemuProvider().attach("qmp:" + guest.qmp(), DEFAULT);
    assertThat(memory(bySocket).ranges()).isEqualTo(ranges);
    return bySocket;
  }

  private interface Check {
    void run() throws IOException;
  }

  private static void stopped(Target target, Check check) throws IOException {
    RunControl control = target.find(RunControl.class).orElseThrow();
    control.stop();
    try {
      check.run();
    } finally {
      control.resume();
    }
  }

  /** All memory is what QEMU's own {@code pmemsave} says it is. */
  private void sameAsSaved(LiveGuest guest, Target target) throws IOException {
    stopped(
        target,
        () -> {
          for (Range range : memory(target).ranges()) {
            sameAsSaved(guest, target, range);
          }
        });
  }

  private void sameAsSaved(LiveGuest guest, Target target, Range range) throws IOException {
    Path file = directory.resolve("saved");
    var buffer = new byte[1 << 20];
    for (long at = range.start(); range.contains(at); at += 256 << 20) {
      long length = Math.min(256 << 20, range.end() - at);
      guest
          .guest()
          .monitor()
          .execute("pmemsave", Map.of("val", at, "size", length, "filename", file.toString()));
      try (var saved = Files.newInputStream(file)) {
        for (long done = 0; done < length; done += buffer.length) {
          int count = (int) Math.min(buffer.length, length - done);
          byte[] expected = saved.readNBytes(count);
          assertThat(
                  memory(target).read(at + done, MemorySegment.ofArray(buffer).asSlice(0, count)))
              .isEqualTo(count);
          int differs = Arrays.mismatch(buffer, 0, count, expected, 0, count);
          assertThat(differs).as("first difference after 0x%x", at + done).isEqualTo(-1);
        }
      }
    }
    Files.delete(file);
  }

  private static PhysicalMemory memory(Target target) {
    return target.find(PhysicalMemory.class).orElseThrow();
  }
}
