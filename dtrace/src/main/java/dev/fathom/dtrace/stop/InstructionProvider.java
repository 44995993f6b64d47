// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.stop;

import dev.fathom.base.UsageException;
import dev.fathom.dtrace.probe.Probe;
import dev.fathom.dtrace.probe.ProbeName;
import dev.fathom.dtrace.probe.ProbePattern;
import dev.fathom.dtrace.probe.Provider;
import dev.fathom.model.Symbol;
import dev.fathom.model.arch.Disassembler;
import dev.fathom.model.arch.Disassemblers;
import dev.fathom.model.arch.Syntax;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * {@code instr}: every instruction of a function, named by its mnemonic without the letter for the
 * operands' size ({@code call}, {@code mov}, {@code lock cmpxchg}).
 */
final class InstructionProvider implements Provider {
  private final Functions functions;
  private final Places places;
  private Optional<Disassembler> disassembler = Optional.empty();

  InstructionProvider(Functions functions, Places places) {
    this.functions = functions;
    this.places = places;
  }

  @Override
  public String name() {
    return "instr";
  }

  @Override
  public Stream<Probe> probes(ProbePattern pattern) {
    if (!ProbePattern.matches(pattern.provider(), name())) {
      return Stream.empty();
    }
    if (!ProbePattern.isExact(pattern.function())) {
      if (!ProbePattern.isExact(pattern.provider())) {
        return Stream.empty(); // Not for those who ask for everything.
      }
      throw new UsageException(
          "instr has a probe for each instruction: name a function, as in instr::vfs_read:call");
    }
    return functions.matching(pattern).flatMap(f -> instructions(f, pattern.name()).stream());
  }

  private List<Probe> instructions(Symbol function, String wanted) {
    if (disassembler.isEmpty()) {
      disassembler =
          Optional.of(
              Disassemblers.installed()
                  .create(functions.program().architecture().name(), Syntax.INTEL));
    }
    var code = functions.code(function.address(), function.size());
    var found = new ArrayList<Probe>();
    int at = 0;
    while (at < code.length) {
      long address = function.address() + at;
      var instruction = disassembler.get().decode(code, at, code.length - at, address);
      if (instruction.isEmpty()) {
        break;
      }
      var mnemonic = instruction.get().mnemonic();
      if (ProbePattern.matches(wanted, mnemonic)) {
        found.add(
            places.probe(
                new ProbeName(name(), functions.module(function), function.name(), mnemonic),
                new Place.At(function.address(), address),
                List.of()));
      }
      at += instruction.get().length();
    }
    return found;
  }
}
