// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class TaintTest {
  @Test
  void lettersAsInTheKernelsMessages() {
    assertThat(Taint.letters(0)).isEmpty();
    assertThat(Taint.letters(1)).isEqualTo("P");
    assertThat(Taint.letters(1 << 7 | 1 << 9)).isEqualTo("GDW");
    assertThat(Taint.letters(1L << 12 | 1L << 13 | 1)).isEqualTo("POE");
  }
}
