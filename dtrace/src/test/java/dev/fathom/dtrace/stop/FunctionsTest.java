// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.stop;

import static org.assertj.core.api.Assertions.assertThat;

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
import dev.fathom.model.arch.x86_64.X86_64;
import dev.fathom.model.type.TypeSystem;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Where functions return, over functions made of bytes. */
class FunctionsTest {
  private final Code code = new Code();
  private final Functions functions = new Functions(code, "vmlinux");

  private List<Long> elsewhere(String name) {
    var symbol = code.function(name);
    return functions.returnsElsewhere(symbol.address(), symbol.size());
  }

  @Test
  void returnsAreInTheFunctionItself() {
    code.add(0x100, "f", "90 c3 90 c3");
    assertThat(functions.returns(0x100, 4)).containsExactly(0x101L, 0x103L);
    assertThat(elsewhere("f")).isEmpty();
  }

  /** {@code __x64_sys_read: jmp ksys_read}; {@code ksys_read: ret}. */
  @Test
  void jumpsToFunctionsAreFollowed() {
    code.add(0x100, "__x64_sys_read", "eb fe");
    code.jump(0x100, 0x200);
    code.add(0x200, "ksys_read", "90 c3");
    assertThat(functions.returns(0x100, 2)).isEmpty();
    assertThat(elsewhere("__x64_sys_read")).containsExactly(0x201L);
  }

  @Test
  void chainsAndCirclesOfJumpsEnd() {
    code.add(0x100, "a", "eb 00");
    code.jump(0x100, 0x140);
    code.add(0x140, "b", "74 00 eb 00");
    code.jump(0x140, 0x160);
    code.jump(0x142, 0x100);
    code.add(0x160, "c", "c3");
    assertThat(elsewhere("a")).containsExactly(0x160L);
  }

  /**
   * A cold part is entered anywhere; a function that is jumped into elsewhere is not left by it.
   */
  @Test
  void coldPartsBelongToTheirFunction() {
    code.add(0x100, "f", "74 00 c3");
    code.jump(0x100, 0x143);
    code.add(0x140, "f.cold", "90 90 90 90 c3");
    code.add(0x180, "g", "eb 00");
    code.jump(0x180, 0x102);
    assertThat(elsewhere("f")).containsExactly(0x144L);
    assertThat(elsewhere("g")).isEmpty();
  }

  /** What a register holds is not known before it runs; the thunk's own return is none. */
  @Test
  void thunksAreNoFunctions() {
    code.add(0x100, "f", "eb 00");
    code.jump(0x100, 0x140);
    code.add(0x140, "__x86_indirect_thunk_rax", "c3");
    code.add(0x180, "g", "eb 00");
    code.jump(0x180, 0x1a0);
    code.add(0x1a0, "__x86_return_thunk", "c3");
    assertThat(elsewhere("f")).isEmpty();
    assertThat(elsewhere("g")).isEmpty();
    assertThat(functions.returns(0x180, 2)).containsExactly(0x180L);
  }

  /** Functions at addresses below 0x400. */
  private static final class Code implements Program, SymbolTable {
    private final byte[] bytes = new byte[0x400];
    private final List<Symbol> symbols = new ArrayList<>();

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
      return X86_64.INSTANCE;
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
}
