// SPDX-License-Identifier: Apache-2.0
package dev.fathom.host.capstone;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.abort;

import dev.fathom.base.UnsupportedException;
import dev.fathom.model.arch.Disassembler;
import dev.fathom.model.arch.Disassemblers;
import dev.fathom.model.arch.Instruction;
import dev.fathom.model.arch.Syntax;
import dev.fathom.model.arch.x86_64.X86FlowDecoder;
import java.util.HexFormat;
import java.util.List;
import java.util.OptionalLong;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class HostCapstoneTest {
  private static final long PC = 0xffff_ffff_8100_0000L;

  @Test
  void bothSyntaxes() {
    byte[] code = HexFormat.of().parseHex("488b0500100000");
    var memory = OptionalLong.of(PC + 0x1007);
    assertThat(create("x86_64", Syntax.ATT).decode(code, 0, 7, PC))
        .contains(
            new Instruction(PC, 7, "movq", "0x1000(%rip), %rax", OptionalLong.empty(), memory));
    assertThat(create("x86_64", Syntax.INTEL).decode(code, 0, 7, PC))
        .contains(
            new Instruction(
                PC, 7, "mov", "rax, qword ptr [rip + 0x1000]", OptionalLong.empty(), memory));
  }

  @Test
  void targetsOfCallsInTheMiddleOfTheBytes() {
    byte[] code = HexFormat.of().parseHex("90e8fb000000");
    assertThat(create("x86_64", Syntax.ATT).decode(code, 1, 5, PC))
        .contains(
            new Instruction(
                PC,
                5,
                "callq",
                "0xffffffff81000100",
                OptionalLong.of(PC + 0x100),
                OptionalLong.empty()));
  }

  @Test
  void aarch64() {
    byte[] code = HexFormat.of().parseHex("fd7bbfa9c0035fd6");
    var disassembler = create("aarch64", Syntax.ATT);
    assertThat(disassembler.decode(code, 0, 8, PC).orElseThrow().operands())
        .isEqualTo("x29, x30, [sp, #-0x10]!");
    assertThat(disassembler.decode(code, 4, 4, PC).orElseThrow().mnemonic()).isEqualTo("ret");
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
  void randomBytesGiveSaneLengths() {
    long seed = Long.getLong("fathom.fuzz.seed", System.nanoTime());
    var random = new SplittableRandom(seed);
    var disassembler = create("x86_64", Syntax.ATT);
    var flow = new X86FlowDecoder();
    var code = new byte[16];
    int both = 0;
    int same = 0;
    for (int round = 0; round < 50_000; round++) {
      random.nextBytes(code);
      var text = disassembler.decode(code, 0, code.length, PC);
      if (text.isPresent()) {
        assertThat(text.get().length()).as("seed %d", seed).isBetween(1, 15);
        var decoded = flow.decode(code, 0, code.length, PC);
        if (decoded.isPresent()) {
          both++;
          same += text.get().length() == decoded.get().length() ? 1 : 0;
        }
      }
    }
    assertThat(both).as("seed %d", seed).isGreaterThan(25_000);
    assertThat((double) same / both).as("seed %d", seed).isGreaterThan(0.99);
  }

  @Test
  void isPreferredWhereItIsInstalled() {
    create("x86_64", Syntax.ATT);
    assertThat(Disassemblers.installed().create("x86_64", Syntax.ATT).description())
        .matches("Capstone [45]\\.\\d+, the system's libcapstone\\.so\\.[45]");
  }

  @Test
  void anotherLibraryIsRefused() {
    assertThatThrownBy(
            () -> new HostCapstoneProvider(List.of("libc.so.6")).create("x86_64", Syntax.ATT))
        .isInstanceOf(UnsupportedException.class)
        .hasMessage("libc.so.6 has no function cs_version");
  }

  @Test
  void noLibraryIsAReason() {
    var provider =
        new HostCapstoneProvider(List.of("libcapstone.so.99", "/nonexistent/libcapstone.so"));
    assertThatThrownBy(() -> provider.create("x86_64", Syntax.ATT))
        .isInstanceOf(UnsupportedException.class)
        .hasMessage(
            "libcapstone.so.99 is not installed; /nonexistent/libcapstone.so is not installed");
    assertThat(
            new Disassemblers(List.of(provider)).offers("x86_64", Syntax.ATT).getFirst().problem())
        .hasValueSatisfying(problem -> assertThat(problem).contains("not installed"));
  }

  private static Disassembler create(String architecture, Syntax syntax) {
    try {
      return new HostCapstoneProvider().create(architecture, syntax);
    } catch (UnsupportedException e) {
      return abort("this machine has no libcapstone: " + e.getMessage());
    }
  }
}
