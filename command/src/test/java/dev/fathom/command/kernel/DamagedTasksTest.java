// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fathom.command.Fixture;
import org.junit.jupiter.api.Test;

/** Tasks whose ids are missing or not their own: they are listed, and hide no other. */
class DamagedTasksTest {
  private final Fixture fixture = Fixture.damaged();

  @Test
  void aNumberThatCannotBeReadIsNotZero() {
    assertThat(fixture.text("::ps").lines().map(line -> line.replaceAll(" +", " ")))
        .contains("S 2 - ffff888000004000 same", "S - - ffff888000005000 none");
    assertThat(fixture.json("::ps")).contains("\"pid\":null,\"ppid\":null");
    assertThat(fixture.text("::pgrep -n .*").lines().toList().getLast()).contains("name");
  }

  @Test
  void theTreeShowsEachOnce() {
    assertThat(fixture.text("::ptree"))
        .isEqualTo(
            """
            ffff888000001000  1  init
                 ffff888000002000  2  sh
                 ffff888000003000  300  bad\\x01name
            ffff888000004000  2  same
            ffff888000005000  <not readable>  none
            """);
  }
}
