// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model.arch.x86_64;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fathom.model.Registers;
import org.junit.jupiter.api.Test;

class X86_64Test {
  @Test
  void everyRegisterStandsAtItsIndexAndIsFoundByItsName() {
    var file = X86_64.INSTANCE.registers();
    for (int i = 0; i < file.registers().size(); i++) {
      var register = file.registers().get(i);
      assertThat(register.index()).as(register.name()).isEqualTo(i);
      assertThat(file.named(register.name())).contains(register);
    }
  }

  @Test
  void numbersFollowDwarf() {
    assertThat(X86_64.RDX.index()).isEqualTo(1);
    assertThat(X86_64.RSP.index()).isEqualTo(7);
    assertThat(X86_64.RIP.index()).isEqualTo(16);
  }

  @Test
  void rolesAndOtherNames() {
    var file = X86_64.INSTANCE.registers();
    assertThat(file.named("pc")).contains(file.pc());
    assertThat(file.named("eflags")).contains(X86_64.RFLAGS);
    assertThat(file.named("r16")).isEmpty();
  }

  @Test
  void registersKeepWhatIsKnownOnly() {
    var some = Registers.none(X86_64.INSTANCE.registers()).with(X86_64.CR3, 0x1000);
    assertThat(some.get(X86_64.CR3)).hasValue(0x1000);
    assertThat(some.get(X86_64.RAX)).isEmpty();
    assertThat(some.without(X86_64.CR3).get(X86_64.CR3)).isEmpty();
  }
}
