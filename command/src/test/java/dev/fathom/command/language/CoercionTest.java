// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.language;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fathom.base.EvalException;
import dev.fathom.base.FaultException;
import dev.fathom.command.Fixture;
import dev.fathom.kernel.Kernel;
import dev.fathom.model.HeapMemory;
import dev.fathom.model.Layout;
import dev.fathom.model.Value;
import dev.fathom.model.type.ArrayType;
import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

class CoercionTest {
  private static final long FIRST = 0xffff888000001000L;
  private static final String TASK = "struct task";
  private final Kernel kernel = new Fixture().session().kernel();
  private final Coercion coercion = new Coercion(kernel);

  private Value ref(String type, long address) {
    return new Value.Ref(kernel.program(), kernel.program().types().parse(type), address);
  }

  private Value number(String type, long bits) {
    return new Value.Imm(kernel.program(), kernel.program().types().parse(type), bits);
  }

  private void becomesTheFirstTask(Value value) {
    var result = coercion.to(value, TASK);
    assertThat(result.type().text()).isEqualTo(TASK);
    assertThat(result.address()).isEqualTo(FIRST);
  }

  @Test
  void aStructureAPointerAnAddressAndAnIdBecomeTheStructure() {
    becomesTheFirstTask(ref(TASK, FIRST));
    becomesTheFirstTask(number("struct task *", FIRST));
    becomesTheFirstTask(number("void *", FIRST));
    becomesTheFirstTask(coercion.address(FIRST));
    becomesTheFirstTask(coercion.address(1));
    becomesTheFirstTask(number("pid_t", 1));
  }

  @Test
  void aPlaceThatHoldsAPointerIsFollowed() {
    becomesTheFirstTask(ref("struct task *", FIRST + 0x28));
  }

  @Test
  void aPlaceThatHoldsAnAddressOrAnIdIsFollowed() {
    becomesTheFirstTask(ref("void *", FIRST + 0x28));
    becomesTheFirstTask(ref("uintptr_t", FIRST + 0x28));
    becomesTheFirstTask(ref("pid_t", FIRST + 0x10));
    assertThatThrownBy(() -> coercion.to(ref("struct gift *", FIRST + 0x28), TASK))
        .hasMessage("expected struct task, but got struct gift");
  }

  @Test
  void aPlaceThatCannotBeReadIsAnError() {
    assertThatThrownBy(() -> coercion.to(ref("void *", 0x1000), TASK))
        .isInstanceOf(FaultException.class);
  }

  @Test
  void pointersToPointersAndNullPointersAreRefused() {
    assertThatThrownBy(() -> coercion.to(number("struct task **", FIRST + 0x28), TASK))
        .hasMessage("expected struct task, but got struct task **");
    var pointers =
        new ArrayType(() -> kernel.program().types().parse("struct task *"), OptionalLong.of(2));
    var place = new Value.Ref(kernel.program(), pointers, FIRST + 0x28);
    assertThatThrownBy(() -> coercion.to(place, TASK))
        .hasMessage("expected struct task, but got struct task *[2]");
    assertThatThrownBy(() -> coercion.to(number("void *", 1), TASK))
        .hasMessage("0x1 is not the address of a struct task");
  }

  @Test
  void anotherViewStaysInItsAddressSpace() {
    var space = new HeapMemory("elsewhere", Layout.LITTLE_64);
    var types = kernel.program().types();
    var task = new Value.Ref(kernel.program(), types.parse(TASK), space, 0x10, 0, 0);
    for (var place : List.of(task.member("tasks"), task.member("comm"))) {
      assertThat(coercion.to(place, TASK))
          .isInstanceOfSatisfying(
              Value.Ref.class, seen -> assertThat(seen.space()).isSameAs(space));
    }
  }

  @Test
  void aStructureThatBeginsWithTheOtherIsTaken() {
    becomesTheFirstTask(ref("struct list_head", FIRST));
    assertThat(coercion.to(ref(TASK, FIRST), "struct list_head").type().text())
        .isEqualTo("struct list_head");
  }

  @Test
  void anotherStructureIsRefused() {
    assertThatThrownBy(() -> coercion.to(ref("struct point", FIRST), TASK))
        .isInstanceOf(EvalException.class)
        .hasMessage("expected struct task, but got struct point");
    assertThatThrownBy(() -> coercion.to(number("struct gift *", FIRST), TASK))
        .isInstanceOf(EvalException.class);
  }

  @Test
  void aSmallNumberThatIsNoIdIsRefused() {
    assertThatThrownBy(() -> coercion.to(coercion.address(77), TASK))
        .isInstanceOf(EvalException.class)
        .hasMessageContaining("neither the address");
  }

  @Test
  void withoutTheTypeTheValueStaysAsItIs() {
    var value = coercion.address(FIRST);
    assertThat(coercion.to(value, "struct nosuch")).isSameAs(value);
  }
}
