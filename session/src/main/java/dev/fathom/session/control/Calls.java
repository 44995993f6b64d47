// SPDX-License-Identifier: Apache-2.0
package dev.fathom.session.control;

import dev.fathom.base.EvalException;
import dev.fathom.base.FathomException;
import dev.fathom.base.UnsupportedException;
import dev.fathom.model.AddressSpace;
import dev.fathom.model.Register;
import dev.fathom.model.arch.PagedMemory;
import dev.fathom.model.arch.x86_64.PageTables;
import dev.fathom.model.arch.x86_64.SystemVCall;
import dev.fathom.model.arch.x86_64.Translation;
import dev.fathom.model.arch.x86_64.X86_64;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.IntType;
import dev.fathom.session.Session;
import dev.fathom.target.Cpu;
import dev.fathom.target.MemoryWriter;
import dev.fathom.target.ProcessView;
import dev.fathom.target.RegisterWriter;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.function.IntConsumer;

/**
 * Runs a function of the kernel on a CPU that stands in kernel code, or of a process in one of its
 * threads ({@link ProcessCalls}), by the System V calling convention ({@link SystemVCall}). A
 * kernel's functions are called with up to six whole numbers, pointers or texts, and return one.
 * Such a one returns to the very instruction at which the CPU stood, where it is caught; all
 * registers and what was written to the stack are put back.
 */
public final class Calls {
  static final List<Register> ARGUMENTS =
      List.of(X86_64.RDI, X86_64.RSI, X86_64.RDX, X86_64.RCX, X86_64.R8, X86_64.R9);

  private static final List<Register> SAVED =
      List.of(
          X86_64.RAX,
          X86_64.RBX,
          X86_64.RCX,
          X86_64.RDX,
          X86_64.RSI,
          X86_64.RDI,
          X86_64.RBP,
          X86_64.RSP,
          X86_64.R8,
          X86_64.R9,
          X86_64.R10,
          X86_64.R11,
          X86_64.R12,
          X86_64.R13,
          X86_64.R14,
          X86_64.R15,
          X86_64.RFLAGS,
          X86_64.RIP);

  /** Texts that are put on the stack, in all. */
  private static final int MAX_TEXT = 1024;

  /** What a call returned, and where that stands if it was returned in memory. */
  record Done(byte[] bytes, OptionalLong place) {}

  /** What a function is called with. */
  public sealed interface Argument {}

  /** A whole number or pointer. */
  public record Word(long bits) implements Argument {}

  /** Bytes that are put on the stack; the function gets their address. */
  public record Text(byte[] bytes) implements Argument {}

  /** A value, passed as its type is: the least significant byte first. */
  public record Held(CType type, byte[] bytes) implements Argument {}

  private static final CType WORD = new IntType("unsigned long", Long.BYTES, false, false);

  /**
   * What is written for a call.
   *
   * @param sp the stack pointer when the function begins, where its return address is
   * @param places what the registers for arguments get
   * @param result where a result is that is returned in memory
   * @param writes bytes by address
   */
  record Frame(long sp, SystemVCall places, OptionalLong result, Map<Long, byte[]> writes) {
    /**
     * @param top all below can be written to
     * @throws EvalException when there are too many arguments
     */
    static Frame of(long top, CType type, List<Argument> arguments, long back) {
      var typed = new ArrayList<SystemVCall.Argument>();
      var writes = new LinkedHashMap<Long, byte[]>();
      long sp = top & -ALIGNMENT;
      var result = OptionalLong.empty();
      if (SystemVCall.result(type) == SystemVCall.Result.MEMORY) {
        if (type.bytes() > SystemVCall.MAX_BYTES) {
          throw new EvalException(
              "'" + type.text() + "' has more than " + SystemVCall.MAX_BYTES + " bytes");
        }
        sp = (sp - type.bytes()) & -ALIGNMENT;
        result = OptionalLong.of(sp);
        typed.add(new SystemVCall.Argument(WORD, eight(sp)));
      }
      int texts = 0;
      for (var argument : arguments) {
        switch (argument) {
          case Word(long bits) -> typed.add(new SystemVCall.Argument(WORD, eight(bits)));
          case Held(CType of, byte[] bytes) -> typed.add(new SystemVCall.Argument(of, bytes));
          case Text(byte[] bytes) -> {
            texts += bytes.length;
            sp = (sp - bytes.length) & -16L;
            writes.put(sp, bytes);
            typed.add(new SystemVCall.Argument(WORD, eight(sp)));
          }
        }
      }
      if (texts > MAX_TEXT) {
        throw new EvalException(
            "texts of " + texts + " bytes, expected at most " + MAX_TEXT + " for one call");
      }
      var places = SystemVCall.of(typed);
      if (places.stack().length > SystemVCall.MAX_BYTES) {
        throw new EvalException(
            "arguments of "
                + places.stack().length
                + " bytes, expected at most "
                + SystemVCall.MAX_BYTES);
      }
      sp = (sp - places.stack().length) & -16L;
      if (places.stack().length > 0) {
        writes.put(sp, places.stack());
      }
      sp -= Long.BYTES;
      writes.put(sp, eight(back));
      return new Frame(sp, places, result, writes);
    }

    private static byte[] eight(long bits) {
      return ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(bits).array();
    }
  }

  /** What results in memory begin at, whatever they are made of. */
  private static final long ALIGNMENT = 64;

  /** Room below the stack pointer that is left alone. */
  private static final long GAP = 256;

  /**
   * Kernel stacks are this big (THREAD_SIZE of arch/x86/include/asm/page_64_types.h, without
   * KASAN): a stack pointer that is farther away is on another stack.
   */
  private static final long STACK = 16 << 10;

  /** The privilege bits of a code selector. */
  private static final long PRIVILEGE = 3;

  /** Of the stack, for results of earlier calls. */
  private static final long MAX_KEPT = 1 << 16;

  private final Session session;
  private final Control control;

  /** How much of a thread's stack results of earlier calls take. */
  private long kept;

  private OptionalLong place = OptionalLong.empty();

  public Calls(Session session) {
    this.session = session;
    this.control = session.control();
  }

  /**
   * Where in memory the last call's result stands, if the function put it there. Of a process it
   * stays there while functions are called by this object and nothing else runs.
   */
  public OptionalLong place() {
    return place;
  }

  /** Calls a function that returns a whole number or a pointer: as the other. */
  public long call(int cpu, long function, List<Argument> arguments, Duration limit) {
    byte[] bytes = call(cpu, function, WORD, arguments, limit);
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong();
  }

  /**
   * Calls the function at {@code function}.
   *
   * @param cpu as the target numbers it
   * @param result the type of what it returns
   * @param limit how long it may take; then it is given up: where its thread is on a CPU the
   *     registers are put back, and what it held stays held; where it sleeps or is interrupted it
   *     is caught when it returns, while the target runs under {@link Control#proceed}
   * @return what it returned, the least significant byte first; nothing of {@code void}
   * @throws EvalException when it did not return; the message says what became of the thread
   */
  public byte[] call(
      int cpu, long function, CType result, List<Argument> arguments, Duration limit) {
    var program = session.kernel().program();
    if (program.architecture() != X86_64.INSTANCE) {
      throw new UnsupportedException("functions can be called on x86-64 only");
    }
    var before =
        session
            .target()
            .cpu(cpu)
            .orElseThrow(() -> new EvalException("the target has no CPU " + cpu));
    var process = session.target().find(ProcessView.class);
    if (process.isPresent()) {
      if (kept > MAX_KEPT) {
        throw new EvalException("results of calls fill the stack");
      }
      long top = need(before, X86_64.RSP) - kept;
      var done =
          new ProcessCalls(session, process.get())
              .call(before, top, function, result, arguments, limit);
      place = done.place();
      kept += place.isPresent() ? top - place.getAsLong() : 0;
      return done.bytes();
    }
    if ((need(before, X86_64.CS) & PRIVILEGE) != 0) {
      throw new EvalException(
          "CPU " + cpu + " is in user mode: a kernel function cannot run there");
    }
    requireCode(program.memory(), function);
    var writer = control.need(RegisterWriter.class, "write registers");
    for (var register : SAVED) {
      need(before, register);
    }
    long pc = need(before, X86_64.RIP);
    var frame = Frame.of(need(before, X86_64.RSP) - GAP, result, arguments, pc);
    requireWords(frame.places(), result);
    long sp = frame.sp();
    long thread = new Hit(session.kernel(), before).thread();
    var under = new LinkedHashMap<Long, byte[]>();
    frame
        .writes()
        .forEach(
            (address, bytes) -> under.put(address, program.memory().bytes(address, bytes.length)));
    var back =
        new Control.Goal(
            pc,
            hit -> hit.sp() == sp + Long.BYTES && (thread == 0 || hit.thread() == thread),
            true);
    IntConsumer putBack =
        on -> {
          for (var register : SAVED) {
            writer.write(on, register, need(before, register));
          }
          under.forEach((address, bytes) -> poke(session, address, bytes));
          writer.settle();
          checkBack(before, on);
        };
    StopEvent event;
    try {
      frame.writes().forEach((address, bytes) -> poke(session, address, bytes));
      var words = frame.places().words();
      for (int i = 0; i < words.size(); i++) {
        writer.write(cpu, ARGUMENTS.get(i), words.get(i));
      }
      writer.write(cpu, X86_64.RAX, 0);
      writer.write(cpu, X86_64.RSP, sp);
      writer.write(cpu, X86_64.RIP, function);
      event = control.proceed(List.of(back), Optional.of(limit));
    } catch (RuntimeException | Error e) {
      try {
        holder(thread, sp).ifPresent(putBack);
      } catch (FathomException second) {
        e.addSuppressed(second);
      }
      throw e;
    }
    return switch (event.cause()) {
      case StopEvent.Stepped _ -> {
        int now = event.cpu().orElse(cpu);
        var at = session.target().cpu(now).orElseThrow();
        byte[] returned = SystemVCall.collect(result, List.of(need(at, X86_64.RAX), 0L), List.of());
        putBack.accept(now);
        yield returned;
      }
      case StopEvent.Gone _ -> throw new EvalException("the target ended in the function");
      default -> throw unfinished(event, back, putBack, holder(thread, sp));
    };
  }

  /** A kernel's functions know no numbers with a fraction, and its stacks are small. */
  private static void requireWords(SystemVCall places, CType result) {
    if (!places.vectors().isEmpty()
        || places.stack().length > 0
        || SystemVCall.result(result) != SystemVCall.Result.REGISTERS
        || result.bytes() > Long.BYTES
        || SystemVCall.usesVectors(result)) {
      throw new EvalException(
          "a kernel's function can be called with at most six arguments, all whole numbers or"
              + " pointers, and return one");
    }
  }

  /** A kernel that jumps into data is dead. */
  private static void requireCode(AddressSpace space, long function) {
    if (space instanceof PagedMemory paged
        && paged.mmu() instanceof PageTables tables
        && !(tables.translate(function).result() instanceof Translation.Mapped page
            && page.access().executable())) {
      throw new EvalException(
          "no function at 0x" + Long.toHexString(function) + ": the page there is not executable");
    }
  }

  /** What was put back is what the target has now. */
  private void checkBack(Cpu before, int on) {
    var now = session.target().cpu(on).orElse(before);
    for (var register : SAVED) {
      if (need(now, register) != need(before, register)) {
        throw new EvalException(
            "register "
                + register.name()
                + " of CPU "
                + on
                + " could not be put back: it has 0x"
                + Long.toHexString(need(now, register))
                + ", before the call it had 0x"
                + Long.toHexString(need(before, register)));
      }
    }
  }

  /** Gives the function up where its thread is on a CPU, else has it caught when it returns. */
  private EvalException unfinished(
      StopEvent event, Control.Goal back, IntConsumer putBack, OptionalInt holder) {
    String why = why(event);
    if (holder.isPresent()) {
      putBack.accept(holder.getAsInt());
      return new EvalException(
          "the function did not return ("
              + why
              + "): its thread's registers were put back in the middle of it, and what it holds"
              + " (locks, interrupts off) stays held");
    }
    control.expect(back, hit -> putBack.accept(hit.cpu().id()));
    return new EvalException(
        "the function did not return ("
            + why
            + ") and its thread is on no CPU or in an interrupt: let the target go on (:c) until it"
            + " returns, where the thread's registers are put back; it breaks when Fathom leaves"
            + " before");
  }

  /** Why a function did not return. */
  static String why(StopEvent event) {
    return switch (event.cause()) {
      case StopEvent.AtBreakpoint at ->
          "breakpoint " + at.breakpoints().getFirst().id() + " stopped the target";
      case StopEvent.AtData at -> "watchpoint " + at.breakpoint().id() + " stopped the target";
      case StopEvent.TimedOut _ -> "it took too long";
      case StopEvent.Interrupted _ -> "stopped by user";
      default -> "something else stopped the target";
    };
  }

  /** What the user should know before he calls something; empty where there is little to fear. */
  public Optional<String> risk(int cpu) {
    return session.target().find(ProcessView.class).isPresent()
        ? Optional.empty()
        : Optional.of(
            "runs in the middle of what CPU "
                + cpu
                + " was doing: a function that takes locks or sleeps can hang the machine");
  }

  /** The CPU that runs the thread on the stack of the call. */
  private OptionalInt holder(long thread, long sp) {
    for (var cpu : session.target().cpus()) {
      var hit = new Hit(session.kernel(), cpu);
      if (Math.abs(hit.sp() - sp) < STACK && (thread == 0 || hit.thread() == thread)) {
        return OptionalInt.of(cpu.id());
      }
    }
    return OptionalInt.empty();
  }

  static void poke(Session session, long address, byte[] bytes) {
    var memory = session.control().need(MemoryWriter.class, "write memory");
    var program = session.kernel().program();
    var physical = program.memory().physical(address);
    if (memory.writes(MemoryWriter.Space.PHYSICAL) && physical.isPresent()) {
      memory.write(MemoryWriter.Space.PHYSICAL, physical.getAsLong(), MemorySegment.ofArray(bytes));
    } else {
      memory.write(MemoryWriter.Space.VIRTUAL, address, MemorySegment.ofArray(bytes));
    }
  }

  static long need(Cpu cpu, Register register) {
    return cpu.registers()
        .get(register)
        .orElseThrow(
            () ->
                new EvalException(
                    "register " + register.name() + " of CPU " + cpu.id() + " is not known"));
  }
}
