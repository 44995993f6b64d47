// SPDX-License-Identifier: Apache-2.0
package dev.fathom.capstone;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fathom.base.UnsupportedException;
import dev.fathom.model.arch.Disassembler;
import dev.fathom.model.arch.Disassemblers;
import dev.fathom.model.arch.Instruction;
import dev.fathom.model.arch.Syntax;
import dev.fathom.model.arch.x86_64.X86FlowDecoder;
import java.util.HexFormat;
import java.util.OptionalLong;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CapstoneTest {
  private static final long PC = 0xffff_ffff_8100_0000L;

  @ParameterizedTest(name = "{0}")
  @CsvSource(
      delimiter = '|',
      value = {
        "4889e5 | movq | %rsp, %rbp | mov | rbp, rsp",
        "48b8efcdab8967452301 | movabsq | $0x123456789abcdef, %rax | movabs | rax, 0x123456789abcdef",
        "65488b0425c0fb0100 | movq | %gs:0x1fbc0, %rax | mov | rax, qword ptr gs:[0x1fbc0]",
        "e8fb000000 | callq | 0xffffffff81000100 | call | 0xffffffff81000100",
        "740e | je | 0xffffffff81000010 | je | 0xffffffff81000010",
        "488b0500100000 | movq | 0x1000(%rip), %rax | mov | rax, qword ptr [rip + 0x1000]",
        "f3c3 | repz retq | '' | repz ret | ''",
        "0f0b | ud2 | '' | ud2 | ''",
      })
  void bothSyntaxes(
      String hex, String attMnemonic, String att, String intelMnemonic, String intel) {
    byte[] code = HexFormat.of().parseHex(hex);
    var one = create("x86_64", Syntax.ATT).decode(code, 0, code.length, PC).orElseThrow();
    assertThat(one.mnemonic() + " " + one.operands()).isEqualTo(attMnemonic + " " + att);
    var other = create("x86_64", Syntax.INTEL).decode(code, 0, code.length, PC).orElseThrow();
    assertThat(other.mnemonic() + " " + other.operands()).isEqualTo(intelMnemonic + " " + intel);
  }

  @Test
  void targetsAndMemoryOperands() {
    byte[] code = HexFormat.of().parseHex("e8fb000000488b05001000000f0b");
    var disassembler = create("x86_64", Syntax.ATT);
    assertThat(disassembler.decode(code, 0, code.length, PC))
        .contains(
            new Instruction(
                PC,
                5,
                "callq",
                "0xffffffff81000100",
                OptionalLong.of(PC + 0x100),
                OptionalLong.empty()));
    assertThat(disassembler.decode(code, 5, code.length - 5, PC + 5))
        .contains(
            new Instruction(
                PC + 5,
                7,
                "movq",
                "0x1000(%rip), %rax",
                OptionalLong.empty(),
                OptionalLong.of(PC + 0x100c)));
  }

  @Test
  void aarch64() {
    var disassembler = create("aarch64", Syntax.ATT);
    byte[] code = HexFormat.of().parseHex("fd7bbfa9fd03009140000094c0035fd6");
    assertThat(disassembler.decode(code, 0, 16, PC))
        .contains(
            new Instruction(
                PC,
                4,
                "stp",
                "x29, x30, [sp, #-0x10]!",
                OptionalLong.empty(),
                OptionalLong.empty()));
    assertThat(disassembler.decode(code, 8, 8, PC + 8).orElseThrow().target()).hasValue(PC + 0x108);
    assertThat(disassembler.decode(code, 12, 4, PC + 12).orElseThrow().mnemonic()).isEqualTo("ret");
  }

  @Test
  void whatIsNoInstructionIsEmpty() {
    var disassembler = create("x86_64", Syntax.ATT);
    assertThat(disassembler.decode(new byte[] {0x06}, 0, 1, PC)).isEmpty();
    assertThat(disassembler.decode(new byte[] {0x48, (byte) 0x89}, 0, 2, PC)).isEmpty();
    assertThat(disassembler.decode(new byte[0], 0, 0, PC)).isEmpty();
    assertThatThrownBy(() -> disassembler.decode(new byte[4], 2, 3, PC))
        .isInstanceOf(IndexOutOfBoundsException.class);
  }

  @Test
  void describesItself() {
    assertThat(create("x86_64", Syntax.ATT).description()).isEqualTo("Capstone 5.0, built in");
    assertThatThrownBy(() -> new CapstoneProvider().create("vax", Syntax.ATT))
        .isInstanceOf(UnsupportedException.class);
  }

  @Test
  void isFoundAsAService() {
    assertThat(Disassemblers.installed().offers("x86_64", Syntax.ATT))
        .anySatisfy(offer -> assertThat(offer.provider()).isInstanceOf(CapstoneProvider.class));
    assertThat(Disassemblers.installed().create("x86_64", Syntax.ATT).description())
        .contains("Capstone");
  }

  @Test
  void agreesWithTheFlowDecoderOnRandomBytes() {
    long seed = Long.getLong("fathom.fuzz.seed", System.nanoTime());
    var random = new SplittableRandom(seed);
    var disassembler = create("x86_64", Syntax.ATT);
    var flow = new X86FlowDecoder();
    var code = new byte[16];
    int same = 0;
    int both = 0;
    for (int round = 0; round < 4_000; round++) {
      random.nextBytes(code);
      var text = disassembler.decode(code, 0, code.length, PC);
      var decoded = flow.decode(code, 0, code.length, PC);
      if (text.isPresent() && decoded.isPresent()) {
        both++;
        same += text.get().length() == decoded.get().length() ? 1 : 0;
      }
    }
    // Capstone has encodings of its own opinion, such as branches with an operand-size prefix.
    assertThat(both).as("seed %d", seed).isGreaterThan(2_000);
    assertThat((double) same / both).as("seed %d", seed).isGreaterThan(0.99);
  }

  private static Disassembler create(String architecture, Syntax syntax) {
    return new CapstoneProvider().create(architecture, syntax);
  }
}
