// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.stop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fathom.base.UnsupportedException;
import dev.fathom.model.Register;
import dev.fathom.model.Registers;
import dev.fathom.model.arch.aarch64.Aarch64;
import dev.fathom.target.Capability;
import dev.fathom.target.Cpu;
import dev.fathom.target.MemoryWriter;
import dev.fathom.target.RegisterWriter;
import dev.fathom.target.Target;
import dev.fathom.target.TargetInfo;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/**
 * CPUs of 64-bit Arm that go on elsewhere, by its procedure call standard (AAPCS64): the first
 * argument and the result in {@code x0}, the return address in {@code x30}, the stack pointer
 * aligned to 16 bytes. {@link StopEngineTest} has those of x86-64.
 */
class RedirectTest {
  private static final long PC = 0xffff_8000_0801_0040L;
  private static final long SP = 0xffff_8000_0a00_3ff8L;
  private static final long CALLER = 0xffff_8000_0802_0010L;
  private static final Cpu ARM =
      new Cpu(
          3,
          Registers.none(Aarch64.INSTANCE.registers())
              .with(Aarch64.PC, PC)
              .with(Aarch64.SP, SP)
              .with(Aarch64.LR, CALLER),
          "test");

  private final CodeProgram code = new CodeProgram(Aarch64.INSTANCE);
  private final Writes writes = new Writes();
  private final Redirect redirect = new Redirect(code, writes, ARM);

  @Test
  void panicIsCalledFromThePlace() {
    code.add(0x100, "panic", "c0 03 5f d6");
    redirect.panic("100 %");
    long text = 0xffff_8000_0a00_3ff0L; // 7 bytes below the stack pointer, aligned downwards.
    assertThat(writes.memory).containsOnly(Map.entry(text, "100 %%\0"));
    assertThat(writes.registers)
        .containsOnly(
            Map.entry("x0", text),
            Map.entry("x30", PC),
            Map.entry("sp", text),
            Map.entry("pc", 0x100L));
  }

  @Test
  void aKernelWithoutPanicStaysAsItIs() {
    assertThatThrownBy(() -> redirect.panic("now"))
        .isInstanceOf(UnsupportedException.class)
        .hasMessage("the kernel has no function panic");
    assertThat(writes.memory).isEmpty();
    assertThat(writes.registers).isEmpty();
  }

  @Test
  void aFunctionReturnsToItsCaller() {
    redirect.back(-5);
    assertThat(writes.memory).isEmpty();
    assertThat(writes.registers).containsOnly(Map.entry("x0", -5L), Map.entry("pc", CALLER));
  }

  /** Keeps what is written to it. */
  private static final class Writes implements Target, RegisterWriter, MemoryWriter {
    private final Map<String, Long> registers = new LinkedHashMap<>();
    private final Map<Long, String> memory = new LinkedHashMap<>();

    @Override
    public void write(int cpu, Register register, long value) {
      assertThat(cpu).isEqualTo(ARM.id());
      registers.put(register.name(), value);
    }

    @Override
    public void settle() {}

    @Override
    public boolean writes(Space space) {
      return space == Space.VIRTUAL;
    }

    @Override
    public void write(Space space, long address, MemorySegment bytes) {
      assertThat(space).isEqualTo(Space.VIRTUAL);
      byte[] all = bytes.toArray(ValueLayout.JAVA_BYTE);
      memory.put(address, new String(all, StandardCharsets.ISO_8859_1));
    }

    @Override
    public TargetInfo info() {
      return new TargetInfo("test", "writes", "none", "aarch64", List.of());
    }

    @Override
    public List<Cpu> cpus() {
      return List.of(ARM);
    }

    @Override
    public <C extends Capability> Optional<C> find(Class<C> capability) {
      return capability.isInstance(this) ? Optional.of(capability.cast(this)) : Optional.empty();
    }

    @Override
    public List<String> warnings() {
      return List.of();
    }

    @Override
    public void close() {}
  }
}
