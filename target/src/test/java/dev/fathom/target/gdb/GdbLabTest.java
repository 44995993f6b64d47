// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.gdb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fathom.base.FathomException;
import dev.fathom.base.Range;
import dev.fathom.base.TargetException;
import dev.fathom.model.Registers;
import dev.fathom.model.arch.x86_64.X86_64;
import dev.fathom.target.AttachOptions;
import dev.fathom.target.Breakpoints;
import dev.fathom.target.Cpu;
import dev.fathom.target.Live;
import dev.fathom.target.MemoryWriter;
import dev.fathom.target.PhysicalMemory;
import dev.fathom.target.RegisterWriter;
import dev.fathom.target.RunControl;
import dev.fathom.target.Stop;
import dev.fathom.target.Target;
import dev.fathom.target.VirtualMemory;
import dev.fathom.testkit.lab.Lab;
import dev.fathom.testkit.lab.LiveGuest;
import dev.fathom.testkit.lab.Recipe;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.UnixDomainSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** QEMU's own stub over Debian's kernels, and gdbserver. */
@Tag("lab")
@Timeout(600)
class GdbLabTest {
  private static final Lab LAB = Lab.open();
  private static final Duration SOON = Duration.ofSeconds(30);

  @TempDir Path directory;

  @ParameterizedTest
  @ValueSource(strings = {"6.1", "6.12"})
  void aGuestBehindQemusStub(String version) throws IOException {
    int port = freePort();
    try (LiveGuest guest =
        LAB.start(Recipe.healthy(version), List.of("-gdb", "tcp:127.0.0.1:" + port))) {
      try (Target target = throughTheStub(port)) {
        assertThat(target.architecture()).isEqualTo("x86_64");
        assertThat(target.cpus()).extracting(Cpu::id).containsExactly(0, 1);
        for (Cpu cpu : target.cpus()) {
          for (var register :
              List.of(
                  X86_64.RIP, X86_64.CR3, X86_64.CR4, X86_64.IDT_BASE, X86_64.GS_BASE, X86_64.TR)) {
            assertThat(cpu.registers().get(register)).as(register.name()).isPresent();
          }
        }
        physicalMemoryIsWhatQemuSaves(guest, target);
        virtualMemoryIsTheKernels(guest, target);
        stopsAtAFunctionAndSteps(guest, target);
        stopsAtAWrite(guest, target);
        writesMemory(guest, target);
      }
      assertThat(status(guest)).isEqualTo("running");
      long ticks = saved(guest, "memsave", symbol(guest, "jiffies"));
      long deadline = System.nanoTime() + SOON.toNanos();
      while (saved(guest, "memsave", symbol(guest, "jiffies")) == ticks) {
        assertThat(System.nanoTime()).isLessThan(deadline);
      }

      try (Target again = attach("127.0.0.1:" + port)) {
        assertThat(again.find(PhysicalMemory.class).orElseThrow().u64(0x500))
            .isEqualTo(saved(guest, "pmemsave", 0x500));
        again.find(RunControl.class).orElseThrow().leaveStopped(true);
      }
      assertThat(status(guest)).isEqualTo("paused");
    }
  }

  private void physicalMemoryIsWhatQemuSaves(LiveGuest guest, Target target) throws IOException {
    PhysicalMemory memory = target.find(PhysicalMemory.class).orElseThrow();
    long total = 0;
    for (Range range : memory.ranges()) {
      total += range.length();
      // All of the small ranges, and the first 64 MiB of the large one with the kernel.
      int length = (int) Math.min(64 << 20, range.length());
      Path file = directory.resolve("saved");
      guest
          .guest()
          .monitor()
          .execute(
              "pmemsave",
              Map.of("val", range.start(), "size", length, "filename", file.toString()));
      byte[] expected = Files.readAllBytes(file);
      assertThat(Arrays.mismatch(memory.bytes(range.start(), length), expected)).isEqualTo(-1);
      Files.delete(file);
    }
    assertThat(total).isBetween(511L << 20, 513L << 20);
    assertThat(memory.read(0xfee00000L, MemorySegment.ofArray(new byte[8]))).isZero();
  }

  private static void virtualMemoryIsTheKernels(LiveGuest guest, Target target) {
    VirtualMemory memory = target.find(VirtualMemory.class).orElseThrow();
    assertThat(memory.cString(symbol(guest, "linux_banner"), 200))
        .startsWith("Linux version " + guest.facts().release());
    assertThat(memory.read(8, MemorySegment.ofArray(new byte[8]))).isZero();
  }

  private static void stopsAtAFunctionAndSteps(LiveGuest guest, Target target) {
    RunControl run = target.find(RunControl.class).orElseThrow();
    Breakpoints places = target.find(Breakpoints.class).orElseThrow();
    Live live = target.find(Live.class).orElseThrow();
    long function = symbol(guest, "hrtimer_interrupt");
    for (var kind : List.of(Breakpoints.Kind.HARDWARE, Breakpoints.Kind.SOFTWARE)) {
      assertThat(places.insert(kind, function, 1)).isTrue();
      long epoch = live.epoch();
      run.resume();
      Stop stop = run.await(SOON).orElseThrow();
      assertThat(stop.reason()).isEqualTo(new Stop.Trap());
      assertThat(live.epoch()).isGreaterThan(epoch);
      Registers at = target.cpu(stop.cpu()).orElseThrow().registers();
      assertThat(at.pc()).hasValue(function);
      places.remove(kind, function, 1);

      run.step(stop.cpu(), false, false);
      assertThat(run.await(SOON)).contains(new Stop(stop.cpu(), new Stop.Trap()));
      Registers after = target.cpu(stop.cpu()).orElseThrow().registers();
      assertThat(after.pc().getAsLong()).isBetween(function + 1, function + 15);

      // Back to where it was: the registers go with the step, in one write.
      target.find(RegisterWriter.class).orElseThrow().write(stop.cpu(), X86_64.RIP, function);
      target
          .find(RegisterWriter.class)
          .orElseThrow()
          .write(stop.cpu(), X86_64.RSP, at.sp().getAsLong());
      run.step(stop.cpu(), false, false);
      assertThat(run.await(SOON)).isPresent();
      assertThat(target.cpu(stop.cpu()).orElseThrow().registers().pc()).isEqualTo(after.pc());
      assertThat(target.cpu(stop.cpu()).orElseThrow().registers().sp()).isEqualTo(after.sp());
    }
  }

  private static void stopsAtAWrite(LiveGuest guest, Target target) {
    RunControl run = target.find(RunControl.class).orElseThrow();
    Breakpoints places = target.find(Breakpoints.class).orElseThrow();
    long jiffies = symbol(guest, "jiffies");
    assertThat(places.insert(Breakpoints.Kind.WRITE, jiffies, 8)).isTrue();
    run.resume();
    assertThat(run.await(SOON).orElseThrow().reason())
        .isEqualTo(new Stop.Watch(Breakpoints.Kind.WRITE, jiffies));
    places.remove(Breakpoints.Kind.WRITE, jiffies, 8);
  }

  private void writesMemory(LiveGuest guest, Target target) throws IOException {
    long banner = symbol(guest, "linux_banner");
    VirtualMemory memory = target.find(VirtualMemory.class).orElseThrow();
    MemoryWriter writer = target.find(MemoryWriter.class).orElseThrow();
    byte[] before = memory.bytes(banner, 8);
    byte[] other = "FATHOM!!".getBytes(StandardCharsets.US_ASCII);
    writer.write(MemoryWriter.Space.VIRTUAL, banner, MemorySegment.ofArray(other));
    assertThat(memory.bytes(banner, 8)).isEqualTo(other);
    assertThat(saved(guest, "memsave", banner)).isEqualTo(memory.u64(banner));
    writer.write(MemoryWriter.Space.VIRTUAL, banner, MemorySegment.ofArray(before));
    assertThat(memory.cString(banner, 200)).startsWith("Linux version ");

    PhysicalMemory physical = target.find(PhysicalMemory.class).orElseThrow();
    long old = physical.u64(0x500);
    writer.write(MemoryWriter.Space.PHYSICAL, 0x500, MemorySegment.ofArray(other));
    assertThat(saved(guest, "pmemsave", 0x500)).isEqualTo(physical.u64(0x500)).isNotEqualTo(old);
  }

  private long saved(LiveGuest guest, String command, long address) throws IOException {
    Path file = directory.resolve("eight");
    guest
        .guest()
        .monitor()
        .execute(command, Map.of("val", address, "size", 8, "filename", file.toString()));
    return MemorySegment.ofArray(Files.readAllBytes(file))
        .get(java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED, 0);
  }

  private static String status(LiveGuest guest) {
    return guest.guest().monitor().execute("query-status", Map.of()) instanceof Map<?, ?> map
        ? String.valueOf(map.get("status"))
        : "";
  }

  private static long symbol(LiveGuest guest, String name) {
    return guest.facts().symbol(name).orElseThrow();
  }

  @Test
  void aGuestThatIsKilled() {
    Path socket = directory.resolve("gdb");
    List<String> stub =
        List.of(
            "-chardev", "socket,id=stub,server=on,wait=off,path=" + socket, "-gdb", "chardev:stub");
    try (LiveGuest guest = LAB.start(Recipe.healthy("6.1"), stub)) {
      Target target = attach("unix:" + socket);
      Live live = target.find(Live.class).orElseThrow();
      PhysicalMemory memory = target.find(PhysicalMemory.class).orElseThrow();
      var killer =
          Thread.ofPlatform()
              .start(
                  () -> {
                    try {
                      Thread.sleep(300);
                    } catch (InterruptedException e) {
                      Thread.currentThread().interrupt();
                    }
                    guest.guest().kill();
                  });
      assertThatThrownBy(
              () -> {
                while (killer.isAlive() || live.state() == Live.State.STOPPED) {
                  memory.bytes(1 << 20, 256 << 20);
                }
                memory.u8(1 << 20);
              })
          .isInstanceOf(TargetException.class)
          .hasMessageMatching("unix:" + socket + ": the connection .*|process \\d+ has ended");
      assertThat(live.state()).isEqualTo(Live.State.GONE);
      assertThatThrownBy(target::cpus).isInstanceOf(FathomException.class);
      target.close();
    }
  }

  /** A shell that counts: its loop comes by any of its instructions again and again. */
  @Test
  void aProcessBehindGdbserver() throws IOException {
    Path words = directory.resolve("gdbserver.log");
    Process server =
        new ProcessBuilder(
                LAB.gdbserver().toString(),
                "127.0.0.1:0",
                "/bin/sh",
                "-c",
                "i=0; echo counts; while :; do i=$((i+1)); done")
            .redirectErrorStream(true)
            .redirectOutput(words.toFile())
            .redirectInput(Path.of("/dev/null").toFile())
            .start();
    Optional<ProcessHandle> shell = Optional.empty();
    try {
      shell = ProcessHandle.of(Long.parseLong(word(server, words, "pid = ")));
      process("127.0.0.1:" + word(server, words, "Listening on port "), shell.orElseThrow(), words);
      assertThat(shell.orElseThrow().isAlive()).isTrue();
    } finally {
      shell.ifPresent(ProcessHandle::destroyForcibly);
      server.destroyForcibly();
    }
  }

  /** What stands after {@code mark} on its line, once it does. */
  private static String word(Process server, Path words, String mark) throws IOException {
    long deadline = System.nanoTime() + SOON.toNanos();
    while (true) {
      String text = Files.readString(words);
      int at = text.indexOf(mark);
      int end = text.indexOf('\n', at);
      if (at >= 0 && end > at) {
        return text.substring(at + mark.length(), end).strip();
      }
      assertThat(server.isAlive() && System.nanoTime() < deadline).as(text).isTrue();
      Thread.onSpinWait();
    }
  }

  private static void process(String address, ProcessHandle shell, Path words) throws IOException {
    try (Target target = attach(address)) {
      assertThat(target.find(PhysicalMemory.class)).isEmpty();
      RunControl run = target.find(RunControl.class).orElseThrow();
      Breakpoints places = target.find(Breakpoints.class).orElseThrow();
      RegisterWriter writer = target.find(RegisterWriter.class).orElseThrow();
      int cpu = target.cpus().getFirst().id();
      assertThat((long) cpu).isEqualTo(shell.pid());
      run.resume();
      while (!Files.readString(words).contains("counts\n")) {
        assertThat(run.await(Duration.ofMillis(100))).isEmpty();
      }
      run.stop();
      assertThat(run.await(SOON)).contains(new Stop(cpu, new Stop.Signal(2)));
      var registers = target.cpu(cpu).orElseThrow().registers();
      VirtualMemory memory = target.find(VirtualMemory.class).orElseThrow();
      assertThat(memory.bytes(registers.pc().getAsLong(), 16)).isNotEqualTo(new byte[16]);
      assertThat(memory.read(8, MemorySegment.ofArray(new byte[8]))).isZero();

      long pc = registers.pc().getAsLong();
      assertThat(places.insert(Breakpoints.Kind.SOFTWARE, pc, 1)).isTrue();
      for (int i = 0; i < 20; i++) {
        run.step(cpu, false, true);
        assertThat(run.await(SOON)).isPresent();
        run.resume();
        assertThat(run.await(SOON)).contains(new Stop(cpu, new Stop.Trap()));
        assertThat(target.cpu(cpu).orElseThrow().registers().pc()).hasValue(pc);
      }
      places.remove(Breakpoints.Kind.SOFTWARE, pc, 1);

      long stack = target.cpu(cpu).orElseThrow().registers().sp().getAsLong() - 4096;
      var mark = new byte[] {1, 2, 3, 4};
      target
          .find(MemoryWriter.class)
          .orElseThrow()
          .write(MemoryWriter.Space.VIRTUAL, stack, MemorySegment.ofArray(mark));
      assertThat(memory.bytes(stack, 4)).isEqualTo(mark);

      // gdbserver takes registers all at once only.
      long r11 = target.cpu(cpu).orElseThrow().registers().get(X86_64.R11).getAsLong();
      writer.write(cpu, X86_64.R11, 0x1234567890L);
      assertThat(target.cpu(cpu).orElseThrow().registers().get(X86_64.R11)).hasValue(0x1234567890L);
      writer.write(cpu, X86_64.R11, r11);
    }
  }

  /** A target that does not find the process behind the stub, to read memory in place. */
  private static Target throughTheStub(int port) throws IOException {
    var address = new InetSocketAddress(InetAddress.getByName("127.0.0.1"), port);
    var link = new Link("stub", SocketWire.connect(address, SOON), SOON);
    return new GdbTarget(Stub.open(link), UnixDomainSocketAddress.of("nowhere"), SOON);
  }

  private static Target attach(String address) {
    return new GdbProvider().attach(address, AttachOptions.DEFAULT);
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
      return socket.getLocalPort();
    }
  }
}
