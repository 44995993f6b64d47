// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model.arch.aarch64;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fathom.model.arch.Flow;
import dev.fathom.model.arch.FlowKind;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class Aarch64FlowDecoderTest {
  private static final long PC = 0xffff_8000_0801_0000L;

  private final Aarch64FlowDecoder decoder = new Aarch64FlowDecoder();

  @ParameterizedTest(name = "{0}")
  @CsvSource({
    "add x0 x1 x2, 8b020020, NEXT, ,",
    "b ., 14000000, JUMP, ffff800008010000,",
    "b -4, 17ffffff, JUMP, ffff80000800fffc,",
    "bl +0x100, 94000040, CALL, ffff800008010100,",
    "b.eq +8, 54000040, BRANCH, ffff800008010008,",
    "cbz x0 -8, b4ffffc0, BRANCH, ffff80000800fff8,",
    "cbnz w3 +16, 35000083, BRANCH, ffff800008010010,",
    "tbz w0 #3 +0x20, 36180100, BRANCH, ffff800008010020,",
    "tbnz x0 #40 -0x20, b747ff00, BRANCH, ffff80000800ffe0,",
    "br x16, d61f0200, INDIRECT_JUMP, ,",
    "blr x8, d63f0100, INDIRECT_CALL, ,",
    "blraa x8 x9, d73f0909, INDIRECT_CALL, ,",
    "ret, d65f03c0, RETURN, ,",
    "retaa, d65f0bff, RETURN, ,",
    "eret, d69f03e0, EXCEPTION_RETURN, ,",
    "svc #0, d4000001, SYSTEM_CALL, ,",
    "hvc #0, d4000002, SYSTEM_CALL, ,",
    "brk #0x800, d4210000, TRAP, ,",
    "udf #0, 00000000, TRAP, ,",
    "adr x0 -4, 10ffffe0, NEXT, , ffff80000800fffc",
    "adr x0 +1, 30000000, NEXT, , ffff800008010001",
    "adrp x0 +0x1000, b0000000, NEXT, , ffff800008011000",
    "ldr x0 literal +8, 58000040, NEXT, , ffff800008010008",
    "ldr q0 literal +8, 9c000040, NEXT, , ffff800008010008",
    "paciasp, d503233f, NEXT, ,",
  })
  void flows(String name, String word, FlowKind kind, String target, String memory) {
    assertThat(decoder.decode(bytes(word), 0, 4, PC))
        .contains(new Flow(4, kind, address(target), address(memory)));
  }

  @Test
  void needsFourAlignedBytes() {
    assertThat(decoder.decode(bytes("d65f03c0"), 0, 3, PC)).isEmpty();
    assertThat(decoder.decode(bytes("d65f03c0"), 0, 4, PC + 2)).isEmpty();
  }

  @Test
  void callBeforeAReturnAddress() {
    assertThat(decoder.callBefore(bytes("94000040"), 4, PC + 4).orElseThrow().target())
        .hasValue(PC + 0x100);
    assertThat(decoder.callBefore(bytes("14000040"), 4, PC + 4)).isEmpty();
  }

  private static byte[] bytes(String word) {
    int value = Integer.parseUnsignedInt(word, 16);
    return new byte[] {
      (byte) value, (byte) (value >> 8), (byte) (value >> 16), (byte) (value >> 24)
    };
  }

  private static OptionalLong address(String hex) {
    return hex == null ? OptionalLong.empty() : OptionalLong.of(Long.parseUnsignedLong(hex, 16));
  }
}
