// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model.unwind;

import static dev.fathom.model.arch.x86_64.X86_64.CS;
import static dev.fathom.model.arch.x86_64.X86_64.R10;
import static dev.fathom.model.arch.x86_64.X86_64.RBP;
import static dev.fathom.model.arch.x86_64.X86_64.RIP;
import static dev.fathom.model.arch.x86_64.X86_64.RSP;
import static dev.fathom.model.unwind.TestMachine.HARDWARE;
import static dev.fathom.model.unwind.TestMachine.TEXT;
import static dev.fathom.model.unwind.TestMachine.at;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fathom.model.Registers;
import dev.fathom.model.arch.x86_64.X86_64;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class UnwinderTest {
  private static final long TASK = 0xffffc90000000000L;
  private static final long IRQ = 0xffffc90000010000L;
  private static final UnwindRow OUTERMOST =
      new UnwindRow(new Rule.Undefined(), Map.of(), UnwindRow.Kind.END);

  private final TestMachine machine = new TestMachine();

  private Backtrace walk(Registers start) {
    return machine.unwinder(Unwinder.MAX_FRAMES).backtrace(start, true);
  }

  private static List<String> text(Backtrace trace) {
    return trace.frames().stream()
        .map(
            f ->
                f.how().text()
                    + " "
                    + f.stack()
                    + " "
                    + Long.toHexString(f.pc() - TEXT)
                    + (f.exact() ? "!" : ""))
        .toList();
  }

  /** Three frames: the inner two have rows, the third is the outermost. */
  private long threeCalls() {
    var stack = machine.stack("task", TASK, 0x1000, Optional.empty());
    stack.putLong(0x810, machine.call(0x200));
    stack.putLong(0x838, machine.call(0x300));
    machine.callRow(TEXT + 0x100, 0x18);
    machine.callRow(TEXT + 0x1ff, 0x28);
    machine.rows.put(TEXT + 0x2ff, OUTERMOST);
    return TASK + 0x800;
  }

  @Test
  void followsRowsToTheOutermostFrame() {
    var trace = walk(at(TEXT + 0x100, threeCalls()));
    assertThat(text(trace)).containsExactly("registers task 100!", "orc task 200", "orc task 300");
    assertThat(trace.frames().get(0).cfa()).isEqualTo(TASK + 0x818);
    assertThat(trace.frames().get(1).cfa()).isEqualTo(TASK + 0x840);
    assertThat(trace.frames().get(1).lookup()).isEqualTo(TEXT + 0x1ff);
    assertThat(trace.end()).isEqualTo(Backtrace.End.COMPLETE);
    assertThat(trace.entry()).isEmpty();
  }

  @Test
  void isLazyAndStopsAtItsLimit() {
    var walk = machine.unwinder(2).walk(at(TEXT + 0x100, threeCalls()), true);
    assertThat(walk.next().pc()).isEqualTo(TEXT + 0x100);
    assertThat(walk.next().pc()).isEqualTo(TEXT + 0x200);
    assertThat(walk.hasNext()).isFalse();
    assertThat(walk.end()).isEqualTo(Backtrace.End.TOO_DEEP);
    assertThatThrownBy(walk::next).isInstanceOf(NoSuchElementException.class);
  }

  @Test
  void aReturnAddressIsLookedUpInItsCall() {
    threeCalls();
    var trace =
        machine
            .unwinder(Unwinder.MAX_FRAMES)
            .backtrace(at(TEXT + 0x101, TASK + 0x800), /* exact= */ false);
    assertThat(text(trace)).containsExactly("registers task 101", "orc task 200", "orc task 300");
  }

  /** An interrupt on its own stack, in a function that an exception had interrupted. */
  private long interruptOverException() {
    var task = machine.stack("task", TASK, 0x4000, Optional.empty());
    var irq = machine.stack("irq", IRQ, 0x4000, Optional.empty());
    // Interrupt code at 0x100 called by the entry code at 0x200, whose stack pointer was in bp.
    machine.callRow(TEXT + 0x100, 8);
    irq.putLong(0x3ff0, machine.call(0x200));
    machine.rows.put(
        TEXT + 0x1ff,
        new UnwindRow(
            new Rule.AtReg(RSP, 0, 16),
            Map.of(RIP, new Rule.AtCfa(-8), RBP, new Rule.AtCfa(-16)),
            UnwindRow.Kind.CALL));
    irq.putLong(0x3ff8, TASK + 0x2000);
    task.putLong(0x2000, 0x1234);
    task.putLong(0x2008, machine.call(0x300));
    // The entry code at 0x300 has the interrupted registers at its stack pointer.
    machine.rows.put(TEXT + 0x2ff, TestMachine.registersRow(new Rule.RegPlus(RSP, 0)));
    long saved = 0x2010;
    task.putLong((int) saved, 0x77);
    task.putLong((int) saved + HARDWARE, TEXT + 0x400);
    task.putLong((int) saved + HARDWARE + 8, 0x10);
    task.putLong((int) saved + HARDWARE + 24, TASK + 0x2100);
    // The function at 0x400 was called by system call entry, which has user registers on top.
    machine.callRow(TEXT + 0x400, 0x10);
    task.putLong(0x2108, machine.call(0x500));
    machine.rows.put(TEXT + 0x4ff, TestMachine.registersRow(new Rule.RegPlus(RSP, 0)));
    task.putLong(0x2110 + HARDWARE, 0x401000);
    task.putLong(0x2110 + HARDWARE + 8, 0x33);
    task.putLong(0x2110 + HARDWARE + 24, 0x7ffc0000L);
    return IRQ + 0x3ff0;
  }

  @Test
  void crossesFromAnInterruptStackOverSavedRegistersToUserMode() {
    var trace = walk(at(TEXT + 0x100, interruptOverException()));
    assertThat(text(trace))
        .containsExactly(
            "registers irq 100!",
            "orc irq 200",
            "orc task 300",
            "exception task 400!",
            "orc task 500");
    assertThat(trace.frames().get(2).registers().get(RBP)).hasValue(0x1234);
    assertThat(trace.frames().get(2).cfa()).isEqualTo(TASK + 0x2010);
    assertThat(trace.frames().get(3).registers().get(RBP)).hasValue(0x77);
    assertThat(trace.end()).isEqualTo(Backtrace.End.COMPLETE);
    assertThat(trace.why()).isEqualTo("entry from user mode");
    assertThat(trace.entry().orElseThrow().pc()).hasValue(0x401000);
  }

  @Test
  void inUserModeThereIsNoStack() {
    var trace = walk(at(0x401000, 0x7ffc0000L).with(CS, 0x33));
    assertThat(trace.frames()).isEmpty();
    assertThat(trace.end()).isEqualTo(Backtrace.End.NONE);
    assertThat(trace.entry().orElseThrow().sp()).hasValue(0x7ffc0000L);
  }

  @Test
  void withoutRegistersThereIsNoStack() {
    var trace = walk(Registers.none(X86_64.INSTANCE.registers()));
    assertThat(trace.frames()).isEmpty();
    assertThat(trace.end()).isEqualTo(Backtrace.End.NONE);
  }

  @Test
  void aRegisterThatWasNotSavedIsAbsentAndSaidSo() {
    threeCalls();
    machine.rows.put(
        TEXT + 0x1ff,
        new UnwindRow(
            new Rule.RegPlus(R10, 8), Map.of(RIP, new Rule.AtCfa(-8)), UnwindRow.Kind.CALL));
    machine.returnAddresses.clear();
    var trace = walk(at(TEXT + 0x100, TASK + 0x800).with(R10, TASK + 0x830));
    assertThat(trace.frames()).hasSize(2);
    assertThat(trace.frames().get(1).registers().get(R10)).isEmpty();
    assertThat(trace.end()).isEqualTo(Backtrace.End.BROKEN);
    assertThat(trace.why()).contains("r10 is not known here");
  }

  @Test
  void anUnreadablePageEndsTheWalkByName() {
    machine.callRow(TEXT + 0x100, 0x18);
    var trace = walk(at(TEXT + 0x100, TASK + 0x800));
    assertThat(text(trace)).containsExactly("registers unknown 100!");
    assertThat(trace.end()).isEqualTo(Backtrace.End.BROKEN);
    assertThat(trace.why())
        .contains("cannot read kernel address 0xffffc90000000810")
        .contains("no mapping");
  }

  @Test
  void fallsBackToTheFramePointer() {
    var stack = machine.stack("task", TASK, 0x1000, Optional.empty());
    stack.putLong(0x900, TASK + 0xa00);
    stack.putLong(0x908, machine.call(0x200));
    stack.putLong(0xa00, 0x55);
    stack.putLong(0xa08, machine.call(0x300));
    machine.rows.put(TEXT + 0x2ff, OUTERMOST);
    var trace = walk(at(TEXT + 0x100, TASK + 0x800).with(RBP, TASK + 0x900));
    assertThat(text(trace))
        .containsExactly("registers task 100!", "frame-pointer task 200", "frame-pointer task 300");
    assertThat(trace.frames().get(2).registers().get(RBP)).hasValue(0x55);
    assertThat(trace.frames().get(1).registers().sp()).hasValue(TASK + 0x910);
  }

  /**
   * A function without unwind information or frame: the frame pointer is its caller's and leads to
   * the caller's caller.
   */
  @Test
  void aFramePointerDoesNotLeadPastTheCaller() {
    var stack = machine.stack("task", TASK, 0x1000, Optional.empty());
    // Stale, from a call of something else.
    stack.putLong(0x810, machine.call(0x600));
    machine.callees.put(TEXT + 0x600, TEXT + 0x666);
    stack.putLong(0x848, machine.call(0x200));
    machine.callees.put(TEXT + 0x200, TEXT + 0x100);
    machine.rows.put(
        TEXT + 0x1ff,
        new UnwindRow(
            new Rule.RegPlus(RBP, 16),
            Map.of(RIP, new Rule.AtCfa(-8), RBP, new Rule.AtCfa(-16)),
            UnwindRow.Kind.CALL));
    stack.putLong(0x908, machine.call(0x300));
    machine.callees.put(TEXT + 0x300, TEXT + 0x200);
    machine.rows.put(TEXT + 0x2ff, OUTERMOST);
    var trace = walk(at(TEXT + 0x100, TASK + 0x800).with(RBP, TASK + 0x900));
    assertThat(text(trace)).containsExactly("registers task 100!", "scan task 200", "orc task 300");
  }

  @Test
  void aTailCalledFunctionIsFoundByTheFirstReturnAddress() {
    var stack = machine.stack("task", TASK, 0x1000, Optional.empty());
    stack.putLong(0x810, machine.call(0x200));
    machine.callees.put(TEXT + 0x200, TEXT + 0x150);
    machine.rows.put(TEXT + 0x1ff, OUTERMOST);
    stack.putLong(0x820, machine.call(0x300));
    machine.callees.put(TEXT + 0x300, TEXT + 0x250);
    var trace = walk(at(TEXT + 0x100, TASK + 0x800));
    assertThat(text(trace)).containsExactly("registers task 100!", "scan task 200");
  }

  @Test
  void anOddFramePointerLeadsToSavedRegisters() {
    var stack = machine.stack("task", TASK, 0x1000, Optional.empty());
    machine.savedRegisters.add(TASK + 0x900);
    stack.putLong(0x900 + HARDWARE, TEXT + 0x700);
    stack.putLong(0x900 + HARDWARE + 24, TASK + 0xa00);
    machine.rows.put(TEXT + 0x700, OUTERMOST);
    var trace = walk(at(TEXT + 0x100, TASK + 0x800).with(RBP, TASK + 0x901));
    assertThat(text(trace)).containsExactly("registers task 100!", "exception task 700!");
  }

  @Test
  void scansForReturnAddressesAndDropsThoseThatLeadNowhere() {
    var stack = machine.stack("task", TASK, 0x1000, Optional.empty());
    // Stale: its row says that its caller's return address is where there is none.
    stack.putLong(0x820, machine.call(0x200));
    machine.callRow(TEXT + 0x1ff, 0x18);
    // Text, but not after a call.
    stack.putLong(0x828, TEXT + 0x250);
    stack.putLong(0x840, machine.call(0x300));
    machine.callRow(TEXT + 0x2ff, 0x10);
    stack.putLong(0x850, machine.call(0x400));
    machine.rows.put(TEXT + 0x3ff, OUTERMOST);
    var trace = walk(at(TEXT + 0x100, TASK + 0x800));
    assertThat(text(trace)).containsExactly("registers task 100!", "scan task 300", "orc task 400");
    assertThat(trace.end()).isEqualTo(Backtrace.End.COMPLETE);
  }

  @Test
  void aScanFindsWhatAnInterruptSaved() {
    var stack = machine.stack("task", TASK, 0x1000, Optional.empty());
    machine.interruptFrames.add(TASK + 0x900);
    stack.putLong(0x900, TEXT + 0x700);
    stack.putLong(0x908, 0x10);
    stack.putLong(0x918, TASK + 0xa00);
    machine.rows.put(TEXT + 0x700, OUTERMOST);
    var trace = walk(at(TEXT + 0x100, TASK + 0x800));
    assertThat(text(trace)).containsExactly("registers task 100!", "exception task 700!");
  }

  @Test
  void aScanLeavesAStackAtItsTop() {
    var task = machine.stack("task", TASK, 0x1000, Optional.empty());
    var irq =
        machine.stack(
            "irq",
            IRQ,
            0x1000,
            Optional.of(
                new UnwindRow(
                    new Rule.Constant(IRQ + 0xff8),
                    Map.of(RSP, new Rule.AtCfa(0)),
                    UnwindRow.Kind.CALL)));
    irq.putLong(0xff8, TASK + 0x900);
    task.putLong(0x910, machine.call(0x300));
    task.putLong(0x880, machine.call(0x200));
    var trace = walk(at(TEXT + 0x100, IRQ + 0x800));
    assertThat(text(trace)).containsExactly("registers irq 100!", "scan task 300");
    assertThat(trace.end()).isEqualTo(Backtrace.End.BROKEN);
  }

  @Test
  void anExceptionStackHasTheRegistersAtItsTop() {
    var task = machine.stack("task", TASK, 0x1000, Optional.empty());
    long saved = IRQ + 0x1000 - HARDWARE - 40;
    var exit = TestMachine.registersRow(new Rule.Constant(saved));
    var nmi = machine.stack("nmi", IRQ, 0x1000, Optional.of(exit));
    nmi.putLong(0x1000 - 40, TEXT + 0x300);
    nmi.putLong(0x1000 - 16, TASK + 0x900);
    machine.callRow(TEXT + 0x300, 8);
    task.putLong(0x900, machine.call(0x400));
    machine.rows.put(TEXT + 0x3ff, OUTERMOST);
    var trace = walk(at(TEXT + 0x100, IRQ + 0x800));
    assertThat(text(trace))
        .containsExactly("registers nmi 100!", "exception task 300!", "orc task 400");
  }

  @Test
  void aCallThroughABadPointerIsUndone() {
    var stack = machine.stack("task", TASK, 0x1000, Optional.empty());
    stack.putLong(0x800, machine.call(0x300));
    machine.rows.put(TEXT + 0x2ff, OUTERMOST);
    var trace = walk(at(0, TASK + 0x800));
    assertThat(trace.frames()).hasSize(2);
    assertThat(trace.frames().get(0).pc()).isZero();
    assertThat(trace.frames().get(1).pc()).isEqualTo(TEXT + 0x300);
    assertThat(trace.frames().get(1).registers().sp()).hasValue(TASK + 0x808);
  }

  @Test
  void aRowThatStaysWhereItIsEndsTheWalk() {
    var stack = machine.stack("task", TASK, 0x1000, Optional.empty());
    machine.rows.put(
        TEXT + 0x100,
        new UnwindRow(
            new Rule.RegPlus(RSP, 0),
            Map.of(RIP, new Rule.AtCfa(0), RBP, new Rule.Same()),
            UnwindRow.Kind.CALL));
    stack.putLong(0x800, TEXT + 0x101);
    var trace = walk(at(TEXT + 0x100, TASK + 0x800));
    assertThat(trace.frames()).hasSize(1);
    assertThat(trace.why()).contains("does not rise");
  }

  @Test
  void aStackThatWasLeftIsNotEnteredAgain() {
    var task = machine.stack("task", TASK, 0x1000, Optional.empty());
    var irq = machine.stack("irq", IRQ, 0x1000, Optional.empty());
    var loop =
        new UnwindRow(
            new Rule.RegPlus(RSP, 8),
            Map.of(RIP, new Rule.AtCfa(-8), RSP, new Rule.AtCfa(0)),
            UnwindRow.Kind.CALL);
    machine.rows.put(TEXT + 0x100, loop);
    task.putLong(0x800, TEXT + 0x101);
    task.putLong(0x808, IRQ + 0x800);
    irq.putLong(0x800, TEXT + 0x101);
    irq.putLong(0x808, TASK + 0x800);
    var trace = walk(at(TEXT + 0x100, TASK + 0x800));
    assertThat(trace.frames()).hasSize(2);
    assertThat(trace.end()).isEqualTo(Backtrace.End.BROKEN);
    assertThat(trace.why()).contains("back on the task stack");
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 20261120, 77, 4242})
  void randomStacksAlwaysEnd(long seed) {
    var random = new Random(seed);
    for (int round = 0; round < 150; round++) {
      var chaos = new TestMachine();
      long[] bases = {TASK, IRQ, IRQ + 0x10000};
      for (long base : bases) {
        int size = 8 * (1 + random.nextInt(1024));
        var exit =
            random.nextBoolean()
                ? Optional.of(randomRow(random, true, base, size))
                : Optional.<UnwindRow>empty();
        var bytes = chaos.stack("stack" + base, base, size, exit);
        for (int i = 0; i + 8 <= size; i += 8) {
          bytes.putLong(i, randomWord(random, bases));
        }
      }
      for (int i = 0; i < 0x100; i++) {
        if (random.nextInt(4) != 0) {
          chaos.rows.put(TEXT + i, randomRow(random, false, TASK, 0x1000));
        }
        if (random.nextBoolean()) {
          chaos.returnAddresses.add(TEXT + i);
        }
        chaos.interruptFrames.add(TASK + 8L * random.nextInt(1024));
        chaos.savedRegisters.add(TASK + 8L * random.nextInt(1024));
      }
      var start =
          at(TEXT + random.nextInt(0x100), randomWord(random, bases))
              .with(RBP, randomWord(random, bases));
      var trace =
          chaos
              .unwinder(Unwinder.MAX_FRAMES)
              .backtrace(random.nextInt(8) == 0 ? start.without(RIP) : start, random.nextBoolean());
      assertThat(trace.frames())
          .as("seed %d round %d", seed, round)
          .hasSizeLessThanOrEqualTo(Unwinder.MAX_FRAMES);
      assertThat(trace.why()).as("seed %d round %d", seed, round).isNotEmpty();
    }
  }

  private static long randomWord(Random random, long[] bases) {
    return switch (random.nextInt(6)) {
      case 0, 1 -> TEXT + random.nextInt(0x100);
      case 2, 3 -> bases[random.nextInt(bases.length)] + random.nextInt(0x2000);
      case 4 -> random.nextLong();
      default -> random.nextInt(3) - 1;
    };
  }

  private static UnwindRow randomRow(Random random, boolean constant, long base, int size) {
    var kinds = UnwindRow.Kind.values();
    var rules = new java.util.HashMap<dev.fathom.model.Register, Rule>();
    for (var register : List.of(RIP, RSP, RBP, CS)) {
      if (random.nextInt(3) != 0) {
        rules.put(register, randomRule(random));
      }
    }
    rules.putIfAbsent(RIP, new Rule.AtCfa(-8));
    return new UnwindRow(
        constant ? new Rule.Constant(base + random.nextInt(size)) : randomRule(random),
        rules,
        kinds[random.nextInt(kinds.length)]);
  }

  private static Rule randomRule(Random random) {
    int offset = 8 * (random.nextInt(16) - 4);
    var register = List.of(RSP, RSP, RBP, R10).get(random.nextInt(4));
    return switch (random.nextInt(9)) {
      case 0, 1 -> new Rule.AtCfa(offset);
      case 2 -> new Rule.CfaPlus(offset);
      case 3 -> new Rule.AtReg(register, offset, 8);
      case 4, 5, 6 -> new Rule.RegPlus(register, offset);
      case 7 -> new Rule.Same();
      default -> new Rule.Undefined();
    };
  }
}
