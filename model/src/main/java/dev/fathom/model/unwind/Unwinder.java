// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model.unwind;

import dev.fathom.base.FathomException;
import dev.fathom.base.Range;
import dev.fathom.model.Memory;
import dev.fathom.model.Register;
import dev.fathom.model.RegisterFile;
import dev.fathom.model.Registers;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/**
 * Walks stacks. For the way from a frame to its caller it asks, in this order: the unwind sources;
 * the frame pointer, if what it leads to is plausible; a scan of the stack's words for saved
 * registers and return addresses. Each frame says which of them found it.
 *
 * <p>A walk always ends: the stack pointer must rise on each stack, a stack that was left is not
 * entered again, and the number of frames is bounded. Memory that cannot be read makes registers
 * absent; it never throws.
 */
public final class Unwinder {
  /** The most frames that the largest stacks, 32 KiB, have room for. */
  public static final int MAX_FRAMES = 4096;

  /** Words that a scan looks at where no stack is known. */
  private static final int BLIND_WORDS = 512;

  /** Words that a scan looks at on one stack: stacks are smaller, ranges from a target may lie. */
  private static final int MAX_SCAN_WORDS = 1 << 16;

  private static final String UNKNOWN = "unknown";

  private final Memory memory;
  private final List<UnwindSource> sources;
  private final Stacks stacks;
  private final int limit;

  /**
   * @param sources best first
   * @param limit the most frames of a walk
   */
  public Unwinder(Memory memory, List<UnwindSource> sources, Stacks stacks, int limit) {
    this.memory = memory;
    this.sources = List.copyOf(sources);
    this.stacks = stacks;
    this.limit = limit;
  }

  /**
   * Starts a walk.
   *
   * @param start the innermost frame's registers
   * @param exact whether their pc is the next instruction, and not a return address
   */
  public Walk walk(Registers start, boolean exact) {
    return new Walk(start, exact);
  }

  /** The whole walk at once. */
  public Backtrace backtrace(Registers start, boolean exact) {
    var walk = walk(start, exact);
    var frames = new ArrayList<Frame>();
    while (walk.hasNext()) {
      frames.add(walk.next());
    }
    return new Backtrace(frames, walk.end(), walk.why(), walk.entry());
  }

  /** Where a walk stands: a frame before its end is known. */
  private record State(Registers registers, boolean exact, Frame.How how) {}

  /** What a step led to. */
  private sealed interface Step {
    /** To a caller; {@code cfa} as in {@link Frame}. */
    record To(State state, long cfa) implements Step {}

    /** To the end of the walk. */
    record End(Backtrace.End end, String why, Optional<Registers> entry) implements Step {}

    /** Nowhere: try the next way. */
    record Failed(String why) implements Step {}
  }

  private static Step.End complete(String why) {
    return new Step.End(Backtrace.End.COMPLETE, why, Optional.empty());
  }

  /** A lazy walk: each frame is found when it is asked for. After the last one it knows why. */
  public final class Walk implements Iterator<Frame> {
    private final RegisterFile file;
    private final Set<Range> left = new HashSet<>();
    private Optional<State> next;
    private int count;
    private Step.End end = complete("");

    private final Words words = new Words(memory);

    private Walk(Registers start, boolean exact) {
      file = start.file();
      next = begin(start, exact);
    }

    private Optional<State> begin(Registers start, boolean exact) {
      var outside = stacks.outermost(start);
      if (outside.isPresent()) {
        end = new Step.End(Backtrace.End.NONE, outside.get(), Optional.of(start));
        return Optional.empty();
      }
      if (start.pc().isPresent()) {
        return Optional.of(new State(start, exact, Frame.How.REGISTERS));
      }
      if (start.sp().isEmpty()) {
        end = new Step.End(Backtrace.End.NONE, "no registers are known", Optional.empty());
        return Optional.empty();
      }
      return switch (byScan(new State(start, exact, Frame.How.REGISTERS), "no pc is known")) {
        case Step.To to -> Optional.of(to.state());
        case Step.End stop -> {
          end = stop;
          yield Optional.empty();
        }
        case Step.Failed failed -> {
          end = new Step.End(Backtrace.End.NONE, failed.why(), Optional.empty());
          yield Optional.empty();
        }
      };
    }

    @Override
    public boolean hasNext() {
      return next.isPresent();
    }

    @Override
    public Frame next() {
      var state = next.orElseThrow(NoSuchElementException::new);
      long sp = state.registers().sp().orElse(0);
      long cfa = sp;
      count++;
      switch (count < limit ? caller(state) : tooDeep()) {
        case Step.To to -> {
          next = Optional.of(to.state());
          cfa = to.cfa();
          var stack = stacks.containing(sp);
          if (!stack.equals(stacks.containing(to.state().registers().sp().orElse(0)))) {
            stack.ifPresent(old -> left.add(old.range()));
          }
        }
        case Step.End stop -> {
          next = Optional.empty();
          end = stop;
        }
        case Step.Failed failed -> {
          next = Optional.empty();
          end = new Step.End(Backtrace.End.BROKEN, failed.why(), Optional.empty());
        }
      }
      return new Frame(
          state.registers().pc().orElseThrow(),
          state.exact(),
          state.registers(),
          cfa,
          state.how(),
          state.registers().sp().isEmpty() ? UNKNOWN : nameOf(sp));
    }

    private Step tooDeep() {
      return new Step.End(
          Backtrace.End.TOO_DEEP, "more than " + limit + " frames", Optional.empty());
    }

    /** How the walk ended; meaningful after its last frame. */
    public Backtrace.End end() {
      return end.end();
    }

    public String why() {
      return end.why();
    }

    public Optional<Registers> entry() {
      return end.entry();
    }

    private String nameOf(long sp) {
      return stacks.containing(sp).map(Stack::name).orElse(UNKNOWN);
    }

    private Step caller(State from) {
      return switch (bySource(from)) {
        case Step.Failed failed -> byGuess(from, failed.why());
        case Step step -> step;
      };
    }

    /**
     * Without unwind information: by the frame pointer, unless that leads past a caller that a scan
     * finds. A function that keeps no frame leaves the frame pointer of one further out.
     *
     * @param trouble why there is no better way
     */
    private Step byGuess(State from, String trouble) {
      var byFrame = byFramePointer(from);
      if (byFrame instanceof Step.To frame) {
        var callee = callee(from, frame.state());
        if (callee == Stacks.Callee.THIS) {
          return byFrame;
        }
        var scanned = byScan(from, trouble);
        boolean better =
            scanned instanceof Step.To found
                && found.state().how() == Frame.How.SCAN
                && Long.compareUnsigned(found.cfa(), frame.cfa()) < 0
                && (callee(from, found.state()) == Stacks.Callee.THIS
                    || (callee == Stacks.Callee.OTHER
                        && callee(found.state(), frame.state()) == Stacks.Callee.THIS));
        return better ? scanned : byFrame;
      }
      return byFrame instanceof Step.Failed ? byScan(from, trouble) : byFrame;
    }

    private Stacks.Callee callee(State from, State to) {
      var pc = from.registers().pc();
      return pc.isPresent()
          ? stacks.callee(to.registers().pc().orElseThrow(), pc.getAsLong())
          : Stacks.Callee.ANY;
    }

    /** By the unwind sources; where the pc is no text at all, as if it had just been called. */
    private Step bySource(State from) {
      long pc = from.registers().pc().orElseThrow();
      if (!stacks.isText(pc)) {
        return from.exact()
            ? byWildCall(from)
            : new Step.Failed("0x" + Long.toHexString(pc) + " is not in the text");
      }
      for (var source : sources) {
        var row = source.rowAt(from.exact() ? pc : pc - 1);
        if (row.isPresent()) {
          return apply(row.get(), from, source.how());
        }
      }
      var row = stacks.conventional(from.registers(), from.exact());
      return row.isPresent()
          ? apply(row.get(), from, Frame.How.FRAME_POINTER)
          : new Step.Failed("no unwind information for 0x" + Long.toHexString(pc));
    }

    /** A call through a bad pointer: the return address is where the stack pointer points to. */
    private Step byWildCall(State from) {
      var sp = from.registers().sp();
      if (sp.isPresent()) {
        var pc = returnAddress(sp.getAsLong());
        if (pc.isPresent() && stacks.isReturnAddress(pc.getAsLong())) {
          var registers =
              from.registers()
                  .with(file.pc(), pc.getAsLong())
                  .with(file.sp(), sp.getAsLong() + memory.layout().wordBytes());
          return arrive(from, new State(registers, false, Frame.How.SCAN), registers.sp());
        }
      }
      return new Step.Failed("the pc is not in the text and was not called");
    }

    private Step byFramePointer(State from) {
      var fp = from.registers().get(file.fp());
      var sp = from.registers().sp();
      if (fp.isEmpty() || sp.isEmpty()) {
        return new Step.Failed("no frame pointer");
      }
      long at = fp.getAsLong();
      if ((at & 1) != 0) {
        var row = stacks.savedRegisters(at - 1);
        return row.isPresent()
            ? apply(row.get(), from, Frame.How.FRAME_POINTER)
            : new Step.Failed("no registers behind the frame pointer");
      }
      int size = memory.layout().wordBytes();
      var pc = returnAddress(at + size);
      if (at % size != 0
          || Long.compareUnsigned(at, sp.getAsLong()) < 0
          || !stacks.containing(at).equals(stacks.containing(sp.getAsLong()))
          || pc.isEmpty()
          || !stacks.isReturnAddress(pc.getAsLong())) {
        return new Step.Failed("the frame pointer does not lead to a frame");
      }
      var registers =
          Registers.builder(file).set(file.pc(), pc.getAsLong()).set(file.sp(), at + 2L * size);
      word(at).ifPresent(value -> registers.set(file.fp(), value));
      var built = registers.build();
      return arrive(from, new State(built, false, Frame.How.FRAME_POINTER), built.sp());
    }

    /** The caller that {@code row} describes. */
    private Step apply(UnwindRow row, State from, Frame.How how) {
      if (row.kind() == UnwindRow.Kind.END) {
        return complete("outermost frame");
      }
      var cfa = value(row.cfa(), from.registers(), file.sp(), OptionalLong.empty());
      if (cfa.isEmpty()) {
        return new Step.Failed("the frame's end is not known: " + trouble(row.cfa(), from, cfa));
      }
      var registers = registers(row, from.registers(), cfa.getAsLong());
      boolean exact = row.kind() != UnwindRow.Kind.CALL;
      if (registers.pc().isEmpty()) {
        var rule = row.rules().get(file.pc());
        return new Step.Failed(
            rule == null
                ? "the return address is not known"
                : "the return address is not known: " + trouble(rule, from, cfa));
      }
      var to = new State(registers, exact, exact ? Frame.How.EXCEPTION : how);
      return arrive(from, to, exact ? cfa : registers.sp());
    }

    private Registers registers(UnwindRow row, Registers from, long cfa) {
      var to = Registers.builder(file);
      if (!row.rules().containsKey(file.sp())) {
        to.set(file.sp(), cfa);
      }
      for (var entry : row.rules().entrySet()) {
        var value = value(entry.getValue(), from, entry.getKey(), OptionalLong.of(cfa));
        if (value.isPresent()
            && entry.getKey().equals(file.pc())
            && entry.getValue() instanceof Rule.AtCfa(long offset)
            && row.kind() == UnwindRow.Kind.CALL) {
          to.set(file.pc(), stacks.returnAddress(value.getAsLong(), cfa + offset));
        } else if (value.isPresent()) {
          int unused = 64 - entry.getKey().bits();
          to.set(entry.getKey(), value.getAsLong() << unused >>> unused);
        }
      }
      return to.build();
    }

    private OptionalLong value(Rule rule, Registers from, Register register, OptionalLong cfa) {
      return switch (rule) {
        case Rule.AtCfa(long offset) ->
            cfa.isPresent() ? word(cfa.getAsLong() + offset) : OptionalLong.empty();
        case Rule.CfaPlus(long offset) ->
            cfa.isPresent() ? OptionalLong.of(cfa.getAsLong() + offset) : OptionalLong.empty();
        case Rule.AtReg(Register base, long offset, long add) -> {
          var at = from.get(base);
          var read = at.isPresent() ? word(at.getAsLong() + offset) : OptionalLong.empty();
          yield read.isPresent() ? OptionalLong.of(read.getAsLong() + add) : OptionalLong.empty();
        }
        case Rule.RegPlus(Register base, long offset) -> {
          var at = from.get(base);
          yield at.isPresent() ? OptionalLong.of(at.getAsLong() + offset) : OptionalLong.empty();
        }
        case Rule.Computed computed -> computed(computed, from, cfa);
        case Rule.Constant(long value) -> OptionalLong.of(value);
        case Rule.Same() -> from.get(register);
        case Rule.Undefined() -> OptionalLong.empty();
      };
    }

    /** What a computation yields; absent when it lacks something. */
    private OptionalLong computed(Rule.Computed rule, Registers from, OptionalLong cfa) {
      try {
        long value = rule.computation().value(from, cfa, memory);
        return rule.load() ? word(value) : OptionalLong.of(value);
      } catch (FathomException e) {
        return OptionalLong.empty(); // trouble() says why, where it ends the walk.
      }
    }

    private String trouble(Rule.Computed rule, State from, OptionalLong cfa) {
      try {
        return unreadable(rule.computation().value(from.registers(), cfa, memory));
      } catch (FathomException e) {
        return e.getMessage();
      }
    }

    /** Why {@code rule} has no value. */
    private String trouble(Rule rule, State from, OptionalLong cfa) {
      return switch (rule) {
        case Rule.AtCfa(long offset) ->
            cfa.isPresent() ? unreadable(cfa.getAsLong() + offset) : "it is at the frame's end";
        case Rule.AtReg(Register base, long offset, long _) -> {
          var at = from.registers().get(base);
          yield at.isPresent()
              ? unreadable(at.getAsLong() + offset)
              : base.name() + " is not known here";
        }
        case Rule.RegPlus(Register base, long _) -> base.name() + " is not known here";
        case Rule.Computed computed -> trouble(computed, from, cfa);
        case Rule.CfaPlus _, Rule.Constant _, Rule.Same _, Rule.Undefined _ -> "it was not saved";
      };
    }

    private String unreadable(long address) {
      return memory.fault(address).getMessage();
    }

    /** Checks that a step leads somewhere new and sensible. */
    private Step arrive(State from, State next, OptionalLong cfa) {
      var to = new State(onThread(from, next.registers()), next.exact(), next.how());
      var outside = stacks.outermost(to.registers());
      if (outside.isPresent()) {
        return new Step.End(Backtrace.End.COMPLETE, outside.get(), Optional.of(to.registers()));
      }
      if (to.registers().sp().isEmpty()) {
        return new Step.Failed("the stack pointer is not known");
      }
      long pc = to.registers().pc().orElseThrow();
      if (!to.exact() && !stacks.isText(pc)) {
        return new Step.Failed("return address 0x" + Long.toHexString(pc) + " is not in the text");
      }
      if (!to.exact() && isGuess(from) && !stacks.isReturnAddress(pc) && !stacks.isDiscarded(pc)) {
        return new Step.Failed("0x" + Long.toHexString(pc) + " is not a return address");
      }
      long sp = to.registers().sp().getAsLong();
      var old = from.registers().sp();
      var newStack = stacks.containing(sp);
      if (old.isPresent()) {
        var oldStack = stacks.containing(old.getAsLong());
        if (newStack.equals(oldStack)) {
          int rise = Long.compareUnsigned(sp, old.getAsLong());
          // It stays as it is where a function that runs now keeps its return address in a
          // register.
          boolean leaf = from.exact() && to.how() == Frame.How.FRAME_POINTER;
          if (rise < 0 || (rise == 0 && !leaf)) {
            return new Step.Failed(
                "the stack pointer does not rise: 0x"
                    + Long.toHexString(old.getAsLong())
                    + ", then 0x"
                    + Long.toHexString(sp));
          }
        } else if (newStack.isPresent() && left.contains(newStack.get().range())) {
          return new Step.Failed("back on the " + newStack.get().name() + " stack, a loop");
        }
      }
      return new Step.To(to, cfa.orElse(sp));
    }

    private static boolean isGuess(State state) {
      return state.how() == Frame.How.SCAN || state.how() == Frame.How.FRAME_POINTER;
    }

    /**
     * Looks for saved registers and return addresses above the stack pointer. The first return
     * address that fits is taken, but for one of a call of another function: then the next {@link
     * #BLIND_WORDS} are searched for one of a call of this function.
     *
     * @param trouble why there is no better way
     */
    private Step byScan(State from, String trouble) {
      int size = memory.layout().wordBytes();
      var sp = from.registers().sp();
      if (sp.isEmpty()) {
        return new Step.Failed(trouble);
      }
      long at = sp.getAsLong() + size - 1 & -size;
      var stack = stacks.containing(sp.getAsLong());
      long words =
          stack.isPresent()
              ? Math.min((stack.get().range().end() - at) / size, MAX_SCAN_WORDS)
              : BLIND_WORDS;
      Optional<Step> second = Optional.empty();
      for (; words > 0; words--, at += size) {
        var found = candidate(from, at);
        if (found.isEmpty()) {
          continue;
        }
        if (!(found.get() instanceof Step.To to) || to.state().how() != Frame.How.SCAN) {
          // Saved registers: what is beyond them cannot have called this function.
          return second.orElse(found.get());
        }
        var callee = callee(from, to.state());
        if (callee == Stacks.Callee.THIS || (callee == Stacks.Callee.ANY && second.isEmpty())) {
          return to;
        }
        if (second.isEmpty()) {
          second = found;
          words = Math.min(words, BLIND_WORDS);
        }
      }
      if (second.isPresent()) {
        return second.get();
      }
      return stack.isPresent() ? leave(stack.get(), from, trouble) : new Step.Failed(trouble);
    }

    /** The frame that the word at {@code at} stands for, if it stands for one. */
    private Optional<Step> candidate(State from, long at) {
      var saved = stacks.interruptFrame(at);
      if (saved.isPresent()) {
        return progress(apply(saved.get(), from, Frame.How.SCAN));
      }
      var word = returnAddress(at);
      if (word.isEmpty() || !stacks.isReturnAddress(word.getAsLong())) {
        return Optional.empty();
      }
      var registers =
          Registers.builder(file)
              .set(file.pc(), word.getAsLong())
              .set(file.sp(), at + memory.layout().wordBytes())
              .build();
      // The function may have left the frame pointer alone.
      var fp = from.registers().get(file.fp());
      if (fp.isPresent() && Long.compareUnsigned(fp.getAsLong(), at) > 0) {
        var kept = new State(registers.with(file.fp(), fp.getAsLong()), false, Frame.How.SCAN);
        if (leadsOn(kept)) {
          return progress(arrive(from, kept, registers.sp()));
        }
      }
      var to = new State(registers, false, Frame.How.SCAN);
      return leadsOn(to) ? progress(arrive(from, to, registers.sp())) : Optional.empty();
    }

    /** The registers of a caller with what all functions of a thread leave alone. */
    private Registers onThread(State from, Registers caller) {
      var pointer = file.threadPointer();
      var known = pointer.isPresent() ? from.registers().get(pointer.get()) : OptionalLong.empty();
      return known.isPresent() && caller.get(pointer.get()).isEmpty()
          ? caller.with(pointer.get(), known.getAsLong())
          : caller;
    }

    private static Optional<Step> progress(Step step) {
      return step instanceof Step.Failed ? Optional.empty() : Optional.of(step);
    }

    /**
     * Whether the unwind information for a frame that a scan found does not speak against it: stale
     * return addresses rarely have their caller's where it should be.
     */
    private boolean leadsOn(State state) {
      long lookup = state.registers().pc().orElseThrow() - 1;
      for (var source : sources) {
        var row = source.rowAt(lookup);
        if (row.isPresent()) {
          if (row.get().kind() == UnwindRow.Kind.END) {
            return true;
          }
          var cfa = value(row.get().cfa(), state.registers(), file.sp(), OptionalLong.empty());
          if (cfa.isEmpty()) {
            return true;
          }
          var caller = registers(row.get(), state.registers(), cfa.getAsLong());
          if (caller.pc().isEmpty()) {
            return false;
          }
          return stacks.outermost(caller).isPresent()
              || (row.get().kind() == UnwindRow.Kind.CALL
                  ? stacks.isReturnAddress(caller.pc().getAsLong())
                  : stacks.isText(caller.pc().getAsLong()));
        }
      }
      return true;
    }

    /** Goes on where the stack was entered from. */
    private Step leave(Stack stack, State from, String trouble) {
      if (stack.exit().isEmpty()) {
        return new Step.Failed(trouble);
      }
      var exit = stack.exit().get();
      if (exit.rules().containsKey(file.pc())) {
        return switch (apply(exit, from, Frame.How.SCAN)) {
          case Step.To to when !stacks.isText(to.state().registers().pc().orElseThrow()) ->
              new Step.Failed(trouble);
          case Step step -> step;
        };
      }
      var cfa = value(exit.cfa(), from.registers(), file.sp(), OptionalLong.empty());
      if (cfa.isEmpty()) {
        return new Step.Failed(trouble);
      }
      var registers = registers(exit, from.registers(), cfa.getAsLong());
      var sp = registers.sp();
      var next = sp.isPresent() ? stacks.containing(sp.getAsLong()) : Optional.<Stack>empty();
      if (next.isEmpty() || next.get().equals(stack) || !left.add(stack.range())) {
        return new Step.Failed(trouble);
      }
      return byScan(new State(registers, false, Frame.How.SCAN), trouble);
    }

    /** The word at {@code slot}, or the return address that a tracer has replaced by it. */
    private OptionalLong returnAddress(long slot) {
      var found = word(slot);
      return found.isPresent()
          ? OptionalLong.of(stacks.returnAddress(found.getAsLong(), slot))
          : found;
    }

    /** The word at {@code address}, absent when it cannot be read. */
    private OptionalLong word(long address) {
      return words.at(address);
    }
  }
}
