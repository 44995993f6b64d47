// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux.stack;

import dev.fathom.base.FaultException;
import dev.fathom.base.Range;
import dev.fathom.model.Program;
import dev.fathom.model.Register;
import dev.fathom.model.Registers;
import dev.fathom.model.Symbol;
import dev.fathom.model.arch.aarch64.Aarch64;
import dev.fathom.model.type.TypeSystem;
import dev.fathom.model.unwind.Rule;
import dev.fathom.model.unwind.Stack;
import dev.fathom.model.unwind.UnwindRow;
import dev.fathom.model.unwind.UnwindSource;
import dev.fathom.model.unwind.Words;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * The stacks of a 64-bit Arm kernel, whose functions keep frame records (Procedure Call Standard
 * for the Arm 64-bit Architecture, section 6.4.6): x29 leads to the caller's x29 and the return
 * address. The record that ends a stack is zero (arch/arm64/kernel/stacktrace.c, since 5.11;
 * before, x29 itself is). Entry code lets x29 lead to a record in {@code struct pt_regs}, {@code
 * stackframe}.
 *
 * <p>A function that calls none, and one whose first or last instructions run, has its return
 * address in x30.
 */
final class Arm64Rules implements Rules {
  /** {@code struct user_pt_regs} (arch/arm64/include/uapi/asm/ptrace.h) and what follows it. */
  private static final int SP = 248;

  private static final int PC = 256;
  private static final int PSTATE = 264;
  private static final int ORIG_X0 = 272;
  private static final int SYSCALLNO = 280;

  /** Where {@code pt_regs.stackframe} is and how large all is from 5.1 to 6.13. */
  private static final long USUAL_RECORD = 304;

  private static final long USUAL_BYTES = 336;

  /** OVERFLOW_STACK_SIZE (arch/arm64/include/asm/memory.h). */
  private static final long OVERFLOW_BYTES = 4096;

  private static final int CALLEE_SAVED = 19;
  private static final int FRAME_POINTER = 29;

  /** Bits of a saved process state that are always zero in AArch64 (section C5.2.19). */
  private static final long STATE_ZERO = 0xffff_fff0_0000_0010L;

  /** Bit 55 of an address tells the half of the address space. */
  private static final long HALF = 1L << 55;

  private static final Map<Register, Rule> SAVED = saved();
  private static final Map<Register, Rule> RECORD =
      Map.of(Aarch64.FP, new Rule.AtCfa(-16), Aarch64.PC, new Rule.AtCfa(-8));
  private static final UnwindRow BY_RECORD =
      new UnwindRow(new Rule.RegPlus(Aarch64.FP, 16), RECORD, UnwindRow.Kind.CALL);
  private static final UnwindRow OUTERMOST =
      new UnwindRow(new Rule.Constant(0), Map.of(), UnwindRow.Kind.END);

  private final Program program;
  private final long threadSize;
  private final long addressMask;
  private final List<Range> moduleSpaces;
  private final SystemCalls calls;
  private final long record;
  private final long bytes;
  private final Map<Register, Long> context;

  /**
   * @param virtualBits the bits of an address; those above may authenticate it
   */
  Arm64Rules(Program program, long threadSize, List<Range> moduleSpaces, int virtualBits) {
    this.program = program;
    this.threadSize = threadSize;
    this.addressMask = (1L << virtualBits) - 1;
    this.moduleSpaces = List.copyOf(moduleSpaces);
    calls = new SystemCalls(program);
    var types = program.types();
    record = types.findOffset("pt_regs", "stackframe").orElse(USUAL_RECORD);
    var type = types.findStruct("pt_regs");
    bytes = type.isPresent() ? type.get().bytes() : USUAL_BYTES;
    context = context(types);
  }

  private static Map<Register, Rule> saved() {
    var rules = new HashMap<Register, Rule>();
    for (int i = 0; i <= 30; i++) {
      rules.put(Aarch64.x(i), new Rule.AtCfa(8L * i));
    }
    rules.put(Aarch64.SP, new Rule.AtCfa(SP));
    rules.put(Aarch64.PC, new Rule.AtCfa(PC));
    rules.put(Aarch64.PSTATE, new Rule.AtCfa(PSTATE));
    rules.put(Aarch64.ORIG_X0, new Rule.AtCfa(ORIG_X0));
    rules.put(Aarch64.SYSCALLNO, new Rule.AtCfa(SYSCALLNO));
    return Map.copyOf(rules);
  }

  /** The members of {@code struct cpu_context} in a task (asm/processor.h). */
  private static Map<Register, Long> context(TypeSystem types) {
    var offsets = new HashMap<Register, Long>();
    for (int i = CALLEE_SAVED; i < FRAME_POINTER; i++) {
      member(types, "x" + i, Aarch64.x(i), offsets);
    }
    member(types, "fp", Aarch64.FP, offsets);
    member(types, "sp", Aarch64.SP, offsets);
    member(types, "pc", Aarch64.PC, offsets);
    return Map.copyOf(offsets);
  }

  private static void member(
      TypeSystem types, String name, Register register, Map<Register, Long> offsets) {
    var offset = types.findOffset("task_struct", "thread.cpu_context." + name);
    if (offset.isPresent()) {
      offsets.put(register, offset.getAsLong());
    }
  }

  @Override
  public List<Range> moduleSpaces() {
    return moduleSpaces;
  }

  @Override
  public List<UnwindSource> sources(List<UnwindSource> tables) {
    return List.of();
  }

  @Override
  public Optional<Registers> saved(long task) {
    if (!context.containsKey(Aarch64.PC) || !context.containsKey(Aarch64.SP)) {
      return Optional.empty();
    }
    var registers = Registers.builder(Aarch64.INSTANCE.registers());
    for (var entry : context.entrySet()) {
      long value = program.memory().u64(task + entry.getValue());
      registers.set(
          entry.getKey(), entry.getKey().equals(Aarch64.PC) ? returnAddress(value) : value);
    }
    return Optional.of(registers.build());
  }

  private static UnwindRow row(long address) {
    return new UnwindRow(new Rule.Constant(address), SAVED, UnwindRow.Kind.INTERRUPTED);
  }

  @Override
  public UnwindRow atTop(long end) {
    return row(end - bytes);
  }

  @Override
  public Registers topRegisters(long end, Words words) {
    var registers = Registers.builder(Aarch64.INSTANCE.registers());
    for (var entry : SAVED.entrySet()) {
      if (entry.getValue() instanceof Rule.AtCfa(long offset)) {
        var value = words.at(end - bytes + offset);
        int unused = 64 - entry.getKey().bits();
        if (value.isPresent()) {
          registers.set(entry.getKey(), value.getAsLong() << unused >>> unused);
        }
      }
    }
    return registers.build();
  }

  /**
   * The stack for interrupts, {@code irq_stack_ptr}, and those for events of the firmware (asm/sdei
   * .h), as large as a task's; and {@code overflow_stack} (since 4.14), on which the CPU goes on
   * when another is at its end.
   */
  @Override
  public List<Stack> cpuStacks(long base) {
    var stacks = new ArrayList<Stack>();
    stackAt("irq", pointer("irq_stack_ptr", base), threadSize, stacks);
    stackAt("overflow", perCpu("overflow_stack", base), OVERFLOW_BYTES, stacks);
    stackAt("sdei", pointer("sdei_stack_normal_ptr", base), threadSize, stacks);
    stackAt("sdei critical", pointer("sdei_stack_critical_ptr", base), threadSize, stacks);
    return stacks;
  }

  private static void stackAt(String name, OptionalLong start, long size, List<Stack> stacks) {
    if (start.isPresent() && start.getAsLong() < 0 && start.getAsLong() + size < 0) {
      stacks.add(new Stack(name, Range.of(start.getAsLong(), size), Optional.empty()));
    }
  }

  private OptionalLong perCpu(String name, long base) {
    for (var symbol : program.symbols().named(name)) {
      if (symbol.kind() == Symbol.Kind.PER_CPU && symbol.module().isEmpty()) {
        return OptionalLong.of(base + symbol.address());
      }
    }
    return OptionalLong.empty();
  }

  private OptionalLong pointer(String name, long base) {
    var place = perCpu(name, base);
    if (place.isEmpty()) {
      return place;
    }
    try {
      return OptionalLong.of(program.memory().u64(place.getAsLong()));
    } catch (FaultException _) {
      return OptionalLong.empty(); // What is not there is left out.
    }
  }

  /** {@inheritDoc} Zeros are no registers: the memory at the top of a kernel thread's stack. */
  @Override
  public boolean isUser(Registers registers) {
    var state = registers.get(Aarch64.PSTATE);
    return state.isPresent()
        && (state.getAsLong() & Aarch64.MODE) == 0
        && (state.getAsLong() != 0 || registers.pc().orElse(0) != 0);
  }

  @Override
  public boolean isOfCpu(Registers registers) {
    return registers.get(Aarch64.PSTATE).isPresent();
  }

  /** head.S. */
  @Override
  public boolean startsCpu(String function) {
    return function.equals("__primary_switched") || function.equals("__secondary_switched");
  }

  @Override
  public boolean isTrampoline(String function) {
    return function.startsWith("__SCT__") || function.startsWith("__ftrace_");
  }

  /**
   * Without the code that authenticates it (FEAT_PAuth): the bits above those of an address are as
   * bit 55, which tells the half of the address space.
   */
  @Override
  public long returnAddress(long stored) {
    return (stored & HALF) == 0 ? stored & addressMask : stored | ~addressMask;
  }

  @Override
  public Optional<UnwindRow> conventional(
      Registers registers, boolean exact, LinuxStacks.View view) {
    var pc = registers.pc();
    var fp = registers.get(Aarch64.FP);
    if (pc.isEmpty() || fp.isEmpty()) {
      return Optional.empty();
    }
    var words = view.words();
    if (isEntry(function(exact ? pc.getAsLong() : pc.getAsLong() - 1))) {
      long saved = fp.getAsLong() - record;
      if (isSaved(saved, view)) {
        return Optional.of(row(saved));
      }
    }
    long at = fp.getAsLong();
    var back = words.at(at + 8);
    if (exact) {
      var lr = registers.get(Aarch64.LR);
      if (lr.isPresent() && isLeaf(pc.getAsLong(), returnAddress(lr.getAsLong()), back, view)) {
        return Optional.of(byLink(returnAddress(lr.getAsLong())));
      }
    }
    var sp = registers.sp();
    var stack = view.containing(at);
    if (at == 0) {
      return Optional.of(OUTERMOST);
    }
    if ((at & 7) != 0 || stack.isEmpty() || sp.isEmpty() || back.isEmpty()) {
      return Optional.empty();
    }
    if (stack.equals(view.containing(sp.getAsLong()))
        && Long.compareUnsigned(at, sp.getAsLong()) < 0) {
      return Optional.empty();
    }
    boolean last = back.getAsLong() == 0 && words.at(at).equals(OptionalLong.of(0));
    return Optional.of(last ? OUTERMOST : BY_RECORD);
  }

  /** The name of the function around an address; empty when there is none. */
  private String function(long address) {
    var found = program.symbols().at(address);
    return found.isPresent() ? found.get().symbol().name() : "";
  }

  /**
   * Whether a function is entry code of an exception: {@code el1h_64_irq}, {@code el0t_64_sync} and
   * so on since 5.12, before {@code el1_irq}, {@code el0_sync} (entry.S).
   */
  private static boolean isEntry(String function) {
    return (function.startsWith("el0") || function.startsWith("el1"))
        && (function.endsWith("_sync")
            || function.endsWith("_irq")
            || function.endsWith("_fiq")
            || function.endsWith("_error"));
  }

  /** Whether registers that make sense are saved at an address. */
  private static boolean isSaved(long address, LinuxStacks.View view) {
    var state = view.words().at(address + PSTATE);
    var pc = view.words().at(address + PC);
    if (state.isEmpty() || pc.isEmpty() || view.containing(address).isEmpty()) {
      return false;
    }
    boolean user = (state.getAsLong() & Aarch64.MODE) == 0;
    return user
        ? (state.getAsLong() >>> 36) == 0
        : (state.getAsLong() & STATE_ZERO) == 0 && pc.getAsLong() < 0;
  }

  /**
   * Whether the return address of the function at {@code pc} is in x30: where it leads to another
   * function, and the record does not have it. A function that called one has an address of its own
   * there.
   *
   * @param back what the record has
   */
  private boolean isLeaf(long pc, long link, OptionalLong back, LinuxStacks.View view) {
    boolean recorded = back.isPresent() && returnAddress(back.getAsLong()) == link;
    if (recorded || !view.isReturnAddress(link)) {
      return false;
    }
    var here = program.symbols().at(pc);
    var there = program.symbols().at(link - 1);
    return here.isPresent()
        && there.isPresent()
        && here.get().symbol().address() != there.get().symbol().address();
  }

  private static UnwindRow byLink(long link) {
    var rules = new HashMap<Register, Rule>();
    for (int i = CALLEE_SAVED; i <= FRAME_POINTER; i++) {
      rules.put(Aarch64.x(i), new Rule.Same());
    }
    rules.put(Aarch64.PC, new Rule.Constant(link));
    return new UnwindRow(new Rule.RegPlus(Aarch64.SP, 0), rules, UnwindRow.Kind.CALL);
  }

  /** Nothing marks them but the function that the frame is of. */
  @Override
  public Optional<UnwindRow> savedRegisters(long address, Words words) {
    return Optional.empty();
  }

  /** The CPU itself saves nothing in memory. */
  @Override
  public Optional<UnwindRow> interruptFrame(long address, LinuxStacks.View view) {
    return Optional.empty();
  }

  @Override
  public Optional<String> outermost(Registers caller) {
    return isUser(caller)
        ? Optional.of("entry from user mode: " + entry(caller))
        : Optional.empty();
  }

  /** Entry code sets the number of the system call to -1 for all other entries. */
  private String entry(Registers user) {
    var number = user.get(Aarch64.SYSCALLNO);
    if (number.isEmpty() || (int) number.getAsLong() < 0) {
      return "interrupt or exception";
    }
    int call = (int) number.getAsLong();
    if ((user.get(Aarch64.PSTATE).orElse(0) & Aarch64.AARCH32) != 0) {
      return "32-bit system call " + call;
    }
    return "system call " + call + calls.name(call).map(name -> " (" + name + ")").orElse("");
  }
}
