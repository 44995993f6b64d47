// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model.arch.x86_64;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fathom.model.Register;
import dev.fathom.model.Registers;
import dev.fathom.model.arch.Effect;
import java.util.HexFormat;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Each instruction against what the processor's manual says, with all of its flags. */
class X86EmulatorTest {
  private static final long PC = 0xffff_ffff_8100_0000L;
  private static final long SP = 0xffff_c900_0000_1000L;

  private static Registers registers() {
    var builder = Registers.builder(X86_64.INSTANCE.registers());
    for (var register : X86_64.INSTANCE.registers().registers().subList(0, 16)) {
      builder.set(register, 0x100 + register.index());
    }
    return builder
        .set(X86_64.RAX, 0xffff_ffff_0000_0001L)
        .set(X86_64.RBX, 5)
        .set(X86_64.RCX, 7)
        .set(X86_64.RSP, SP)
        .set(X86_64.R15, 0x8000_0000_0000_0000L)
        .set(X86_64.RIP, PC)
        .set(X86_64.RFLAGS, 0x246)
        .build();
  }

  private static Optional<Effect> run(String hex) {
    return X86_64.INSTANCE.emulate(HexFormat.of().parseHex(hex), PC, registers(), Optional.empty());
  }

  /** The value that an instruction gives a register; 0x5555 when it leaves it alone. */
  private static long after(String hex, Register register) {
    return run(hex).orElseThrow().registers().stream()
        .filter(write -> write.register().equals(register))
        .reduce((a, b) -> b)
        .map(Effect.Write::value)
        .orElse(0x5555L);
  }

  @ParameterizedTest
  @CsvSource({
    "90, 1", // nop
    "6690, 2", // xchg %ax,%ax
    "0f1f00, 3",
    "0f1f4000, 4",
    "0f1f440000, 5", // what ftrace leaves at a function's start
    "660f1f440000, 6",
    "0f1f8000000000, 7",
    "0f1f840000000000, 8",
    "66662e0f1f840000000000, 11",
    "f30f1efa, 4", // endbr64
  })
  void doesNothing(String hex, int length) {
    var effect = run(hex).orElseThrow();
    assertThat(effect.registers()).containsExactly(new Effect.Write(X86_64.RIP, PC + length));
    assertThat(effect.stores()).isEmpty();
  }

  @Test
  void pushes() {
    var low = run("53").orElseThrow(); // push %rbx
    assertThat(low.stores().getFirst().address()).isEqualTo(SP - 8);
    assertThat(low.stores().getFirst().bytes()).containsExactly(5, 0, 0, 0, 0, 0, 0, 0);
    assertThat(after("53", X86_64.RSP)).isEqualTo(SP - 8);
    assertThat(after("53", X86_64.RIP)).isEqualTo(PC + 1);
    var high = run("4157").orElseThrow(); // push %r15
    assertThat(high.stores().getFirst().bytes()).containsExactly(0, 0, 0, 0, 0, 0, 0, 0x80);
    assertThat(after("4157", X86_64.RIP)).isEqualTo(PC + 2);
    // push %rsp stores what it was before.
    assertThat(run("54").orElseThrow().stores().getFirst().bytes())
        .containsExactly(0, 0x10, 0, 0, 0, 0xc9, 0xff, 0xff);
  }

  @Test
  void pushesFlags() {
    var pushed = run("9c").orElseThrow();
    assertThat(pushed.stores().getFirst().address()).isEqualTo(SP - 8);
    assertThat(pushed.stores().getFirst().bytes()).containsExactly(0x46, 2, 0, 0, 0, 0, 0, 0);
    assertThat(after("9c", X86_64.RSP)).isEqualTo(SP - 8);
    assertThat(after("9c", X86_64.RIP)).isEqualTo(PC + 1);
  }

  @Test
  void moves() {
    assertThat(after("4889e5", X86_64.RBP)).isEqualTo(SP); // mov %rsp,%rbp
    assertThat(after("89c3", X86_64.RBX)).isEqualTo(1); // mov %eax,%ebx
    assertThat(after("488bd8", X86_64.RBX)).isEqualTo(0xffff_ffff_0000_0001L);
    assertThat(after("4989df", X86_64.R15)).isEqualTo(5); // mov %rbx,%r15
    assertThat(after("4c89fb", X86_64.RBX)).isEqualTo(0x8000_0000_0000_0000L);
    assertThat(after("b8ffffffff", X86_64.RAX)).isEqualTo(0xffff_ffffL);
    assertThat(after("48c7c0ffffffff", X86_64.RAX)).isEqualTo(-1);
    assertThat(after("49bf8877665544332211", X86_64.R15)).isEqualTo(0x1122_3344_5566_7788L);
  }

  @ParameterizedTest
  @CsvSource({
    // flags: 0x800 overflow, 0x80 sign, 0x40 zero, 0x10 adjust, 4 parity, 1 carry; 0x202 stays
    "4883ec10, rsp, ffffc90000000ff0, 286", // sub $0x10,%rsp
    "4881ec00020000, rsp, ffffc90000000e00, 286",
    "4883eb05, rbx, 0, 246", // 5 - 5
    "4883eb06, rbx, ffffffffffffffff, 297", // borrows
    "83eb06, rbx, ffffffff, 297",
    "4983ef01, r15, 7fffffffffffffff, a16", // overflows
    "4883c3fb, rbx, 0, 257", // 5 + -5 carries
    "4801, none, 0, 0",
    "31db, rbx, 0, 246", // xor %ebx,%ebx
    "4885db, none, 0, 206", // test %rbx,%rbx of 5
    "4829cb, rbx, fffffffffffffffe, 293", // 5 - 7
    "4883e3fe, rbx, 4, 202", // and $-2
  })
  void computes(String hex, String name, String value, String flags) {
    if (flags.equals("0")) {
      assertThat(run(hex)).isEmpty(); // cut short
      return;
    }
    if (!name.equals("none")) {
      var register = X86_64.INSTANCE.registers().named(name).orElseThrow();
      assertThat(after(hex, register)).isEqualTo(Long.parseUnsignedLong(value, 16));
    }
    assertThat(Long.toHexString(after(hex, X86_64.RFLAGS))).isEqualTo(flags);
  }

  @Test
  void comparesWithoutWriting() {
    var effect = run("4883fb05").orElseThrow(); // cmp $5,%rbx
    assertThat(effect.registers())
        .containsExactly(
            new Effect.Write(X86_64.RFLAGS, 0x246), new Effect.Write(X86_64.RIP, PC + 4));
  }

  @Test
  void takesAddresses() {
    assertThat(after("488d6c2408", X86_64.RBP)).isEqualTo(SP + 8); // lea 8(%rsp),%rbp
    assertThat(after("4c8d5c2408", X86_64.R11)).isEqualTo(SP + 8);
    assertThat(after("488d0510000000", X86_64.RAX)).isEqualTo(PC + 7 + 0x10); // lea 0x10(%rip)
    assertThat(after("488d044b", X86_64.RAX)).isEqualTo(5 + 14); // lea (%rbx,%rcx,2)
  }

  @Test
  void jumpsAndCalls() {
    assertThat(after("eb10", X86_64.RIP)).isEqualTo(PC + 2 + 0x10);
    assertThat(after("ebfe", X86_64.RIP)).isEqualTo(PC);
    assertThat(after("e9fbffffff", X86_64.RIP)).isEqualTo(PC);
    var call = run("e800010000").orElseThrow();
    assertThat(after("e800010000", X86_64.RIP)).isEqualTo(PC + 5 + 0x100);
    assertThat(call.stores().getFirst().bytes())
        .containsExactly(5, 0, 0, 0x81, 0xff, 0xff, 0xff, 0xff);
    assertThat(after("e800010000", X86_64.RSP)).isEqualTo(SP - 8);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "48",
        "0f",
        "0f1f",
        "0f1f84", // cut short
        "488b03", // reads memory
        "488903", // writes memory
        "f4",
        "cc",
        "c3",
        "0f05",
        "ffe0", // hlt, int3, ret, syscall, jmp *%rax
        "66", // a prefix alone
        "6689c3", // 16 bits
        "f0480fb1",
        "65488b0425",
        "0f0b"
      })
  void refusesTheRest(String hex) {
    assertThat(run(hex)).isEmpty();
  }

  @Test
  void refusesWhatItCannotKnow() {
    var without = registers().without(X86_64.RBX);
    assertThat(
            X86_64.INSTANCE.emulate(HexFormat.of().parseHex("53"), PC, without, Optional.empty()))
        .isEmpty();
    assertThat(
            X86_64.INSTANCE.emulate(
                HexFormat.of().parseHex("4883ec10"),
                PC,
                registers().without(X86_64.RFLAGS),
                Optional.empty()))
        .isEmpty();
  }

  @Test
  void leavesAGuestThatStepsItselfAlone() {
    var stepping = registers().with(X86_64.RFLAGS, 0x346);
    assertThat(
            X86_64.INSTANCE.emulate(HexFormat.of().parseHex("90"), PC, stepping, Optional.empty()))
        .isEmpty();
  }
}
