// SPDX-License-Identifier: Apache-2.0
package dev.fathom.testkit.lab;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fathom.base.BadDataException;
import java.math.BigDecimal;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JsonTest {
  @Test
  void readsEveryKindOfValue() {
    assertThat(
            Json.read(" {\"a\": [1, -2.5e1, true, false, null, \"x\\n\\u00e9\\\"\"], \"b\": {}} "))
        .isEqualTo(
            Map.of(
                "a",
                Arrays.asList(
                    new BigDecimal(1), new BigDecimal("-2.5e1"), true, false, null, "x\n\u00e9\""),
                "b",
                Map.of()));
  }

  @Test
  void readsBackWhatItWrote() {
    Object value =
        Map.of("k\n\"\\", List.of("\t", new BigDecimal("1.50"), List.of(), Map.of(), true));

    assertThat(Json.read(Json.write(value))).isEqualTo(value);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "{", "[1,", "\"a", "\"\\x\"", "\"\\u12g4\"", "{\"a\" 1}", "1 2", "tru", "-"})
  void refusesWhatIsNoJson(String text) {
    assertThatThrownBy(() -> Json.read(text)).isInstanceOf(BadDataException.class);
  }

  @Test
  void refusesDeepNesting() {
    assertThatThrownBy(() -> Json.read("[".repeat(100_000)))
        .isInstanceOf(BadDataException.class)
        .hasMessageContaining("nested");
  }
}
