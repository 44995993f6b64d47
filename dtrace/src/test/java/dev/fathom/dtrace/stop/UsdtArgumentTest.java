// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.stop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fathom.base.UnsupportedException;
import dev.fathom.model.HeapMemory;
import dev.fathom.model.Layout;
import dev.fathom.model.Registers;
import dev.fathom.model.arch.x86_64.X86_64;
import org.junit.jupiter.api.Test;

/** Arguments as the assembler is given them. */
class UsdtArgumentTest {
  private static final long VALUE = 0x1122_3344_5566_88ffL;

  private final Registers registers =
      Registers.none(X86_64.INSTANCE.registers())
          .with(X86_64.RAX, VALUE)
          .with(X86_64.RBX, 0x1000)
          .with(X86_64.R9, 3);

  private final HeapMemory memory = new HeapMemory("memory", Layout.LITTLE_64).put(0xff0, bytes());

  private static byte[] bytes() {
    var bytes = new byte[64];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) (0x80 + i);
    }
    return bytes;
  }

  private long value(String text) {
    return UsdtArgument.parse(text).getFirst().value(registers, memory);
  }

  @Test
  void registersOfEveryWidth() {
    assertThat(value("8@%rax")).isEqualTo(VALUE);
    assertThat(value("-4@%eax")).isEqualTo(0x5566_88ff);
    assertThat(value("2@%ax")).isEqualTo(0x88ff);
    assertThat(value("-2@%ax")).isEqualTo((short) 0x88ff);
    assertThat(value("1@%al")).isEqualTo(0xff);
    assertThat(value("1@%ah")).isEqualTo(0x88);
    assertThat(value("4@%r9d")).isEqualTo(3);
  }

  @Test
  void constantsAndMemory() {
    assertThat(value("-4@$-5")).isEqualTo(-5);
    assertThat(value("8@$0xff")).isEqualTo(0xff);
    assertThat(value("1@(%rbx)")).isEqualTo(0x90);
    assertThat(value("1@-16(%rbx)")).isEqualTo(0x80);
    assertThat(value("2@0x2(%rbx)")).isEqualTo(0x9392);
    assertThat(value("1@8(%rbx,%r9,4)")).isEqualTo(0x90 + 20);
    assertThat(value("-1@(%rbx,%r9)")).isEqualTo((byte) 0x93);
  }

  @Test
  void formsThatAreNotReadAreToldWhenTheyAreAskedFor() {
    var two = UsdtArgument.parse("8@counter+4(%rip) 4@$1");
    assertThat(two).hasSize(2);
    assertThat(two.get(1).value(registers, memory)).isEqualTo(1);
    assertThatThrownBy(() -> two.getFirst().value(registers, memory))
        .isInstanceOf(UnsupportedException.class)
        .hasMessage("the argument 8@counter+4(%rip) is not read");
    assertThat(UsdtArgument.parse("")).isEmpty();
    assertThat(UsdtArgument.parse("8@$9999999999999999999").getFirst().operand()).isPresent();
  }
}
