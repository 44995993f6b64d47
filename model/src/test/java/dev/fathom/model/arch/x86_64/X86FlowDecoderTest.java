// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model.arch.x86_64;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fathom.model.arch.Flow;
import dev.fathom.model.arch.FlowKind;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.OptionalLong;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class X86FlowDecoderTest {
  private static final long PC = 0xffff_ffff_8100_0000L;

  private final X86FlowDecoder decoder = new X86FlowDecoder();

  @ParameterizedTest(name = "{0} {1}")
  @CsvSource({
    "nop, 90",
    "endbr64, f3 0f 1e fa",
    "nopw cs:0(%rax;%rax), 66 2e 0f 1f 84 00 00 00 00 00",
    "push %rbp, 55",
    "push %r12, 41 54",
    "push $imm8, 6a 7f",
    "push $imm32, 68 00 00 00 80",
    "mov %rsp;%rbp, 48 89 e5",
    "mov (%rsp);%rax, 48 8b 04 24",
    "mov 8(%rsp);%rax, 48 8b 44 24 08",
    "mov 0x100(%rsp);%rax, 48 8b 84 24 00 01 00 00",
    "mov 8(%rbp);%eax, 8b 45 08",
    "mov disp32(;%rax;8);%rax, 48 8b 04 c5 40 c0 22 82",
    "mov %fs:disp32;%rax, 64 48 8b 04 25 c0 fb 01 00",
    "movabs $imm64;%rax, 48 b8 ef cd ab 89 67 45 23 01",
    "mov $imm32;%eax, b8 01 00 00 00",
    "mov $imm16;%ax, 66 b8 01 00",
    "movq $imm32;(%rax), 48 c7 00 01 00 00 00",
    "movw $imm16;(%rax), 66 c7 00 01 00",
    "movb $imm8;8(%rax), c6 40 08 01",
    "add $imm32;%eax, 05 00 00 00 01",
    "add $imm16;%ax, 66 05 00 01",
    "rexed add $imm32;%rax, 66 48 05 00 00 00 01",
    "sub $imm8;%rsp, 48 83 ec 10",
    "sub $imm32;%rsp, 48 81 ec 00 01 00 00",
    "testb $imm8;(%rdi), f6 07 01",
    "test reg 1 has an immediate too, f6 0f 01",
    "notb (%rdi), f6 17",
    "testl $imm32;(%rdi), f7 07 01 00 00 00",
    "testw $imm16;(%rdi), 66 f7 07 01 00",
    "neg %rax, 48 f7 d8",
    "enter, c8 10 00 00",
    "rep stos, f3 48 ab",
    "lock cmpxchg %rdx;(%rdi), f0 48 0f b1 17",
    "bt $imm8;%rax, 48 0f ba e0 05",
    "mov %cr3;%rax, 0f 20 d8",
    "mov %cr8;%rax: mod 0 is a register too, 44 0f 20 00",
    "in $imm8;%al, e4 60",
    "out %al;(%dx), ee",
    "fninit, db e3",
    "pshufb, 66 0f 38 00 c1",
    "palignr, 66 0f 3a 0f c1 08",
    "pshufd, 66 0f 70 c1 1b",
    "femms and 3DNow, 0f 0f c1 bf",
    "extrq, 66 0f 78 c1 01 02",
    "insertq, f2 0f 78 c1 01 02",
    "vmread, 0f 78 c1",
    "vzeroupper, c5 f8 77",
    "vpxor, c5 f9 ef c0",
    "vpshufd, c5 f9 70 c1 1b",
    "vpermq, c4 e3 fd 00 c1 4e",
    "vpbroadcastb 0x20(%rsp), c4 e2 7d 78 44 24 20",
    "vpaddd zmm disp8, 62 f1 7d 48 fe 40 01",
    "vpternlogd, 62 f3 7d 48 25 c1 ff",
    "vaddph, 62 f5 7c 48 58 c1",
    "xop vpcmov, 8f e8 78 a2 c1 20",
    "xop bextr imm32, 8f ea 78 10 c1 01 02 03 04",
    "pop (%rax), 8f 00",
    "the longest, 66 66 66 66 66 2e 66 0f 1f 84 00 00 00 00 00",
  })
  void straightLine(String name, String hex) {
    byte[] code = HexFormat.of().parseHex(hex.replace(" ", ""));
    assertThat(decode(code))
        .isEqualTo(
            new Flow(code.length, FlowKind.NEXT, OptionalLong.empty(), OptionalLong.empty()));
    for (int shorter = 0; shorter < code.length; shorter++) {
      assertThat(decoder.decode(code, 0, shorter, PC)).as("first %d bytes", shorter).isEmpty();
    }
  }

  @ParameterizedTest(name = "{0} {1}")
  @CsvSource({
    "CALL, e8 fb ff ff ff, ffffffff81000000",
    "JUMP, e9 00 01 00 00, ffffffff81000105",
    "JUMP, eb fe, ffffffff81000000",
    "BRANCH, 74 7f, ffffffff81000081",
    "BRANCH, 2e 75 80, ffffffff80ffff83",
    "BRANCH, 0f 84 00 00 00 80, ffffffff01000006",
    "BRANCH, e3 10, ffffffff81000012",
    "BRANCH, e2 10, ffffffff81000012",
    "BRANCH, c7 f8 10 00 00 00, ffffffff81000016",
    "JUMP, f2 e9 00 00 00 00, ffffffff81000006",
  })
  void branches(FlowKind kind, String hex, String target) {
    byte[] code = HexFormat.of().parseHex(hex.replace(" ", ""));
    var expected =
        new Flow(
            code.length,
            kind,
            OptionalLong.of(Long.parseUnsignedLong(target, 16)),
            OptionalLong.empty());
    assertThat(decode(code)).isEqualTo(expected);
  }

  @ParameterizedTest(name = "{0} {1}")
  @CsvSource({
    "INDIRECT_CALL, ff d0",
    "INDIRECT_CALL, 41 ff d3",
    "INDIRECT_CALL, ff 50 18",
    "INDIRECT_CALL, ff 14 c5 00 03 20 82",
    "INDIRECT_CALL, ff 18",
    "INDIRECT_JUMP, ff e0",
    "INDIRECT_JUMP, 3e ff e0",
    "INDIRECT_JUMP, ff 24 c5 00 03 20 82",
    "INDIRECT_JUMP, 48 ff 2c 24",
    "NEXT, ff 30",
    "NEXT, ff c0",
    "RETURN, c3",
    "RETURN, f3 c3",
    "RETURN, c2 08 00",
    "RETURN, ca 08 00",
    "RETURN, cb",
    "EXCEPTION_RETURN, 48 cf",
    "EXCEPTION_RETURN, 48 0f 07",
    "EXCEPTION_RETURN, 48 0f 35",
    "SYSTEM_CALL, 0f 05",
    "SYSTEM_CALL, cd 80",
    "SYSTEM_CALL, 0f 01 c1",
    "SYSTEM_CALL, 0f 01 d9",
    "SYSTEM_CALL, f3 0f 01 d9",
    "NEXT, 0f 01 f8",
    "TRAP, cc",
    "TRAP, 0f 0b",
    "TRAP, 0f b9 40 10",
    "TRAP, 0f ff c0",
    "NEXT, f4",
  })
  void kinds(FlowKind kind, String hex) {
    byte[] code = HexFormat.of().parseHex(hex.replace(" ", ""));
    assertThat(decode(code))
        .isEqualTo(new Flow(code.length, kind, OptionalLong.empty(), OptionalLong.empty()));
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource({
    "NEXT, 48 8b 05 00 10 00 00, ffffffff81001007",
    "NEXT, 48 8d 3d f9 ff ff ff, ffffffff81000000",
    "NEXT, c7 05 10 00 00 00 01 00 00 00, ffffffff8100001a",
    "NEXT, 67 8b 05 00 00 00 00, 0000000081000007",
    "NEXT, 8b 04 25 00 00 60 ff, ffffffffff600000",
    "NEXT, 48 a1 88 77 66 55 44 33 22 11, 1122334455667788",
    "NEXT, 67 a1 44 33 22 f1, 00000000f1223344",
    "NEXT, c5 f9 6f 05 10 00 00 00, ffffffff81000018",
    "INDIRECT_CALL, ff 15 00 00 00 01, ffffffff82000006",
    "INDIRECT_CALL, ff 14 25 40 c0 22 82, ffffffff8222c040",
  })
  void memoryOperandsThatTheInstructionAloneDetermines(FlowKind kind, String hex, String memory) {
    byte[] code = HexFormat.of().parseHex(hex.replace(" ", ""));
    var expected =
        new Flow(
            code.length,
            kind,
            OptionalLong.empty(),
            OptionalLong.of(Long.parseUnsignedLong(memory, 16)));
    assertThat(decode(code)).isEqualTo(expected);
  }

  @ParameterizedTest
  @CsvSource({
    "65 48 8b 04 25 80 fb 01 00, 1fb80", // mov %gs:0x1fb80,%rax
    "65 48 8b 05 00 10 00 00, ffffffff81001008", // mov %gs:0x1000(%rip),%rax
    "65 48 a1 80 fb 01 00 00 00 00 00, 1fb80", // movabs %gs:0x1fb80,%rax
    "65 ff 0c 25 10 00 00 00, 10", // decl %gs:0x10
    "64 48 8b 04 25 28 00 00 00, -", // FS is the user's
    "65 64 48 8b 04 25 28 00 00 00, -", // the last prefix counts
    "65 48 8b 80 80 fb 01 00, -", // mov %gs:0x1fb80(%rax),%rax
    "48 8b 04 25 80 fb 01 00, -",
  })
  void perCpuOperandsAreOffsets(String hex, String offset) {
    var flow = decode(HexFormat.of().parseHex(hex.replace(" ", "")));
    assertThat(flow.perCpu())
        .isEqualTo(
            offset.equals("-")
                ? OptionalLong.empty()
                : OptionalLong.of(Long.parseUnsignedLong(offset, 16)));
    assertThat(flow.memory().isPresent()).isEqualTo(hex.startsWith("48"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "06",
        "0e",
        "1f",
        "27",
        "60",
        "82 c0 01",
        "9a",
        "c4",
        "c4 e4 78 58 c1",
        "62 f4 7c 08 ff c1",
        "d6",
        "ea",
        "0f 04",
        "0f 0a",
        "0f 36",
        "0f 38",
        "66",
        "48",
        "66 66 66 66 66 66 66 66 66 66 66 66 66 66 66 90"
      })
  void notInstructions(String hex) {
    byte[] code = HexFormat.of().parseHex(hex.replace(" ", ""));
    assertThat(decoder.decode(code, 0, code.length, PC)).isEmpty();
  }

  @Test
  void onlyTheRexBeforeTheOpcodeCounts() {
    // 48 66 b8: the REX is followed by a prefix and lost, so the immediate has two bytes
    assertThat(decode(HexFormat.of().parseHex("4866b80100")).length()).isEqualTo(5);
    assertThat(decode(HexFormat.of().parseHex("6648b80102030405060708")).length()).isEqualTo(11);
  }

  @Test
  void callsBeforeAReturnAddress() {
    byte[] code = HexFormat.of().parseHex("4889e5e800010000ff5018c341ffd3");
    assertThat(decoder.callBefore(code, 8, PC + 8))
        .contains(new Flow(5, FlowKind.CALL, OptionalLong.of(PC + 0x108), OptionalLong.empty()));
    assertThat(decoder.callBefore(code, 11, PC + 11).orElseThrow().kind())
        .isEqualTo(FlowKind.INDIRECT_CALL);
    assertThat(decoder.callBefore(code, 15, PC + 15)).isPresent();
    for (int notAfterACall : new int[] {0, 3, 5, 12, 14}) {
      assertThat(decoder.callBefore(code, notAfterACall, PC + notAfterACall))
          .as("%d", notAfterACall)
          .isEmpty();
    }
  }

  @Test
  void boundariesBackwards() {
    byte[] code =
        HexFormat.of()
            .parseHex("f30f1efa554889e54883ec10488b05001000004889c7e8000100004885c0740ac9c3");
    int[] lengths = {4, 1, 3, 4, 7, 3, 5, 3, 2, 1, 1};
    int at = 0;
    for (int length : lengths) {
      at += length;
      if (at >= 8) {
        assertThat(decoder.lengthBefore(code, at, PC + at)).as("before %d", at).hasValue(length);
      }
    }
    assertThat(at).isEqualTo(code.length);
    assertThat(decoder.lengthBefore(code, 0, PC)).isEmpty();
  }

  @Test
  void boundsOfTheArrayAreChecked() {
    assertThatThrownBy(() -> decoder.decode(new byte[4], 2, 5, PC))
        .isInstanceOf(IndexOutOfBoundsException.class);
  }

  @Test
  void randomBytesNeverReachPastTheEnd() {
    long seed = Long.getLong("fathom.fuzz.seed", System.nanoTime());
    var random = new SplittableRandom(seed);
    byte[] code = new byte[64];
    for (int round = 0; round < 200_000; round++) {
      random.nextBytes(code);
      int offset = random.nextInt(code.length);
      int end = random.nextInt(offset, code.length + 1);
      int room = end - offset;
      if (decoder.scan(code, offset, end, PC)) {
        assertThat(decoder.length())
            .as("seed %d", seed)
            .isBetween(1, Math.min(X86FlowDecoder.LONGEST, room));
        // One byte less than its length is never enough, and more room changes nothing.
        int length = decoder.length();
        assertThat(decoder.scan(code, offset, offset + length - 1, PC))
            .as("seed %d", seed)
            .isFalse();
        assertThat(decoder.scan(code, offset, offset + length, PC)).as("seed %d", seed).isTrue();
        assertThat(decoder.length()).as("seed %d", seed).isEqualTo(length);
      }
    }
  }

  private Flow decode(byte[] code) {
    byte[] padded = Arrays.copyOf(code, code.length + 16);
    return decoder.decode(padded, 0, padded.length, PC).orElseThrow();
  }
}
