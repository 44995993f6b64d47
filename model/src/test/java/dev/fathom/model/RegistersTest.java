// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fathom.model.arch.aarch64.Aarch64;
import dev.fathom.model.arch.x86_64.X86_64;
import org.junit.jupiter.api.Test;

class RegistersTest {
  private static final RegisterFile FILE = X86_64.INSTANCE.registers();

  @Test
  void whatIsNotKnownIsAbsent() {
    var none = Registers.none(FILE);
    assertThat(none.get(X86_64.RAX)).isEmpty();
    var some = none.with(X86_64.RAX, 7).with(X86_64.RIP, 8);
    assertThat(some.get(X86_64.RAX)).hasValue(7);
    assertThat(some.pc()).hasValue(8);
    assertThat(none.get(X86_64.RAX)).isEmpty();
    assertThat(some.without(X86_64.RAX).get(X86_64.RAX)).isEmpty();
  }

  @Test
  void aRegisterOfAnotherFileIsAbsentWhateverItsPlace() {
    var all = Registers.builder(FILE);
    FILE.registers().forEach(register -> all.set(register, 1));
    var values = all.build();
    for (var other : Aarch64.INSTANCE.registers().registers()) {
      if (!FILE.registers().contains(other)) {
        assertThat(values.get(other)).as(other.name()).isEmpty();
      }
    }
    assertThat(values.get(Aarch64.x(0))).isEmpty();
    assertThat(values.get(new Register("rax", 10_000, 64))).isEmpty();
    assertThatThrownBy(() -> values.with(Aarch64.x(0), 1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("x0");
    assertThatThrownBy(() -> Registers.builder(FILE).set(Aarch64.x(0), 1))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> values.without(Aarch64.x(0)))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
