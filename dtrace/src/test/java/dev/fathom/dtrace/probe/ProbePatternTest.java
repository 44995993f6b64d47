// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.probe;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ProbePatternTest {
  @ParameterizedTest
  @CsvSource(
      value = {
        "''|anything|true",
        "read|read|true",
        "read|reads|false",
        "re*|read|true",
        "*ad|read|true",
        "r*a*d|read|true",
        "r?ad|read|true",
        "r?d|read|false",
        "[rw]ead|wead|true",
        "[a-f]x|dx|true",
        "[a-f]x|gx|false",
        "[!a-f]x|gx|true",
        "[]]x|]x|true",
        "[ab|[ab|true",
        "a\\*b|a*b|true",
        "a\\*b|axb|false",
        "*a*a*a*a*a*a*a*b|aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa|false"
      },
      delimiter = '|')
  void matches(String pattern, String name, boolean expected) {
    assertThat(ProbePattern.matches(pattern, name)).isEqualTo(expected);
  }

  @Test
  void fieldsAreFilledFromTheRight() {
    assertThat(ProbePattern.of(List.of("read", "entry")))
        .isEqualTo(new ProbePattern("", "", "read", "entry"));
    assertThat(ProbePattern.of(List.of("a", "b", "c", "d")).toString()).isEqualTo("a:b:c:d");
  }
}
