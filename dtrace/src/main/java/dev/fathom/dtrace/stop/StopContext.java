// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.stop;

import dev.fathom.base.FathomException;
import dev.fathom.base.FaultException;
import dev.fathom.base.Readability;
import dev.fathom.base.UnsupportedException;
import dev.fathom.dtrace.ir.Stmt;
import dev.fathom.dtrace.probe.TracedFile;
import dev.fathom.kernel.Kernel;
import dev.fathom.kernel.Task;
import dev.fathom.model.AddressSpace;
import dev.fathom.model.Memory;
import dev.fathom.model.Register;
import dev.fathom.model.Registers;
import dev.fathom.model.Value;
import dev.fathom.model.arch.PagedMemory;
import dev.fathom.model.arch.aarch64.Aarch64;
import dev.fathom.model.arch.x86_64.PageTables;
import dev.fathom.model.arch.x86_64.PtRegs;
import dev.fathom.model.arch.x86_64.Translation;
import dev.fathom.model.arch.x86_64.X86_64;
import dev.fathom.model.type.TypeName;
import dev.fathom.target.Capability;
import dev.fathom.target.Cpu;
import dev.fathom.target.MemoryWriter;
import dev.fathom.target.RegisterWriter;
import dev.fathom.target.SignalControl;
import dev.fathom.target.Target;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Supplier;

/** A CPU of the stopped target at a probe. What is not asked for is not read. */
final class StopContext extends HostContext {
  private static final int WORD = 8;

  /** The smallest page. */
  private static final long PAGE = 4096;

  private static final int SIGSTOP = 19;

  /** Generations of processes that are gone through. */
  private static final int GENERATIONS = 1000;

  /** Frames of user mode that are followed. */
  private static final int USER_FRAMES = 512;

  /** System V's registers for integer arguments on x86-64 (psABI 3.2.3). */
  private static final List<Register> X86_ARGUMENTS =
      List.of(X86_64.RDI, X86_64.RSI, X86_64.RDX, X86_64.RCX, X86_64.R8, X86_64.R9);

  /** Linux's registers for the arguments of system calls on x86-64. */
  private static final List<Register> X86_CALL =
      List.of(X86_64.RDI, X86_64.RSI, X86_64.RDX, X86_64.R10, X86_64.R8, X86_64.R9);

  /** Arguments in registers on 64-bit Arm (AAPCS64 6.8.2): x0 to x7. */
  private static final int ARM_ARGUMENTS = 8;

  /** The results of system calls that are errors. */
  private static final long LARGEST_ERRNO = 4095;

  private static final int SIGNAL = 0x7f;
  private static final int CORE_DUMPED = 0x80;
  private static final int CLD_EXITED = 1;
  private static final int CLD_KILLED = 2;
  private static final int CLD_DUMPED = 3;

  private final Target target;
  private final Cpu cpu;
  private final Place place;
  private final Supplier<Optional<Task>> running;
  private final Optional<Chill> chill;
  private Optional<Task> task = Optional.empty();
  private boolean read;
  private Sequel sequel = Sequel.GOES_ON;
  private boolean userRead;

  /** One at a place that cannot be held. */
  StopContext(
      Supplier<Kernel> kernel,
      Target target,
      Cpu cpu,
      Place place,
      Supplier<Optional<Task>> running) {
    this(kernel, target, cpu, place, running, Optional.empty());
  }

  /**
   * @param target of which {@code cpu} is one
   * @param chill holds the target at places in code
   */
  StopContext(
      Supplier<Kernel> kernel,
      Target target,
      Cpu cpu,
      Place place,
      Supplier<Optional<Task>> running,
      Optional<Chill> chill) {
    super(kernel);
    this.target = target;
    this.cpu = cpu;
    this.place = place;
    this.running = running;
    this.chill = chill;
  }

  private Optional<Task> current() {
    if (!read) {
      task = running.get();
      read = true;
    }
    return task;
  }

  private Task need() {
    return current()
        .orElseThrow(() -> new UnsupportedException("the thread on the CPU cannot be told"));
  }

  private static long known(OptionalLong number, String what) {
    return number.orElseThrow(() -> new UnsupportedException(what + " cannot be read"));
  }

  @Override
  public int cpu() {
    var on = current();
    return on.isPresent() && on.get().cpu().isPresent() ? on.get().cpu().getAsInt() : cpu.id();
  }

  /** Threads by id; idle threads, which all have none, by their CPU. */
  @Override
  public long thread() {
    var on = current();
    long id = on.isPresent() ? on.get().id().orElse(0) : 0;
    return id == 0 ? -1L - cpu.id() : id;
  }

  @Override
  public long vtimestamp() {
    return need().object().member("se.sum_exec_runtime").asLong();
  }

  private boolean isArm() {
    return cpu.registers().file().equals(Aarch64.INSTANCE.registers());
  }

  private long value(Register register) {
    return known(cpu.registers().get(register), "register " + register.name());
  }

  private long value(String register) {
    var file = cpu.registers().file();
    return value(
        file.named(register)
            .orElseThrow(() -> new UnsupportedException("there is no register " + register)));
  }

  private long pc() {
    return known(cpu.registers().pc(), "the program counter");
  }

  private long sp() {
    return known(cpu.registers().sp(), "the stack pointer");
  }

  @Override
  public long argument(int index) {
    return switch (place) {
      case Place.Entry _ -> parameter(index);
      case Place.Return back -> result(index, back.function());
      case Place.At _ -> kernel().u64(sp() + (long) index * WORD);
      case Place.SystemCall _ -> callParameter(index);
      case Place.SystemReturn _ -> index <= 1 ? returned() : 0;
      case Place.Derived derived -> source(derived.sources(), index);
      case Place.Tracepoint point -> passed(point.first() + index + 1);
      case Place.Awaited _, Place.Completion _ ->
          throw new IllegalStateException("fires as what was found");
      case Place.ExecutionPath exec -> index == 0 ? callParameter(exec.path()) : 0;
      case Place.Executed done -> index == 0 && !done.success() ? -returned() : 0;
      case Place.Usdt usdt ->
          index < usdt.arguments().size()
              ? usdt.arguments().get(index).value(cpu.registers(), user())
              : 0;
      case Place.CallEntry _ -> processCallParameter(index);
      case Place.CallReturn _ -> index <= 1 ? returned() : 0;
      case Place.Timer _ -> interrupted(index);
    };
  }

  /** Of a profile probe: the kernel's program counter, or user mode's in {@code arg1}. */
  private long interrupted(int index) {
    boolean inKernel = pc() < 0;
    return index == (inKernel ? 0 : 1) ? pc() : 0;
  }

  private long parameter(int index) {
    if (isArm()) {
      return index < ARM_ARGUMENTS
          ? value("x" + index)
          : kernel().u64(sp() + (long) (index - ARM_ARGUMENTS) * WORD);
    }
    return index < X86_ARGUMENTS.size()
        ? value(X86_ARGUMENTS.get(index))
        : kernel().u64(sp() + (long) (index - X86_ARGUMENTS.size() + 1) * WORD);
  }

  /** An argument at the instruction that calls: the return address is not on the stack yet. */
  private long passed(int index) {
    return index < X86_ARGUMENTS.size()
        ? value(X86_ARGUMENTS.get(index))
        : kernel().u64(sp() + (long) (index - X86_ARGUMENTS.size()) * WORD);
  }

  private long result(int index, long function) {
    return switch (index) {
      case 0 -> pc() - function;
      case 1 -> returned();
      default -> 0;
    };
  }

  private long returned() {
    return isArm() ? value("x0") : value(X86_64.RAX);
  }

  private long source(List<Place.Source> sources, int index) {
    if (index >= sources.size()) {
      return 0;
    }
    return switch (sources.get(index)) {
      case Place.Parameter(int parameter) -> parameter(parameter);
      case Place.ExitReason(int parameter) -> exitReason(parameter(parameter));
      case Place.QueueCpu(int parameter) -> queueCpu(parameter(parameter));
      case Place.Known(long value) -> value;
    };
  }

  /** The status of wait(2) as a CLD_ number (include/uapi/asm-generic/siginfo.h). */
  private static long exitReason(long status) {
    if ((status & SIGNAL) == 0) {
      return CLD_EXITED;
    }
    return (status & CORE_DUMPED) == 0 ? CLD_KILLED : CLD_DUMPED;
  }

  private long queueCpu(long queue) {
    var type =
        kernelModel()
            .program()
            .types()
            .find(TypeName.struct("rq"))
            .orElseThrow(() -> new UnsupportedException("struct rq is not known"));
    return new Value.Ref(kernelModel().program(), type, queue).member("cpu").asLong();
  }

  /** Whether the place is what its probe is about, as far as threads and results tell. */
  boolean passes() {
    return switch (place) {
      case Place.Derived(long _, Place.Filter filter, List<Place.Source> _) ->
          switch (filter) {
            case ALL -> true;
            case LEADER -> kernelModel().task(parameter(0)).isLeader();
            case CURRENT_LEADER -> need().isLeader();
          };
      case Place.Executed done -> done.success() == (returned() == 0);
      case Place.Code _, Place.CallEntry _, Place.CallReturn _, Place.Timer _ -> true;
    };
  }

  /** Of a process at a system call: its registers are the arguments. */
  private long processCallParameter(int index) {
    if (index >= X86_CALL.size()) {
      return 0;
    }
    return isArm() ? value("x" + index) : value(X86_CALL.get(index));
  }

  /** From the {@code struct pt_regs} that the system call's function was given. */
  private long callParameter(int index) {
    if (index >= X86_CALL.size()) {
      return 0;
    }
    long saved = parameter(0);
    long offset =
        isArm() ? (long) index * WORD : (long) PtRegs.ORDER.indexOf(X86_CALL.get(index)) * WORD;
    return kernel().u64(saved + offset);
  }

  /** By the numbers of {@code regs.d} on x86-64, which are the places in {@code pt_regs}. */
  @Override
  public long register(int index) {
    var user = user(cpu.registers());
    if (isArm()) {
      var name =
          switch (index) {
            case 31 -> "sp";
            case 32 -> "pc";
            case 33 -> "pstate";
            default -> "x" + index;
          };
      return user.file().named(name).map(user::get).orElse(OptionalLong.empty()).orElse(0);
    }
    // ERR stands where pt_regs has orig_ax; 21 to 24 are ds, es, fs, gs.
    var later = List.of(X86_64.DS, X86_64.ES, X86_64.FS, X86_64.GS);
    if (index < 0 || index >= PtRegs.ORDER.size() + later.size()) {
      throw new UnsupportedException("uregs[" + index + "] is no register");
    }
    var register =
        index < PtRegs.ORDER.size()
            ? PtRegs.ORDER.get(index)
            : later.get(index - PtRegs.ORDER.size());
    return user.get(register).orElse(0);
  }

  /**
   * The registers of user mode: the CPU's own there, else those that the kernel was entered with.
   */
  private Registers user(Registers now) {
    return inUserMode() ? now : kernelModel().stack(now).entry().orElse(Registers.none(now.file()));
  }

  private boolean inUserMode() {
    return pc() >= 0;
  }

  @Override
  public long pid() {
    return known(need().process(), "the process's id");
  }

  @Override
  public long tid() {
    return known(need().id(), "the thread's id");
  }

  @Override
  public long ppid() {
    return known(need().parent(), "the parent's id");
  }

  @Override
  public long uid() {
    return need().object().member("cred").deref().member("uid.val").asLong();
  }

  @Override
  public long gid() {
    return need().object().member("cred").deref().member("gid.val").asLong();
  }

  @Override
  public String execname() {
    return need().name();
  }

  @Override
  public String cwd() {
    return files().directory(need());
  }

  @Override
  public String root() {
    return files().root(need());
  }

  @Override
  public String execargs() {
    return files().arguments(need());
  }

  @Override
  public Optional<TracedFile> file(long descriptor) {
    return files().open(need(), descriptor).map(HostContext::traced);
  }

  @Override
  public long fileObject(long descriptor) {
    return files().object(need(), descriptor).orElse(0);
  }

  @Override
  public long curthread() {
    return need().object().address();
  }

  @Override
  public long errno() {
    if (!(place instanceof Place.SystemReturn || place instanceof Place.CallReturn)) {
      return 0;
    }
    long result = returned();
    return result < 0 && result >= -LARGEST_ERRNO ? -result : 0;
  }

  @Override
  public long caller() {
    var frames = stack(2);
    return frames.length > 1 ? frames[1] : 0;
  }

  @Override
  public long ucaller() {
    var frames = ustack(2);
    return frames.length > 1 ? frames[1] : 0;
  }

  @Override
  public long[] stack(int frames) {
    if (inUserMode() && !isProcess()) {
      return new long[0];
    }
    return kernelModel().stack(cpu.registers()).frames().stream()
        .limit(frames)
        .mapToLong(frame -> frame.pc())
        .toArray();
  }

  /** Whether what is traced is a process, and not a kernel. */
  private boolean isProcess() {
    return StopEngine.isProcess(kernelModel());
  }

  @Override
  public long[] ustack(int frames) {
    if (isProcess()) {
      return stack(frames);
    }
    var user = user(cpu.registers());
    if (user.pc().isEmpty()) {
      return new long[0];
    }
    return chain(user, Math.min(frames, USER_FRAMES));
  }

  /** Whether memory of user mode was looked at. */
  boolean userRead() {
    return userRead;
  }

  /** By frame pointers, as programs that keep them have their return addresses above them. */
  private long[] chain(Registers user, int frames) {
    var found = new ArrayList<Long>();
    found.add(user.pc().getAsLong());
    long pointer = user.get(user.file().fp()).orElse(0);
    try {
      var memory = user();
      long above = user.sp().orElse(0);
      while (found.size() < frames && pointer > above && pointer % WORD == 0) {
        long back = memory.u64(pointer + WORD);
        if (back == 0) {
          break;
        }
        found.add(back);
        above = pointer;
        pointer = memory.u64(pointer);
      }
    } catch (FathomException _) {
      return toArray(found); // The stack ends where it cannot be read.
    }
    return toArray(found);
  }

  private static long[] toArray(List<Long> numbers) {
    return numbers.stream().mapToLong(Long::longValue).toArray();
  }

  @Override
  public Memory user() {
    if (isProcess()) {
      return kernel();
    }
    userRead = true;
    return kernelModel()
        .userSpace(need())
        .orElseThrow(() -> new UnsupportedException("a kernel thread has no user memory"));
  }

  private <C extends Capability> C need(Class<C> capability, String what) {
    return target
        .find(capability)
        .orElseThrow(() -> new UnsupportedException("this target cannot " + what));
  }

  @Override
  public void copyOut(long userAddress, byte[] bytes) {
    var writer = need(MemoryWriter.class, "be written to");
    if (isProcess()) {
      writer.write(MemoryWriter.Space.VIRTUAL, userAddress, MemorySegment.ofArray(bytes));
      return;
    }
    var space =
        kernelModel()
            .userSpace(need())
            .orElseThrow(() -> new UnsupportedException("a kernel thread has no user memory"));
    for (int done = 0; done < bytes.length; ) {
      long at = userAddress + done;
      int count = (int) Math.min(bytes.length - done, PAGE - (at & (PAGE - 1)));
      long physical = writable(space, at);
      writer.write(
          MemoryWriter.Space.PHYSICAL,
          physical,
          MemorySegment.ofArray(Arrays.copyOfRange(bytes, done, done + count)));
      done += count;
    }
  }

  /** Where user mode could write itself: else the page may be shared, or the kernel's. */
  private static long writable(AddressSpace space, long at) {
    if (!(space instanceof PagedMemory paged && paged.mmu() instanceof PageTables tables)) {
      throw new UnsupportedException("user memory is written on x86-64 alone");
    }
    return tables.translate(at).result() instanceof Translation.Mapped page
            && page.access().writable()
            && page.access().user()
        ? page.physical()
        : fault(space, at);
  }

  private static long fault(AddressSpace space, long at) {
    throw new FaultException(space.name(), at, Readability.UNMAPPED);
  }

  @Override
  public void destroy(Stmt.Destruction what, long argument) {
    switch (what) {
      case RAISE -> send((int) argument);
      case STOP -> send(SIGSTOP);
      case CHILL ->
          chill
              .orElseThrow(() -> new UnsupportedException("chill() is for places in code"))
              .hold(argument);
      case RETURN -> comeBack(argument);
      case BREAKPOINT -> {
        needCode(what);
        sequel = sequel.then(new Sequel.Stays());
      }
      case PANIC -> {
        needCode(what);
        sequel = sequel.then(new Sequel.Panics());
      }
    }
  }

  private void needCode(Stmt.Destruction what) {
    if (!(place instanceof Place.Code)) {
      throw new UnsupportedException(what.text() + "() is for places in code");
    }
  }

  private void comeBack(long value) {
    if (!(place instanceof Place.Entry || place instanceof Place.SystemCall)) {
      throw new UnsupportedException("return() is for the entries of functions");
    }
    need(RegisterWriter.class, "be made to return");
    sequel = sequel.then(new Sequel.Returns(value));
  }

  Sequel sequel() {
    return sequel;
  }

  private void send(int signal) {
    var signals = need(SignalControl.class, "be sent signals");
    if (signals.pending(cpu.id()) != 0) {
      throw new UnsupportedException("the thread gets another signal already");
    }
    signals.pending(cpu.id(), signal);
  }

  @Override
  public boolean progenyOf(long pid) {
    var at = current();
    for (int i = 0; i < GENERATIONS && at.isPresent(); i++) {
      if (at.get().process().orElse(-1) == pid) {
        return true;
      }
      long parent = at.get().parent().orElse(0);
      at = parent == 0 ? Optional.empty() : kernelModel().taskOfId(parent);
    }
    return false;
  }
}
