// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.gdb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fathom.base.FathomException;
import dev.fathom.base.FaultException;
import dev.fathom.base.Range;
import dev.fathom.base.Readability;
import dev.fathom.base.TargetException;
import dev.fathom.base.UnsupportedException;
import dev.fathom.model.Memory;
import dev.fathom.model.arch.x86_64.X86_64;
import dev.fathom.target.AttachOptions;
import dev.fathom.target.Breakpoints;
import dev.fathom.target.Cpu;
import dev.fathom.target.Glimpse;
import dev.fathom.target.Live;
import dev.fathom.target.MemoryWriter;
import dev.fathom.target.PhysicalMemory;
import dev.fathom.target.RawRegisters;
import dev.fathom.target.RegisterWriter;
import dev.fathom.target.RunControl;
import dev.fathom.target.Stop;
import dev.fathom.target.Target;
import dev.fathom.target.VirtualMemory;
import dev.fathom.testkit.gdb.FakeStub;
import dev.fathom.testkit.gdb.FakeStub.Kind;
import java.lang.foreign.MemorySegment;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@Timeout(60)
class GdbTargetTest {
  private static final Duration SOON = Duration.ofSeconds(5);
  private static final AttachOptions OPTIONS =
      new AttachOptions(false, Optional.empty(), Optional.empty(), SOON);
  private static final long AT = 0x100000;
  private static final byte[] RAM = ram();

  private static byte[] ram() {
    var ram = new byte[48 * 4096];
    new Random(1).nextBytes(ram);
    Arrays.fill(ram, 5000, 6000, (byte) 0);
    return ram;
  }

  private static FakeStub stub(Kind kind) {
    return FakeStub.start(kind).memory(AT, RAM.clone()).cpus(kind == Kind.LEAST ? 1 : 3);
  }

  private static Target attach(FakeStub stub) {
    return new GdbProvider().attach(stub.address(), OPTIONS);
  }

  private static Memory memory(Target target) {
    return target
        .find(PhysicalMemory.class)
        .map(Memory.class::cast)
        .orElseGet(() -> target.find(VirtualMemory.class).orElseThrow());
  }

  private static long base(Kind kind) {
    return kind == Kind.GDBSERVER ? AT + FakeStub.VIRTUAL : AT;
  }

  @ParameterizedTest
  @EnumSource(Kind.class)
  void readsMemory(Kind kind) {
    try (FakeStub stub = stub(kind);
        Target target = attach(stub)) {
      Memory memory = memory(target);
      assertThat(memory.bytes(base(kind), RAM.length)).isEqualTo(RAM);
      assertThat(memory.bytes(base(kind) + 4000, 200))
          .isEqualTo(Arrays.copyOfRange(RAM, 4000, 4200));
      int asked = stub.requests().size();
      assertThat(memory.bytes(base(kind) + 4090, 5000))
          .isEqualTo(Arrays.copyOfRange(RAM, 4090, 9090));
      assertThat(stub.requests()).hasSize(asked);

      var both = new byte[200];
      assertThat(memory.read(base(kind) + RAM.length - 100, MemorySegment.ofArray(both)))
          .isEqualTo(100);
      assertThat(memory.at(base(kind))).isEqualTo(Readability.READABLE);
      assertThat(memory.at(base(kind) - 1)).isEqualTo(Readability.UNMAPPED);
      assertThatThrownBy(() -> memory.u64(base(kind) + RAM.length - 4))
          .isInstanceOf(FaultException.class)
          .hasMessageContaining("0x" + Long.toHexString(base(kind) + RAM.length));
      assertThat(stub.violations()).isEmpty();
    }
  }

  /** By QEMU's monitor, for one: nobody tells the stub's client. */
  @Test
  void aGuestThatSomebodyElseLetRunIsStoppedAndAnswers() {
    try (FakeStub stub = stub(Kind.QEMU)) {
      try (Target target = attach(stub)) {
        Live live = target.find(Live.class).orElseThrow();
        long epoch = live.epoch();
        stub.letRunByAnother();
        assertThat(memory(target).bytes(AT, 5000)).isEqualTo(Arrays.copyOf(RAM, 5000));
        assertThat(stub.running()).isFalse();
        assertThat(live.epoch()).as("it ran").isGreaterThan(epoch);
        assertThat(target.cpus()).hasSize(3);
        stub.letRunByAnother();
      }
      assertThat(stub.detached()).isTrue();
      assertThat(stub.running()).isTrue();
      assertThat(stub.violations()).isEmpty();
    }
  }

  @ParameterizedTest
  @EnumSource(Kind.class)
  void readsLargePartsPastTheCache(Kind kind) {
    var large = new byte[300 * 4096];
    new Random(2).nextBytes(large);
    try (FakeStub stub = FakeStub.start(kind).memory(AT, large);
        Target target = attach(stub)) {
      assertThat(memory(target).bytes(base(kind), large.length)).isEqualTo(large);
      var more = new byte[large.length + 10];
      assertThat(memory(target).read(base(kind), MemorySegment.ofArray(more)))
          .isEqualTo(large.length);
      assertThat(stub.violations()).isEmpty();
    }
  }

  @Test
  void seesVirtualAndPhysicalMemoryOfQemu() {
    try (FakeStub stub = stub(Kind.QEMU);
        Target target = attach(stub)) {
      PhysicalMemory physical = target.find(PhysicalMemory.class).orElseThrow();
      assertThat(physical.ranges()).containsExactly(Range.of(AT, RAM.length));
      VirtualMemory virtual = target.find(VirtualMemory.class).orElseThrow();
      for (int i = 0; i < 3; i++) {
        assertThat(physical.bytes(AT + i * 4096L, 16))
            .isEqualTo(virtual.bytes(AT + FakeStub.VIRTUAL + i * 4096L, 16));
      }
      assertThat(virtual.at(AT)).isEqualTo(Readability.UNMAPPED);
    }
  }

  @ParameterizedTest
  @EnumSource(Kind.class)
  void readsRegisters(Kind kind) {
    try (FakeStub stub = stub(kind);
        Target target = attach(stub)) {
      assertThat(target.architecture()).isEqualTo("x86_64");
      List<Cpu> cpus = target.cpus();
      int count = kind == Kind.LEAST ? 1 : 3;
      assertThat(cpus).hasSize(count);
      assertThat(cpus.getFirst().registers().get(X86_64.RAX)).hasValue(0);
      assertThat(cpus.getFirst().registers().get(X86_64.CS)).hasValue(18);
      assertThat(cpus.getLast().registers().pc()).hasValue(0x1000L * (count - 1) + 16);
      int last = kind == Kind.GDBSERVER ? 0x2c : count - 1;
      assertThat(cpus.getLast().id()).isEqualTo(last);
      assertThat(target.cpu(last).orElseThrow().registers().sp())
          .hasValue(0x1000L * (count - 1) + 7);
      assertThat(target.cpu(99)).isEmpty();
      if (kind == Kind.LEAST || kind == Kind.KGDB) {
        assertThat(cpus.getFirst().registers().get(X86_64.GS_BASE)).isEmpty();
      } else {
        assertThat(cpus.getLast().registers().get(X86_64.KERNEL_GS_BASE)).hasValue(0x2000 + 26);
      }
      assertThat(stub.violations()).isEmpty();
    }
  }

  /** As QEMU's Arm stub does with system registers. */
  @Test
  void asksForRegistersThatAreNotAmongTheGeneralOnes() {
    try (FakeStub stub = stub(Kind.QEMU).generalRegisters(26);
        Target target = attach(stub)) {
      var registers = target.cpu(1).orElseThrow().registers();
      assertThat(registers.get(X86_64.GS_BASE)).hasValue(0x1000 + 25);
      assertThat(registers.get(X86_64.KERNEL_GS_BASE)).hasValue(0x1000 + 26);
      assertThat(registers.get(X86_64.CR4)).hasValue(0x1000 + 30);
      assertThat(stub.requests()).endsWith("p1a", "p1b", "p1c", "p1d", "p1e");
      var writer = target.find(RegisterWriter.class).orElseThrow();
      writer.write(1, X86_64.CR3, 0x77000);
      var run = target.find(RunControl.class).orElseThrow();
      run.step(1, false, false);
      assertThat(run.await(SOON)).isPresent();
      assertThat(stub.register(1, 29)).isEqualTo(0x77000);
    }
  }

  @Test
  void takesDescriptorTablesFromQemusMonitor() {
    try (FakeStub stub = stub(Kind.QEMU);
        Target target = attach(stub)) {
      var second = target.cpus().get(1).registers();
      assertThat(second.get(X86_64.IDT_BASE)).hasValue(0xfffffe0000000000L);
      assertThat(second.get(X86_64.IDT_LIMIT)).hasValue(0xfff);
      assertThat(second.get(X86_64.GDT_BASE)).hasValue(0xfffffe0000001000L);
      assertThat(second.get(X86_64.TR)).hasValue(0x40);
      assertThat(second.get(X86_64.TR_BASE)).hasValue(0xfffffe0000003000L);
    }
  }

  @Test
  void offersWideRegisters() {
    try (FakeStub stub = stub(Kind.QEMU);
        Target target = attach(stub)) {
      List<RawRegisters.Raw> raw = target.find(RawRegisters.class).orElseThrow().registers(2);
      assertThat(raw).hasSize(32);
      assertThat(raw.getLast().name()).isEqualTo("xmm0");
      assertThat(raw.getLast().bits()).isEqualTo(128);
      assertThat(raw.getLast().type()).isEqualTo("vec128");
      assertThat(raw.getLast().value())
          .containsExactly(0x1f, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    }
  }

  @ParameterizedTest
  @EnumSource(Kind.class)
  void stopsAndResumes(Kind kind) {
    try (FakeStub stub = stub(kind);
        Target target = attach(stub)) {
      var live = target.find(Live.class).orElseThrow();
      var run = target.find(RunControl.class).orElseThrow();
      assertThat(live.state()).isEqualTo(Live.State.STOPPED);
      long epoch = live.epoch();
      run.resume();
      assertThat(live.state()).isEqualTo(Live.State.RUNNING);
      assertThat(live.epoch()).isGreaterThan(epoch);
      assertThat(run.await(Duration.ofMillis(30))).isEmpty();
      assertThatThrownBy(() -> memory(target).u8(base(kind)))
          .isInstanceOf(TargetException.class)
          .hasMessage(stub.address() + ": cannot read memory while the target runs; stop it first");
      assertThatThrownBy(target::cpus).hasMessageContaining("while the target runs");
      run.stop();
      assertThat(live.state()).isEqualTo(Live.State.STOPPED);
      assertThat(run.await(SOON).orElseThrow().reason()).isEqualTo(new Stop.Signal(2));
      assertThat(memory(target).u8(base(kind))).isEqualTo(RAM[0] & 0xff);
      run.stop();
      assertThat(stub.violations()).isEmpty();
    }
  }

  @ParameterizedTest
  @EnumSource(Kind.class)
  void stopsForALook(Kind kind) {
    try (FakeStub stub = stub(kind);
        Target target = attach(stub)) {
      var live = target.find(Live.class).orElseThrow();
      var run = target.find(RunControl.class).orElseThrow();
      live.look();
      live.rest();
      assertThat(live.state()).isEqualTo(Live.State.STOPPED);
      run.resume();
      live.look();
      assertThat(memory(target).u8(base(kind))).isEqualTo(RAM[0] & 0xff);
      live.rest();
      assertThat(live.state()).isEqualTo(Live.State.RUNNING);
      awaitRunning(stub);
      if (kind != Kind.LEAST) {
        run.stop();
        target.find(Breakpoints.class).orElseThrow().insert(Breakpoints.Kind.SOFTWARE, 16, 1);
        run.resume();
        awaitRunning(stub);
        stub.stop(1, 5, "");
        live.look();
        live.rest();
        assertThat(run.await(SOON).orElseThrow().reason()).isEqualTo(new Stop.Trap());
      }
      assertThat(stub.violations()).isEmpty();
    }
  }

  @ParameterizedTest
  @EnumSource(Kind.class)
  void tellsWhyItStopped(Kind kind) {
    try (FakeStub stub = stub(kind);
        Target target = attach(stub)) {
      var run = target.find(RunControl.class).orElseThrow();
      run.resume();
      awaitRunning(stub);
      stub.stop(kind == Kind.LEAST ? 0 : 1, 5, "");
      int second = kind == Kind.LEAST ? 0 : kind == Kind.GDBSERVER ? 0x2b : 1;
      assertThat(run.await(SOON)).contains(new Stop(second, new Stop.Trap()));
      if (kind == Kind.QEMU || kind == Kind.GDBSERVER) {
        for (var word : List.of("watch", "rwatch", "awatch")) {
          run.resume();
          awaitRunning(stub);
          stub.stop(2, 5, word + ":ffff888000001234;");
          var watch = (Stop.Watch) run.await(SOON).orElseThrow().reason();
          assertThat(watch.address()).isEqualTo(0xffff888000001234L);
          assertThat(watch.kind().name().charAt(0))
              .isEqualTo(word.equals("watch") ? 'W' : word.startsWith("r") ? 'R' : 'A');
        }
      }
    }
  }

  @Test
  void aGlimpseBringsTheRegistersWithTheStop() {
    try (FakeStub stub = stub(Kind.QEMU);
        Target target = attach(stub)) {
      var run = target.find(RunControl.class).orElseThrow();
      var glimpse = target.find(Glimpse.class).orElseThrow();
      assertThat(glimpse.glimpse(cpus -> cpus)).isEmpty();
      for (long at : new long[] {0x4000, 0x5000}) {
        stub.register(2, FakeStub.RIP, at);
        run.resume();
        awaitRunning(stub);
        long epoch = target.find(Live.class).orElseThrow().epoch();
        var counters =
            glimpse.glimpse(
                cpus -> {
                  assertThat(stub.running()).isFalse();
                  return cpus.stream().map(cpu -> cpu.registers().pc().orElseThrow()).toList();
                });
        assertThat(counters.orElseThrow()).hasSize(3).last().isEqualTo(at);
        awaitRunning(stub);
        assertThat(target.find(Live.class).orElseThrow().epoch()).isGreaterThan(epoch);
        run.stop();
        assertThat(target.cpus().get(1).registers().get(X86_64.IDT_LIMIT)).hasValue(0xfff);
      }
      assertThatThrownBy(
              () -> {
                run.resume();
                glimpse.glimpse(
                    _ -> {
                      throw new IllegalStateException("mine");
                    });
              })
          .hasMessage("mine");
      awaitRunning(stub);
      stub.stop(1, 5, "");
      assertThat(glimpse.glimpse(cpus -> cpus)).isEmpty();
      assertThat(run.await(SOON)).contains(new Stop(1, new Stop.Trap()));
      assertThat(stub.violations()).isEmpty();
    }
  }

  @ParameterizedTest
  @EnumSource(value = Kind.class, names = "QEMU", mode = EnumSource.Mode.EXCLUDE)
  void onlyQemusStubGivesGlimpses(Kind kind) {
    try (FakeStub stub = stub(kind);
        Target target = attach(stub)) {
      assertThat(target.find(Glimpse.class)).isEmpty();
    }
  }

  private static void awaitRunning(FakeStub stub) {
    long deadline = System.nanoTime() + SOON.toNanos();
    while (!stub.running() && System.nanoTime() < deadline) {
      Thread.onSpinWait();
    }
    assertThat(stub.running()).isTrue();
  }

  @ParameterizedTest
  @EnumSource(Kind.class)
  void stepsOneCpu(Kind kind) {
    try (FakeStub stub = stub(kind);
        Target target = attach(stub)) {
      var run = target.find(RunControl.class).orElseThrow();
      int cpu = target.cpus().getLast().id();
      long pc = target.cpu(cpu).orElseThrow().registers().pc().getAsLong();
      run.step(cpu, false, false);
      assertThat(run.await(SOON)).contains(new Stop(cpu, new Stop.Trap()));
      assertThat(target.cpu(cpu).orElseThrow().registers().pc()).hasValue(pc + 1);
      run.step(cpu, true, true);
      assertThat(run.await(SOON)).contains(new Stop(cpu, new Stop.Trap()));
      if (kind == Kind.QEMU) {
        assertThat(stub.requests())
            .containsSubsequence(
                "Qqemu.sstep=7", "vCont;s:p01.03", "Qqemu.sstep=1", "vCont;s:p01.03;c");
      }
      assertThatThrownBy(() -> run.step(77, false, false)).hasMessageEndingWith("no CPU 77");
      assertThat(stub.violations()).isEmpty();
    }
  }

  @ParameterizedTest
  @EnumSource(Kind.class)
  void registerWritesGoWithTheNextStep(Kind kind) {
    try (FakeStub stub = stub(kind);
        Target target = attach(stub)) {
      var run = target.find(RunControl.class).orElseThrow();
      var writer = target.find(RegisterWriter.class).orElseThrow();
      var live = target.find(Live.class).orElseThrow();
      int last = target.cpus().size() - 1;
      int cpu = target.cpus().get(last).id();
      writer.write(cpu, X86_64.RAX, 0x1122334455667788L);
      long epoch = live.epoch();
      int asked = stub.requests().size();
      writer.write(cpu, X86_64.RIP, 0x4000);
      writer.write(cpu, X86_64.RSP, 0x5000);
      assertThat(stub.requests()).hasSize(asked);
      assertThat(live.epoch()).isGreaterThan(epoch);
      assertThat(target.cpu(cpu).orElseThrow().registers().pc()).hasValue(0x4000);
      run.step(cpu, false, false);
      assertThat(run.await(SOON)).isPresent();
      assertThat(stub.register(last, 0)).isEqualTo(0x1122334455667788L);
      assertThat(stub.register(last, 7)).isEqualTo(0x5000);
      assertThat(stub.register(last, FakeStub.RIP)).isEqualTo(0x4001);
      assertThat(target.cpu(cpu).orElseThrow().registers().pc()).hasValue(0x4001);
      assertThatThrownBy(() -> writer.write(cpu, X86_64.IDT_BASE, 1))
          .isInstanceOf(UnsupportedException.class)
          .hasMessageEndingWith("cannot write idt_base");
      assertThat(stub.violations()).isEmpty();
    }
  }

  @Test
  void whatCameWithTheStopIsNotAskedFor() {
    try (FakeStub stub = stub(Kind.GDBSERVER);
        Target target = attach(stub)) {
      var run = target.find(RunControl.class).orElseThrow();
      stub.register(0, FakeStub.RIP, 0x401000).register(0, FakeStub.RSP, 0x7fff0000L);
      run.resume();
      awaitRunning(stub);
      int asked = stub.requests().size();
      stub.stop(0, 5, "");
      int cpu = run.await(SOON).orElseThrow().cpu();
      var told = run.told(cpu).orElseThrow();
      assertThat(told.pc()).hasValue(0x401000);
      assertThat(told.sp()).hasValue(0x7fff0000L);
      assertThat(told.get(X86_64.RAX)).isEmpty();
      assertThat(run.told(cpu + 1)).as("another thread's").isEmpty();
      assertThat(stub.requests()).hasSize(asked);
      target.find(RegisterWriter.class).orElseThrow().write(cpu, X86_64.RIP, 0x401001);
      assertThat(run.told(cpu)).as("what may have changed").isEmpty();
      assertThat(target.cpu(cpu).orElseThrow().registers().pc()).hasValue(0x401001);
    }
  }

  @Test
  void aStoreBringsTheRegistersThatAreWrittenNext() {
    try (FakeStub stub = stub(Kind.GDBSERVER);
        Target target = attach(stub)) {
      var run = target.find(RunControl.class).orElseThrow();
      var registers = target.find(RegisterWriter.class).orElseThrow();
      var memory = target.find(MemoryWriter.class).orElseThrow();
      int cpu = target.cpus().getFirst().id();
      registers.write(cpu, X86_64.RIP, 0x401000); // Tells that the stub takes G only.
      run.resume();
      awaitRunning(stub);
      int asked = stub.requests().size();
      stub.stop(0, 5, "");
      assertThat(run.await(SOON)).isPresent();
      memory.write(
          MemoryWriter.Space.VIRTUAL,
          FakeStub.VIRTUAL + AT,
          MemorySegment.ofArray(new byte[] {1, 2}));
      registers.write(cpu, X86_64.RIP, 0x401001);
      registers.write(cpu, X86_64.RSP, 0x1000);
      run.resume();
      awaitRunning(stub);
      assertThat(stub.requests().subList(asked, stub.requests().size()))
          .extracting(request -> request.substring(0, 1))
          .containsExactly("M", "g", "G", "v");
      assertThat(stub.memory(AT + 1)).isEqualTo(2);
      assertThat(stub.register(0, FakeStub.RIP)).isEqualTo(0x401001);
      assertThat(stub.register(0, 1)).as("one that nobody wrote").isEqualTo(1);
    }
  }

  @ParameterizedTest
  @EnumSource(Kind.class)
  void whatWasWrittenIsAskedOfTheStubOnceItIsSettled(Kind kind) {
    try (FakeStub stub = stub(kind).keeps(1); // rbx
        Target target = attach(stub)) {
      var writer = target.find(RegisterWriter.class).orElseThrow();
      int cpu = target.cpus().getLast().id();
      int last = target.cpus().size() - 1;
      long rbx = stub.register(last, 1);
      writer.write(cpu, X86_64.RAX, 0x11);
      writer.write(cpu, X86_64.RBX, 0x22);
      writer.write(cpu, X86_64.RDI, 0x33);
      assertThat(stub.register(last, 5)).isNotEqualTo(0x33);
      writer.settle();
      assertThat(stub.register(last, 5)).isEqualTo(0x33);
      var now = target.cpu(cpu).orElseThrow().registers();
      assertThat(now.get(X86_64.RAX)).hasValue(0x11);
      assertThat(now.get(X86_64.RDI)).hasValue(0x33);
      assertThat(now.get(X86_64.RBX)).as("not what we wrote, but what is there").hasValue(rbx);
      assertThat(stub.violations()).isEmpty();
    }
  }

  @ParameterizedTest
  @EnumSource(Kind.class)
  void aStubThatTakesNoRegistersIsAskedOnce(Kind kind) {
    try (FakeStub stub = stub(kind).withoutRegisterWrites();
        Target target = attach(stub)) {
      var writer = target.find(RegisterWriter.class).orElseThrow();
      int cpu = target.cpus().getFirst().id();
      assertThatThrownBy(() -> writer.write(cpu, X86_64.RIP, 1))
          .isInstanceOf(UnsupportedException.class)
          .hasMessageContaining("rip cannot be written");
      int asked = stub.requests().size();
      assertThatThrownBy(() -> writer.write(cpu, X86_64.RIP, 1))
          .isInstanceOf(UnsupportedException.class)
          .hasMessageEndingWith("the stub lets no registers be written");
      assertThat(stub.requests()).hasSize(asked);
      assertThat(target.cpu(cpu).orElseThrow().registers().pc()).hasValue(16);
    }
  }

  @ParameterizedTest
  @EnumSource(Kind.class)
  void attachingThatIsGivenUpLetsTheTargetGo(Kind kind) {
    // Each time after one more request, until nothing is left to give up.
    boolean attached = false;
    for (int limit = 1; limit < 40 && !attached; limit++) {
      int last = limit;
      try (FakeStub stub = stub(kind)) {
        var options = OPTIONS.givenUpWhen(() -> stub.requests().size() >= last);
        try (Target target = new GdbProvider().attach(stub.address(), options)) {
          attached = target.find(Live.class).orElseThrow().state() == Live.State.STOPPED;
        } catch (FathomException e) {
          assertThat(e).hasMessageStartingWith(stub.address()).hasMessageContaining(": given up");
          awaitRunning(stub);
        }
      }
    }
    assertThat(attached).isTrue();
  }

  /** As QEMU's stub does while it serves somebody else. */
  @Test
  void whoDoesNotAnswerIsToldToLetGo() throws Exception {
    try (var server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      var patience =
          new AttachOptions(false, Optional.empty(), Optional.empty(), Duration.ofMillis(200));
      var silent = "127.0.0.1:" + server.getLocalPort();
      assertThatThrownBy(() -> new GdbProvider().attach(silent, patience))
          .isInstanceOf(TargetException.class)
          .hasMessageContaining("no answer");
      try (var late = server.accept()) {
        var all = new String(late.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
        assertThat(all).startsWith("$qSupported").endsWith("$D;1#b0");
      }
      // Who gives up does not wait for an answer.
      var attacher = new CompletableFuture<Throwable>();
      var asked = new AtomicBoolean();
      var thread =
          Thread.ofPlatform()
              .start(
                  () -> {
                    try (var target =
                        new GdbProvider()
                            .attach(silent, AttachOptions.DEFAULT.givenUpWhen(asked::get))) {
                      attacher.complete(new AssertionError("attached to " + target));
                    } catch (TargetException e) {
                      attacher.complete(e);
                    }
                  });
      try (var late = server.accept()) {
        late.getInputStream().readNBytes(10);
        asked.set(true);
        thread.interrupt();
        assertThat(attacher.get(5, TimeUnit.SECONDS)).hasMessageContaining("given up");
        assertThat(new String(late.getInputStream().readAllBytes(), StandardCharsets.US_ASCII))
            .endsWith("$D;1#b0");
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Kind.class)
  void writesMemory(Kind kind) {
    try (FakeStub stub = stub(kind);
        Target target = attach(stub)) {
      var writer = target.find(MemoryWriter.class).orElseThrow();
      var live = target.find(Live.class).orElseThrow();
      var space = kind == Kind.QEMU ? MemoryWriter.Space.PHYSICAL : MemoryWriter.Space.VIRTUAL;
      assertThat(writer.writes(space)).isTrue();
      assertThat(writer.writes(MemoryWriter.Space.PHYSICAL)).isEqualTo(kind == Kind.QEMU);
      var bytes = new byte[9000];
      new Random(3).nextBytes(bytes);
      assertThat(memory(target).u8(base(kind) + 100)).isEqualTo(RAM[100] & 0xff);
      long epoch = live.epoch();
      writer.write(space, base(kind) + 100, MemorySegment.ofArray(bytes));
      assertThat(live.epoch()).isGreaterThan(epoch);
      assertThat(memory(target).bytes(base(kind) + 100, 9000)).isEqualTo(bytes);
      assertThat(stub.memory(AT + 9099)).isEqualTo(bytes[8999]);
      assertThat(stub.memory(AT + 9100)).isEqualTo(RAM[9100]);
      assertThatThrownBy(() -> writer.write(space, 0x10, MemorySegment.ofArray(bytes)))
          .isInstanceOf(FaultException.class)
          .hasMessageContaining("address 0x10");
    }
  }

  @ParameterizedTest
  @EnumSource(Kind.class)
  void setsBreakpointsAndLeavesNone(Kind kind) {
    try (FakeStub stub = stub(kind)) {
      try (Target target = attach(stub)) {
        var places = target.find(Breakpoints.class).orElseThrow();
        boolean has = kind != Kind.LEAST;
        assertThat(places.insert(Breakpoints.Kind.SOFTWARE, 0xffffffff81000000L, 1)).isEqualTo(has);
        assertThat(places.insert(Breakpoints.Kind.ACCESS, 0x1000, 8)).isEqualTo(has);
        if (has) {
          assertThat(stub.breakpoints())
              .containsExactlyInAnyOrder("0,ffffffff81000000,1", "4,1000,8");
          assertThatThrownBy(() -> places.insert(Breakpoints.Kind.SOFTWARE, 0, 1))
              .isInstanceOf(TargetException.class)
              .hasMessageEndingWith("no breakpoint at 0x0: E22");
          assertThat(places.insert(Breakpoints.Kind.HARDWARE, 0, 1)).isFalse();
          places.remove(Breakpoints.Kind.ACCESS, 0x1000, 8);
          assertThat(stub.breakpoints()).containsExactly("0,ffffffff81000000,1");
        }
        target.find(RunControl.class).orElseThrow().resume();
      }
      assertThat(stub.breakpoints()).isEmpty();
      assertThat(stub.violations()).isEmpty();
      assertThat(stub.detached()).isEqualTo(kind != Kind.LEAST);
    }
  }

  @Test
  void staysStoppedWhenAskedTo() {
    try (FakeStub stub = stub(Kind.QEMU)) {
      try (Target target = attach(stub)) {
        target.find(RunControl.class).orElseThrow().leaveStopped(true);
      }
      assertThat(stub.detached()).isFalse();
      assertThat(stub.running()).isFalse();
    }
  }

  @Test
  void aStopAfterALookIsKept() {
    try (FakeStub stub = stub(Kind.QEMU);
        Target target = attach(stub)) {
      var run = target.find(RunControl.class).orElseThrow();
      var live = target.find(Live.class).orElseThrow();
      run.resume();
      awaitRunning(stub);
      live.look();
      live.rest();
      awaitRunning(stub);
      live.look();
      run.stop();
      live.rest();
      assertThat(live.state()).isEqualTo(Live.State.STOPPED);
      assertThat(stub.running()).isFalse();
    }
  }

  @ParameterizedTest
  @EnumSource(Kind.class)
  void letsGoWhatItCannotAttachTo(Kind kind) {
    boolean describes = kind == Kind.QEMU || kind == Kind.GDBSERVER;
    String request = describes ? "qXfer:features:read:target.xml" : "g";
    try (FakeStub stub =
        stub(kind)
            .mischief(
                (asked, count, frame) ->
                    Optional.of(
                        asked.startsWith(request) ? FakeStub.frame("l<target>", false) : frame))) {
      assertThatThrownBy(() -> attach(stub))
          .isInstanceOf(dev.fathom.base.FathomException.class)
          .message()
          .doesNotContain("stand still");
      awaitRunning(stub);
      assertThat(stub.detached()).isEqualTo(kind != Kind.LEAST);
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = Kind.class,
      names = {"QEMU", "GDBSERVER"})
  void saysWhatMayStandStill(Kind kind) {
    try (FakeStub stub =
        stub(kind)
            .mischief(
                (asked, count, frame) ->
                    Optional.of(
                        asked.startsWith("D") || asked.startsWith("qXfer")
                            ? FakeStub.frame(asked.startsWith("D") ? "E22" : "l<target>", false)
                            : frame))) {
      assertThatThrownBy(() -> attach(stub))
          .isInstanceOf(TargetException.class)
          .hasMessageEndingWith("it may stand still");
    }
  }

  @Test
  void aFailedStepOfLettingGoStopsNoOther() {
    try (FakeStub stub = stub(Kind.QEMU)) {
      Target target = attach(stub);
      var places = target.find(Breakpoints.class).orElseThrow();
      assertThat(places.insert(Breakpoints.Kind.SOFTWARE, 16, 1)).isTrue();
      assertThat(places.insert(Breakpoints.Kind.SOFTWARE, 32, 1)).isTrue();
      stub.mischief(
          (asked, count, frame) ->
              Optional.of(asked.startsWith("z0,10,") ? FakeStub.frame("E22", false) : frame));
      assertThatThrownBy(target::close)
          .isInstanceOf(TargetException.class)
          .hasMessageContaining("could not be let go properly: z0,10,1 was answered by ");
      assertThat(stub.breakpoints()).isEmpty();
      assertThat(stub.detached()).isTrue();
      target.close();
    }
  }

  @Test
  void saysThatItCouldNotBeLetGo() {
    try (FakeStub stub = stub(Kind.QEMU)) {
      Target target =
          new GdbProvider()
              .attach(
                  stub.address(),
                  new AttachOptions(
                      false, Optional.empty(), Optional.empty(), Duration.ofSeconds(2)));
      stub.mischief((asked, count, frame) -> Optional.of(new byte[0]));
      assertThatThrownBy(target::cpus).hasMessageContaining("no answer to ");
      assertThatThrownBy(target::close)
          .isInstanceOf(TargetException.class)
          .hasMessageContaining("could not be let go properly: no answer to ");
    }
  }

  @Test
  void aRefusedThreadIsSelectedAgain() {
    try (FakeStub stub = stub(Kind.QEMU);
        Target target = attach(stub)) {
      stub.mischief(
          (asked, count, frame) ->
              Optional.of(asked.equals("Hgp01.03") ? FakeStub.frame("E22", false) : frame));
      assertThatThrownBy(target::cpus).hasMessageContaining("Hgp01.03 was answered by ");
      stub.mischief(dev.fathom.testkit.gdb.Mischief.NONE);
      int before = stub.requests().size();
      assertThat(target.cpu(2).orElseThrow().registers().get(X86_64.RAX)).hasValue(0x2000);
      assertThat(stub.requests().subList(before, stub.requests().size())).contains("Hgp01.03");
    }
  }

  @Test
  void aRefusedPhysicalModeIsSetAgain() {
    try (FakeStub stub = stub(Kind.QEMU);
        Target target = attach(stub)) {
      stub.mischief(
          (asked, count, frame) ->
              Optional.of(
                  asked.startsWith("Qqemu.PhyMemMode") ? FakeStub.frame("E22", false) : frame));
      assertThatThrownBy(() -> memory(target).u8(AT)).hasMessageContaining("Qqemu.PhyMemMode:1");
      stub.mischief(dev.fathom.testkit.gdb.Mischief.NONE);
      assertThat(memory(target).u8(AT)).isEqualTo(RAM[0] & 0xff);
      assertThat(stub.requests()).containsSubsequence("Qqemu.PhyMemMode:1", "Qqemu.PhyMemMode:1");
    }
  }

  @Test
  void leavesQemusPhysicalModeOff() {
    try (FakeStub stub = stub(Kind.QEMU)) {
      try (Target target = attach(stub)) {
        assertThat(memory(target).u8(AT)).isEqualTo(RAM[0] & 0xff);
      }
      assertThat(stub.requests())
          .containsSubsequence("Qqemu.PhyMemMode:1", "Qqemu.PhyMemMode:0", "D;1");
    }
  }

  @Test
  void anotherThreadMayCloseWhileOneWaits() throws Exception {
    try (FakeStub stub = stub(Kind.QEMU)) {
      Target target = attach(stub);
      var run = target.find(RunControl.class).orElseThrow();
      assertThat(
              target.find(Breakpoints.class).orElseThrow().insert(Breakpoints.Kind.SOFTWARE, 16, 1))
          .isTrue();
      run.resume();
      var ended = new java.util.concurrent.CompletableFuture<Throwable>();
      Thread waiting =
          Thread.ofPlatform()
              .start(
                  () -> {
                    try {
                      ended.complete(
                          new AssertionError(run.await(Duration.ofSeconds(60)) + " came"));
                    } catch (TargetException e) {
                      ended.complete(e);
                    }
                  });
      Thread.sleep(100);
      target.close();
      waiting.join(5000);
      assertThat(ended.get()).hasMessage(stub.address() + ": closed");
      assertThat(stub.breakpoints()).isEmpty();
      assertThat(stub.detached()).isTrue();
    }
  }

  @Test
  void speaksOverUnixSockets(@TempDir Path folder) {
    Path path = folder.resolve("gdb.sock");
    try (FakeStub stub = FakeStub.start(Kind.QEMU, path).memory(AT, RAM.clone())) {
      assertThat(new GdbProvider().accepts(path.toString())).isTrue();
      for (String address : List.of("unix:" + path, path.toString())) {
        try (Target target = new GdbProvider().attach(address, OPTIONS)) {
          assertThat(target.info().name()).isEqualTo(address);
          assertThat(memory(target).bytes(AT, 8)).isEqualTo(Arrays.copyOf(RAM, 8));
        }
      }
      assertThat(stub.violations()).isEmpty();
    }
  }

  @Test
  void tellsAddresses() {
    var provider = new GdbProvider();
    assertThat(List.of("localhost:1234", ":1234", "[::1]:99", "unix:/x"))
        .allMatch(provider::accepts);
    assertThat(
            List.of("vmcore", "/tmp", "qemu:1234x", "host:", "host:123456", "host:70000", "/a:1"))
        .noneMatch(provider::accepts);
    assertThatThrownBy(() -> provider.attach("127.0.0.1:1", OPTIONS))
        .isInstanceOf(TargetException.class)
        .hasMessageStartingWith("127.0.0.1:1: cannot connect: ");
    assertThatThrownBy(() -> provider.attach("unix:/nowhere/at/all", OPTIONS))
        .isInstanceOf(TargetException.class)
        .hasMessageStartingWith("unix:/nowhere/at/all: cannot connect: ");
  }

  @Test
  void tellsWhenTheTargetEnds() {
    try (FakeStub stub = stub(Kind.GDBSERVER);
        Target target = attach(stub)) {
      var run = target.find(RunControl.class).orElseThrow();
      run.resume();
      awaitRunning(stub);
      stub.say("$W07#be");
      assertThat(run.await(SOON).orElseThrow().reason()).isEqualTo(new Stop.Ended(7));
      assertThat(target.find(Live.class).orElseThrow().state()).isEqualTo(Live.State.GONE);
      assertThatThrownBy(target::cpus).hasMessageEndingWith("the target is gone");
    }
  }

  @Test
  void batchesRequests() {
    try (FakeStub stub = stub(Kind.QEMU);
        Target target = attach(stub)) {
      int before = stub.requests().size();
      memory(target).bytes(AT, RAM.length);
      List<String> asked = stub.requests().subList(before, stub.requests().size());
      assertThat(asked).hasSize(1 + RAM.length / 2048).startsWith("Qqemu.PhyMemMode:1");
      assertThat(IntStream.range(1, asked.size()))
          .allMatch(
              i -> asked.get(i).equals("m" + Long.toHexString(AT + (i - 1) * 2048L) + ",800"));
    }
  }

  /** A step from elsewhere to behind a breakpoint has not executed it. */
  @Test
  void stepsBehindABreakpointOfKgdbStay() {
    try (FakeStub stub = stub(Kind.KGDB)) {
      stub.register(0, FakeStub.RIP, 0x4000);
      try (Target target = attach(stub)) {
        var run = target.find(RunControl.class).orElseThrow();
        var places = target.find(Breakpoints.class).orElseThrow();
        assertThat(target.cpu(0).orElseThrow().registers().pc()).hasValue(0x4000);
        places.insert(Breakpoints.Kind.SOFTWARE, 0x4000, 1);
        run.step(0, true, true);
        run.await(SOON);
        // It stepped over the byte that it was at.
        assertThat(target.cpu(0).orElseThrow().registers().pc()).hasValue(0x4000);
        // This one jumps, as far as the client knows.
        places.insert(Breakpoints.Kind.SOFTWARE, 0x4fff, 1);
        stub.register(0, FakeStub.RIP, 0x4fff);
        run.step(0, true, true);
        run.await(SOON);
        assertThat(target.cpu(0).orElseThrow().registers().pc()).hasValue(0x5000);
      }
    }
  }

  /** A debug register stops before the instruction, with nothing taken back. */
  @Test
  void aHardwareBreakpointBehindAnotherIsWhereItIs() {
    try (FakeStub stub = stub(Kind.KGDB)) {
      try (Target target = attach(stub)) {
        var run = target.find(RunControl.class).orElseThrow();
        var places = target.find(Breakpoints.class).orElseThrow();
        places.insert(Breakpoints.Kind.SOFTWARE, 0x4000, 1);
        places.insert(Breakpoints.Kind.HARDWARE, 0x4001, 1);
        stub.comes(0, 0x4001);
        run.resume();
        run.await(SOON);
        assertThat(target.cpu(0).orElseThrow().registers().pc()).hasValue(0x4001);
      }
    }
  }

  /** KGDB lists its tasks as threads and names the task that stopped; CPUs are what counts. */
  @Test
  void kgdbsCpusAreToldFromItsTasks() {
    try (FakeStub stub = stub(Kind.KGDB).cpus(3)) {
      stub.register(0, FakeStub.RIP, 0x1000).register(1, FakeStub.RIP, 0x2000);
      stub.register(2, FakeStub.RIP, 0x3000);
      try (Target target = attach(stub)) {
        assertThat(target.cpus()).extracting(Cpu::id).containsExactly(0, 1, 2);
        assertThat(target.cpus())
            .extracting(cpu -> cpu.registers().pc().orElseThrow())
            .containsExactly(0x1000L, 0x2000L, 0x3000L);
        assertThat(target.cpu(0).orElseThrow().registers().get(X86_64.GS)).isEmpty();
        var run = target.find(RunControl.class).orElseThrow();
        assertThat(run.await(Duration.ZERO).orElseThrow().cpu()).isEqualTo(0);
        target.find(Breakpoints.class).orElseThrow().insert(Breakpoints.Kind.SOFTWARE, 0x4000, 1);
        stub.comes(2, 0x4000);
        run.resume();
        assertThat(run.await(SOON).orElseThrow().cpu()).isEqualTo(2);
        // Where it goes on, too, and not in the middle of the instruction.
        assertThat(target.cpu(2).orElseThrow().registers().pc()).hasValue(0x4000);
        assertThat(stub.register(2, FakeStub.RIP)).isEqualTo(0x4000);
        target.find(Breakpoints.class).orElseThrow().remove(Breakpoints.Kind.SOFTWARE, 0x4000, 1);
        run.step(2, true, true);
        assertThat(run.await(SOON).orElseThrow().cpu()).isEqualTo(2);
        assertThat(target.cpu(2).orElseThrow().registers().pc()).hasValue(0x4001);
      }
      assertThat(stub.detached()).isTrue();
      assertThat(stub.violations()).isEmpty();
    }
  }
}
