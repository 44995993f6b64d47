// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.process;

import dev.fathom.kernel.objects.LoadedObjects;
import dev.fathom.model.Memory;
import dev.fathom.model.Registers;
import dev.fathom.model.arch.Architecture;
import dev.fathom.model.arch.Flow;
import dev.fathom.model.arch.FlowDecoder;
import dev.fathom.model.unwind.Stack;
import dev.fathom.model.unwind.Stacks;
import dev.fathom.model.unwind.UnwindRow;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/** Where the stacks of a process are and what belongs on them. */
final class ProcessStacks implements Stacks {
  private final LoadedObjects objects;
  private final Memory memory;
  private final FlowDecoder decoder;

  ProcessStacks(LoadedObjects objects, Memory memory, Architecture architecture) {
    this.objects = objects;
    this.memory = memory;
    this.decoder = architecture.flowDecoder();
  }

  /** A stack is the mapping that the stack pointer is in: the kernel knows no more of it. */
  @Override
  public Optional<Stack> containing(long sp) {
    return objects
        .mappingAt(sp)
        .map(
            mapping ->
                new Stack(
                    mapping.name().equals("[stack]") ? "main" : "thread",
                    mapping.range(),
                    Optional.empty()));
  }

  @Override
  public boolean isText(long address) {
    return objects
        .mappingAt(address)
        .filter(mapping -> mapping.protection().contains("x") || mapping.protection().equals("?"))
        .isPresent();
  }

  private Optional<Flow> callBefore(long address) {
    if (!isText(address)) {
      return Optional.empty();
    }
    var before = new byte[decoder.longest()];
    int have = before.length;
    if (memory.read(address - have, MemorySegment.ofArray(before)) < have) {
      return Optional.empty();
    }
    return decoder.callBefore(before, have, address);
  }

  @Override
  public boolean isReturnAddress(long address) {
    return callBefore(address).isPresent();
  }

  /** Calls between objects go through tables that lead on by a jump: nothing is told of them. */
  @Override
  public Callee callee(long returnAddress, long pc) {
    var call = callBefore(returnAddress);
    if (call.isEmpty() || call.get().target().isEmpty()) {
      return Callee.ANY;
    }
    var called = objects.at(call.get().target().getAsLong());
    var function = objects.at(pc);
    if (called.isEmpty() || function.isEmpty() || called.get().offset() != 0) {
      return Callee.ANY;
    }
    return called.get().symbol().address() == function.get().symbol().address()
        ? Callee.THIS
        : Callee.OTHER;
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
    var pc = caller.pc();
    return pc.isPresent() && pc.getAsLong() == 0
        ? Optional.of("start of the thread")
        : Optional.empty();
  }
}
