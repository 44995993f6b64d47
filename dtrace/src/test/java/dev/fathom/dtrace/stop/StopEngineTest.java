// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.stop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fathom.base.FathomException;
import dev.fathom.dtrace.compile.Compiler;
import dev.fathom.dtrace.compile.Environment;
import dev.fathom.dtrace.compile.Input;
import dev.fathom.dtrace.consume.Consumer;
import dev.fathom.dtrace.consume.ConsumerOptions;
import dev.fathom.dtrace.replay.Recorder;
import dev.fathom.dtrace.replay.ReplayEngine;
import dev.fathom.dtrace.syntax.Macros;
import dev.fathom.kernel.KernelOptions;
import dev.fathom.kernel.Progress;
import dev.fathom.session.Session;
import dev.fathom.target.AttachOptions;
import dev.fathom.target.MemoryWriter;
import dev.fathom.testkit.gdb.FakeStub;
import dev.fathom.testkit.tiny.TinyLinux;
import dev.fathom.trace.file.TraceFile;
import dev.fathom.trace.recording.RecordingWriter;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** D over a made-up guest behind a gdb stub whose CPUs follow a script. */
@Timeout(60)
class StopEngineTest {
  private static final int RBX = 1;
  private static final int RSI = 4;
  private static final int RCX = 2;
  private static final int RDI = 5;
  private static final int RSP = 7;

  /** The physical address of the last page of the heap, in which is nothing. */
  private static final long SPARE = 0x24f_f000;

  private TinyLinux linux = new TinyLinux().withTracepoints();
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final List<String> problems = new ArrayList<>();
  private final List<String> notices = new ArrayList<>();
  private FakeStub stub;
  private Session session;

  @BeforeEach
  void attach() {
    linux.vmcore();
    stub = linux.stub();
    session =
        Session.attach(
            stub.address(),
            AttachOptions.DEFAULT,
            new KernelOptions(Optional.empty(), true, Progress.NONE));
  }

  @AfterEach
  void close() {
    session.close();
    stub.close();
    assertThat(stub.violations()).isEmpty();
  }

  private void comes(String function, int times) {
    for (int i = 0; i < times; i++) {
      stub.comes(i % 2, linux.address(function));
    }
  }

  private String trace(String program) {
    return trace(program, Optional.empty());
  }

  private String trace(String program, Optional<Recorder> recorder) {
    try (var engine = new StopEngine(session, recorder)) {
      var compiled =
          Compiler.compile(
              Environment.of(
                  engine, Optional.of(session.kernel().program()), Macros.NONE, Map.of()),
              List.of(),
              List.of(Input.script("test.d", program)));
      var plan = compiled.plan();
      var consumer =
          Consumer.text(
              plan,
              new ConsumerOptions(plan.options()),
              new Consumer.Surroundings(
                  new SessionNames(session), ByteOrder.LITTLE_ENDIAN, ZoneOffset.UTC, _ -> {}),
              out,
              problems::add);
      assertThat(engine.start(plan, consumer)).isEmpty();
      while (engine.work(1_000_000_000L)) {
        assertThat(problems).isEmpty();
        notices.addAll(engine.notices());
      }
      engine.stop();
      notices.addAll(engine.notices());
      consumer.finish();
    }
    return out.toString(StandardCharsets.ISO_8859_1);
  }

  /** The value, the stack without the return address, and where that leads. */
  @Test
  void aFunctionReturnsWithoutRunning() {
    long sp = linux.tasks().getFirst().address();
    long caller = session.kernel().program().memory().u64(sp);
    comes("schedule", 1);
    comes("panic", 1);
    stub.register(0, RSP, sp);
    assertThat(
            trace(
                "#pragma D option quiet\n#pragma D option destructive\n"
                    + "fbt::schedule:entry { return(-5); }\n"
                    + "fbt::schedule:entry { printf(\"%d\", arg0 == arg0); }\n"
                    + "fbt::panic:entry { exit(0); }"))
        .isEqualTo("1\n");
    assertThat(stub.requests())
        .containsSubsequence(
            register(0, -5), register(RSP, sp + 8), register(FakeStub.RIP, caller));
  }

  /** A table of jumps may lead every tracepoint to all of its places. */
  @Test
  void noMorePlacesOfTracepointsAreFollowedThanAnyKernelHas() {
    var enough = new Tracepoints(session.kernel().program(), 1);
    assertThat(enough.all()).hasSize(1);
    assertThat(enough.note()).isEmpty();
    var tooFew = new Tracepoints(session.kernel().program(), 0);
    assertThat(tooFew.all()).isEmpty();
    assertThat(tooFew.note())
        .contains(
            "tracepoint sched_switch and those behind it are left out: the kernel's table of jumps"
                + " leads to more than 0 places");
  }

  @Test
  void countsEntriesUntilExit() {
    comes("schedule", 5);
    comes("panic", 1);
    assertThat(
            trace(
                "#pragma D option quiet\n"
                    + "fbt::schedule:entry { @[probefunc, probename] = count(); }\n"
                    + "fbt::panic:entry { exit(0); }"))
        .contains("schedule")
        .containsPattern("entry +5\n");
  }

  @Test
  void predicatesSeeTheThread() {
    comes("schedule", 4);
    comes("panic", 1);
    assertThat(
            trace(
                "#pragma D option quiet\n"
                    + "fbt::schedule:entry /cpu == 1/ { @ = sum(cpu); }\n"
                    + "fbt::panic:entry { printf(\"%s %d\", execname, tid); exit(0); }"))
        .containsPattern("^\\S+ \\d+\n")
        .containsPattern(" 2\n");
  }

  @Test
  void probesOfWhatIsNotThereAreRefusedWithTheirNames() {
    assertThatThrownBy(() -> trace("fbt::shedule:entry { }"))
        .isInstanceOf(FathomException.class)
        .hasMessageContaining("shedule");
  }

  @Test
  void timersFireWithoutHits() {
    assertThat(trace("#pragma D option quiet\ntick-10ms { printf(\"tick\"); exit(0); }"))
        .isEqualTo("tick\n");
  }

  /** Led through the code of an enabled tracepoint, up to the call. */
  @Test
  void tracepointsFireWithTheirArguments() {
    long site = linux.address("schedule") + 0x20;
    long behind = linux.address("schedule") + 0x80;
    long next = linux.tasks().getFirst().address();
    for (int i = 0; i < 3; i++) {
      stub.comes(0, site).comes(0, behind + 0x12);
    }
    comes("panic", 1);
    stub.register(0, RSI, 7).register(0, RCX, next);
    assertThat(
            trace(
                "#pragma D option quiet\n"
                    + "sdt:::sched_switch { printf(\"%d %x %d \", args[0], (uint64_t)args[2],"
                    + " (uint64_t)args[2] == arg2); }\n"
                    + "fbt::panic:entry { exit(0); }"))
        .isEqualTo(("7 " + Long.toHexString(next) + " 1 ").repeat(3) + "\n");
    // Where an enabled one goes on; the load's register, then behind it; behind the call.
    assertThat(stub.requests())
        .containsSubsequence(
            register(FakeStub.RIP, behind),
            register(RBX, linux.address("__tracepoint_sched_switch")),
            register(FakeStub.RIP, behind + 7),
            register(FakeStub.RIP, behind + 0x17));
  }

  /**
   * A chain that leads nowhere: the bios in front of that are told of, the CPU is led on all the
   * same, and tracing goes on.
   */
  @Test
  void badChainsOfRequestsAreNoEnd() {
    close();
    linux = new TinyLinux().withTracepoints("block_rq_complete");
    attach();
    long request = TinyLinux.DIRECT_MAP + SPARE;
    long bio = request + 64;
    var page = ByteBuffer.allocate(4096).order(ByteOrder.LITTLE_ENDIAN);
    page.putLong(0, bio).putLong(64, 0xdead_0000_0000_0100L).putInt(64 + 16, 512);
    stub.memory(SPARE, page.array());
    long site = linux.address("schedule") + 0x20;
    long behind = linux.address("schedule") + 0x80;
    for (int i = 0; i < 2; i++) {
      stub.comes(0, site).comes(0, behind + 0x12);
    }
    comes("panic", 1);
    stub.register(0, RSI, request).register(0, RCX, 4096);
    assertThat(
            trace(
                "#pragma D option quiet\n"
                    + "io:::done { printf(\"%x \", arg0); }\n"
                    + "fbt::panic:entry { exit(0); }"))
        .isEqualTo((Long.toHexString(bio) + " ").repeat(2) + "\n");
    assertThat(notices)
        .singleElement()
        .asString()
        .contains("block_rq_complete:done: does not fire where this cannot be read")
        .contains("dead00000000011");
    assertThat(stub.requests())
        .filteredOn(register(FakeStub.RIP, behind + 0x17)::equals)
        .hasSize(2);
  }

  /** All together have half a second. */
  @Test
  void chillsAreBoundedTogether() {
    comes("panic", 1);
    assertThat(
            trace(
                "#pragma D option quiet\n#pragma D option destructive\n"
                    + "fbt::panic:entry { chill(1000000); printf(\"held \"); chill(499500000);"
                    + " printf(\"twice \"); }\n"
                    + "ERROR { printf(\"%d\", arg4); }\n"
                    + "fbt::panic:entry { exit(0); }"))
        .isEqualTo("3\n");
  }

  /** Called as the instruction at the place would call it, with a format. */
  @Test
  void theKernelIsMadeToPanic() {
    long sp = TinyLinux.DIRECT_MAP + SPARE + 0x808;
    comes("schedule", 2);
    stub.register(0, RSP, sp);
    assertThat(
            trace(
                "#pragma D option quiet\n#pragma D option destructive\n"
                    + "fbt::schedule:entry { printf(\"once\"); panic(); }"))
        .isEqualTo("once\n");
    assertThat(notices).containsExactly("panic() at fbt:vmlinux:schedule:entry: the kernel panics");
    long text = stub.register(0, RDI);
    var memory = session.kernel().program().memory();
    assertThat(memory.cString(text, 100))
        .isEqualTo("panic() of a D program at fbt:vmlinux:schedule:entry");
    assertThat(memory.u64(text - 8)).isEqualTo(linux.address("schedule"));
    session.close();
    assertThat(stub.register(0, RSP)).isEqualTo(text - 8).isLessThan(sp - 50);
    assertThat(text % 16).isZero();
    assertThat(stub.register(0, FakeStub.RIP)).isEqualTo(linux.address("panic"));
  }

  @Test
  void theTargetStaysStoppedForADebugger() {
    comes("schedule", 2);
    assertThat(
            trace(
                "#pragma D option quiet\n#pragma D option destructive\n"
                    + "fbt::schedule:entry { printf(\"once\"); breakpoint(); return(0); }"))
        .isEqualTo("once\n");
    assertThat(notices)
        .containsExactly(
            "breakpoint() at fbt:vmlinux:schedule:entry: the target stays stopped; attach to it");
    assertThat(stub.register(0, FakeStub.RIP)).isEqualTo(linux.address("schedule"));
    session.close();
    assertThat(stub.detached()).isFalse();
  }

  /** A sample's CPU may be anywhere. */
  @Test
  void timersNeitherPanicNorBreak() {
    assertThat(
            trace(
                "#pragma D option quiet\n#pragma D option destructive\n"
                    + "profile-100 { panic(); }\n"
                    + "ERROR { printf(\"refused\"); exit(0); }"))
        .startsWith("refused");
  }

  /** What the guest does itself is left to it. */
  @Test
  void aCallOfWhoListensIsMade() {
    long call = linux.address("schedule") + 0x92;
    stub.comes(0, call);
    comes("panic", 1);
    assertThat(
            trace(
                "#pragma D option quiet\n"
                    + "sdt:::sched_switch { printf(\"here\"); }\n"
                    + "fbt::panic:entry { exit(0); }"))
        .isEqualTo("here\n");
    assertThat(stub.requests()).doesNotContain(register(FakeStub.RIP, call + 5));
  }

  /** A CPU that was led past the load when tracing ends does not make the call. */
  @Test
  void noCpuIsLeftBetweenTheLoadAndTheCall() {
    long site = linux.address("schedule") + 0x20;
    long behind = linux.address("schedule") + 0x80;
    stub.comes(0, site);
    stub.comes(1, linux.address("panic"));
    stub.comes(1, site).comes(0, behind + 0x12);
    assertThat(
            trace(
                "#pragma D option quiet\n"
                    + "sdt:::sched_switch { printf(\"too late\"); }\n"
                    + "fbt::panic:entry { printf(\"over\"); exit(0); }"))
        .isEqualTo("over\n");
    session.close();
    assertThat(stub.requests())
        .containsSubsequence(
            register(FakeStub.RIP, behind + 7), register(FakeStub.RIP, behind + 0x17));
    assertThat(notices).isEmpty();
  }

  /** It is waited for as long as a second, and that it did not come is told. */
  @Test
  void aCpuThatDoesNotComeToTheCallIsTold() {
    long site = linux.address("schedule") + 0x20;
    stub.comes(0, site);
    stub.comes(1, linux.address("panic"));
    assertThat(
            trace(
                "#pragma D option quiet\n"
                    + "sdt:::sched_switch { printf(\"too late\"); }\n"
                    + "fbt::panic:entry { printf(\"over\"); exit(0); }"))
        .isEqualTo("over\n");
    assertThat(notices).singleElement().asString().contains("on its way to a tracepoint");
  }

  /** The call may be made after all, when the tracer is killed: the kernel oopses. */
  @Test
  void tracepointsWhoseIteratorDoesNotLookWhoListensAreNotListed() {
    assertThat(new Tracepoints(session.kernel().program()).find("sched_switch")).isPresent();
    long test = linux.address("__traceiter_sched_switch") + 15;
    long physical = session.kernel().program().memory().physical(test).orElseThrow();
    var writer = session.target().find(MemoryWriter.class).orElseThrow();
    var load = new byte[] {0x48, (byte) 0x8b, 0x03}; // mov (%rbx), %rax
    writer.write(MemoryWriter.Space.PHYSICAL, physical, MemorySegment.ofArray(load));
    assertThat(new Tracepoints(session.kernel().program()).find("sched_switch")).isEmpty();
  }

  /** One that has to be registered besides, and what is not in the table, are not there. */
  @Test
  void onlyTracepointsThatCanBeFollowedAreListed() {
    assertThatThrownBy(() -> trace("sdt:::sys_enter { }"))
        .isInstanceOf(FathomException.class)
        .hasMessageContaining("does not match any probes");
  }

  private static String register(int number, long value) {
    var hex = new StringBuilder("P" + Integer.toHexString(number) + "=");
    for (int i = 0; i < 8; i++) {
      hex.append(String.format("%02x", value >> (8 * i) & 0xff));
    }
    return hex.toString();
  }

  @Test
  void aRecordingReplaysTheSame(@TempDir Path folder) throws IOException {
    var file = folder.resolve("r");
    comes("schedule", 7);
    comes("panic", 1);
    var program =
        "#pragma D option quiet\n"
            + "fbt::schedule:entry { @[execname, cpu] = count(); }\n"
            + "fbt::panic:entry { exit(0); }";
    String live;
    try (var writer = new RecordingWriter(Files.newOutputStream(file))) {
      live = trace(program, Optional.of(new Recorder(writer, new SessionNames(session), true)));
    }
    out.reset();
    try (var recording = TraceFile.open(file)) {
      var engine = new ReplayEngine(recording);
      var plan =
          Compiler.compile(
                  Environment.of(engine, Optional.empty(), Macros.NONE, Map.of()),
                  List.of(),
                  List.of(Input.script("test.d", program)))
              .plan();
      var consumer =
          Consumer.text(
              plan,
              new ConsumerOptions(plan.options()),
              new Consumer.Surroundings(
                  engine.names(), ByteOrder.LITTLE_ENDIAN, ZoneOffset.UTC, _ -> {}),
              out,
              problems::add);
      engine.start(plan, consumer);
      while (engine.work(1_000_000_000L)) {
        assertThat(problems).isEmpty();
      }
      engine.stop();
      consumer.finish();
    }
    assertThat(out.toString(StandardCharsets.ISO_8859_1)).isEqualTo(live);
  }
}
