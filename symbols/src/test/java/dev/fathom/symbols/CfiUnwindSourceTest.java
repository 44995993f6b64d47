// SPDX-License-Identifier: Apache-2.0
package dev.fathom.symbols;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fathom.base.ByteSource;
import dev.fathom.base.Range;
import dev.fathom.format.dwarf.CallFrames;
import dev.fathom.model.HeapMemory;
import dev.fathom.model.Layout;
import dev.fathom.model.Registers;
import dev.fathom.model.arch.x86_64.X86_64;
import dev.fathom.model.unwind.Backtrace;
import dev.fathom.model.unwind.Frame;
import dev.fathom.model.unwind.Stack;
import dev.fathom.model.unwind.Stacks;
import dev.fathom.model.unwind.UnwindRow;
import dev.fathom.model.unwind.Unwinder;
import dev.fathom.testkit.CfiWriter;
import dev.fathom.testkit.LittleEndian;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

class CfiUnwindSourceTest {
  private static final long SLIDE = 0x7000_0000_0000L;
  private static final long STACK = 0x7fff_0000_0000L;

  private static byte[] bytes(int... values) {
    var out = new LittleEndian();
    for (int value : values) {
      out.u8(value);
    }
    return out.toByteArray();
  }

  /** A leaf, a function with rbp and rbx saved, a signal frame by expressions, the outermost. */
  private static CallFrames frames() {
    var writer = CfiWriter.ehFrame(0x40_0000);
    int cie = writer.cie(1, "zR", bytes(0x1b), bytes(0x0c, 7, 8, 0x90, 1));
    writer.fde(cie, 0x1000, 0x10, bytes());
    writer.fde(cie, 0x2000, 0x10, bytes(0x0c, 6, 16, 0x86, 2, 0x83, 3));
    int signal = writer.cie(1, "zRS", bytes(0x1b), bytes());
    // CFA = the word at rsp + 16; rip at rsp + 8, rbx at CFA (on the stack) - 32, rbp = 7.
    writer.fde(
        signal,
        0x3000,
        0x10,
        bytes(
            0x0f, 3, 0x77, 16, 0x06, 0x10, 16, 2, 0x77, 8, 0x10, 3, 3, 0x08, 32, 0x1c, 0x16, 6, 1,
            0x37));
    writer.fde(cie, 0x4000, 0x10, bytes(0x07, 16));
    return CallFrames.ofEhFrame(
        ByteSource.of(".eh_frame", writer.toByteArray()),
        ByteOrder.LITTLE_ENDIAN,
        8,
        0x40_0000,
        OptionalLong.empty(),
        OptionalLong.empty());
  }

  private static final Stacks PLAIN =
      new Stacks() {
        @Override
        public Optional<Stack> containing(long sp) {
          return Optional.of(new Stack("task", Range.of(STACK, 0x1000), Optional.empty()));
        }

        @Override
        public boolean isText(long address) {
          return Range.of(SLIDE, 0x10000).contains(address);
        }

        @Override
        public boolean isReturnAddress(long address) {
          return false;
        }

        @Override
        public Callee callee(long returnAddress, long pc) {
          return Callee.ANY;
        }

        @Override
        public Optional<UnwindRow> savedRegisters(long address) {
          return Optional.empty();
        }

        @Override
        public Optional<UnwindRow> interruptFrame(long address) {
          return Optional.empty();
        }

        @Override
        public Optional<String> outermost(Registers caller) {
          return Optional.empty();
        }
      };

  @Test
  void walksALeafAFrameASignalAndTheOutermost() {
    var stack = new LittleEndian();
    stack.u64(SLIDE + 0x2008); // 0: leaf's return address
    stack.u64(0x1111); // 8: rbx of the signal frame
    stack.u64(0x2222); // 0x10: rbp of the signal frame
    stack.u64(SLIDE + 0x3001); // 0x18: into the signal frame
    stack.u64(0); // 0x20: its sp
    stack.u64(SLIDE + 0x4004); // 0x28: the interrupted pc
    stack.u64(STACK + 0x80); // 0x30: the CFA
    while (stack.size() < 0x60) {
      stack.u8(0);
    }
    stack.u64(0x3333); // 0x60: rbx at CFA - 32
    stack.align(0x100);
    var memory = new HeapMemory("user", Layout.LITTLE_64).put(STACK, stack.toByteArray());
    var source = new CfiUnwindSource("cfi:a.out", frames(), X86_64.INSTANCE, SLIDE);
    var start =
        Registers.none(X86_64.INSTANCE.registers())
            .with(X86_64.RIP, SLIDE + 0x1000)
            .with(X86_64.RSP, STACK)
            .with(X86_64.RAX, 5)
            .with(X86_64.RBP, STACK + 0x10)
            .with(X86_64.RBX, 4);
    var trace = new Unwinder(memory, List.of(source), PLAIN, 100).backtrace(start, true);
    assertThat(trace.frames())
        .extracting(Frame::pc)
        .containsExactly(SLIDE + 0x1000, SLIDE + 0x2008, SLIDE + 0x3001, SLIDE + 0x4004);
    assertThat(trace.end()).isEqualTo(Backtrace.End.COMPLETE);
    var second = trace.frames().get(1);
    assertThat(second.how()).isEqualTo(Frame.How.CFI);
    assertThat(second.registers().get(X86_64.RBX)).hasValue(4);
    assertThat(second.registers().get(X86_64.RAX)).as("not mentioned").hasValue(5);
    assertThat(second.cfa()).isEqualTo(STACK + 0x20);
    var signal = trace.frames().get(2);
    assertThat(signal.registers().get(X86_64.RBX)).hasValue(0x1111);
    assertThat(signal.registers().get(X86_64.RBP)).hasValue(0x2222);
    var last = trace.frames().get(3);
    assertThat(last.exact()).isTrue();
    assertThat(last.how()).isEqualTo(Frame.How.EXCEPTION);
    assertThat(last.registers().sp()).hasValue(STACK + 0x80);
    assertThat(last.registers().get(X86_64.RBX)).hasValue(0x3333);
    assertThat(last.registers().get(X86_64.RBP)).hasValue(7);
  }

  @Test
  void saysWhatAnExpressionLacks() {
    var memory = new HeapMemory("user", Layout.LITTLE_64);
    var source = new CfiUnwindSource("cfi", frames(), X86_64.INSTANCE, SLIDE);
    var start =
        Registers.none(X86_64.INSTANCE.registers())
            .with(X86_64.RIP, SLIDE + 0x3000)
            .with(X86_64.RSP, STACK);
    var trace = new Unwinder(memory, List.of(source), PLAIN, 100).backtrace(start, true);
    assertThat(trace.end()).isEqualTo(Backtrace.End.BROKEN);
    assertThat(trace.why()).contains("cannot read user address 0x7fff00000010");
  }

  @Test
  void whatIsMalformedCountsAsNoneAndIsRemembered() {
    var writer = CfiWriter.debugFrame(false);
    int cie = writer.cie(4, "", new byte[0], bytes());
    writer.fde(cie, 0x1000, 0x10, bytes(0x3f));
    var frames =
        CallFrames.ofDebugFrame(
            ByteSource.of(".debug_frame", writer.toByteArray()), ByteOrder.LITTLE_ENDIAN, 8);
    var source = new CfiUnwindSource("cfi", frames, X86_64.INSTANCE, 0);
    assertThat(source.rowAt(0x1000)).isEmpty();
    assertThat(source.problems()).singleElement().asString().contains(".debug_frame");
  }
}
