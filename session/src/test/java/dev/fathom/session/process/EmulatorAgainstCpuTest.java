// SPDX-License-Identifier: Apache-2.0
package dev.fathom.session.process;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fathom.model.Register;
import dev.fathom.model.Registers;
import dev.fathom.model.arch.Loads;
import dev.fathom.model.arch.x86_64.X86_64;
import dev.fathom.target.AttachOptions;
import dev.fathom.target.CheckedMemory;
import dev.fathom.target.LiveTargetProvider;
import dev.fathom.target.MemoryWriter;
import dev.fathom.target.RegisterWriter;
import dev.fathom.target.RunControl;
import dev.fathom.target.Stop;
import dev.fathom.target.Target;
import dev.fathom.target.VirtualMemory;
import dev.fathom.testkit.process.CProgram;
import dev.fathom.testkit.process.Subject;
import java.io.ByteArrayOutputStream;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.ServiceLoader;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Random instructions, carried out by the emulator and by this machine's CPU. */
@EnabledOnOs(value = OS.LINUX, architectures = "amd64")
class EmulatorAgainstCpuTest {
  private static final int ROUNDS = Integer.getInteger("fathom.fuzz.rounds", 3000);

  /** The flags that an instruction which is carried out gives a value. */
  private static final long STATUS = 0x8d5;

  /** AF, which the processor leaves open after logic. */
  private static final long ADJUST = 0x10;

  /** Where in the program's memory registers point to. */
  private static final int MIDDLE = 1 << 15;

  private static final int[] OPCODES = {
    0x01, 0x03, 0x09, 0x0b, 0x21, 0x23, 0x29, 0x2b, 0x31, 0x33, 0x39, 0x3b, 0x63, 0x80, 0x81, 0x83,
    0x84, 0x85, 0x88, 0x89, 0x8b, 0x8d, 0xc6, 0xc7, 0xf6, 0xf7, 0x50, 0x53, 0x58, 0x5f, 0x72, 0x74,
    0x75, 0x7c, 0x7f, 0x90, 0xb8, 0xbf, 0xc3, 0xc9, 0xe8, 0xe9, 0xeb, 0xff, 0x0f80, 0x0f8e, 0x0fb6,
    0x0fb7, 0x0fbe, 0x0fbf
  };

  @TempDir static Path directory;

  private static byte[] instruction(Random random) {
    var bytes = new ByteArrayOutputStream();
    if (random.nextInt(4) != 0) {
      bytes.write(0x40 | random.nextInt(16));
    }
    int opcode = OPCODES[random.nextInt(OPCODES.length)];
    if (opcode > 0xff) {
      bytes.write(opcode >> 8);
    }
    bytes.write(opcode);
    int modrm = random.nextInt(256);
    bytes.write(modrm);
    if ((modrm & 7) == 4 && modrm < 0xc0) {
      bytes.write(random.nextInt(256));
    }
    // Displacements and constants: small, so that most addresses are the program's.
    for (int i = 0; i < 3; i++) {
      int number = random.nextInt(0x200) - 0x100;
      for (int j = 0; j < 4; j++) {
        bytes.write(number >> (8 * j));
      }
    }
    return bytes.toByteArray();
  }

  @Test
  void doesWhatTheCpuDoes() throws Exception {
    var program =
        CProgram.compile(
            directory,
            "room",
            """
            #include <stdio.h>
            #include <unistd.h>
            char room[1 << 16] __attribute__((aligned(4096)));
            int main(void) {
              room[0] = 1;
              puts("ready");
              fflush(stdout);
              for (;;) pause();
            }
            """,
            "-no-pie");
    long seed = Long.getLong("fathom.fuzz.seed", System.nanoTime());
    var random = new Random(seed);
    long room = program.symbol("room").orElseThrow();
    long code = program.symbol("main").orElseThrow();
    int carriedOut = 0;
    int stored = 0;
    try (var subject = Subject.start(List.of(program.file().toString()))) {
      assertThat(subject.line()).isEqualTo("ready");
      try (var target = attach(subject)) {
        target.find(RunControl.class).orElseThrow().stop();
        int thread = (int) subject.pid();
        for (int round = 0; round < ROUNDS; round++) {
          var bytes = instruction(random);
          var memory = new byte[1 << 16];
          random.nextBytes(memory);
          write(target, room, memory);
          write(target, code, bytes);
          for (var register : X86_64.ENCODED) {
            boolean number = random.nextInt(3) == 0 && !register.equals(X86_64.RSP);
            long value = room + MIDDLE + random.nextInt(0x100) * 8L;
            set(target, thread, register, number ? random.nextInt(9) - 4 : value);
          }
          set(target, thread, X86_64.RFLAGS, 0x202 | (random.nextLong() & STATUS));
          set(target, thread, X86_64.RIP, code);
          var before = registers(target, thread);
          var effect = X86_64.INSTANCE.emulate(bytes, code, before, Optional.of(loads(target)));
          if (effect.isEmpty()) {
            continue;
          }
          carriedOut++;
          var as = "round %d, seed %d: %s".formatted(round, seed, HexFormat.of().formatHex(bytes));
          boolean faults = false;
          for (var store : effect.get().stores()) {
            int at = (int) (store.address() - room);
            faults |= at < 0 || at + store.bytes().length > memory.length;
            if (!faults) {
              System.arraycopy(store.bytes(), 0, memory, at, store.bytes().length);
              stored++;
            }
          }
          if (faults) {
            continue; // Whoever stores is told, and steps.
          }
          var expected = before;
          for (var write : effect.get().registers()) {
            expected = expected.with(write.register(), write.value());
          }
          var stop = step(target, thread);
          assertThat(stop.reason()).as(as).isInstanceOf(Stop.Trap.class);
          var after = registers(target, thread);
          for (var register : X86_64.ENCODED) {
            assertThat(after.get(register))
                .as("%s %s", as, register)
                .isEqualTo(expected.get(register));
          }
          assertThat(after.pc()).as(as).isEqualTo(expected.pc());
          assertThat(after.get(X86_64.RFLAGS).orElseThrow() & STATUS & ~ADJUST)
              .as(as)
              .isEqualTo(expected.get(X86_64.RFLAGS).orElseThrow() & STATUS & ~ADJUST);
          var there = new byte[1 << 16];
          target.find(VirtualMemory.class).orElseThrow().read(room, MemorySegment.ofArray(there));
          assertThat(Arrays.mismatch(there, memory)).as(as).isEqualTo(-1);
        }
        subject.signal("KILL");
      }
    }
    // Else nothing was compared.
    assertThat(carriedOut).isGreaterThan(ROUNDS / 4);
    assertThat(stored).isGreaterThan(ROUNDS / 50);
  }

  /** What the program may not do is not done for it: a tracer could write its code. */
  @Test
  void reachesMemoryAsTheProcessDoes() {
    var program =
        CProgram.compile(
            directory,
            "walls",
            """
            #include <stdio.h>
            #include <sys/mman.h>
            #include <unistd.h>
            char *wall;
            int main(void) {
              wall = mmap(0, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
              puts("ready");
              fflush(stdout);
              for (;;) pause();
            }
            """,
            "-no-pie");
    try (var subject = Subject.start(List.of(program.file().toString()))) {
      assertThat(subject.line()).isEqualTo("ready");
      try (var target = attach(subject)) {
        target.find(RunControl.class).orElseThrow().stop();
        var memory = target.find(CheckedMemory.class).orElseThrow();
        long wall = program.symbol("wall").orElseThrow();
        long hidden = target.find(VirtualMemory.class).orElseThrow().u64(wall);
        long code = program.symbol("main").orElseThrow();
        var eight = new byte[8];
        assertThat(memory.read(wall, eight)).isTrue();
        assertThat(memory.write(wall, eight)).isTrue();
        assertThat(memory.read(code, eight)).isTrue();
        assertThat(memory.write(code, eight)).isFalse();
        assertThat(memory.read(hidden, eight)).isFalse();
        assertThat(memory.write(hidden, eight)).isFalse();
        assertThat(memory.read(-8, eight)).isFalse();
        assertThat(memory.write(-8, eight)).isFalse();
      }
    }
  }

  /** Where the program's own memory is. */
  private static Loads loads(Target target) {
    var memory = target.find(CheckedMemory.class).orElseThrow();
    return (address, count) -> {
      var bytes = new byte[count];
      return memory.read(address, bytes) ? Optional.of(bytes) : Optional.empty();
    };
  }

  private static Target attach(Subject subject) {
    for (var provider : ServiceLoader.load(LiveTargetProvider.class)) {
      if (provider.name().equals("process")) {
        return provider.attach("pid:" + subject.pid(), AttachOptions.DEFAULT);
      }
    }
    throw new AssertionError("no provider of processes");
  }

  private static void write(Target target, long address, byte[] bytes) {
    target
        .find(MemoryWriter.class)
        .orElseThrow()
        .write(MemoryWriter.Space.VIRTUAL, address, MemorySegment.ofArray(bytes));
  }

  private static void set(Target target, int thread, Register register, long value) {
    target.find(RegisterWriter.class).orElseThrow().write(thread, register, value);
  }

  private static Registers registers(Target target, int thread) {
    return target.cpu(thread).orElseThrow().registers();
  }

  private static Stop step(Target target, int thread) {
    var run = target.find(RunControl.class).orElseThrow();
    run.step(thread, false, false);
    return run.await(Duration.ofSeconds(20)).orElseThrow();
  }
}
