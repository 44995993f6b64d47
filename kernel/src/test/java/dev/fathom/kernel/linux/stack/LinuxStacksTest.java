// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux.stack;

import static dev.fathom.kernel.linux.stack.TestKernel.IMAGE;
import static dev.fathom.kernel.linux.stack.TestKernel.PER_CPU;
import static dev.fathom.kernel.linux.stack.TestKernel.TASK;
import static dev.fathom.model.arch.x86_64.X86_64.CS;
import static dev.fathom.model.arch.x86_64.X86_64.ORIG_RAX;
import static dev.fathom.model.arch.x86_64.X86_64.R12;
import static dev.fathom.model.arch.x86_64.X86_64.RBP;
import static dev.fathom.model.arch.x86_64.X86_64.RBX;
import static dev.fathom.model.arch.x86_64.X86_64.RIP;
import static dev.fathom.model.arch.x86_64.X86_64.RSP;
import static org.assertj.core.api.Assertions.assertThat;

import dev.fathom.model.Registers;
import dev.fathom.model.arch.x86_64.PtRegs;
import dev.fathom.model.arch.x86_64.X86_64;
import dev.fathom.model.unwind.Backtrace;
import dev.fathom.testkit.OrcWriter;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LinuxStacksTest {
  private static final long STACK = 0xffff_c900_0001_0000L;
  private static final int SIZE = 0x4000;
  private static final long IRQ = 0xffff_c900_0010_0000L;
  private static final long EXCEPTIONS = 0xffff_fe00_0000_1000L;

  /** Offsets in the image. */
  private static final int SWITCH = 0x100;

  private static final int SCHEDULE = 0x200;
  private static final int READ = 0x300;
  private static final int ENTRY = 0x400;
  private static final int RET_FROM_FORK = 0x500;
  private static final int HANDLER = 0x600;
  private static final int ASM_FAULT = 0x700;
  private static final int IDLE = 0x800;

  private final TestKernel kernel = new TestKernel();
  private final ByteBuffer stack = kernel.area(STACK, SIZE);

  private static Registers at(int offset, long sp) {
    return Registers.builder(X86_64.INSTANCE.registers())
        .set(RIP, IMAGE + offset)
        .set(RSP, sp)
        .set(CS, 0x10)
        .build();
  }

  /** Registers at {@code at} in {@code area}, of which only some matter. */
  private static void save(ByteBuffer area, int at, long pc, long sp, int cs, long bp) {
    area.putLong(at + 32, bp);
    area.putLong(at + 120, -1);
    area.putLong(at + 128, pc);
    area.putLong(at + 136, cs);
    area.putLong(at + 144, 0x246);
    area.putLong(at + 152, sp);
    area.putLong(at + 160, cs == 0x10 ? 0x18 : 0x2b);
  }

  private void labels() {
    kernel
        .label("__switch_to_asm", SWITCH)
        .label("schedule", SCHEDULE)
        .label("__x64_sys_read", READ)
        .label("entry_SYSCALL_64", ENTRY)
        .label("ret_from_fork_asm", RET_FROM_FORK)
        .label("handler", HANDLER)
        .label("asm_exc_page_fault", ASM_FAULT)
        .label("idle", IDLE);
  }

  private void rows() {
    kernel
        .callRow(SWITCH, 8)
        .callRow(SCHEDULE, 0x20)
        .callRow(READ, 0x10)
        .registersRow(ENTRY, 0)
        .endRow(RET_FROM_FORK)
        .callRow(HANDLER, 8)
        .registersRow(ASM_FAULT, 0)
        .endRow(IDLE);
  }

  /** A task that sleeps in read(2), with user registers at the top of its stack. */
  private void sleeper(int size, int padding) {
    int user = size - padding - PtRegs.BYTES;
    save(stack, user, 0x401000, 0x7ffc_0000_0000L, 0x33, 0);
    stack.putLong(user + 120, 0);
    int sp = user - 0x10 - 0x20 - 56;
    stack.putLong(sp + 32, 0xb);
    stack.putLong(sp + 40, 0x55);
    stack.putLong(sp + 24, 0x12);
    stack.putLong(sp + 48, kernel.call(SCHEDULE + 0x40, SWITCH));
    stack.putLong(sp + 56 + 0x18, kernel.call(READ + 0x40, SCHEDULE));
    stack.putLong(sp + 56 + 0x20 + 8, kernel.indirectCall(ENTRY + 0x40));
    kernel.task(STACK, STACK + sp);
  }

  @Test
  void aSleepingTaskIsFollowedToItsSystemCall() {
    labels();
    rows();
    sleeper(SIZE, 0);
    kernel.label("sys_call_table", 0x9000);
    ByteBuffer.wrap(kernel.text)
        .order(java.nio.ByteOrder.LITTLE_ENDIAN)
        .putLong(0x9000, IMAGE + READ);
    var stacks = kernel.stacks();
    var trace = stacks.sleeping(TASK);
    assertThat(kernel.text(trace))
        .containsExactly(
            "registers task schedule", "orc task __x64_sys_read", "orc task entry_SYSCALL_64");
    assertThat(trace.end()).isEqualTo(Backtrace.End.COMPLETE);
    assertThat(trace.why()).isEqualTo("entry from user mode: system call 0 (read)");
    assertThat(trace.entry().orElseThrow().get(ORIG_RAX)).hasValue(0);
    var saved = stacks.saved(TASK).orElseThrow();
    assertThat(saved.get(RBX)).hasValue(0xb);
    assertThat(saved.get(RBP)).hasValue(0x55);
    assertThat(saved.get(R12)).hasValue(0x12);
    assertThat(saved.get(X86_64.RAX)).isEmpty();
  }

  @Test
  void theFrameOfASwitchIsWhereItsTypeSaysItIs() {
    labels();
    rows();
    kernel.struct(
        "inactive_task_frame",
        64,
        Map.of(
            "flags",
            0,
            "r15",
            8,
            "r14",
            16,
            "r13",
            24,
            "r12",
            32,
            "bx",
            40,
            "bp",
            48,
            "ret_addr",
            56));
    stack.putLong(0x100 + 56, kernel.call(SCHEDULE + 0x40, SWITCH));
    kernel.task(STACK, STACK + 0x100);
    var saved = kernel.stacks().saved(TASK).orElseThrow();
    assertThat(saved.pc()).hasValue(IMAGE + SCHEDULE + 0x40);
    assertThat(saved.sp()).hasValue(STACK + 0x140);
  }

  @Test
  void aTaskThatNeverRanHasTheRegistersItWillStartWith() {
    labels();
    rows();
    save(stack, SIZE - PtRegs.BYTES, 0x401000, 0x7ffc_0000_0000L, 0x33, 0);
    int sp = SIZE - PtRegs.BYTES - 56;
    stack.putLong(sp + 48, IMAGE + RET_FROM_FORK);
    kernel.task(STACK, STACK + sp);
    var trace = kernel.stacks().sleeping(TASK);
    assertThat(kernel.text(trace)).containsExactly("registers task ret_from_fork_asm!");
    assertThat(trace.why()).isEqualTo("forked and not run since");
    assertThat(trace.entry().orElseThrow().pc()).hasValue(0x401000);
  }

  @Test
  void aKernelThreadEndsWhereItStarted() {
    labels();
    rows();
    stack.putLong(0x3f00, kernel.indirectCall(RET_FROM_FORK + 0x20));
    var trace = kernel.stacks().running(TASK, at(HANDLER, STACK + 0x3f00));
    kernel.task(STACK, 0);
    assertThat(kernel.text(trace)).last().isEqualTo("orc unknown ret_from_fork_asm");
    trace = kernel.stacks().running(TASK, at(HANDLER, STACK + 0x3f00));
    assertThat(kernel.text(trace))
        .containsExactly("registers task handler!", "orc task ret_from_fork_asm");
    assertThat(trace.why()).isEqualTo("start of a kernel thread");
  }

  @Test
  void aTaskStackIsKnownByItsMagicWhereNoTaskIsGiven() {
    labels();
    rows();
    stack.putLong(0, LinuxStacks.STACK_END_MAGIC);
    stack.putLong(0x3f00, kernel.indirectCall(RET_FROM_FORK + 0x20));
    var trace = kernel.stacks().from(at(HANDLER, STACK + 0x3f00));
    assertThat(kernel.text(trace)).last().isEqualTo("orc task ret_from_fork_asm");
  }

  /** A call that does not return may be a function's last instruction. */
  @Test
  void aPcAfterACallIsAReturnAddressUnlessACpuWasThere() {
    labels();
    kernel.callRow(SCHEDULE, 0x20).callRow(READ, 0x10).endRow(IDLE);
    stack.putLong(0, LinuxStacks.STACK_END_MAGIC);
    stack.putLong(0x1018, kernel.indirectCall(IDLE + 0x10));
    stack.putLong(0x1008, kernel.indirectCall(IDLE + 0x20));
    kernel.call(READ, SWITCH);
    var registers = at(READ, STACK + 0x1000);
    assertThat(kernel.text(kernel.stacks().from(registers)))
        .containsExactly("registers task schedule", "orc task idle");
    assertThat(kernel.text(kernel.stacks().from(registers.with(X86_64.RFLAGS, 0x246))))
        .containsExactly("registers task __x64_sys_read!", "orc task idle");
  }

  @Test
  void anInterruptStackLeadsBackToTheTask() {
    labels();
    // call_on_irqstack: the old sp is in bp, and at the top of the new stack.
    kernel
        .row(SWITCH, OrcWriter.SP_INDIRECT, 8, OrcWriter.PREV_SP, -16, OrcWriter.Type.CALL, false)
        .callRow(HANDLER, 8)
        .registersRow(ASM_FAULT, 0)
        .endRow(IDLE);
    var irq = kernel.area(IRQ, SIZE);
    kernel.struct("pcpu_hot", 64, Map.of("hardirq_stack_ptr", 16)).perCpu("pcpu_hot", 0x100, 0);
    kernel.perCpu.putLong(0x110, IRQ + SIZE - 8);
    irq.putLong(SIZE - 16, kernel.indirectCall(SWITCH + 0x20));
    irq.putLong(SIZE - 8, STACK + 0x2000);
    stack.putLong(0x2000, kernel.indirectCall(ASM_FAULT + 0x20));
    save(stack, 0x2008, IMAGE + IDLE + 4, STACK + 0x3000, 0x10, 0x77);
    kernel.task(STACK, 0);
    var trace = kernel.stacks().running(TASK, at(HANDLER, IRQ + SIZE - 16));
    assertThat(kernel.text(trace))
        .containsExactly(
            "registers irq handler!",
            "orc irq __switch_to_asm",
            "orc task asm_exc_page_fault",
            "exception task idle!");
    assertThat(trace.frames().getLast().registers().get(RBP)).hasValue(0x77);
  }

  /** The NMI came at the first instruction of a fault's entry, where only the CPU had pushed. */
  @Test
  void anNmiOverABareHardwareFrame() {
    labels();
    kernel
        .callRow(HANDLER, 8)
        .row(ASM_FAULT, OrcWriter.SP, 8, OrcWriter.UNDEFINED, 0, OrcWriter.Type.REGS_PARTIAL, true)
        .registersRow(ASM_FAULT + 0x10, 0)
        .endRow(IDLE);
    kernel
        .exceptionStacks(0x2000, "DF_stack", "NMI_stack")
        .perCpu("cea_exception_stacks", 0x80, EXCEPTIONS);
    long start = EXCEPTIONS + 3 * 0x2000;
    var nmi = kernel.area(start, 0x2000);
    int saved = 0x2000 - PtRegs.BYTES;
    nmi.putLong(saved - 8, kernel.indirectCall(ASM_FAULT + 0x20));
    save(nmi, saved, IMAGE + ASM_FAULT, STACK + 0x1000, 0x10, 0x99);
    stack.putLong(0x1000, 0x2); // error code
    stack.putLong(0x1008, IMAGE + IDLE + 4);
    stack.putLong(0x1010, 0x10);
    stack.putLong(0x1018, 0x246);
    stack.putLong(0x1020, STACK + 0x1800);
    stack.putLong(0x1028, 0x18);
    kernel.task(STACK, 0);
    var trace = kernel.stacks().running(TASK, at(HANDLER, start + saved - 8));
    assertThat(kernel.text(trace))
        .containsExactly(
            "registers nmi handler!",
            "orc nmi asm_exc_page_fault",
            "exception task asm_exc_page_fault!",
            "exception task idle!");
    // Nobody had touched the general registers in between.
    assertThat(trace.frames().getLast().registers().get(RBP)).hasValue(0x99);
    assertThat(trace.frames().getLast().registers().sp()).hasValue(STACK + 0x1800);
  }

  /** After a breakpoint the pc is behind it, perhaps already in the next row. */
  @Test
  void aBreakpointsPcIsLookedUpInItsInstruction() {
    labels();
    kernel
        .callRow(SCHEDULE, 0x20)
        .callRow(READ, 0x10)
        .row(ASM_FAULT, OrcWriter.SP, 0, OrcWriter.UNDEFINED, 0, OrcWriter.Type.REGS, false)
        .endRow(IDLE);
    save(stack, 0x1000, IMAGE + READ, STACK + 0x2000, 0x10, 0);
    stack.putLong(0x2018, kernel.indirectCall(IDLE + 0x10));
    kernel.task(STACK, 0);
    var trace = kernel.stacks().running(TASK, at(ASM_FAULT, STACK + 0x1000));
    assertThat(kernel.text(trace))
        .containsExactly(
            "registers task asm_exc_page_fault!", "orc task schedule", "orc task idle");
  }

  @Test
  void aDoubleFaultLeadsIntoTheGuardPage() {
    labels();
    rows();
    kernel.exceptionStacks(0x1000, "DF_stack").perCpu("cea_exception_stacks", 0x80, EXCEPTIONS);
    long start = EXCEPTIONS + 0x1000;
    var fault = kernel.area(start, 0x1000);
    int saved = 0x1000 - PtRegs.BYTES;
    fault.putLong(saved - 8, kernel.indirectCall(ASM_FAULT + 0x20));
    // schedule's frame hangs over the stack's end.
    save(fault, saved, IMAGE + SCHEDULE + 4, STACK - 0x10, 0x10, 0);
    stack.putLong(8, kernel.call(READ + 0x40, SCHEDULE));
    stack.putLong(0x18, kernel.indirectCall(IDLE + 0x10));
    kernel.task(STACK, 0);
    var trace = kernel.stacks().running(TASK, at(HANDLER, start + saved - 8));
    assertThat(kernel.text(trace))
        .containsExactly(
            "registers #DF handler!",
            "orc #DF asm_exc_page_fault",
            "exception overflow schedule!",
            "orc task __x64_sys_read",
            "orc task idle");
  }

  /** Without types, as before 5.2: stacks from the task state segment; without ORC: by scanning. */
  @Test
  void olderKernelsHaveTheirStacksInTheTaskStateSegment() {
    labels();
    long top = EXCEPTIONS + 0x1000;
    kernel.perCpu("cpu_tss_rw", 0x200, 0).perCpu("irq_stack_ptr", 0x80, IRQ + SIZE);
    kernel.perCpu.putLong(0x200 + 36 + 8, top); // ist[1]: NMI
    var nmi = kernel.area(EXCEPTIONS, 0x1000);
    save(nmi, 0x1000 - PtRegs.BYTES, IMAGE + HANDLER, IRQ + 0x3e00, 0x10, 0);
    var irq = kernel.area(IRQ, SIZE);
    irq.putLong(0x3e40, kernel.call(READ + 0x40, HANDLER));
    irq.putLong(SIZE - 8, STACK + 0x2000);
    stack.putLong(0x2010, kernel.call(IDLE + 0x10, READ));
    kernel.task(STACK, 0);
    var trace = kernel.stacks().running(TASK, at(SCHEDULE, EXCEPTIONS + 0x800));
    assertThat(kernel.text(trace))
        .containsExactly(
            "registers nmi schedule!",
            "exception irq handler!",
            "scan irq __x64_sys_read",
            "scan task idle");
  }

  @Test
  void framePointersAreFollowedToTheRegistersThatEntryCodeMarked() {
    labels();
    stack.putLong(0x1000, STACK + 0x1100);
    stack.putLong(0x1008, kernel.call(READ + 0x40, HANDLER));
    // Odd: registers, of an exception in the function idle.
    stack.putLong(0x1100, STACK + 0x1201);
    stack.putLong(0x1108, kernel.indirectCall(ASM_FAULT + 0x20));
    save(stack, 0x1200, IMAGE + IDLE + 4, STACK + 0x2000, 0x10, STACK + 0x2100);
    stack.putLong(0x2100, STACK + 0x3f01 - 0x59);
    stack.putLong(0x2108, kernel.indirectCall(ENTRY + 0x40));
    save(stack, 0x3ea8, 0x401000, 0x7ffc_0000_0000L, 0x33, 0);
    kernel.task(STACK, 0);
    var trace =
        kernel.stacks().running(TASK, at(HANDLER + 8, STACK + 0xf00).with(RBP, STACK + 0x1000));
    assertThat(kernel.text(trace))
        .containsExactly(
            "registers task handler!",
            "frame-pointer task __x64_sys_read",
            "frame-pointer task asm_exc_page_fault",
            "exception task idle!",
            "frame-pointer task entry_SYSCALL_64");
    assertThat(trace.why()).isEqualTo("entry from user mode: interrupt or exception");
  }

  @Test
  void aKernelThreadsFramePointersEndAtEmptyRegisters() {
    labels();
    stack.putLong(0x3000, STACK + SIZE - PtRegs.BYTES + 1);
    stack.putLong(0x3008, kernel.indirectCall(RET_FROM_FORK + 0x20));
    kernel.task(STACK, 0);
    var trace =
        kernel.stacks().running(TASK, at(HANDLER + 8, STACK + 0x2f00).with(RBP, STACK + 0x3000));
    assertThat(kernel.text(trace))
        .containsExactly("registers task handler!", "frame-pointer task ret_from_fork_asm");
    assertThat(trace.end()).isEqualTo(Backtrace.End.COMPLETE);
    assertThat(trace.why()).isEqualTo("start of a kernel thread");
  }

  /** BPF programs and ftrace's trampolines are in no table, but have frame pointers. */
  @Test
  void generatedCodeIsCrossedByItsFramePointer() {
    labels();
    rows();
    long generated = 0xffff_ffff_c000_1000L;
    var code = new byte[0x100];
    kernel.memory.put(generated, code);
    code[0x3e] = (byte) 0xff;
    code[0x3f] = (byte) 0xd0;
    // handler was called by generated code, which was called by idle.
    stack.putLong(0x1000, generated + 0x40);
    stack.putLong(0x1100, 0x55);
    stack.putLong(0x1108, kernel.indirectCall(IDLE + 0x10));
    kernel.task(STACK, 0);
    var trace =
        kernel.stacks().running(TASK, at(HANDLER, STACK + 0x1000).with(RBP, STACK + 0x1100));
    assertThat(kernel.text(trace))
        .containsExactly("registers task handler!", "orc task ?", "frame-pointer task idle");
  }

  /** Words of task_struct that tests of tracing use, beside the others. */
  private void tracedTask() {
    kernel.struct(
        "task_struct",
        0x100,
        Map.of(
            "stack",
            0x20,
            "thread.sp",
            0x40,
            "rethooks.first",
            0x60,
            "kretprobe_instances.first",
            0x68,
            "ret_stack",
            0x70));
  }

  /** A return address replaced twice is in two nodes: the later one has the real one. */
  @Test
  void aReturnAddressThatAReturnProbeReplacedIsFound() {
    labels();
    rows();
    tracedTask();
    kernel
        .label("arch_rethook_trampoline", 0x900)
        .struct("rethook_node", 48, Map.of("llist", 16, "ret_addr", 32, "frame", 40));
    sleeper(SIZE, 0);
    int slot = SIZE - PtRegs.BYTES - 0x10 - 8;
    var real = stack.getLong(slot);
    stack.putLong(slot, IMAGE + 0x900);
    long first = 0xffff_8880_0020_0000L;
    var nodes = kernel.area(first, 0x100);
    kernel.taskWord(0x60, first + 16);
    nodes.putLong(16, first + 0x40 + 16);
    nodes.putLong(32, IMAGE + 0x900);
    nodes.putLong(40, STACK + slot);
    nodes.putLong(0x40 + 16, 0);
    nodes.putLong(0x40 + 32, real);
    nodes.putLong(0x40 + 40, STACK + slot);
    var trace = kernel.stacks().sleeping(TASK);
    assertThat(kernel.text(trace))
        .containsExactly(
            "registers task schedule", "orc task __x64_sys_read", "orc task entry_SYSCALL_64");
    // A list that leads back to itself ends too.
    nodes.putLong(0x40 + 16, first + 16);
    assertThat(kernel.stacks().sleeping(TASK).end()).isEqualTo(Backtrace.End.COMPLETE);
  }

  @Test
  void aReturnAddressThatAnOlderReturnProbeReplacedIsFound() {
    labels();
    rows();
    tracedTask();
    kernel
        .label("__kretprobe_trampoline", 0x900)
        .struct("kretprobe_instance", 48, Map.of("llist", 0, "ret_addr", 24, "fp", 32));
    sleeper(SIZE, 0);
    int slot = SIZE - PtRegs.BYTES - 0x10 - 8;
    long node = 0xffff_8880_0020_0000L;
    var nodes = kernel.area(node, 0x100);
    kernel.taskWord(0x68, node);
    nodes.putLong(24, stack.getLong(slot));
    nodes.putLong(32, STACK + slot);
    stack.putLong(slot, IMAGE + 0x900);
    assertThat(kernel.text(kernel.stacks().sleeping(TASK)))
        .containsExactly(
            "registers task schedule", "orc task __x64_sys_read", "orc task entry_SYSCALL_64");
  }

  @Test
  void aReturnAddressThatTheGraphTracerReplacedIsFound() {
    labels();
    rows();
    tracedTask();
    kernel
        .label("return_to_handler", 0x900)
        .struct("ftrace_ret_stack", 32, Map.of("ret", 0, "retp", 24));
    sleeper(SIZE, 0);
    int slot = SIZE - PtRegs.BYTES - 0x10 - 8;
    long returns = 0xffff_8880_0020_0000L;
    var stacked = kernel.area(returns, 0x1000);
    kernel.taskWord(0x70, returns);
    // Since 6.11 structures are not at multiples of their size.
    stacked.putLong(0x28, stack.getLong(slot));
    stacked.putLong(0x28 + 24, STACK + slot);
    stack.putLong(slot, IMAGE + 0x900);
    assertThat(kernel.text(kernel.stacks().sleeping(TASK)))
        .containsExactly(
            "registers task schedule", "orc task __x64_sys_read", "orc task entry_SYSCALL_64");
  }

  @Test
  void ftracesTrampolinesHaveTheRowsOfWhatTheyAreCopiesOf() {
    labels();
    rows();
    kernel
        .label("ftrace_caller", 0xa00)
        .label("ftrace_regs_caller", 0xb00)
        .label("ftrace_ops_list", 0xc00)
        .label("ftrace_list_end", 0xd00)
        .struct(
            "ftrace_ops",
            64,
            Map.of("next", 8, "flags", 16, "trampoline", 24, "trampoline_size", 32))
        .callRow(0xa00, 0x100)
        .callRow(0xb00, 0x18)
        .noRow(0xc00);
    long ops = 0xffff_8880_0020_0000L;
    long copy = 0xffff_ffff_c000_1000L;
    var area = kernel.area(ops, 0x100);
    ByteBuffer.wrap(kernel.text).order(java.nio.ByteOrder.LITTLE_ENDIAN).putLong(0xc00, ops);
    area.putLong(8, IMAGE + 0xd00);
    area.putLong(16, 1 << 2);
    area.putLong(24, copy);
    area.putLong(32, 0x80);
    var code = new byte[0x80];
    kernel.memory.put(copy, code);
    stack.putLong(0x1000, copy + 0x40);
    stack.putLong(0x1018, kernel.indirectCall(IDLE + 0x10));
    kernel.task(STACK, 0);
    var trace = kernel.stacks().running(TASK, at(HANDLER, STACK + 0x1000));
    assertThat(kernel.text(trace))
        .containsExactly("registers task handler!", "orc task ?", "orc task idle");
  }

  @Test
  void aKernelForFredKeepsTwoWordsFreeAboveTheUsersRegisters() {
    labels();
    kernel.label("asm_fred_entrypoint_user", 0x9000);
    sleeper(SIZE, 16);
    // FRED keeps more than the selector in the word of cs.
    stack.putLong(SIZE - 16 - PtRegs.BYTES + 136, 0x0012_0033L);
    var trace = kernel.stacks().sleeping(TASK);
    assertThat(trace.end()).isEqualTo(Backtrace.End.COMPLETE);
    assertThat(trace.entry().orElseThrow().get(CS)).hasValue(0x33);
    assertThat(trace.entry().orElseThrow().pc()).hasValue(0x401000);
  }

  @Test
  void theSizeOfStacksIsThisKernels() {
    assertThat(kernel.stacks().threadSize()).isEqualTo(0x4000);
    kernel.label("__start_init_stack", 0).label("__end_init_stack", 0x8000);
    assertThat(kernel.stacks().threadSize()).isEqualTo(0x8000);
    assertThat(new TestKernel().threadUnion(0x10000).stacks().threadSize()).isEqualTo(0x10000);
  }

  @Test
  void aTaskThatCannotBeReadHasNoStackAndSaysWhy() {
    var trace = kernel.stacks().sleeping(0xffff_8880_0999_0000L);
    assertThat(trace.frames()).isEmpty();
    assertThat(trace.end()).isEqualTo(Backtrace.End.BROKEN);
    assertThat(trace.why()).contains("0xffff888009990040").contains("no mapping");
  }

  @Test
  void aCpuInUserModeHasNoKernelStack() {
    kernel.task(STACK, 0);
    var trace = kernel.stacks().running(TASK, at(0, 0x7ffc_0000_0000L).with(CS, 0x33));
    assertThat(trace.frames()).isEmpty();
    assertThat(trace.why()).isEqualTo("in user mode");
  }

  @Test
  void aStackPageThatIsNotInTheDumpIsNamed() {
    labels();
    rows();
    kernel.task(STACK, STACK - 0x20000);
    var trace = kernel.stacks().running(TASK, at(HANDLER, STACK - 0x20000));
    assertThat(trace.end()).isEqualTo(Backtrace.End.BROKEN);
    assertThat(trace.why()).contains("0xffffc8ffffff0000").contains("no mapping");
  }

  @ParameterizedTest
  @ValueSource(longs = {3, 20261121, 99})
  void randomKernelsNeverThrow(long seed) {
    var random = new Random(seed);
    for (int round = 0; round < 100; round++) {
      var chaos = new TestKernel();
      chaos
          .struct("pcpu_hot", 64, Map.of("hardirq_stack_ptr", 16))
          .exceptionStacks(0x1000, "DF_stack", "NMI_stack")
          .perCpu("pcpu_hot", 0x100, 0)
          .perCpu("cpu_tss_rw", 0x200, 0)
          .perCpu("cea_exception_stacks", 0x80, EXCEPTIONS);
      random.nextBytes(chaos.text);
      for (int i = 0; i < 0x100; i++) {
        int at = 0x100 * i;
        chaos.label("f" + i, at);
        var types = OrcWriter.Type.values();
        chaos.row(
            at,
            random.nextInt(12),
            8 * (random.nextInt(20) - 4),
            random.nextInt(12),
            8 * (random.nextInt(20) - 10),
            types[random.nextInt(types.length)],
            random.nextBoolean());
      }
      for (long base : new long[] {STACK, IRQ, EXCEPTIONS + 0x1000, EXCEPTIONS + 0x3000}) {
        var area = chaos.area(base, 0x1000);
        for (int i = 0; i < 0x1000; i += 8) {
          area.putLong(i, word(random));
        }
      }
      for (int i = 0; i < 0x300; i += 8) {
        if (random.nextInt(3) == 0) {
          chaos.perCpu.putLong(i, word(random));
        }
      }
      chaos.task(word(random), word(random));
      var stacks = chaos.stacks();
      var start =
          Registers.builder(X86_64.INSTANCE.registers())
              .set(RIP, word(random))
              .set(RSP, word(random))
              .set(RBP, word(random))
              .set(CS, random.nextInt(5) == 0 ? 0x33 : 0x10)
              .build();
      for (var trace :
          new Backtrace[] {
            stacks.sleeping(TASK), stacks.running(TASK, start), stacks.from(start)
          }) {
        assertThat(trace.why()).as("seed %d round %d", seed, round).isNotEmpty();
      }
    }
  }

  private static long word(Random random) {
    return switch (random.nextInt(8)) {
      case 0, 1 -> IMAGE + random.nextInt(TestKernel.TEXT_BYTES);
      case 2 -> STACK + random.nextInt(0x1000);
      case 3 -> IRQ + random.nextInt(0x1000);
      case 4 -> EXCEPTIONS + random.nextInt(0x4000);
      case 5 -> PER_CPU + random.nextInt(0x1000);
      case 6 -> new long[] {0, 0x10, 0x18, 0x33, 0x2b, 0x246, -1}[random.nextInt(7)];
      default -> random.nextLong();
    };
  }
}
