// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fathom.testkit.Golden;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What commands show over {@link Fixture}. One cell: {@code -Dgolden=print/members}; to accept what
 * it shows now, add {@code -Dgolden.update=true}.
 */
class GoldenTest {
  private static final Path FOLDER = Path.of("src/test/golden");

  static List<Golden.Cell> cells() {
    return Golden.cells(FOLDER);
  }

  @ParameterizedTest
  @MethodSource("cells")
  void shows(Golden.Cell cell) {
    Golden.check(cell, new Fixture()::text);
  }

  @Test
  void thereAreCells() {
    assertThat(System.getProperty("golden") == null ? cells().size() : 99).isGreaterThan(25);
  }
}
