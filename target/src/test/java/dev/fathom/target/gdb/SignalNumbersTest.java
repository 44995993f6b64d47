// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.gdb;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class SignalNumbersTest {
  @Test
  void numbersOfTheProtocolAreNotLinuxs() {
    assertThat(SignalNumbers.toLinux(11)).hasValue(11); // SIGSEGV
    assertThat(SignalNumbers.toLinux(30)).hasValue(10); // SIGUSR1
    assertThat(SignalNumbers.toLinux(10)).hasValue(7); // SIGBUS
    assertThat(SignalNumbers.toLinux(45)).hasValue(33);
    assertThat(SignalNumbers.toLinux(7)).isEmpty(); // SIGEMT, which Linux has not
    assertThat(SignalNumbers.toLinux(255)).isEmpty();
    assertThat(SignalNumbers.ofLinux(16)).isEmpty(); // SIGSTKFLT, which the protocol has not
    for (int number = 1; number <= 64; number++) {
      var there = SignalNumbers.ofLinux(number);
      if (there.isPresent()) {
        assertThat(SignalNumbers.toLinux(there.getAsInt())).as("" + number).hasValue(number);
      }
    }
  }
}
