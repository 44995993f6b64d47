// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.crash;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fathom.command.Fixture;
import org.junit.jupiter.api.Test;

class CrashCommandsTest {
  @Test
  void noTaskPanickedInAHealthyKernel() {
    var fixture = Fixture.healthy();

    assertThat(fixture.text("set -p")).isEqualTo("fathom: this kernel did not panic\n");
    assertThat(fixture.text("set")).contains("PID 2");
  }

  @Test
  void aCpuWhoseTaskIsNotKnownIsNotAnotherTask() {
    var fixture = Fixture.healthy();

    assertThat(fixture.text("bt -c 1"))
        .isEqualTo("fathom: CPU 1: which task is on it is not known\n");
    assertThat(fixture.text("bt -a"))
        .contains("PID: 2 ", "fathom: CPU 1: which task is on it is not known");
  }

  /** Behind what is looked at stands memory that cannot be read. */
  @Test
  void resultsComeOneByOne() {
    var fixture = new Fixture();

    assertThat(fixture.text("rd -8 ffff888000007000 16000000 | ::head -n 3"))
        .isEqualTo("0\n0\n0\n");
    assertThat(fixture.text("struct point.y ffff888000007000 16000000 | ::head -n 3"))
        .isEqualTo("0\n0\n0\n");
    assertThat(fixture.text("list 48 ffff888000003000 | ::head -n 1"))
        .isEqualTo("0xffff888000003000\n");
  }
}
