// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model.arch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fathom.base.UnsupportedException;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

class DisassemblersTest {
  @Test
  void thePreferredOneThatWorksIsUsed() {
    var all = new Disassemblers(List.of(new Fake("plain", 0, true), new Fake("fast", 10, true)));
    assertThat(all.create("toy", Syntax.ATT).description()).isEqualTo("fast");
  }

  @Test
  void oneThatCannotWorkIsPassedOverAndSaysWhy() {
    var all = new Disassemblers(List.of(new Fake("plain", 0, true), new Fake("fast", 10, false)));
    assertThat(all.create("toy", Syntax.ATT).description()).isEqualTo("plain");
    var offers = all.offers("toy", Syntax.ATT);
    assertThat(offers)
        .extracting(offer -> offer.provider().name())
        .containsExactly("fast", "plain");
    assertThat(offers.get(0).disassembler()).isEmpty();
    assertThat(offers.get(0).problem()).contains("library not found");
    assertThat(offers.get(1).problem()).isEmpty();
  }

  @Test
  void noneIsAnErrorThatNamesTheReasons() {
    var all = new Disassemblers(List.of(new Fake("fast", 10, false)));
    assertThatThrownBy(() -> all.create("toy", Syntax.ATT))
        .isInstanceOf(UnsupportedException.class)
        .hasMessage("no disassembler for toy (fast: library not found)");
    assertThatThrownBy(() -> all.create("vax", Syntax.ATT)).hasMessage("no disassembler for vax");
    assertThat(all.offers("vax", Syntax.ATT)).isEmpty();
  }

  private record Fake(String name, int priority, boolean works) implements DisassemblerProvider {
    @Override
    public String description() {
      return name;
    }

    @Override
    public boolean supports(String architecture) {
      return architecture.equals("toy");
    }

    @Override
    public Disassembler create(String architecture, Syntax syntax) {
      if (!works) {
        throw new UnsupportedException("library not found");
      }
      return new Disassembler() {
        @Override
        public String description() {
          return name;
        }

        @Override
        public Optional<Instruction> decode(byte[] code, int offset, int length, long address) {
          return Optional.of(
              new Instruction(address, 1, "toy", "", OptionalLong.empty(), OptionalLong.empty()));
        }
      };
    }
  }
}
