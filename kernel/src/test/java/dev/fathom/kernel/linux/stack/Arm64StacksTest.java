// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux.stack;

import static dev.fathom.kernel.linux.stack.TestKernel.IMAGE;
import static dev.fathom.kernel.linux.stack.TestKernel.PER_CPU;
import static dev.fathom.kernel.linux.stack.TestKernel.TASK;
import static dev.fathom.model.arch.aarch64.Aarch64.FP;
import static dev.fathom.model.arch.aarch64.Aarch64.LR;
import static dev.fathom.model.arch.aarch64.Aarch64.PC;
import static dev.fathom.model.arch.aarch64.Aarch64.PSTATE;
import static dev.fathom.model.arch.aarch64.Aarch64.SP;
import static org.assertj.core.api.Assertions.assertThat;

import dev.fathom.model.Registers;
import dev.fathom.model.arch.aarch64.Aarch64;
import dev.fathom.model.unwind.Backtrace;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class Arm64StacksTest {
  private static final long STACK = 0xffff_8000_0801_0000L;
  private static final int SIZE = 0x4000;
  private static final long IRQ = 0xffff_8000_0000_4000L;

  /** The size of {@code struct pt_regs} and where its frame record is. */
  private static final int PT_REGS = 336;

  private static final int RECORD = 304;

  /** Offsets in the image. */
  private static final int SWITCH = 0x100;

  private static final int SCHEDULE = 0x200;
  private static final int READ = 0x300;
  private static final int ENTRY = 0x400;
  private static final int RET_FROM_FORK = 0x500;
  private static final int HANDLER = 0x600;
  private static final int EL1_IRQ = 0x700;
  private static final int ON_IRQ_STACK = 0x800;
  private static final int LEAF = 0x900;
  private static final int START = 0xa00;

  /** The kernel's mode with a stack of its own: EL1h. */
  private static final long KERNEL_MODE = 0x6000_03c5L;

  private final TestKernel kernel = new TestKernel(Aarch64.INSTANCE);
  private final ByteBuffer stack = kernel.area(STACK, SIZE);
  private final ByteBuffer irq = kernel.area(IRQ, SIZE);

  private void labels() {
    kernel
        .label("__switch_to", SWITCH)
        .label("schedule", SCHEDULE)
        .label("__arm64_sys_read", READ)
        .label("el0t_64_sync", ENTRY)
        .label("ret_from_fork", RET_FROM_FORK)
        .label("gic_handle_irq", HANDLER)
        .label("el1h_64_irq", EL1_IRQ)
        .label("call_on_irq_stack", ON_IRQ_STACK)
        .label("leaf", LEAF)
        .label("__secondary_switched", START)
        .label("behind", 0xb00)
        .perCpu("irq_stack_ptr", 0x10, IRQ);
  }

  /** A frame record at an offset of the task's stack that leads to another one there. */
  private void record(int at, int next, long back) {
    stack.putLong(at, STACK + next);
    stack.putLong(at + 8, back);
  }

  /** Registers saved at an offset of the task's stack. */
  private void save(int at, long pc, long sp, long state, int call) {
    stack.putLong(at + 248, sp);
    stack.putLong(at + 256, pc);
    stack.putLong(at + 264, state);
    stack.putInt(at + 280, call);
  }

  private static Registers cpu(long pc, long sp, long fp, long lr) {
    return Registers.builder(Aarch64.INSTANCE.registers())
        .set(PC, pc)
        .set(SP, sp)
        .set(FP, fp)
        .set(LR, lr)
        .set(PSTATE, KERNEL_MODE)
        .build();
  }

  private void saved(int fp, long pc) {
    kernel.struct(
        "task_struct",
        0x100,
        Map.of(
            "stack", 0x20,
            "thread.cpu_context.x19", 0x40,
            "thread.cpu_context.fp", 0x90,
            "thread.cpu_context.sp", 0x98,
            "thread.cpu_context.pc", 0xa0));
    kernel.task(STACK, 0x1919);
    kernel.taskWord(0x90, STACK + fp);
    kernel.taskWord(0x98, STACK + fp);
    kernel.taskWord(0xa0, pc);
  }

  /** A task that sleeps in read(2). */
  private void sleeper() {
    labels();
    int user = SIZE - PT_REGS;
    save(user, 0x40_1000, 0xffff_f000_0000L, 0, 63);
    record(0x3000, 0x3040, kernel.branchLink(SCHEDULE + 0x40, SWITCH));
    record(0x3040, 0x3080, kernel.branchLink(READ + 0x40, SCHEDULE));
    record(0x3080, user + RECORD, kernel.branchLink(ENTRY + 0x40, READ));
    saved(0x3000, IMAGE + SWITCH + 0x10);
  }

  @Test
  void aSleepingTaskIsFollowedToItsSystemCall() {
    sleeper();
    var trace = kernel.arm64Stacks().sleeping(TASK);
    assertThat(kernel.text(trace))
        .containsExactly(
            "registers task __switch_to",
            "frame-pointer task schedule",
            "frame-pointer task __arm64_sys_read",
            "frame-pointer task el0t_64_sync");
    assertThat(trace.end()).isEqualTo(Backtrace.End.COMPLETE);
    assertThat(trace.why()).isEqualTo("entry from user mode: system call 63");
    var user = trace.entry().orElseThrow();
    assertThat(user.pc()).hasValue(0x40_1000);
    assertThat(user.sp()).hasValue(0xffff_f000_0000L);
    assertThat(kernel.arm64Stacks().saved(TASK).orElseThrow().get(Aarch64.x(19))).hasValue(0x1919);
  }

  /** The first CPU's idle task returns to code that was freed: no calls are there any more. */
  @Test
  void theFirstTaskIsFollowedToTheStartOfTheKernel() {
    labels();
    kernel
        .label("_stext", 0x40)
        .label("_etext", 0xbf0)
        .label("_sinittext", 0xc00)
        .label("start_kernel", 0xc10)
        .label("__primary_switched", 0xd00)
        .label("_einittext", 0xe00);
    record(0x3000, 0x3040, kernel.branchLink(SCHEDULE + 0x40, SWITCH));
    record(0x3040, 0x3080, IMAGE + 0xc20);
    record(0x3080, 0x30c0, IMAGE + 0xd10);
    saved(0x3000, IMAGE + SWITCH + 0x10);
    var trace = kernel.arm64Stacks().sleeping(TASK);
    assertThat(kernel.text(trace))
        .containsExactly(
            "registers task __switch_to",
            "frame-pointer task schedule",
            "frame-pointer task start_kernel",
            "frame-pointer task __primary_switched");
    assertThat(trace.end()).isEqualTo(Backtrace.End.COMPLETE);
    assertThat(trace.why()).isEqualTo("start of a CPU");
  }

  /** Codes in the bits above the address, as the CPU signs return addresses. */
  @Test
  void returnAddressesAreFreedOfTheirCodes() {
    sleeper();
    for (int at : new int[] {0x3000, 0x3040, 0x3080}) {
      long back = stack.getLong(at + 8);
      stack.putLong(at + 8, (back & 0x0080_ffff_ffff_ffffL) | 0x5a2b_0000_0000_0000L);
    }
    var trace = kernel.arm64Stacks().sleeping(TASK);
    assertThat(kernel.text(trace)).hasSize(4).last().isEqualTo("frame-pointer task el0t_64_sync");
    assertThat(trace.end()).isEqualTo(Backtrace.End.COMPLETE);
  }

  @Test
  void aKernelThreadEndsWhereItBegan() {
    labels();
    record(0x3000, 0x3040, kernel.branchLink(SCHEDULE + 0x40, SWITCH));
    record(0x3040, SIZE - PT_REGS + RECORD, kernel.branchLink(RET_FROM_FORK + 0x10, SCHEDULE));
    saved(0x3000, IMAGE + SWITCH + 0x10);
    var trace = kernel.arm64Stacks().sleeping(TASK);
    assertThat(kernel.text(trace))
        .containsExactly(
            "registers task __switch_to",
            "frame-pointer task schedule",
            "frame-pointer task ret_from_fork");
    assertThat(trace.end()).isEqualTo(Backtrace.End.COMPLETE);
    assertThat(trace.why()).isEqualTo("start of a kernel thread");
  }

  @Test
  void aNewTaskHasNotRun() {
    labels();
    save(SIZE - PT_REGS, 0x40_1000, 0xffff_f000_0000L, 0, 220);
    saved(SIZE - PT_REGS + RECORD, IMAGE + RET_FROM_FORK);
    var trace = kernel.arm64Stacks().sleeping(TASK);
    assertThat(kernel.text(trace)).containsExactly("registers task ret_from_fork!");
    assertThat(trace.why()).isEqualTo("forked and not run since");
    assertThat(trace.entry().orElseThrow().pc()).hasValue(0x40_1000);
  }

  /** On the interrupt stack, from there to the task's, and through the interrupt into a leaf. */
  @Test
  void anInterruptIsCrossed() {
    labels();
    int saved = 0x3000;
    long leafReturns = kernel.branchLink(READ + 0x40, LEAF);
    irq.putLong(0x3f00, STACK + 0x2f00);
    irq.putLong(0x3f08, kernel.indirectBranchLink(ON_IRQ_STACK + 0x20));
    record(0x2f00, saved + RECORD, kernel.branchLink(EL1_IRQ + 0x60, ON_IRQ_STACK));
    save(saved, IMAGE + LEAF + 8, STACK + saved + PT_REGS, KERNEL_MODE, -1);
    stack.putLong(saved + 8 * 29, STACK + 0x3200);
    stack.putLong(saved + 8 * 30, leafReturns);
    record(0x3200, SIZE - PT_REGS + RECORD, kernel.branchLink(START + 0x40, READ));
    saved(0x3000, 0);
    var trace =
        kernel
            .arm64Stacks()
            .running(TASK, cpu(IMAGE + HANDLER + 0x20, IRQ + 0x3f00, IRQ + 0x3f00, 0));
    assertThat(kernel.text(trace))
        .containsExactly(
            "registers irq gic_handle_irq!",
            "frame-pointer irq call_on_irq_stack",
            "frame-pointer task el1h_64_irq",
            "exception task leaf!",
            "frame-pointer task __arm64_sys_read",
            "frame-pointer task __secondary_switched");
    assertThat(trace.end()).isEqualTo(Backtrace.End.COMPLETE);
    assertThat(trace.why()).isEqualTo("start of a CPU");
  }

  /** x30 then has an address in the function itself, or what the record has. */
  @Test
  void aFunctionWithARecordIsNoLeaf() {
    labels();
    record(0x3000, SIZE - PT_REGS + RECORD, kernel.branchLink(START + 0x40, READ));
    saved(0x3000, 0);
    long own = kernel.branchLink(READ + 0x20, LEAF);
    for (long link : new long[] {own, IMAGE + START + 0x40, 0}) {
      var trace =
          kernel
              .arm64Stacks()
              .running(TASK, cpu(IMAGE + READ + 0x30, STACK + 0x3000, STACK + 0x3000, link));
      assertThat(kernel.text(trace))
          .containsExactly(
              "registers task __arm64_sys_read!", "frame-pointer task __secondary_switched");
    }
  }

  @Test
  void aCpuInUserModeHasNoStack() {
    labels();
    saved(0x3000, 0);
    var user = cpu(0x40_1000, 0xffff_f000_0000L, 0, 0).with(PSTATE, 0x6000_0000L);
    var trace = kernel.arm64Stacks().running(TASK, user);
    assertThat(trace.frames()).isEmpty();
    assertThat(trace.why()).isEqualTo("in user mode");
  }

  @Test
  void recordsInACircleEnd() {
    labels();
    saved(0x3000, 0);
    record(0x3000, 0x3040, kernel.branchLink(READ + 0x40, LEAF));
    record(0x3040, 0x3000, kernel.branchLink(SCHEDULE + 0x40, READ));
    var trace =
        kernel
            .arm64Stacks()
            .running(TASK, cpu(IMAGE + LEAF + 8, STACK + 0x3000, STACK + 0x3000, 0));
    assertThat(trace.frames()).hasSize(3);
    assertThat(trace.end()).isEqualTo(Backtrace.End.BROKEN);
  }

  /** Stacks of random words, many of which look like addresses: a walk ends and does not fail. */
  @Test
  void stacksOfRubbish() {
    labels();
    saved(0x3000, IMAGE + SWITCH + 0x10);
    long seed = Long.getLong("fathom.fuzz.seed", System.nanoTime());
    var random = new Random(seed);
    long[] returns = {
      kernel.branchLink(READ + 0x40, LEAF),
      kernel.branchLink(EL1_IRQ + 0x60, ON_IRQ_STACK),
      kernel.branchLink(ENTRY + 0x40, READ),
      kernel.indirectBranchLink(ON_IRQ_STACK + 0x20)
    };
    for (int round = 0; round < 300; round++) {
      for (var area : new ByteBuffer[] {stack, irq}) {
        for (int at = 0; at < SIZE; at += 8) {
          area.putLong(
              at,
              switch (random.nextInt(5)) {
                case 0 -> STACK + random.nextInt(SIZE / 8) * 8L;
                case 1 -> IRQ + random.nextInt(SIZE / 8) * 8L;
                case 2, 3 -> returns[random.nextInt(returns.length)];
                default -> random.nextLong();
              });
        }
      }
      long at = (random.nextBoolean() ? STACK : IRQ) + random.nextInt(SIZE / 16) * 16L;
      var trace =
          kernel
              .arm64Stacks()
              .running(
                  TASK,
                  cpu(returns[random.nextInt(4)], at, at + random.nextInt(64) * 8L, returns[0]));
      assertThat(trace.frames().size()).as("seed %d", seed).isBetween(1, 4096);
    }
  }

  @Test
  void perCpuStacksAreFound() {
    labels();
    kernel.perCpu("overflow_stack", 0x800, 0);
    var rules = new Arm64Rules(kernel, SIZE, java.util.List.of(), 48);
    assertThat(rules.cpuStacks(PER_CPU))
        .extracting(found -> found.name() + " " + Long.toHexString(found.range().start()))
        .containsExactly(
            "irq " + Long.toHexString(IRQ), "overflow " + Long.toHexString(PER_CPU + 0x800));
  }
}
