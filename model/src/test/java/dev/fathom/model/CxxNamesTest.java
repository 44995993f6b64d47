// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class CxxNamesTest {
  @Test
  void parametersAreWhatTheLastBracketCloses() {
    assertThat(CxxNames.parameters("f(int, void (*)(int)) const")).isEqualTo(1);
    assertThat(CxxNames.parameters("(anonymous namespace)::f(int)")).isEqualTo(24);
    assertThat(CxxNames.parameters("f")).isEqualTo(-1);
    assertThat(CxxNames.parameters("f)")).isEqualTo(-1);
  }

  @Test
  void onlyWhatEndsWithThemHasParameters() {
    assertThat(CxxNames.withoutParameters("C::f(int) const")).isEqualTo("C::f");
    assertThat(CxxNames.withoutParameters("f(int) [clone .cold]"))
        .isEqualTo("f(int) [clone .cold]");
    assertThat(CxxNames.withoutParameters("plain")).isEqualTo("plain");
  }
}
