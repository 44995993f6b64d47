// SPDX-License-Identifier: Apache-2.0
package dev.fathom.symbols;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fathom.model.Located;
import dev.fathom.model.Symbol;
import dev.fathom.model.SymbolTable;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class AddedSymbolsTest {
  private static final Symbol FUNCTION =
      new Symbol("function", 0xffff_8000_0001_0000L, 0x100, Symbol.Kind.TEXT, 't', "");
  private static final Symbol VARIABLE =
      new Symbol("variable", 0xffff_8000_0002_0000L, 0, Symbol.Kind.DATA, 'D', "");
  private static final Symbol LAST =
      new Symbol("last", 0xffff_8000_0002_0040L, 0, Symbol.Kind.DATA, 'D', "");
  private static final Symbol OF_CPU =
      new Symbol("of_cpu", 0xffff_8000_0003_0000L, 8, Symbol.Kind.PER_CPU, 'D', "");
  private static final Symbol OTHER =
      new Symbol("function", 0xffff_8000_0004_0000L, 8, Symbol.Kind.DATA, 'D', "");

  private final SymbolTable symbols =
      new AddedSymbols(new One(), List.of(VARIABLE, LAST, OF_CPU, OTHER));

  /** A table with one function. */
  private static final class One implements SymbolTable {
    @Override
    public Optional<Located> at(long address) {
      long offset = address - FUNCTION.address();
      return offset >= 0 && offset < FUNCTION.size()
          ? Optional.of(new Located(FUNCTION, offset))
          : Optional.empty();
    }

    @Override
    public List<Symbol> named(String name) {
      return name.equals("function") ? List.of(FUNCTION) : List.of();
    }

    @Override
    public Stream<Symbol> stream() {
      return Stream.of(FUNCTION);
    }

    @Override
    public List<String> completions(String prefix, int limit) {
      return "function".startsWith(prefix) ? List.of("function") : List.of();
    }
  }

  @Test
  void bothAreFound() {
    assertThat(symbols.first("function")).contains(FUNCTION);
    assertThat(symbols.first("variable")).contains(VARIABLE);
    assertThat(symbols.first("vmlinux`variable")).contains(VARIABLE);
    assertThat(symbols.first("nothing")).isEmpty();
    assertThat(symbols.stream()).containsExactlyInAnyOrder(FUNCTION, VARIABLE, LAST, OF_CPU);
    assertThat(symbols.completions("", 9))
        .containsExactly("function", "last", "of_cpu", "variable");
    assertThat(symbols.completions("v", 9)).containsExactly("variable");
    assertThat(symbols.completions("", 2)).hasSize(2);
  }

  @Test
  void addressesHaveNames() {
    assertThat(symbols.text(FUNCTION.address() + 4)).isEqualTo("function+4");
    assertThat(symbols.text(VARIABLE.address() + 0x10)).isEqualTo("variable+0x10");
    assertThat(symbols.at(VARIABLE.address() - 1)).isEmpty();
    assertThat(symbols.at(0x1000)).isEmpty();
    assertThat(symbols.at(OF_CPU.address())).as("it is a place in each CPU's area").isEmpty();
    assertThat(symbols.perCpuAt(OF_CPU.address() + 4)).contains(new Located(OF_CPU, 4));
    assertThat(symbols.perCpuAt(OF_CPU.address() + 8)).isEmpty();
  }
}
