// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.gdb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fathom.base.FathomException;
import dev.fathom.base.TargetException;
import dev.fathom.model.arch.x86_64.X86_64;
import dev.fathom.target.AttachOptions;
import dev.fathom.target.Live;
import dev.fathom.target.PhysicalMemory;
import dev.fathom.target.RegisterWriter;
import dev.fathom.target.RunControl;
import dev.fathom.target.Stop;
import dev.fathom.target.Target;
import dev.fathom.target.VirtualMemory;
import dev.fathom.testkit.gdb.FakeStub;
import dev.fathom.testkit.gdb.FakeStub.Kind;
import dev.fathom.testkit.gdb.Mischief;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Whatever a stub does: an answer, or one line that says what is wrong, in time. */
@Timeout(120)
class HostileStubTest {
  /** Where an answer comes, if late on a busy machine. */
  private static final Duration PATIENCE = Duration.ofSeconds(20);

  /** Where none may come. */
  private static final Duration IMPATIENCE = Duration.ofMillis(400);

  private static FakeStub stub(Kind kind) {
    return FakeStub.start(kind).memory(0x1000, new byte[2 * 4096]).cpus(kind == Kind.LEAST ? 1 : 2);
  }

  private static Target attach(FakeStub stub) {
    return attach(stub, PATIENCE);
  }

  private static Target attach(FakeStub stub, Duration patience) {
    return new GdbProvider()
        .attach(
            stub.address(), new AttachOptions(false, Optional.empty(), Optional.empty(), patience));
  }

  /** Uses everything that a target offers. */
  private static void use(FakeStub stub, Duration patience) {
    try (Target target = attach(stub, patience)) {
      assertThat(target.info().facts()).isNotEmpty();
      target.cpus();
      var into = MemorySegment.ofArray(new byte[5000]);
      target.find(PhysicalMemory.class).ifPresent(memory -> memory.read(0x1000, into));
      target
          .find(VirtualMemory.class)
          .ifPresent(memory -> memory.read(0x1000 + FakeStub.VIRTUAL, into));
      var run = target.find(RunControl.class).orElseThrow();
      run.step(target.cpus().getFirst().id(), false, false);
      run.await(patience);
    }
  }

  private static void assertFails(Kind kind, Mischief mischief, String why) {
    assertFails(kind, mischief, PATIENCE, why);
  }

  private static void assertFails(Kind kind, Mischief mischief, Duration patience, String why) {
    try (FakeStub stub = stub(kind).mischief(mischief)) {
      long start = System.nanoTime();
      assertThatThrownBy(() -> use(stub, patience))
          .isInstanceOf(FathomException.class)
          .hasMessageStartingWith(stub.address())
          .hasMessageContaining(why)
          .message()
          .doesNotContain("\n");
      assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(PATIENCE);
    }
  }

  @ParameterizedTest
  @EnumSource(Kind.class)
  void silence(Kind kind) {
    for (int from = 0; from < 8; from += 2) {
      int first = from;
      assertFails(
          kind,
          (request, count, frame) -> Optional.of(count >= first ? new byte[0] : frame),
          IMPATIENCE,
          "no answer to '");
    }
  }

  @ParameterizedTest
  @EnumSource(Kind.class)
  void aPacketThatNeverEnds(Kind kind) {
    var endless = new byte[3 << 20];
    Arrays.fill(endless, (byte) 'a');
    endless[0] = '$';
    assertFails(
        kind,
        (request, count, frame) -> Optional.of(request.startsWith("m") ? endless : frame),
        "packet of more than 1048576 bytes");
  }

  @Test
  void aRunThatNeverEnds() {
    String runs = "$0" + "*~".repeat(100_000);
    assertFails(
        Kind.GDBSERVER,
        (request, count, frame) -> Optional.of(request.equals("g") ? bytes(runs) : frame),
        "packet of more than 1048576 bytes");
  }

  @ParameterizedTest
  @EnumSource(Kind.class)
  void wrongSumsForEver(Kind kind) {
    assertFails(
        kind,
        (request, count, frame) -> {
          var wrong = frame.clone();
          wrong[wrong.length - 1] = (byte) (wrong[wrong.length - 1] == '0' ? '1' : '0');
          return Optional.of(count > 5 ? wrong : frame);
        },
        "sends damaged packets");
  }

  @Test
  void damageIsMendedWherePacketsAreAcknowledged() {
    try (FakeStub stub =
        stub(Kind.LEAST)
            .mischief(
                (request, count, frame) -> {
                  var wrong = frame.clone();
                  wrong[wrong.length - 1] ^= 1;
                  return Optional.of(count % 2 == 1 ? wrong : frame);
                })) {
      try (Target target = attach(stub)) {
        assertThat(target.find(VirtualMemory.class).orElseThrow().bytes(0x1000, 5000))
            .hasSize(5000);
      }
    }
  }

  /** It is sent again, and answered twice: the second answer is not that of the next request. */
  @Test
  void latePacketsAreNotTakenForOthers() {
    var memory = new byte[4096];
    memory[0x100] = 1;
    memory[0x200] = 2;
    memory[0x300] = 3;
    try (FakeStub stub = FakeStub.start(Kind.LEAST).memory(0x1000, memory).cpus(1);
        Target target = attach(stub)) {
      var virtual = target.find(VirtualMemory.class).orElseThrow();
      stub.late(3000);
      assertThat(virtual.u8(0x1100)).isEqualTo(1);
      assertThat(virtual.u8(0x1200)).isEqualTo(2);
      assertThat(virtual.u8(0x1300)).isEqualTo(3);
    }
  }

  /** As on a serial line. Connecting, it is not known yet whether the stub acknowledges at once. */
  @Test
  void lostPacketsAreSentAgain() {
    try (FakeStub stub = stub(Kind.LEAST)) {
      try (Target target = attach(stub)) {
        stub.loses(2);
        assertThat(target.find(VirtualMemory.class).orElseThrow().u64(0x1000)).isZero();
        assertThat(target.cpus()).hasSize(1);
      }
      assertThat(stub.violations()).isEmpty();
    }
  }

  @Test
  void refusedPacketsAreSentAgain() {
    try (FakeStub stub = stub(Kind.LEAST).naks(3)) {
      Target target = attach(stub);
      stub.naks(2);
      assertThat(target.find(VirtualMemory.class).orElseThrow().u64(0x1000)).isZero();
      stub.naks(2);
      var run = target.find(RunControl.class).orElseThrow();
      run.step(0, false, false);
      assertThat(run.await(PATIENCE)).contains(new Stop(0, new Stop.Trap()));
      stub.naks(1000);
      assertThatThrownBy(target::cpus)
          .isInstanceOf(TargetException.class)
          .hasMessage(stub.address() + ": refuses 'g' as damaged, again and again");
      assertThatThrownBy(target::close)
          .isInstanceOf(TargetException.class)
          .hasMessageContaining("could not be let go properly: refuses 'g' as damaged");
    }
  }

  /** The conversation is cut after each of its bytes, or after every few of the later ones. */
  @ParameterizedTest
  @EnumSource(Kind.class)
  void hangingUpAtEachByte(Kind kind) {
    try (FakeStub stub = stub(kind).hangUpAfter(Long.MAX_VALUE)) {
      use(stub, PATIENCE);
      long total = stub.sent();
      int failures = 0;
      int tries = 0;
      for (long at = 1; at < total; at += at < 300 ? 1 : 97) {
        stub.hangUpAfter(at);
        tries++;
        try {
          use(stub, PATIENCE);
        } catch (FathomException e) {
          failures++;
          assertThat(e).hasMessageStartingWith(stub.address());
        }
      }
      // The last bytes answer the farewell, which nobody waits for.
      assertThat(failures).isGreaterThan(tries - 10);
    }
  }

  @Test
  void listsThatNeverEnd() {
    assertFails(
        Kind.QEMU,
        (request, count, frame) ->
            Optional.of(request.equals("qsThreadInfo") ? FakeStub.frame("mp01.01", false) : frame),
        "no new thread in 'mp01.01'");
    var next = new AtomicInteger(100);
    assertFails(
        Kind.QEMU,
        (request, count, frame) ->
            Optional.of(
                request.equals("qsThreadInfo")
                    ? FakeStub.frame("m" + many(next.getAndAdd(500)), false)
                    : frame),
        "threads");
    assertFails(
        Kind.QEMU,
        (request, count, frame) ->
            Optional.of(
                request.startsWith("qXfer")
                    ? FakeStub.frame("m" + " ".repeat(3000), false)
                    : frame),
        "target.xml: at offset 0x1");
    assertFails(
        Kind.QEMU,
        (request, count, frame) ->
            Optional.of(request.startsWith("qXfer") ? FakeStub.frame("m", false) : frame),
        "a piece of nothing, and more to come");
    assertFails(
        Kind.QEMU,
        (request, count, frame) ->
            Optional.of(request.startsWith("qRcmd") ? bytes("$O41#c4".repeat(20000)) : frame),
        "");
  }

  private static String many(int from) {
    var text = new StringBuilder();
    for (int i = 0; i < 500; i++) {
      text.append(i == 0 ? "" : ",").append("p1.").append(Integer.toHexString(from + i));
    }
    return text.toString();
  }

  @Test
  void absurdNumbers() {
    for (String features :
        new String[] {"PacketSize=ffffffffffff", "PacketSize=0", "PacketSize=", "PacketSize=zz"}) {
      try (FakeStub stub =
          stub(Kind.LEAST)
              .mischief(
                  (request, count, frame) ->
                      Optional.of(
                          request.startsWith("qSupported")
                              ? FakeStub.frame(features, false)
                              : frame))) {
        try (Target target = attach(stub)) {
          // A stub that boasts gets large requests, and refuses them here.
          var into = MemorySegment.ofArray(new byte[64]);
          assertThat(target.find(VirtualMemory.class).orElseThrow().read(0x1000, into))
              .isEqualTo(64);
        }
      }
    }
  }

  @Test
  void stopsBetweenRepliesAreNoReplies() {
    try (FakeStub stub = stub(Kind.QEMU).unsolicited("T02thread:01;");
        Target target = attach(stub)) {
      long epoch = target.find(Live.class).orElseThrow().epoch();
      var memory = target.find(PhysicalMemory.class).orElseThrow();
      assertThat(memory.u64(0x1000)).isZero();
      stub.mischief(
          (request, count, frame) ->
              Optional.of(
                  request.startsWith("m")
                      ? bytes(
                          new String(
                                  FakeStub.frame("T05thread:p01.02;", false),
                                  StandardCharsets.ISO_8859_1)
                              + new String(frame, StandardCharsets.ISO_8859_1))
                      : frame));
      assertThat(memory.u64(0x2000)).isZero();
      stub.mischief(Mischief.NONE);
      assertThat(target.find(Live.class).orElseThrow().epoch()).isGreaterThan(epoch);
      assertThat(target.find(RunControl.class).orElseThrow().await(PATIENCE))
          .contains(new Stop(1, new Stop.Trap()));
      assertThat(target.cpus()).hasSize(2);
      assertThat(stub.violations()).isEmpty();
    }
  }

  /** As QEMU does after a client that knew of no processes. */
  @Test
  void aStopInTheFormOfTheClientBeforeIsNoProcess() {
    try (FakeStub stub = stub(Kind.QEMU).unsolicited("T02thread:01;")) {
      var target = attach(stub);
      assertThat(target.find(PhysicalMemory.class).orElseThrow().u64(0x1000)).isZero();
      target.close();
      assertThat(stub.detached()).isTrue();
    }
  }

  /** QEMU stops all CPUs and tells of one; others may tell of each. */
  @Test
  void severalCpusStopAtOnce() {
    try (FakeStub stub = stub(Kind.GDBSERVER);
        Target target = attach(stub)) {
      var run = target.find(RunControl.class).orElseThrow();
      run.resume();
      stub.stop(0, 5, "");
      stub.say(new String(FakeStub.frame("T05thread:p2a.2b;", false), StandardCharsets.ISO_8859_1));
      assertThat(run.await(PATIENCE).orElseThrow().cpu()).isEqualTo(0x2a);
      assertThat(target.cpus()).hasSize(2);
      run.resume();
      assertThat(run.await(Duration.ofMillis(50))).isEmpty();
      run.stop();
      assertThat(run.await(PATIENCE).orElseThrow().reason()).isEqualTo(new Stop.Signal(2));
    }
  }

  @Test
  void everythingIsRefused() {
    for (String answer : new String[] {"E01", "", "OK", "E.no", "l", "m", "T05"}) {
      for (Kind kind : Kind.values()) {
        try (FakeStub stub =
            stub(kind)
                .mischief((request, count, frame) -> Optional.of(FakeStub.frame(answer, false)))) {
          assertThatThrownBy(() -> use(stub, IMPATIENCE))
              .isInstanceOf(FathomException.class)
              .hasMessageStartingWith(stub.address());
        }
      }
    }
  }

  @Test
  void aRegisterThatIsNotTakenIsTold() {
    try (FakeStub stub = stub(Kind.QEMU);
        Target target = attach(stub)) {
      var writer = target.find(RegisterWriter.class).orElseThrow();
      var run = target.find(RunControl.class).orElseThrow();
      writer.write(0, X86_64.RAX, 1);
      writer.write(0, X86_64.RBX, 1);
      stub.mischief(
          (request, count, frame) ->
              Optional.of(request.startsWith("P") ? FakeStub.frame("E22", false) : frame));
      run.step(0, false, false);
      assertThatThrownBy(() -> run.await(PATIENCE))
          .isInstanceOf(TargetException.class)
          .hasMessage(
              stub.address()
                  + ": the target ran although P1=0100000000000000 was answered by 'E22'");
      assertThat(target.find(Live.class).orElseThrow().state()).isEqualTo(Live.State.STOPPED);
    }
  }

  @Test
  void aLostConnectionIsOneLineEachTime() {
    try (FakeStub stub = stub(Kind.QEMU);
        Target target = attach(stub)) {
      stub.hangUp();
      for (int i = 0; i < 2; i++) {
        assertThatThrownBy(target::cpus)
            .isInstanceOf(TargetException.class)
            .hasMessageStartingWith(stub.address() + ": ");
      }
      assertThat(target.find(Live.class).orElseThrow().state()).isEqualTo(Live.State.GONE);
    }
  }

  @Test
  void aStubThatDoesNotStop() {
    try (FakeStub stub = stub(Kind.LEAST);
        Target target = attach(stub)) {
      var run = target.find(RunControl.class).orElseThrow();
      run.resume();
      stub.say("$O41#c4+");
      assertThat(run.await(Duration.ofMillis(50))).isEmpty();
      stub.hangUp();
      assertThatThrownBy(run::stop).hasMessageStartingWith(stub.address() + ": ");
    }
  }

  /** Damaged payloads in right frames: each run differs, the seed replays it. */
  @ParameterizedTest
  @EnumSource(Kind.class)
  void damagedReplies(Kind kind) {
    long seed = Long.getLong("fathom.fuzz.seed", System.nanoTime());
    for (int input = 0; input < 60; input++) {
      var random = new Random(seed + input);
      try (FakeStub stub =
          stub(kind)
              .mischief(
                  (request, count, frame) ->
                      Optional.of(random.nextInt(6) == 0 ? damage(frame, random) : frame))) {
        long start = System.nanoTime();
        try {
          use(stub, IMPATIENCE);
        } catch (FathomException e) {
          assertThat(e.getMessage()).as("seed " + (seed + input)).doesNotContain("\n");
        } catch (RuntimeException | Error e) {
          throw new AssertionError("replay with -Dfathom.fuzz.seed=" + (seed + input), e);
        }
        assertThat(Duration.ofNanos(System.nanoTime() - start))
            .as("seed " + (seed + input))
            .isLessThan(PATIENCE);
      }
    }
  }

  private static byte[] damage(byte[] frame, Random random) {
    String payload = new String(frame, 1, frame.length - 4, StandardCharsets.ISO_8859_1);
    var text = new StringBuilder(payload);
    String alphabet = "0123456789abcdefxpE:;,.-OKTSWXml<>&\"'/ ";
    for (int i = 0; i <= random.nextInt(3); i++) {
      int at = text.isEmpty() ? 0 : random.nextInt(text.length());
      switch (random.nextInt(4)) {
        case 0 -> text.setLength(at);
        case 1 -> text.insert(at, alphabet.charAt(random.nextInt(alphabet.length())));
        case 2 -> text.append(text.substring(at));
        default -> {
          if (!text.isEmpty()) {
            text.setCharAt(at, alphabet.charAt(random.nextInt(alphabet.length())));
          }
        }
      }
    }
    return FakeStub.frame(text.toString(), false);
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.ISO_8859_1);
  }
}
