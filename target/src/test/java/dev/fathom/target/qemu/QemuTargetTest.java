// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.qemu;

import static org.assertj.core.api.Assertions.as;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.InstanceOfAssertFactories.STRING;

import dev.fathom.base.FaultException;
import dev.fathom.base.Range;
import dev.fathom.base.Readability;
import dev.fathom.base.TargetException;
import dev.fathom.base.UsageException;
import dev.fathom.model.arch.x86_64.X86_64;
import dev.fathom.target.AttachOptions;
import dev.fathom.target.Breakpoints;
import dev.fathom.target.Cpu;
import dev.fathom.target.DirectMemory;
import dev.fathom.target.Glimpse;
import dev.fathom.target.Live;
import dev.fathom.target.LiveTargetProvider;
import dev.fathom.target.PhysicalMemory;
import dev.fathom.target.RawRegisters;
import dev.fathom.target.RunControl;
import dev.fathom.target.Stop;
import dev.fathom.target.Target;
import dev.fathom.target.monitor.MonitorRegistersTest;
import dev.fathom.testkit.gdb.FakeStub;
import dev.fathom.testkit.qemu.FakeQmp;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.ServiceLoader;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A machine whose memory lies in this process, which therefore is the QEMU that is found. */
@Timeout(60)
class QemuTargetTest {
  private static final int RAM_BYTES = 3 << 20;
  private static final String HEAD = "FlatView #0\n AS \"memory\", root: system\n";
  private static final String LOW = "  0000000000000000-00000000000fffff (prio 0, ram): pc.ram\n";
  private static final String DEVICE =
      "  00000000fec00000-00000000fec00fff (prio 0, i/o): ioapic\n";
  private static final String HIGH =
      "  0000000100000000-00000001001fffff (prio 0, ram): pc.ram @0000000000100000\n";
  private static final String DIMM =
      "  0000000200000000-00000002000fffff (prio 0, ram): dimm @0000000000000000\n";

  private final FakeQmp qemu = new FakeQmp();
  private final Arena arena = Arena.ofShared();
  private final MemorySegment ram = arena.allocate(RAM_BYTES, 4096);
  private final byte[] content = new byte[RAM_BYTES];

  @BeforeEach
  void script() {
    new Random(1).nextBytes(content);
    MemorySegment.copy(content, 0, ram, ValueLayout.JAVA_BYTE, 0, RAM_BYTES);
    qemu.machine(true)
        .answer("query-target", "{\"arch\": \"x86_64\"}")
        .monitor("info mtree -f", HEAD + LOW + DEVICE + HIGH)
        .monitor("info registers -a", MonitorRegistersTest.TWO)
        .memory(0, ram.asSlice(0, 1 << 20))
        .memory(0x100000000L, ram.asSlice(1 << 20, 2 << 20));
    host(0, ram.address());
    host(0x100000000L, ram.address() + (1 << 20));
  }

  private void host(long guest, long address) {
    qemu.monitor(
        "gpa2hva 0x" + Long.toHexString(guest),
        "Host virtual address for 0x"
            + Long.toHexString(guest)
            + " (pc.ram) is 0x"
            + Long.toHexString(address)
            + "\n");
  }

  @AfterEach
  void end() throws IOException {
    qemu.close();
    arena.close();
  }

  @Test
  void readsMemoryInPlace() {
    try (Target target = attach()) {
      assertThat(target.warnings()).isEmpty();
      PhysicalMemory memory = memory(target);
      assertThat(memory.ranges())
          .containsExactly(new Range(0, 0x100000), new Range(0x100000000L, 0x100200000L));
      assertThat(memory.bytes(0x100000000L, 2 << 20))
          .isEqualTo(Arrays.copyOfRange(content, 1 << 20, 3 << 20));
      assertThat(memory.bytes(0xffff9, 7)).isEqualTo(Arrays.copyOfRange(content, 0xffff9, 1 << 20));
      MemorySegment off = arena.allocate(1 << 20);
      assertThat(memory.read(0, off)).isEqualTo(1 << 20);
      assertThat(off.toArray(ValueLayout.JAVA_BYTE)).isEqualTo(Arrays.copyOf(content, 1 << 20));
      ram.set(ValueLayout.JAVA_BYTE, 5, (byte) ~content[5]);
      assertThat((byte) memory.u8(5)).isEqualTo((byte) ~content[5]);
    }
  }

  @Test
  void keptPagesAreReadAsTheyWere() {
    try (Target target = attach()) {
      var memory = (DirectMemory) memory(target);
      memory.keep(new long[] {0x1010, 0x3000, 0xfec00000L});
      ram.set(ValueLayout.JAVA_BYTE, 0x1005, (byte) ~content[0x1005]);
      ram.set(ValueLayout.JAVA_BYTE, 0x2005, (byte) ~content[0x2005]);
      ram.set(ValueLayout.JAVA_BYTE, 0x3fff, (byte) ~content[0x3fff]);
      byte[] expected = Arrays.copyOfRange(content, 0xff0, 0x4010);
      expected[0x2005 - 0xff0] = (byte) ~content[0x2005];
      assertThat(memory.bytes(0xff0, 0x3020)).isEqualTo(expected);
      assertThat(memory.read(0xfffff, MemorySegment.ofArray(new byte[2]))).isEqualTo(1);
      memory.release();
      assertThat((byte) memory.u8(0x1005)).isEqualTo((byte) ~content[0x1005]);
    }
  }

  /** This QEMU starts no gdb stub. */
  @Test
  void aGlimpseTakesRegistersFromTheMonitorWhereThereIsNoStub() {
    try (Target target = attach()) {
      var glimpse = target.find(Glimpse.class).orElseThrow();
      var live = target.find(Live.class).orElseThrow();
      var states = new ArrayList<Live.State>();
      for (int i = 0; i < 2; i++) {
        var ids =
            glimpse.glimpse(
                cpus -> {
                  states.add(live.state());
                  return cpus.stream().map(Cpu::id).toList();
                });
        assertThat(ids).contains(List.of(0, 1));
        states.add(live.state());
      }
      assertThat(states)
          .containsExactly(
              Live.State.STOPPED, Live.State.RUNNING, Live.State.STOPPED, Live.State.RUNNING);
      assertThat(target.warnings())
          .singleElement(as(STRING))
          .contains("gdb stub")
          .endsWith("registers are read through QEMU's monitor, which takes longer");
      assertThatThrownBy(
              () ->
                  glimpse.glimpse(
                      _ -> {
                        throw new IllegalStateException("mine");
                      }))
          .hasMessage("mine");
      assertThat(live.state()).isEqualTo(Live.State.RUNNING);
      target.find(RunControl.class).orElseThrow().stop();
      assertThat(glimpse.glimpse(cpus -> cpus)).isEmpty();
      assertThat(live.state()).isEqualTo(Live.State.STOPPED);
    }
  }

  @Test
  void readsEndWhereMemoryDoesAndDevicesAreNotTouched() {
    try (Target target = attach()) {
      PhysicalMemory memory = memory(target);
      assertThat(memory.read(0xff000, MemorySegment.ofArray(new byte[8192]))).isEqualTo(4096);
      assertThat(memory.read(0xfec00000L, MemorySegment.ofArray(new byte[8]))).isZero();
      assertThat(memory.at(0xfec00000L)).isEqualTo(Readability.UNMAPPED);
      assertThatThrownBy(() -> memory.u64(0xfec00000L))
          .isInstanceOf(FaultException.class)
          .hasMessage(
              "cannot read physical address 0xfec00000: not RAM but a device's registers, or"
                  + " nothing; RAM is below it at 0x0-0xfffff, above it at"
                  + " 0x100000000-0x1001fffff");
      assertThatThrownBy(() -> memory.u64(0x100200000L))
          .hasMessageEndingWith("RAM is below it at 0x100000000-0x1001fffff");
      assertThat(memory.at(0x1001fffffL)).isEqualTo(Readability.READABLE);
      assertThat(memory.at(0x100200000L)).isEqualTo(Readability.UNMAPPED);
    }
  }

  /** Its greeting tells, before a gdb stub would say anything. */
  @Test
  void theSocketOfTheMachineProtocolIsTakenForWhatItIs() {
    var options = AttachOptions.DEFAULT;
    try (Target target = LazyStub.attach("unix:" + qemu.socket(), options)) {
      assertThat(target.warnings().getFirst())
          .isEqualTo(
              "unix:"
                  + qemu.socket()
                  + ": this is QEMU's machine protocol, not a gdb stub: attached to qmp:"
                  + qemu.socket());
      assertThat(memory(target).bytes(0x1000, 8))
          .isEqualTo(Arrays.copyOfRange(content, 0x1000, 0x1008));
    }
  }

  @Test
  void memoryThatQemuDoesNotPlaceIsLeftOut() {
    qemu.monitor("gpa2hva 0x0", "Memory at address 0x0 is not RAM\n");
    try (Target target = attach()) {
      assertThat(memory(target).at(0x1000)).isEqualTo(Readability.UNMAPPED);
      assertThat(memory(target).bytes(0x100000000L, 8))
          .isEqualTo(Arrays.copyOfRange(content, 1 << 20, (1 << 20) + 8));
    }
    qemu.monitor("gpa2hva 0x100000000", "Host virtual address is 0xnothing\n");
    try (Target target = attach()) {
      assertThat(target.warnings().getFirst())
          .contains("QEMU does not tell where its guest's memory is: Memory at address 0x0 is not");
      assertThat(memory(target).bytes(0x1000, 8))
          .isEqualTo(Arrays.copyOfRange(content, 0x1000, 0x1008));
    }
  }

  @Test
  void aProcessThatOnlyPassesOnWhatQemuSaysIsNotRead() {
    MemorySegment other = arena.allocate(3 << 20);
    host(0, other.address());
    host(0x100000000L, other.address() + (1 << 20));
    try (Target target = attach()) {
      assertThat(target.warnings().getFirst())
          .contains("does not hold the guest's memory")
          .contains("through QEMU's monitor");
      assertThat(memory(target).bytes(0x1003, 27))
          .isEqualTo(Arrays.copyOfRange(content, 0x1003, 0x101e));
    }
  }

  @Test
  void aLateAnswerDoesNotKeepTheMachineFromGoingOn() {
    var hasty = new AttachOptions(false, Optional.empty(), Optional.empty(), Duration.ofSeconds(2));
    try (Target target = new QemuProvider().attach("qmp:" + qemu.socket(), hasty)) {
      target.find(RunControl.class).orElseThrow().stop();
      qemu.silence("info registers -a");
      assertThatThrownBy(target::cpus).hasMessageContaining("no answer in 2.0 s");
    }
    assertThat(qemu.commands()).endsWith("cont");
  }

  @Test
  void aConnectionThatBreaksIsMadeAnewToLetTheMachineGo() {
    try (Target target = attach()) {
      target.find(RunControl.class).orElseThrow().stop();
      qemu.monitor("info registers -a", "x").before("info registers -a", "}garbage{\n");
      assertThatThrownBy(target::cpus).hasMessageContaining("no JSON");
    }
    assertThat(qemu.commands()).endsWith("qmp_capabilities", "query-status", "cont");
  }

  @Test
  void aStubWhoseConnectionBreaksIsReplacedAndTheMachineLetGo() {
    try (FakeStub stub = FakeStub.start(FakeStub.Kind.QEMU).cpus(2)) {
      stub.memory(0x1000, new byte[4096]);
      var options =
          new AttachOptions(
              false, Optional.empty(), Optional.of(stub.address()), Duration.ofSeconds(10));
      try (Target target = new QemuProvider().attach("qmp:" + qemu.socket(), options)) {
        Live live = target.find(Live.class).orElseThrow();
        target.find(RunControl.class).orElseThrow().stop();
        assertThat(
                target
                    .find(Breakpoints.class)
                    .orElseThrow()
                    .insert(Breakpoints.Kind.SOFTWARE, FakeStub.VIRTUAL + 0x1000, 1))
            .isTrue();
        stub.hangUp();
        assertThatThrownBy(() -> target.find(RawRegisters.class).orElseThrow().registers(0))
            .isInstanceOf(TargetException.class);
        assertThat(live.state()).isEqualTo(Live.State.STOPPED);
        assertThat(target.cpus()).extracting(Cpu::source).containsOnly("QEMU");
      }
      assertThat(qemu.commands()).endsWith("query-status", "cont");
    }
  }

  /** Nobody has asked the stub for its CPUs before. */
  @Test
  void aGlimpseByTheStubIsOfAllCpus() {
    try (FakeStub stub = FakeStub.start(FakeStub.Kind.QEMU).cpus(2)) {
      stub.memory(0x1000, new byte[4096]);
      var options =
          new AttachOptions(
              false, Optional.empty(), Optional.of(stub.address()), Duration.ofSeconds(10));
      try (Target target = new QemuProvider().attach("qmp:" + qemu.socket(), options)) {
        var glimpse = target.find(Glimpse.class).orElseThrow();
        for (int i = 0; i < 2; i++) {
          assertThat(glimpse.glimpse(cpus -> cpus.stream().map(Cpu::id).toList()))
              .contains(List.of(0, 1));
        }
        assertThat(target.warnings()).isEmpty();
      }
      assertThat(stub.violations()).isEmpty();
    }
  }

  @Test
  void aFloodOfEventsEnds() {
    try (Target target = attach()) {
      qemu.before("info registers -a", "{\"event\": \"RTC_CHANGE\"}\n".repeat(20_000));
      assertThat(target.find(Live.class).orElseThrow().state()).isEqualTo(Live.State.RUNNING);
      assertThatThrownBy(target::cpus).hasMessageContaining("no answer");
    }
  }

  @Test
  void givesTheRegistersOfRunningCpus() {
    try (Target target = attach()) {
      assertThat(target.architecture()).isEqualTo("x86_64");
      assertThat(target.cpus()).extracting(Cpu::id).containsExactly(0, 1);
      assertThat(target.cpus()).extracting(Cpu::source).containsOnly("QEMU, running");
      assertThat(target.cpus().get(1).registers().get(X86_64.CR3)).hasValue(0x11c11000L);
      assertThat(target.info().kind()).isEqualTo("live guest");
    }
    assertThat(qemu.commands()).doesNotContain("stop", "cont");
  }

  @Test
  void readsMemoryThroughTheMonitorWhereTheProcessIsNotFound() {
    QmpClient client =
        QmpClient.connect(
            java.net.UnixDomainSocketAddress.of(qemu.socket()), AttachOptions.DEFAULT.timeout());
    try (Target target =
        QemuTarget.attach("qmp:x", client, Optional.empty(), AttachOptions.DEFAULT)) {
      assertThat(target.warnings()).hasSize(1);
      assertThat(target.warnings().getFirst()).contains("through QEMU's monitor");
      assertThat(memory(target).bytes(0x1003, 27))
          .isEqualTo(Arrays.copyOfRange(content, 0x1003, 0x101e));
      assertThat(memory(target).u64(0x1f00)).isEqualTo(ram.get(ValueLayout.JAVA_LONG, 0x1f00));
      assertThat(qemu.commands()).containsOnlyOnce("xp /512xg 0x1000");
      target.find(Live.class).orElseThrow().look();
      assertThat(memory(target).u8(0x1000)).isEqualTo(content[0x1000] & 0xff);
      assertThat(qemu.commands()).endsWith("xp /512xg 0x1000");
      qemu.monitor("xp /1xg 0x5000", "").monitor("xp /512xg 0x5000", "");
      assertThat(memory(target).at(0x5000)).isEqualTo(Readability.ERROR);
      qemu.hangUp();
      assertThatThrownBy(() -> memory(target).at(0x6000)).isInstanceOf(TargetException.class);
    }
  }

  @Test
  void noticesMemoryThatIsPluggedIn() {
    try (Target target = attach()) {
      PhysicalMemory memory = memory(target);
      assertThat(memory.at(0x200000000L)).isEqualTo(Readability.UNMAPPED);
      qemu.monitor("info mtree -f", HEAD + LOW + DEVICE + HIGH + DIMM);
      host(0x200000000L, ram.address() + 4096);
      qemu.send("{\"event\": \"ACPI_DEVICE_OST\", \"data\": {}}\n");
      long epoch = awaitEpoch(target, 0);
      assertThat(epoch).isEqualTo(1);
      assertThat(memory.bytes(0x200000000L, 4096))
          .isEqualTo(Arrays.copyOfRange(content, 4096, 8192));
      assertThat(memory.ranges()).hasSize(3);
    }
  }

  @Test
  void stopsAndLetsGo() {
    try (Target target = attach()) {
      RunControl control = target.find(RunControl.class).orElseThrow();
      Live live = target.find(Live.class).orElseThrow();
      assertThat(live.state()).isEqualTo(Live.State.RUNNING);
      assertThat(control.await(Duration.ofMillis(20))).isEmpty();
      control.stop();
      control.stop();
      assertThat(live.state()).isEqualTo(Live.State.STOPPED);
      assertThat(target.cpus()).extracting(Cpu::source).containsOnly("QEMU");
      assertThat(target.cpus()).isSameAs(target.cpus());
      control.resume();
      assertThat(live.state()).isEqualTo(Live.State.RUNNING);
      assertThat(live.epoch()).isEqualTo(1);
      qemu.send("{\"event\": \"STOP\"}\n");
      assertThat(control.await(Duration.ofSeconds(20))).contains(new Stop(0, new Stop.Signal(0)));
      qemu.send("{\"event\": \"RESUME\"}\n");
      assertThat(awaitEpoch(target, 1)).isEqualTo(2);
      control.stop();
    }
    assertThat(qemu.commands().stream().filter(c -> c.equals("stop") || c.equals("cont")))
        .containsExactly("stop", "cont", "stop", "cont");
  }

  @Test
  void leavesAMachineAloneThatSomebodyElsePaused() {
    qemu.machine(false);
    try (Target target = attach()) {
      assertThat(target.find(Live.class).orElseThrow().state()).isEqualTo(Live.State.STOPPED);
      target.find(RunControl.class).orElseThrow().stop();
    }
    assertThat(qemu.commands()).doesNotContain("cont");
  }

  @Test
  void leavesAMachineStoppedWhenAskedTo() {
    try (Target target = attach()) {
      RunControl control = target.find(RunControl.class).orElseThrow();
      control.stop();
      control.leaveStopped(true);
      assertThat(control.leaveStopped()).isTrue();
    }
    assertThat(qemu.commands()).doesNotContain("cont");
  }

  @Test
  void noticesThatTheMachineIsGone() {
    try (Target target = attach()) {
      Live live = target.find(Live.class).orElseThrow();
      qemu.hangUp();
      assertThat(awaitEpoch(target, 0)).isEqualTo(1);
      assertThat(live.state()).isEqualTo(Live.State.GONE);
      assertThat(target.find(RunControl.class).orElseThrow().await(Duration.ofSeconds(9)))
          .contains(new Stop(0, new Stop.Ended(0)));
      assertThatThrownBy(target::cpus).isInstanceOf(TargetException.class);
    }
  }

  @Test
  void anotherThreadLetsTheMachineGoWhileOneWaits() throws InterruptedException {
    qemu.silence("info registers -a");
    Target target = attach();
    target.find(RunControl.class).orElseThrow().stop();
    var failure = new java.util.concurrent.LinkedBlockingQueue<RuntimeException>();
    Thread waiting =
        Thread.ofPlatform()
            .start(
                () -> {
                  try {
                    failure.add(new IllegalStateException(target.cpus().toString()));
                  } catch (TargetException e) {
                    failure.add(e);
                  }
                });
    long deadline = System.nanoTime() + 20_000_000_000L;
    while (!qemu.commands().contains("info registers -a") && System.nanoTime() < deadline) {
      Thread.onSpinWait();
    }
    target.close();
    waiting.join(5000);
    assertThat(failure.poll())
        .isInstanceOf(TargetException.class)
        .hasMessageContaining("the connection is being ended");
    assertThat(qemu.commands()).endsWith("cont");
  }

  @Test
  void addressesOfAQemuAreNotTakenForHostAndPort() {
    LiveTargetProvider first = null;
    for (LiveTargetProvider provider : ServiceLoader.load(LiveTargetProvider.class)) {
      if (first == null && provider.accepts("qemu:1234")) {
        first = provider;
      }
    }
    assertThat(first).isInstanceOf(QemuProvider.class);
  }

  @Test
  void refusesWhatIsNoAddressOfAQemu() {
    var provider = new QemuProvider();
    assertThat(provider.accepts("qemu:1")).isTrue();
    assertThat(provider.accepts("localhost:1234")).isFalse();
    assertThatThrownBy(() -> provider.attach("qemu:x", AttachOptions.DEFAULT))
        .isInstanceOf(UsageException.class)
        .hasMessage("qemu:x: not the number of a process: x");
    assertThatThrownBy(() -> provider.attach("qmp:", AttachOptions.DEFAULT))
        .isInstanceOf(UsageException.class);
    assertThatThrownBy(
            () -> provider.attach("qemu:" + ProcessHandle.current().pid(), AttachOptions.DEFAULT))
        .isInstanceOf(TargetException.class)
        .hasMessageContaining("serves no QMP socket");
  }

  private Target attach() {
    return new QemuProvider().attach("qmp:" + qemu.socket(), AttachOptions.DEFAULT);
  }

  private static PhysicalMemory memory(Target target) {
    return target.find(PhysicalMemory.class).orElseThrow();
  }

  /** Waits until the epoch is above {@code old}. */
  private static long awaitEpoch(Target target, long old) {
    Live live = target.find(Live.class).orElseThrow();
    long deadline = System.nanoTime() + 20_000_000_000L;
    while (live.epoch() == old && System.nanoTime() < deadline) {
      Thread.onSpinWait();
    }
    return live.epoch();
  }
}
