// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.stop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fathom.base.UnsupportedException;
import org.junit.jupiter.api.Test;

/** For how long targets are held. */
class ChillTest {
  private static final long SECOND = 1_000_000_000L;

  private int asked;

  @Test
  void allCallsOfASecondHaveHalfOfIt() {
    var chill = new Chill(() -> false);
    assertThat(chill.take(Chill.MOST + 1, -5)).isFalse();
    assertThat(chill.take(-1, -5)).isFalse();
    assertThat(chill.take(Chill.MOST - 10, -5)).isTrue();
    assertThat(chill.take(11, SECOND / 2)).isFalse();
    assertThat(chill.take(10, SECOND / 2)).isTrue();
    assertThat(chill.take(1, SECOND - 5)).isFalse();
    assertThat(chill.take(Long.MAX_VALUE, SECOND - 5)).isFalse();
    assertThat(chill.take(Chill.MOST, SECOND - 4)).isTrue();
  }

  @Test
  void whatIsTooMuchIsRefused() {
    var chill = new Chill(() -> true);
    chill.hold(Chill.MOST);
    assertThatThrownBy(() -> chill.hold(1))
        .isInstanceOf(UnsupportedException.class)
        .hasMessageContaining("500000000 ns of each second");
  }

  @Test
  void itEndsWhenTracingIsAskedToEnd() {
    new Chill(() -> ++asked == 2).hold(Chill.MOST);
    assertThat(asked).isEqualTo(2);
  }

  @Test
  void itEndsWhenTheThreadIsInterrupted() {
    Thread.currentThread().interrupt();
    new Chill(() -> ++asked < 0).hold(Chill.MOST);
    assertThat(Thread.interrupted()).isTrue();
    assertThat(asked).isEqualTo(1);
  }
}
