// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux.stack;

import dev.fathom.base.FaultException;
import dev.fathom.base.Range;
import dev.fathom.model.Memory;
import dev.fathom.model.Program;
import dev.fathom.model.Registers;
import dev.fathom.model.type.TypeName;
import dev.fathom.model.unwind.Backtrace;
import dev.fathom.model.unwind.Frame;
import dev.fathom.model.unwind.Stack;
import dev.fathom.model.unwind.Stacks;
import dev.fathom.model.unwind.UnwindRow;
import dev.fathom.model.unwind.UnwindSource;
import dev.fathom.model.unwind.Unwinder;
import dev.fathom.model.unwind.Words;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Supplier;

/**
 * Walks the stacks of a Linux kernel: of tasks that sleep, from what they saved when they were
 * switched out; of CPUs, from their registers.
 */
public final class LinuxStacks {
  /** {@code THREAD_SIZE} of most kernels without KASAN, which doubles it. */
  static final long USUAL_THREAD_SIZE = 16384;

  /** {@code THREAD_SIZE} of a 64-bit User Mode Linux (KERNEL_STACK_ORDER, arch/um/Kconfig). */
  public static final long UML_THREAD_SIZE = 16384;

  private static final long LARGEST_THREAD_SIZE = 131072;

  /** {@code STACK_END_MAGIC} (include/uapi/linux/magic.h), the lowest word of a task's stack. */
  static final long STACK_END_MAGIC = 0x57AC_6E9DL;

  /** The unmapped page below a stack in vmalloc space. */
  private static final long GUARD = 4096;

  private final Program program;
  private final Memory memory;
  private final List<UnwindSource> sources;
  private final Supplier<List<Long>> perCpuBases;
  private final KernelText text;
  private final Optional<Range> initText;
  private final ReplacedReturns replaced;
  private final long threadSize;
  private final OptionalLong stackOffset;
  private final Rules rules;
  private Optional<List<Stack>> cpuStacks = Optional.empty();

  private LinuxStacks(
      Program program,
      Range image,
      Supplier<List<Long>> perCpuBases,
      List<UnwindSource> sources,
      Rules.Maker rules) {
    this.program = program;
    this.memory = program.memory();
    this.perCpuBases = perCpuBases;
    threadSize = threadSize(program);
    this.rules = rules.of(program, threadSize);
    this.sources = new ArrayList<>(sources);
    this.sources.addAll(this.rules.sources(sources));
    text =
        new KernelText(
            memory,
            image,
            textRanges(program, image),
            this.rules.moduleSpaces(),
            program.architecture().flowDecoder());
    initText = initText(program);
    replaced = new ReplacedReturns(program);
    stackOffset = program.types().findOffset("task_struct", "stack");
  }

  /**
   * The stacks of an x86-64 kernel.
   *
   * @param image the kernel proper's addresses
   * @param perCpuBases what is added to per-CPU offsets, for each CPU; asked when first needed
   * @param sources unwind tables, best first
   */
  public static LinuxStacks x86(
      Program program, Range image, Supplier<List<Long>> perCpuBases, List<UnwindSource> sources) {
    return new LinuxStacks(program, image, perCpuBases, sources, X86Rules::new);
  }

  /**
   * The stacks of a 64-bit Arm kernel.
   *
   * @param image the kernel proper's addresses
   * @param modules where modules and the like are
   * @param virtualBits the bits of an address; those above may authenticate it
   * @param perCpuBases what is added to per-CPU offsets, for each CPU; asked when first needed
   */
  public static LinuxStacks arm64(
      Program program,
      Range image,
      List<Range> modules,
      int virtualBits,
      Supplier<List<Long>> perCpuBases) {
    return new LinuxStacks(
        program,
        image,
        perCpuBases,
        List.of(),
        (of, threadSize) -> new Arm64Rules(of, threadSize, modules, virtualBits));
  }

  /**
   * The stacks of a User Mode Linux.
   *
   * @param image the kernel proper's addresses
   * @param code where instructions are besides: modules, the C library
   * @param sources unwind tables, best first
   */
  public static LinuxStacks uml(
      Program program, Range image, List<Range> code, List<UnwindSource> sources) {
    return new LinuxStacks(program, image, List::of, sources, (of, _) -> new UmlRules(of, code));
  }

  /** Where instructions are: between the markers of vmlinux.lds, else anywhere in the image. */
  private static List<Range> textRanges(Program program, Range image) {
    var ranges = new ArrayList<Range>();
    between(program, "_stext", "_etext").ifPresent(ranges::add);
    initText(program).ifPresent(ranges::add);
    if (ranges.isEmpty()) {
      ranges.add(image);
    }
    return ranges;
  }

  /** Instructions that are freed once the kernel has started. */
  private static Optional<Range> initText(Program program) {
    return between(program, "_sinittext", "_einittext");
  }

  private static Optional<Range> between(Program program, String from, String to) {
    var start = program.symbols().first(from);
    var end = program.symbols().first(to);
    return start.isPresent()
            && end.isPresent()
            && Long.compareUnsigned(start.get().address(), end.get().address()) < 0
        ? Optional.of(new Range(start.get().address(), end.get().address()))
        : Optional.empty();
  }

  /**
   * The size of a task's stack: {@code union thread_union} has it, and so has the first task's own
   * stack in the image ({@code __start_init_stack} since 6.9, {@code __start_init_task} before).
   */
  private static long threadSize(Program program) {
    var union = program.types().find(new TypeName(TypeName.Kind.UNION, "thread_union"));
    if (union.isPresent() && plausible(union.get().bytes())) {
      return union.get().bytes();
    }
    for (var of : List.of("init_stack", "init_task")) {
      var range = between(program, "__start_" + of, "__end_" + of);
      if (range.isPresent() && plausible(range.get().length())) {
        return range.get().length();
      }
    }
    return USUAL_THREAD_SIZE;
  }

  private static boolean plausible(long threadSize) {
    return threadSize >= 8192
        && threadSize <= LARGEST_THREAD_SIZE
        && Long.bitCount(threadSize) == 1;
  }

  /** {@code THREAD_SIZE} of this kernel. */
  public long threadSize() {
    return threadSize;
  }

  /**
   * The registers that a task saved when it was switched out; those that a call may change are
   * absent, and the pc is a return address.
   *
   * @param task the address of its {@code struct task_struct}
   * @throws FaultException when they cannot be read
   */
  public Optional<Registers> saved(long task) {
    return rules.saved(task);
  }

  /** The stack of a task that is not on a CPU. */
  public Backtrace sleeping(long task) {
    try {
      var registers = saved(task);
      if (registers.isEmpty()) {
        return Backtrace.none("the types do not say where a task keeps its stack pointer");
      }
      // A new task starts in ret_from_fork: nobody called it.
      long pc = registers.get().pc().orElseThrow();
      var symbol = program.symbols().at(pc);
      boolean fresh = symbol.isPresent() && symbol.get().offset() == 0;
      var view = new View(OptionalLong.of(task), taskStack(task));
      var trace = walk(registers.get(), fresh, view);
      return fresh
          ? new Backtrace(
              trace.frames(), trace.end(), "forked and not run since", view.userRegisters())
          : trace;
    } catch (FaultException e) {
      return Backtrace.unreadable(e.getMessage());
    }
  }

  /**
   * The stack of the task on a CPU.
   *
   * @param cpu the CPU's registers
   */
  public Backtrace running(long task, Registers cpu) {
    Optional<Stack> stack;
    try {
      stack = taskStack(task);
    } catch (FaultException _) {
      // The walk can still find out by itself what stack the CPU is on.
      stack = Optional.empty();
    }
    return walk(cpu, true, new View(OptionalLong.of(task), stack));
  }

  /**
   * The stack that {@code registers} are in the midst of. Only a CPU's own registers have flags:
   * without them a pc that follows a call is taken for a return address.
   */
  public Backtrace from(Registers registers) {
    var pc = registers.pc();
    boolean exact =
        rules.isOfCpu(registers) || pc.isEmpty() || text.callBefore(pc.getAsLong()).isEmpty();
    return walk(registers, exact, new View(OptionalLong.empty(), Optional.empty()));
  }

  private Backtrace walk(Registers start, boolean exact, View view) {
    if (rules.isUser(start)) {
      return new Backtrace(List.of(), Backtrace.End.NONE, "in user mode", Optional.of(start));
    }
    var trace = new Unwinder(memory, sources, view, Unwinder.MAX_FRAMES).backtrace(start, exact);
    if (!rules.hasUserMode()) {
      return new Backtrace(trace.frames(), trace.end(), trace.why(), Optional.empty());
    }
    return trace.end() == Backtrace.End.COMPLETE
            && trace.entry().isEmpty()
            && !trace.frames().isEmpty()
        ? new Backtrace(
            trace.frames(), trace.end(), outermost(trace.frames().getLast()), Optional.empty())
        : trace;
  }

  /** What it means that {@code frame} is the outermost. */
  private String outermost(Frame frame) {
    var found = program.symbols().at(frame.lookup());
    var name = found.map(located -> located.symbol().name()).orElse("");
    if (name.startsWith("ret_from_fork")) {
      return "start of a kernel thread";
    }
    if (rules.startsCpu(name)) {
      return "start of a CPU";
    }
    return name.isEmpty() ? "outermost frame" : "outermost frame, in " + name;
  }

  private Optional<Stack> taskStack(long task) {
    if (stackOffset.isEmpty()) {
      return Optional.empty();
    }
    long base = memory.u64(task + stackOffset.getAsLong());
    return rules.mayBeStack(base, threadSize) ? Optional.of(taskStackAt(base)) : Optional.empty();
  }

  /** The stack from {@code base} on, at whose top are the registers of user mode. */
  private Stack taskStackAt(long base) {
    long end = base + threadSize;
    return new Stack("task", new Range(base, end), Optional.of(rules.atTop(end)));
  }

  private List<Stack> cpuStacks() {
    if (cpuStacks.isEmpty()) {
      var all = new ArrayList<Stack>();
      for (long base : perCpuBases.get()) {
        all.addAll(rules.cpuStacks(base));
      }
      cpuStacks = Optional.of(List.copyOf(all));
    }
    return cpuStacks.get();
  }

  /** What one walk knows: the task's own stack beside those of all CPUs. */
  final class View implements Stacks {
    private final OptionalLong task;
    private final Optional<Stack> own;
    private final Words words = new Words(memory);
    private Optional<Stack> last;

    /**
     * @param task the address of the task whose stack it is, where known
     * @param own that task's stack
     */
    View(OptionalLong task, Optional<Stack> own) {
      this.task = task;
      this.own = own;
      last = own;
    }

    @Override
    public long returnAddress(long found, long slot) {
      long address = rules.returnAddress(found);
      return task.isPresent() ? replaced.original(task.getAsLong(), address, slot, words) : address;
    }

    @Override
    public Optional<Stack> containing(long sp) {
      if (last.isEmpty() || !last.get().range().contains(sp)) {
        last = find(sp);
      }
      return last;
    }

    private Optional<Stack> find(long sp) {
      if (own.isPresent() && own.get().range().contains(sp)) {
        return own;
      }
      for (var stack : cpuStacks()) {
        if (stack.range().contains(sp)) {
          return Optional.of(stack);
        }
      }
      if (own.isPresent()
          && own.get().range().start() - sp <= GUARD
          && own.get().range().start() - sp > 0) {
        return Optional.of(
            new Stack(
                "overflow", Range.of(own.get().range().start() - GUARD, GUARD), Optional.empty()));
      }
      // Stacks of tasks are aligned to their size.
      long base = sp & -threadSize;
      if (base >= -threadSize) {
        return Optional.empty();
      }
      var magic = words.at(base);
      return magic.isPresent() && (int) magic.getAsLong() == STACK_END_MAGIC
          ? Optional.of(taskStackAt(base))
          : Optional.empty();
    }

    @Override
    public boolean isText(long address) {
      return text.contains(address);
    }

    @Override
    public boolean isReturnAddress(long address) {
      return text.callBefore(address).isPresent();
    }

    @Override
    public boolean isDiscarded(long address) {
      return initText.isPresent() && initText.get().contains(address);
    }

    @Override
    public Callee callee(long returnAddress, long pc) {
      var call = text.callBefore(returnAddress);
      if (call.isEmpty() || call.get().target().isEmpty()) {
        return Callee.ANY;
      }
      var called = program.symbols().at(call.get().target().getAsLong());
      var function = program.symbols().at(pc);
      if (called.isEmpty()
          || function.isEmpty()
          || rules.isTrampoline(called.get().symbol().name())) {
        return Callee.ANY;
      }
      return called.get().symbol().address() == function.get().symbol().address()
          ? Callee.THIS
          : Callee.OTHER;
    }

    @Override
    public Optional<UnwindRow> conventional(Registers registers, boolean exact) {
      return rules.conventional(registers, exact, this);
    }

    @Override
    public Optional<UnwindRow> savedRegisters(long address) {
      return containing(address).isPresent()
          ? rules.savedRegisters(address, words)
          : Optional.empty();
    }

    @Override
    public Optional<UnwindRow> interruptFrame(long address) {
      return rules.interruptFrame(address, this);
    }

    @Override
    public Optional<String> outermost(Registers caller) {
      return rules.outermost(caller);
    }

    /** The words of memory, as far as they can be read. */
    Words words() {
      return words;
    }

    /** The registers at the top of the task's stack, if they are those of user mode. */
    Optional<Registers> userRegisters() {
      if (own.isEmpty()) {
        return Optional.empty();
      }
      var registers = rules.topRegisters(own.get().range().end(), words);
      return rules.isUser(registers) ? Optional.of(registers) : Optional.empty();
    }
  }
}
