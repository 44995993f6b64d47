// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.stop;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fathom.model.arch.x86_64.X86_64;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Where functions return, over functions made of bytes. */
class FunctionsTest {
  private final CodeProgram code = new CodeProgram(X86_64.INSTANCE);
  private final Functions functions = new Functions(code, "vmlinux");

  private List<Long> elsewhere(String name) {
    var symbol = code.function(name);
    return functions.returnsElsewhere(symbol.address(), symbol.size());
  }

  @Test
  void returnsAreInTheFunctionItself() {
    code.add(0x100, "f", "90 c3 90 c3");
    assertThat(functions.returns(0x100, 4)).containsExactly(0x101L, 0x103L);
    assertThat(elsewhere("f")).isEmpty();
  }

  /** {@code __x64_sys_read: jmp ksys_read}; {@code ksys_read: ret}. */
  @Test
  void jumpsToFunctionsAreFollowed() {
    code.add(0x100, "__x64_sys_read", "eb fe");
    code.jump(0x100, 0x200);
    code.add(0x200, "ksys_read", "90 c3");
    assertThat(functions.returns(0x100, 2)).isEmpty();
    assertThat(elsewhere("__x64_sys_read")).containsExactly(0x201L);
  }

  @Test
  void chainsAndCirclesOfJumpsEnd() {
    code.add(0x100, "a", "eb 00");
    code.jump(0x100, 0x140);
    code.add(0x140, "b", "74 00 eb 00");
    code.jump(0x140, 0x160);
    code.jump(0x142, 0x100);
    code.add(0x160, "c", "c3");
    assertThat(elsewhere("a")).containsExactly(0x160L);
  }

  /**
   * A cold part is entered anywhere; a function that is jumped into elsewhere is not left by it.
   */
  @Test
  void coldPartsBelongToTheirFunction() {
    code.add(0x100, "f", "74 00 c3");
    code.jump(0x100, 0x143);
    code.add(0x140, "f.cold", "90 90 90 90 c3");
    code.add(0x180, "g", "eb 00");
    code.jump(0x180, 0x102);
    assertThat(elsewhere("f")).containsExactly(0x144L);
    assertThat(elsewhere("g")).isEmpty();
  }

  /** What a register holds is not known before it runs; the thunk's own return is none. */
  @Test
  void thunksAreNoFunctions() {
    code.add(0x100, "f", "eb 00");
    code.jump(0x100, 0x140);
    code.add(0x140, "__x86_indirect_thunk_rax", "c3");
    code.add(0x180, "g", "eb 00");
    code.jump(0x180, 0x1a0);
    code.add(0x1a0, "__x86_return_thunk", "c3");
    assertThat(elsewhere("f")).isEmpty();
    assertThat(elsewhere("g")).isEmpty();
    assertThat(functions.returns(0x180, 2)).containsExactly(0x180L);
  }
}
