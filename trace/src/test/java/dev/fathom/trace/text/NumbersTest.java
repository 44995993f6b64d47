// SPDX-License-Identifier: Apache-2.0
package dev.fathom.trace.text;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** Expected texts are what glibc's printf writes. */
class NumbersTest {
  @Test
  void generalNumbers() {
    assertThat(Numbers.general(0.00395739f, 6, false)).isEqualTo("0.00395739");
    assertThat(Numbers.general(6.80396e-05, 6, false)).isEqualTo("6.80396e-05");
    assertThat(Numbers.general(100000, 6, false)).isEqualTo("100000");
    assertThat(Numbers.general(1000000, 6, false)).isEqualTo("1e+06");
    assertThat(Numbers.general(999999.5, 6, false)).isEqualTo("1e+06");
    assertThat(Numbers.general(0, 6, false)).isEqualTo("0");
    assertThat(Numbers.general(-0.0, 6, false)).isEqualTo("-0");
    assertThat(Numbers.general(1.5, 3, true)).isEqualTo("1.50");
    assertThat(Numbers.general(1e300, 0, false)).isEqualTo("1e+300");
    assertThat(Numbers.general(Double.NaN, 6, false)).isEqualTo("nan");
    assertThat(Numbers.general(Double.NEGATIVE_INFINITY, 6, false)).isEqualTo("-inf");
  }

  @Test
  void roundingIsOfTheExactValue() {
    assertThat(Numbers.fixed(0.125, 2)).isEqualTo("0.12");
    assertThat(Numbers.fixed(1.005, 2)).isEqualTo("1.00");
    assertThat(Numbers.fixed(2.5, 0)).isEqualTo("2");
    assertThat(Numbers.scientific(12345.678, 2)).isEqualTo("1.23e+04");
    assertThat(Numbers.scientific(0, 1)).isEqualTo("0.0e+00");
  }

  @Test
  void times() {
    assertThat(Times.seconds(42_612_008_050L)).isEqualTo("42.612008050");
    assertThat(Times.seconds(5)).isEqualTo(" 0.000000005");
    assertThat(Times.millis(5_442_499)).isEqualTo("5.442");
    assertThat(Times.millis(500)).isEqualTo("0.001");
    assertThat(Times.exactMillis(16_870)).isEqualTo("0.016870");
    assertThat(Times.human(0)).isEqualTo("0");
    assertThat(Times.human(999)).isEqualTo("999.00 ns");
    assertThat(Times.human(76_200_000_000L)).isEqualTo("1.27 m");
  }
}
