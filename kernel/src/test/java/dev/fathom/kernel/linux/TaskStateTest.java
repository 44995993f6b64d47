// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TaskStateTest {
  @ParameterizedTest
  @CsvSource({
    "0x0, 0x0, R",
    "0x1, 0x0, S",
    "0x2, 0x0, D",
    "0x102, 0x0, D",
    "0x402, 0x0, I",
    "0x4, 0x0, T",
    "0x104, 0x0, T",
    "0x8, 0x0, t",
    "0x80, 0x10, X",
    "0x80, 0x20, Z",
    "0x0, 0x20, Z",
    "0x40, 0x0, P",
    "0x1000, 0x0, D",
    "0x8000, 0x0, D",
    "0x200, 0x0, R"
  })
  void lettersAreThoseOfPs(String state, String exitState, char letter) {
    assertThat(TaskState.letter(Long.decode(state), Long.decode(exitState))).isEqualTo(letter);
  }
}
