// SPDX-License-Identifier: Apache-2.0
package dev.fathom.lang;

import dev.fathom.base.EvalException;
import dev.fathom.base.LookupException;
import dev.fathom.model.AddressSpace;
import dev.fathom.model.HeapMemory;
import dev.fathom.model.Located;
import dev.fathom.model.Memory;
import dev.fathom.model.Program;
import dev.fathom.model.Symbol;
import dev.fathom.model.SymbolTable;
import dev.fathom.model.Value;
import dev.fathom.model.arch.Architecture;
import dev.fathom.model.arch.x86_64.X86_64;
import dev.fathom.model.type.TypeSystem;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** An executable as a program: its sections are its memory, C text has the types. */
final class CompiledProgram implements Program, Scope {
  private final TypeSystem types;
  private final HeapMemory memory;
  private final CTextTypes text;
  private final Path file;
  private final Map<String, Long> addresses = new HashMap<>();

  CompiledProgram(TypeSystem types, HeapMemory memory, CTextTypes text, Path file) {
    this.types = types;
    this.memory = memory;
    this.text = text;
    this.file = file;
  }

  /** Loads the sections that are in the file, and its symbols. */
  void load(Path folder) throws IOException, InterruptedException {
    var headers = GdbAnswersTest.run("objdump", "-h", "-w", file.toString());
    for (var line : headers.split("\n")) {
      var words = line.strip().split("\\s+");
      if (words.length > 6 && line.contains("ALLOC") && line.contains("CONTENTS")) {
        var raw = folder.resolve("section");
        GdbAnswersTest.run(
            "objcopy",
            "-O",
            "binary",
            "--only-section=" + words[1],
            file.toString(),
            raw.toString());
        memory.put(Long.parseUnsignedLong(words[3], 16), Files.readAllBytes(raw));
      }
    }
    for (var line : GdbAnswersTest.run("nm", file.toString()).split("\n")) {
      var words = line.split(" ");
      if (words.length == 3) {
        addresses.put(words[2], Long.parseUnsignedLong(words[0], 16));
      }
    }
  }

  @Override
  public Optional<Value> variable(String name) {
    return text.ofSymbol(name).map(type -> new Value.Ref(this, type, addresses.get(name)));
  }

  @Override
  public Optional<Value> dollar(String name) {
    return Optional.empty();
  }

  @Override
  public long perCpu(long offset, int cpu) {
    throw new EvalException("no per-CPU variables");
  }

  @Override
  public Program program() {
    return this;
  }

  @Override
  public TypeSystem types() {
    return types;
  }

  @Override
  public Architecture architecture() {
    return X86_64.INSTANCE;
  }

  @Override
  public AddressSpace memory() {
    return memory;
  }

  @Override
  public Memory physical() {
    return memory;
  }

  @Override
  public SymbolTable symbols() {
    return new SymbolTable() {
      @Override
      public Optional<Located> at(long address) {
        return Optional.empty();
      }

      @Override
      public List<Symbol> named(String name) {
        return List.of();
      }

      @Override
      public Stream<Symbol> stream() {
        return Stream.empty();
      }

      @Override
      public List<String> completions(String prefix, int limit) {
        return List.of();
      }
    };
  }

  @Override
  public Value global(String name) {
    return variable(name).orElseThrow(() -> new LookupException("symbol", name));
  }

  @Override
  public long epoch() {
    return 0;
  }
}
