// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model.unwind;

import static dev.fathom.model.arch.x86_64.X86_64.CS;
import static dev.fathom.model.arch.x86_64.X86_64.RBP;
import static dev.fathom.model.arch.x86_64.X86_64.RIP;
import static dev.fathom.model.arch.x86_64.X86_64.RSP;

import dev.fathom.base.Range;
import dev.fathom.model.HeapMemory;
import dev.fathom.model.Layout;
import dev.fathom.model.Register;
import dev.fathom.model.Registers;
import dev.fathom.model.arch.x86_64.X86_64;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** A machine with stacks, text and unwind rows made by hand. */
final class TestMachine implements Stacks, UnwindSource {
  static final long TEXT = 0xffffffff81000000L;
  static final long TEXT_END = TEXT + 0x10000;

  /** The offset of the hardware's part in the registers that an interrupt saves. */
  static final int HARDWARE = 120;

  final HeapMemory memory = new HeapMemory("kernel", Layout.LITTLE_64);
  final List<Stack> stacks = new ArrayList<>();
  final Map<Long, UnwindRow> rows = new HashMap<>();
  final Set<Long> returnAddresses = new HashSet<>();

  /** The pc that the call before a return address leads to. */
  final Map<Long, Long> callees = new HashMap<>();

  final Set<Long> interruptFrames = new HashSet<>();
  final Set<Long> savedRegisters = new HashSet<>();

  /** Adds a stack of zeros and gives its bytes. */
  ByteBuffer stack(String name, long start, int bytes, Optional<UnwindRow> exit) {
    var array = new byte[bytes];
    memory.put(start, array);
    stacks.add(new Stack(name, Range.of(start, bytes), exit));
    return ByteBuffer.wrap(array).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** A return address: the instruction before it ends a call. */
  long call(int offset) {
    returnAddresses.add(TEXT + offset);
    return TEXT + offset;
  }

  /** A row for the instruction at {@code pc}: the return address is below sp + {@code cfa}. */
  void callRow(long pc, int cfa) {
    rows.put(pc, spRow(cfa, Map.of()));
  }

  static UnwindRow spRow(int cfa, Map<Register, Rule> more) {
    var rules = new HashMap<Register, Rule>(more);
    rules.putIfAbsent(RIP, new Rule.AtCfa(-8));
    rules.putIfAbsent(RBP, new Rule.Same());
    return new UnwindRow(new Rule.RegPlus(RSP, cfa), rules, UnwindRow.Kind.CALL);
  }

  /**
   * The registers at sp + {@code offset}: bp first, then at {@link #HARDWARE} ip, cs, flags, sp.
   */
  static UnwindRow registersRow(Rule base) {
    return new UnwindRow(
        base,
        Map.of(
            RBP, new Rule.AtCfa(0),
            RIP, new Rule.AtCfa(HARDWARE),
            CS, new Rule.AtCfa(HARDWARE + 8),
            RSP, new Rule.AtCfa(HARDWARE + 24)),
        UnwindRow.Kind.INTERRUPTED);
  }

  static Registers at(long pc, long sp) {
    return Registers.builder(X86_64.INSTANCE.registers()).set(RIP, pc).set(RSP, sp).build();
  }

  Unwinder unwinder(int limit) {
    return new Unwinder(memory, List.of(this), this, limit);
  }

  @Override
  public String name() {
    return "hand";
  }

  @Override
  public Frame.How how() {
    return Frame.How.ORC;
  }

  @Override
  public Optional<UnwindRow> rowAt(long pc) {
    return Optional.ofNullable(rows.get(pc));
  }

  @Override
  public Optional<Stack> containing(long sp) {
    for (var stack : stacks) {
      if (stack.range().contains(sp)) {
        return Optional.of(stack);
      }
    }
    return Optional.empty();
  }

  @Override
  public boolean isText(long address) {
    return new Range(TEXT, TEXT_END).contains(address);
  }

  @Override
  public boolean isReturnAddress(long address) {
    return returnAddresses.contains(address);
  }

  @Override
  public Callee callee(long returnAddress, long pc) {
    return callees.containsKey(returnAddress)
        ? callees.get(returnAddress) == pc ? Callee.THIS : Callee.OTHER
        : Callee.ANY;
  }

  @Override
  public Optional<UnwindRow> savedRegisters(long address) {
    return savedRegisters.contains(address)
        ? Optional.of(registersRow(new Rule.Constant(address)))
        : Optional.empty();
  }

  @Override
  public Optional<UnwindRow> interruptFrame(long address) {
    return interruptFrames.contains(address)
        ? Optional.of(registersRow(new Rule.Constant(address - HARDWARE)))
        : Optional.empty();
  }

  @Override
  public Optional<String> outermost(Registers caller) {
    var cs = caller.get(CS);
    return cs.isPresent() && (cs.getAsLong() & 3) == 3
        ? Optional.of("entry from user mode")
        : Optional.empty();
  }
}
