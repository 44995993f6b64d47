// SPDX-License-Identifier: Apache-2.0
package dev.fathom.host.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fathom.base.TargetException;
import dev.fathom.target.ProcessTracer;
import dev.fathom.target.ProcessTracer.Change;
import dev.fathom.target.ProcessTracer.Exited;
import dev.fathom.target.ProcessTracer.Killed;
import dev.fathom.target.ProcessTracer.Stopped;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

/** ptrace itself, on programs that it started. */
@EnabledOnOs(value = OS.LINUX, architectures = "amd64")
@Timeout(60)
class PtraceTest {
  private static final int SIGTRAP = 5;
  private static final int SIGKILL = 9;

  /** Offset of rip in {@code user_regs_struct}. */
  private static final int RIP = 16 * 8;

  private static final int X86_64_BYTES = 27 * 8;

  private final Ptrace ptrace = new Ptrace();

  private int started;

  private int start(List<String> command, int options) {
    started = ptrace.start(command, options);
    return started;
  }

  /** One that a failed test left would keep this process's output open. */
  @AfterEach
  void end() {
    if (started != 0) {
      ProcessHandle.of(started).ifPresent(ProcessHandle::destroyForcibly);
    }
  }

  private Change next() {
    while (true) {
      var change = ptrace.change();
      if (change.isPresent()) {
        return change.get();
      }
      Thread.onSpinWait();
    }
  }

  private long pc(int thread) {
    byte[] registers = ptrace.registers(thread, ProcessTracer.GENERAL_REGISTERS).orElseThrow();
    assertThat(registers).hasSize(X86_64_BYTES);
    return ByteBuffer.wrap(registers).order(ByteOrder.LITTLE_ENDIAN).getLong(RIP);
  }

  @Test
  void aProgramIsStoppedBeforeItsFirstInstruction() {
    int process = start(List.of("sh", "-c", "exit 9"), ProcessTracer.TRACE_EXEC);
    long before = pc(process);
    assertThat(ptrace.registers(process, ProcessTracer.FLOATING_REGISTERS).orElseThrow())
        .hasSize(512);
    // The first step ends the system call that started the program.
    for (int i = 0; i < 2; i++) {
      assertThat(ptrace.step(process, 0)).isTrue();
      assertThat(next()).isEqualTo(new Stopped(process, SIGTRAP, 0));
    }
    assertThat(pc(process)).isNotEqualTo(before);
    assertThat(ptrace.resume(process, 0)).isTrue();
    assertThat(next()).isEqualTo(new Exited(process, 9));
    assertThat(ptrace.change()).isEmpty();
    assertThat(ptrace.resume(process, 0)).isFalse();
    assertThat(ptrace.registers(process, ProcessTracer.GENERAL_REGISTERS)).isEmpty();
  }

  /** However the shell that becomes the program and this race. */
  @Test
  void everyStartIsTheProgramsOwn() {
    for (int i = 0; i < 100; i++) {
      int process = start(List.of("sh", "-c", "exit 7"), 0);
      assertThat(ptrace.resume(process, 0)).isTrue();
      assertThat(next()).as("start " + i).isEqualTo(new Exited(process, 7));
    }
  }

  @Test
  void registersAreWritten() {
    int process = start(List.of("sleep", "100"), 0);
    byte[] registers = ptrace.registers(process, ProcessTracer.GENERAL_REGISTERS).orElseThrow();
    registers[0] = 42; // r15
    assertThat(ptrace.setRegisters(process, ProcessTracer.GENERAL_REGISTERS, registers)).isTrue();
    assertThat(ptrace.registers(process, ProcessTracer.GENERAL_REGISTERS).orElseThrow()[0])
        .isEqualTo((byte) 42);
    // DR7 of struct user; breakpoints on ports of devices are refused.
    assertThat(ptrace.user(process, 848 + 7 * 8)).contains(0L);
    assertThat(ptrace.setUser(process, 848 + 7 * 8, 0x20001)).isFalse();
    ptrace.signal(process, process, SIGKILL);
    assertThat(next()).isEqualTo(new Killed(process, SIGKILL));
  }

  private static int timers() throws IOException {
    return (int)
        Files.readAllLines(Path.of("/proc/self/timers")).stream()
            .filter(line -> line.startsWith("ID:"))
            .count();
  }

  /** Waiting takes a timer (timer_create(2)) of the thread that waits. */
  @Test
  void aThreadThatLeavesHasNoTimerAnyMore() throws Exception {
    int before = timers();
    var during = new AtomicInteger();
    var waits =
        new FutureTask<Boolean>(
            () -> {
              int process = ptrace.start(List.of("sleep", "100"), 0);
              boolean none = ptrace.change(Duration.ofMillis(1)).isEmpty();
              during.set(timers());
              ptrace.signal(process, process, SIGKILL);
              none &= ptrace.change(Duration.ofSeconds(20)).isPresent();
              ptrace.leave();
              ptrace.leave();
              return none;
            });
    var thread = new Thread(waits);
    thread.start();
    assertThat(waits.get()).isTrue();
    thread.join();
    assertThat(during.get()).isEqualTo(before + 1);
    assertThat(timers()).isEqualTo(before);
  }

  @Test
  void interruptsStopsAndDetaches() {
    int process = start(List.of("sleep", "100"), 0);
    assertThat(ptrace.resume(process, 0)).isTrue();
    assertThat(ptrace.interrupt(process)).isTrue();
    assertThat(next()).isEqualTo(new Stopped(process, SIGTRAP, ProcessTracer.EVENT_STOP));
    assertThat(ptrace.signalInfo(process)).isPresent();
    assertThat(ptrace.detach(process, 0)).isTrue();
    assertThat(ptrace.resume(process, 0)).isFalse();
    ptrace.signal(process, process, SIGKILL);
    assertThat(next()).isEqualTo(new Killed(process, SIGKILL));
  }

  @Test
  void whatCannotBeStartedIsSaid() {
    assertThatThrownBy(() -> ptrace.start(List.of("no-such-program-anywhere"), 0))
        .isInstanceOf(TargetException.class)
        .hasMessage("no-such-program-anywhere: cannot be started: no such program");
    assertThatThrownBy(() -> ptrace.start(List.of(), 0)).isInstanceOf(TargetException.class);
    // This process's own threads cannot be traced by it.
    int own = (int) ProcessHandle.current().pid();
    assertThatThrownBy(() -> ptrace.seize(own, 0))
        .isInstanceOf(TargetException.class)
        .hasMessage("no permission to trace thread " + own);
  }
}
