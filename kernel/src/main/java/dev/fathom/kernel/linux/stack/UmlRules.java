// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux.stack;

import dev.fathom.base.Range;
import dev.fathom.model.Program;
import dev.fathom.model.Registers;
import dev.fathom.model.arch.x86_64.X86_64;
import dev.fathom.model.unwind.Rule;
import dev.fathom.model.unwind.Stack;
import dev.fathom.model.unwind.UnwindRow;
import dev.fathom.model.unwind.UnwindSource;
import dev.fathom.model.unwind.Words;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * The stacks of a User Mode Linux. Tasks are switched by setjmp and longjmp; there is no user mode
 * on a kernel stack, and what interrupts is a signal, whose frame the C library's call frame
 * information describes.
 */
final class UmlRules implements Rules {
  /**
   * {@code struct __jmp_buf} (arch/x86/um/shared/sysdep/archsetjmp_64.h, since 2.6): rbx, rsp, rbp,
   * r12 to r15, rip.
   */
  private static final List<dev.fathom.model.Register> JUMP =
      List.of(
          X86_64.RBX,
          X86_64.RSP,
          X86_64.RBP,
          X86_64.R12,
          X86_64.R13,
          X86_64.R14,
          X86_64.R15,
          X86_64.RIP);

  private final Program program;
  private final List<Range> code;
  private final OptionalLong buffer;

  /**
   * @param code where instructions are besides the image
   */
  UmlRules(Program program, List<Range> code) {
    this.program = program;
    this.code = List.copyOf(code);
    // struct thread_struct of arch/um/include/asm/processor-generic.h.
    this.buffer = program.types().findOffset("task_struct", "thread.switch_buf");
  }

  @Override
  public List<Range> moduleSpaces() {
    return code;
  }

  @Override
  public List<UnwindSource> sources(List<UnwindSource> tables) {
    return List.of();
  }

  @Override
  public Optional<Registers> saved(long task) {
    if (buffer.isEmpty()) {
      return Optional.empty();
    }
    var registers = Registers.builder(X86_64.INSTANCE.registers());
    long at = task + buffer.getAsLong();
    for (var register : JUMP) {
      registers.set(register, program.memory().u64(at));
      at += 8;
    }
    return Optional.of(registers.build());
  }

  @Override
  public UnwindRow atTop(long end) {
    return new UnwindRow(new Rule.Constant(end), Map.of(), UnwindRow.Kind.END);
  }

  @Override
  public Registers topRegisters(long end, Words words) {
    return Registers.none(X86_64.INSTANCE.registers());
  }

  @Override
  public List<Stack> cpuStacks(long base) {
    return List.of();
  }

  @Override
  public boolean isUser(Registers registers) {
    return false;
  }

  @Override
  public boolean isOfCpu(Registers registers) {
    return registers.get(X86_64.RFLAGS).isPresent();
  }

  @Override
  public boolean startsCpu(String function) {
    return function.equals("start_kernel_proc");
  }

  @Override
  public boolean isTrampoline(String function) {
    return false;
  }

  @Override
  public long returnAddress(long stored) {
    return stored;
  }

  @Override
  public Optional<UnwindRow> conventional(
      Registers registers, boolean exact, LinuxStacks.View view) {
    return Optional.empty();
  }

  @Override
  public Optional<UnwindRow> savedRegisters(long address, Words words) {
    return Optional.empty();
  }

  @Override
  public Optional<UnwindRow> interruptFrame(long address, LinuxStacks.View view) {
    return Optional.empty();
  }

  /** A task begins in a function that longjmp led to, above which is nothing. */
  @Override
  public Optional<String> outermost(Registers caller) {
    var pc = caller.pc();
    return pc.isPresent() && pc.getAsLong() == 0
        ? Optional.of("start of the task")
        : Optional.empty();
  }

  /** A task's processes run as other processes of the host. */
  @Override
  public boolean hasUserMode() {
    return false;
  }

  @Override
  public boolean mayBeStack(long base, long size) {
    return base > 0 && base + size > 0;
  }
}
