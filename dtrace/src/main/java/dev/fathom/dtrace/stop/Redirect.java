// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.stop;

import dev.fathom.base.UnsupportedException;
import dev.fathom.model.Program;
import dev.fathom.model.Register;
import dev.fathom.model.Registers;
import dev.fathom.model.arch.aarch64.Aarch64;
import dev.fathom.model.arch.x86_64.X86_64;
import dev.fathom.target.Capability;
import dev.fathom.target.Cpu;
import dev.fathom.target.MemoryWriter;
import dev.fathom.target.RegisterWriter;
import dev.fathom.target.Target;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** Has a CPU that came to a place go on elsewhere. */
final class Redirect {
  private static final int STACK_ALIGNMENT = 16;

  private final Program program;
  private final Target target;
  private final int cpu;
  private final Registers registers;
  private final boolean arm;

  /**
   * @param program what runs on the target
   * @param cpu as it stands at the place
   */
  Redirect(Program program, Target target, Cpu cpu) {
    this.program = program;
    this.target = target;
    this.cpu = cpu.id();
    this.registers = cpu.registers();
    this.arm = registers.file().equals(Aarch64.INSTANCE.registers());
  }

  /** From the entry of a function back to its caller, with a value for its result. */
  void back(long value) {
    if (arm) {
      set("x0", value);
      set(Aarch64.PC, registers.get(Aarch64.LR).orElseThrow());
      return;
    }
    long sp = registers.sp().orElseThrow();
    long caller = program.memory().u64(sp);
    set(X86_64.RAX, value);
    set(X86_64.RSP, sp + Long.BYTES);
    set(X86_64.RIP, caller);
  }

  /**
   * To the kernel's {@code panic} (kernel/panic.c), as if the instruction at the place had called
   * it.
   */
  void panic(String text) {
    var found = program.symbols().first("panic");
    long function =
        found
            .orElseThrow(() -> new UnsupportedException("the kernel has no function panic"))
            .address();
    // Its first argument is a format.
    var bytes = (text.replace("%", "%%") + '\0').getBytes(StandardCharsets.UTF_8);
    long pc = registers.pc().orElseThrow();
    long at = registers.sp().orElseThrow() - bytes.length & -STACK_ALIGNMENT;
    write(at, bytes);
    if (arm) {
      set("x0", at);
      set(Aarch64.LR, pc);
      set(Aarch64.SP, at);
    } else {
      var caller = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
      write(at - Long.BYTES, caller.putLong(0, pc).array());
      set(X86_64.RDI, at);
      set(X86_64.RAX, 0); // There are no vector registers among the arguments that follow.
      set(X86_64.RSP, at - Long.BYTES);
    }
    set(registers.file().pc(), function);
  }

  private void set(String name, long value) {
    set(registers.file().named(name).orElseThrow(), value);
  }

  private void set(Register register, long value) {
    need(RegisterWriter.class, "registers").write(cpu, register, value);
  }

  private void write(long address, byte[] bytes) {
    need(MemoryWriter.class, "memory")
        .write(MemoryWriter.Space.VIRTUAL, address, MemorySegment.ofArray(bytes));
  }

  private <C extends Capability> C need(Class<C> capability, String what) {
    return target
        .find(capability)
        .orElseThrow(() -> new UnsupportedException(what + " cannot be written"));
  }
}
