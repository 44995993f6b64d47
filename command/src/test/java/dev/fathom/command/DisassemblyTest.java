// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fathom.model.AddressSpace;
import dev.fathom.model.HeapMemory;
import dev.fathom.model.Layout;
import dev.fathom.model.Memory;
import dev.fathom.model.Program;
import dev.fathom.model.Symbol;
import dev.fathom.model.SymbolTable;
import dev.fathom.model.Value;
import dev.fathom.model.arch.Architecture;
import dev.fathom.model.arch.x86_64.X86_64;
import dev.fathom.model.type.TypeSystem;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** What instructions are said to refer to. */
class DisassemblyTest {
  private static final long TEXT = 0xffffffff81000000L;

  private static Optional<String> comment(String hex) {
    var memory = new HeapMemory("kernel", Layout.LITTLE_64);
    memory.put(TEXT, HexFormat.of().parseHex(hex.replace(" ", "")));
    var disassembly = new Disassembly(new Tiny(memory), new Fixture.LengthDisassembler());
    return disassembly.at(memory, TEXT, false, false).instruction().comment();
  }

  @Test
  void operandsInThePerCpuAreaHaveTheirVariablesNames() {
    assertThat(comment("65 48 8b 04 25 80 fb 01 00")).contains("pcpu_hot");
    assertThat(comment("65 48 8b 04 25 88 fb 01 00")).contains("pcpu_hot+8");
    assertThat(comment("65 48 8b 04 25 00 00 10 00")).as("no variable").isEmpty();
    assertThat(comment("64 48 8b 04 25 80 fb 01 00")).as("FS").isEmpty();
    assertThat(comment("48 8b 05 f9 ff ff ff")).as("not per CPU").contains("start");
  }

  private record Tiny(HeapMemory bytes) implements Program {
    @Override
    public Architecture architecture() {
      return X86_64.INSTANCE;
    }

    @Override
    public AddressSpace memory() {
      throw new UnsupportedOperationException();
    }

    @Override
    public Memory physical() {
      return bytes;
    }

    @Override
    public SymbolTable symbols() {
      return new FixtureSymbols(
          List.of(
              new Symbol("pcpu_hot", 0x1fb80, 0x40, Symbol.Kind.PER_CPU, 'A', ""),
              new Symbol("start", TEXT, 0x10, Symbol.Kind.TEXT, 'T', "")));
    }

    @Override
    public TypeSystem types() {
      return new TypeSystem(8);
    }

    @Override
    public Value global(String name) {
      throw new UnsupportedOperationException(name);
    }

    @Override
    public long epoch() {
      return 0;
    }
  }
}
