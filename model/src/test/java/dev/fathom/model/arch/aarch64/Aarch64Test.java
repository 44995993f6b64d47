// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model.arch.aarch64;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class Aarch64Test {
  @Test
  void indexesAreTheNumbersOfDwarf() {
    var file = Aarch64.INSTANCE.registers();
    for (int i = 0; i < file.registers().size(); i++) {
      assertThat(file.registers().get(i).index()).isEqualTo(i);
      assertThat(file.named(file.registers().get(i).name())).contains(file.registers().get(i));
    }
    assertThat(Aarch64.x(30).index()).isEqualTo(30);
    assertThat(file.sp().index()).isEqualTo(31);
    assertThat(file.pc().index()).isEqualTo(32);
  }

  @Test
  void rolesHaveNames() {
    var file = Aarch64.INSTANCE.registers();
    assertThat(file.named("fp")).contains(Aarch64.x(29)).contains(file.fp());
    assertThat(file.named("lr")).contains(Aarch64.x(30));
    assertThat(file.named("cpsr")).contains(Aarch64.PSTATE);
    assertThat(file.named("x31")).isEmpty();
  }
}
