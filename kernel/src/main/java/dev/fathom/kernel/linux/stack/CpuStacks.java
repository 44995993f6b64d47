// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux.stack;

import dev.fathom.base.FaultException;
import dev.fathom.base.Range;
import dev.fathom.model.AddressSpace;
import dev.fathom.model.Program;
import dev.fathom.model.Symbol;
import dev.fathom.model.arch.x86_64.PtRegs;
import dev.fathom.model.arch.x86_64.X86_64;
import dev.fathom.model.type.ArrayType;
import dev.fathom.model.unwind.Rule;
import dev.fathom.model.unwind.Stack;
import dev.fathom.model.unwind.UnwindRow;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Finds the stacks that belong to a CPU: for interrupts, for the exceptions that have one each, and
 * the small one on which entries from user mode start. What cannot be found is left out.
 */
final class CpuStacks {
  private static final int PAGE = 4096;

  /** {@code CPU_ENTRY_AREA_RO_IDT} to the end of its top-level entry (asm/cpu_entry_area.h). */
  private static final Range ENTRY_AREA = new Range(0xffff_fe00_0000_0000L, 0xffff_fe80_0000_0000L);

  /**
   * The exceptions with a stack each, in the order of the interrupt stack table: {@code
   * IST_INDEX_*} since 5.2, before it {@code DOUBLEFAULT_STACK} and so on, counted from 1.
   */
  private static final List<String> IST_NAMES = List.of("#DF", "nmi", "#DB", "#MC", "#VC");

  /** {@code x86_hw_tss.sp0}: the format is the CPU's (Intel SDM volume 3, figure 8-11). */
  private static final int TSS_SP0 = 4;

  /** {@code x86_hw_tss.ist}. */
  private static final int TSS_IST = 36;

  private final Program program;
  private final AddressSpace memory;
  private final long threadSize;

  CpuStacks(Program program, long threadSize) {
    this.program = program;
    this.memory = program.memory();
    this.threadSize = threadSize;
  }

  /**
   * The stacks of a CPU.
   *
   * @param base what is added to the offsets of per-CPU variables
   */
  List<Stack> of(long base) {
    var stacks = new ArrayList<Stack>();
    interruptStack(base).ifPresent(stacks::add);
    exceptionStacks(base, stacks);
    entryStack(base).ifPresent(stacks::add);
    return stacks;
  }

  /**
   * The interrupt stack: {@code pcpu_hot.hardirq_stack_ptr} from 6.2 to 6.14, the per-CPU variable
   * {@code hardirq_stack_ptr} from 5.2 on and again later, {@code irq_stack_ptr} before. They point
   * to its end or up to 64 bytes below. It is as large as a task's, and the last word in use is the
   * stack pointer that it was entered with.
   */
  private Optional<Stack> interruptStack(long base) {
    var pointer = OptionalLong.empty();
    var hot = program.types().findOffset("pcpu_hot", "hardirq_stack_ptr");
    var hotVariable = perCpu("pcpu_hot", base);
    if (hot.isPresent() && hotVariable.isPresent()) {
      pointer = word(hotVariable.getAsLong() + hot.getAsLong());
    }
    for (var name : List.of("hardirq_stack_ptr", "irq_stack_ptr")) {
      if (pointer.isEmpty()) {
        var variable = perCpu(name, base);
        pointer = variable.isPresent() ? word(variable.getAsLong()) : OptionalLong.empty();
      }
    }
    if (pointer.isEmpty()) {
      return Optional.empty();
    }
    long top = pointer.getAsLong() + PAGE - 1 & -PAGE;
    if (top >= 0) {
      return Optional.empty(); // Not in the kernel's half: corrupt, or not set up.
    }
    var exit =
        new UnwindRow(
            new Rule.Constant(top - 8), Map.of(X86_64.RSP, new Rule.AtCfa(0)), UnwindRow.Kind.CALL);
    return stack("irq", top - threadSize, top, exit);
  }

  /**
   * The exceptions' stacks: {@code cea_exception_stacks} describes them since 5.2; before that, and
   * without types, the CPU's interrupt stack table has where they end.
   */
  private void exceptionStacks(long base, List<Stack> stacks) {
    var type = program.types().findStruct("cea_exception_stacks");
    var variable = perCpu("cea_exception_stacks", base);
    if (type.isPresent() && variable.isPresent()) {
      var area = word(variable.getAsLong());
      if (area.isEmpty() || !ENTRY_AREA.contains(area.getAsLong())) {
        return;
      }
      for (var member : type.get().members()) {
        long bytes = member.type().bytes();
        if (member.name().endsWith("_stack")
            && member.type().resolved() instanceof ArrayType
            && bytes >= PtRegs.BYTES) {
          long start = area.getAsLong() + member.bitOffset() / 8;
          exceptionStack(nameOf(member.name()), start, start + bytes).ifPresent(stacks::add);
        }
      }
      return;
    }
    var tss = tss(base);
    if (tss.isEmpty()) {
      return;
    }
    boolean doubled = threadSize > LinuxStacks.USUAL_THREAD_SIZE;
    for (int i = 0; i < IST_NAMES.size(); i++) {
      var top = word(tss.getAsLong() + TSS_IST + 8L * i);
      if (top.isPresent() && top.getAsLong() < 0) {
        long size = doubled ? 2 * PAGE : PAGE;
        exceptionStack(IST_NAMES.get(i), top.getAsLong() - size, top.getAsLong())
            .ifPresent(stacks::add);
      }
    }
  }

  private static String nameOf(String member) {
    return switch (member) {
      case "DF_stack" -> "#DF";
      case "NMI_stack" -> "nmi";
      case "DB_stack" -> "#DB";
      case "MCE_stack" -> "#MC";
      case "VC_stack" -> "#VC";
      default -> member.substring(0, member.length() - "_stack".length());
    };
  }

  /** At its top are the registers that the exception saved. */
  private static Optional<Stack> exceptionStack(String name, long start, long end) {
    return stack(name, start, end, SavedRegisters.at(end - PtRegs.BYTES));
  }

  /** The stack, unless its addresses are not a range in the kernel's half. */
  private static Optional<Stack> stack(String name, long start, long end, UnwindRow exit) {
    return start < end && end < 0
        ? Optional.of(new Stack(name, new Range(start, end), Optional.of(exit)))
        : Optional.empty();
  }

  /**
   * The stack on which entries from user mode start (4.15 and later): {@code sp0} is its end. It is
   * a page, or less at the end of one.
   */
  private Optional<Stack> entryStack(long base) {
    var tss = tss(base);
    var top = tss.isPresent() ? word(tss.getAsLong() + TSS_SP0) : OptionalLong.empty();
    if (top.isEmpty() || !ENTRY_AREA.contains(top.getAsLong())) {
      return Optional.empty();
    }
    long end = top.getAsLong();
    return exceptionStack("entry", end - 1 & -PAGE, end);
  }

  /** {@code cpu_tss_rw} since 4.15, {@code cpu_tss} before. */
  private OptionalLong tss(long base) {
    var now = perCpu("cpu_tss_rw", base);
    return now.isPresent() ? now : perCpu("cpu_tss", base);
  }

  private OptionalLong perCpu(String name, long base) {
    for (var symbol : program.symbols().named(name)) {
      if (symbol.kind() == Symbol.Kind.PER_CPU && symbol.module().isEmpty()) {
        return OptionalLong.of(base + symbol.address());
      }
    }
    return OptionalLong.empty();
  }

  private OptionalLong word(long address) {
    try {
      return OptionalLong.of(memory.u64(address));
    } catch (FaultException _) {
      // What is not there is left out, as the class says.
      return OptionalLong.empty();
    }
  }
}
