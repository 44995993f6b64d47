// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.stop;

import dev.fathom.model.AddressSpace;
import dev.fathom.model.HeapMemory;
import dev.fathom.model.Layout;
import dev.fathom.model.Located;
import dev.fathom.model.Memory;
import dev.fathom.model.Program;
import dev.fathom.model.Symbol;
import dev.fathom.model.SymbolTable;
import dev.fathom.model.Value;
import dev.fathom.model.arch.Architecture;
import dev.fathom.model.type.TypeSystem;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** A program of functions at addresses below 0x400. */
final class CodeProgram implements Program, SymbolTable {
  private final byte[] bytes = new byte[0x400];
  private final List<Symbol> symbols = new ArrayList<>();
  private final Architecture architecture;

  CodeProgram(Architecture architecture) {
    this.architecture = architecture;
  }

  void add(int address, String name, String hex) {
    byte[] code = HexFormat.ofDelimiter(" ").parseHex(hex);
    System.arraycopy(code, 0, bytes, address, code.length);
    symbols.add(new Symbol(name, address, code.length, Symbol.Kind.TEXT, 'T', ""));
  }

  /** Lets the two-byte jump at {@code from} lead to {@code to}. */
  void jump(int from, int to) {
    int distance = to - from - 2;
    if (distance > 127 || distance < -128) {
      // The long form, which the function grows by.
      boolean always = (bytes[from] & 0xff) == 0xeb;
      int length = always ? 5 : 6;
      bytes[from] = (byte) (always ? 0xe9 : 0x0f);
      if (!always) {
        bytes[from + 1] = (byte) 0x84;
      }
      for (int i = 0; i < 4; i++) {
        bytes[from + length - 4 + i] = (byte) ((to - from - length) >> (8 * i));
      }
      symbols.replaceAll(
          s ->
              s.address() == from
                  ? new Symbol(s.name(), from, s.size() + length - 2, s.kind(), 'T', "")
                  : s);
    } else {
      bytes[from + 1] = (byte) distance;
    }
  }

  Symbol function(String name) {
    return named(name).getFirst();
  }

  @Override
  public Architecture architecture() {
    return architecture;
  }

  @Override
  public AddressSpace memory() {
    return new HeapMemory("code", Layout.LITTLE_64).put(0, bytes);
  }

  @Override
  public Memory physical() {
    return memory();
  }

  @Override
  public SymbolTable symbols() {
    return this;
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

  @Override
  public Optional<Located> at(long address) {
    return symbols.stream()
        .filter(s -> address >= s.address() && address < s.address() + s.size())
        .map(s -> new Located(s, address - s.address()))
        .findFirst();
  }

  @Override
  public List<Symbol> named(String name) {
    return symbols.stream().filter(s -> s.name().equals(name)).toList();
  }

  @Override
  public Stream<Symbol> stream() {
    return symbols.stream();
  }

  @Override
  public List<String> completions(String prefix, int limit) {
    return List.of();
  }
}
