// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model.arch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fathom.base.FaultException;
import dev.fathom.model.HeapMemory;
import dev.fathom.model.Layout;
import dev.fathom.model.arch.Code.Slot;
import dev.fathom.model.arch.x86_64.X86FlowDecoder;
import java.util.HexFormat;
import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

class CodeTest {
  private static final long START = 0xffff_ffff_8100_0000L;

  /** endbr64; push; mov; sub; mov; mov; call; test; je; leave; ret: 34 bytes. */
  private static final String FUNCTION =
      "f30f1efa554889e54883ec10488b05001000004889c7e8000100004885c0740ac9c3";

  private static final int[] LENGTHS = {4, 1, 3, 4, 7, 3, 5, 3, 2, 1, 1};

  private final X86FlowDecoder decoder = new X86FlowDecoder();
  private final HeapMemory memory =
      new HeapMemory("kernel", Layout.LITTLE_64).put(START, HexFormat.of().parseHex(FUNCTION));

  @Test
  void aWholeFunction() {
    var code = Code.from(memory, decoder, START, OptionalLong.of(START + 34), 1000);
    assertThat(code.slots())
        .extracting(slot -> slot.bytes().length)
        .containsExactly(4, 1, 3, 4, 7, 3, 5, 3, 2, 1, 1);
    assertThat(code.slots()).allMatch(Slot::valid);
    assertThat(code.slots().getLast().end()).isEqualTo(START + 34);
    assertThat(code.fault()).isEmpty();
  }

  @Test
  void noMoreThanTheLimit() {
    assertThat(addresses(Code.from(memory, decoder, START, OptionalLong.empty(), 3)))
        .containsExactly(START, START + 4, START + 5);
  }

  @Test
  void theEndOfReadableMemoryIsSaid() {
    var code = Code.from(memory, decoder, START + 32, OptionalLong.empty(), 10);
    assertThat(addresses(code)).containsExactly(START + 32, START + 33);
    assertThat(code.fault().orElseThrow().address()).isEqualTo(START + 34);
    assertThatThrownBy(() -> Code.from(memory, decoder, START + 34, OptionalLong.empty(), 10))
        .isInstanceOf(FaultException.class);
  }

  @Test
  void bytesThatAreNoInstructionStandAlone() {
    var bad =
        new HeapMemory("kernel", Layout.LITTLE_64).put(START, new byte[] {0x06, (byte) 0xc3, 0x48});
    var code = Code.from(bad, decoder, START, OptionalLong.empty(), 10);
    assertThat(code.slots()).extracting(Slot::valid).containsExactly(false, true, false);
    assertThat(code.slots()).extracting(slot -> slot.bytes().length).containsExactly(1, 1, 1);
  }

  @Test
  void aWindowFromTheStartOfTheFunction() {
    long address = START + 22;
    var code = Code.around(memory, decoder, OptionalLong.of(START), address, 2, 1);
    assertThat(addresses(code)).containsExactly(START + 12, START + 19, START + 22, START + 27);
    var all = Code.around(memory, decoder, OptionalLong.of(START), address, 100, 0);
    assertThat(all.slots()).hasSize(7);
    assertThat(Code.around(memory, decoder, OptionalLong.of(START), START, 2, 0).slots())
        .hasSize(1);
  }

  @Test
  void aWindowWithoutAFunction() {
    int at = 0;
    for (int length : LENGTHS) {
      at += length;
      if (at >= 8 && at < 34) {
        var code = Code.around(memory, decoder, OptionalLong.empty(), START + at, 1, 0);
        assertThat(addresses(code)).containsExactly(START + at - length, START + at);
      }
    }
    assertThat(addresses(Code.around(memory, decoder, OptionalLong.empty(), START, 2, 0)))
        .containsExactly(START);
  }

  @Test
  void anAddressInsideAnInstructionIsTheStartOfOne() {
    // START + 13 is the second byte of 48 8b 05 ...: 8b 05 without the REX
    var code = Code.around(memory, decoder, OptionalLong.of(START), START + 13, 1, 0);
    assertThat(code.slots().getLast().address()).isEqualTo(START + 13);
    assertThat(code.slots().getLast().bytes()).hasSize(6);
  }

  @Test
  void longCodeIsReadInChunks() {
    byte[] much = new byte[10_000];
    for (int i = 0; i + 7 <= much.length; i += 7) {
      System.arraycopy(HexFormat.of().parseHex("488b0500100000"), 0, much, i, 7);
    }
    var large = new HeapMemory("kernel", Layout.LITTLE_64).put(START, much);
    var code = Code.from(large, decoder, START, OptionalLong.of(START + 9_996), 5_000);
    assertThat(code.slots()).hasSize(1428).allMatch(slot -> slot.bytes().length == 7);
    var window = Code.around(large, decoder, OptionalLong.of(START), START + 7 * 1000, 3, 3);
    assertThat(addresses(window)).hasSize(7).startsWith(START + 7 * 997).endsWith(START + 7 * 1003);
  }

  private static List<Long> addresses(Code code) {
    return code.slots().stream().map(Slot::address).toList();
  }
}
