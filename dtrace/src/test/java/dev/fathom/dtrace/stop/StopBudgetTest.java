// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.stop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fathom.base.UsageException;
import dev.fathom.dtrace.stop.StopBudget.Verdict;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What is thought of made-up times. */
class StopBudgetTest {
  private static final long SECOND = 1_000_000_000L;

  private final StopBudget budget = StopBudget.of(Map.of("stopbudget", "90"), 0);
  private long now;
  private long still;

  private Verdict second(int percent) {
    now += SECOND;
    still += SECOND / 100 * percent;
    return budget.look(now, still);
  }

  @Test
  void muchIsToldOnce() {
    assertThat(second(50)).isEqualTo(Verdict.FINE);
    assertThat(second(80)).isEqualTo(Verdict.MUCH);
    assertThat(budget.share()).isEqualTo(80);
    assertThat(second(80)).isEqualTo(Verdict.FINE);
    assertThat(budget.look(now + SECOND / 2, still)).isEqualTo(Verdict.OPEN);
  }

  @Test
  void fiveSecondsOverTheBudgetAreTooMany() {
    assertThat(second(95)).isEqualTo(Verdict.MUCH);
    for (int i = 0; i < 3; i++) {
      assertThat(second(95)).isEqualTo(Verdict.FINE);
    }
    assertThat(second(95)).isEqualTo(Verdict.OVER);
    for (int i = 0; i < 4; i++) {
      assertThat(second(95)).isEqualTo(Verdict.FINE);
    }
    assertThat(second(20)).isEqualTo(Verdict.FINE);
    assertThat(second(95)).isEqualTo(Verdict.FINE);
  }

  @Test
  void aBudgetOfEverythingIsNeverOver() {
    var all = StopBudget.of(Map.of("stopbudget", "100"), 0);
    for (int i = 1; i < 20; i++) {
      assertThat(all.look(i * SECOND, i * SECOND)).isNotEqualTo(Verdict.OVER);
    }
  }

  @Test
  void othersThanSharesAreRefused() {
    for (var wrong : new String[] {"0", "101", "", "x", "-5"}) {
      assertThatThrownBy(() -> StopBudget.of(Map.of("stopbudget", wrong), 0))
          .isInstanceOf(UsageException.class)
          .hasMessage(
              "option stopbudget: '" + wrong + "', expected a share in percent from 1 to 100");
    }
  }
}
