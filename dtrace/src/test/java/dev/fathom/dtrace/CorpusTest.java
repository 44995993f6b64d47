// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fathom.testkit.Golden;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * D programs and what they record over {@link Scenario}'s events, or the error that they end in.
 * One cell: {@code -Dgolden=subroutines}; to accept what it shows now, add {@code
 * -Dgolden.update=true}.
 */
class CorpusTest {
  private static final Path FOLDER = Path.of("src/test/golden/language");

  static List<Golden.Cell> cells() {
    return Golden.cells(FOLDER);
  }

  @ParameterizedTest
  @MethodSource("cells")
  void records(Golden.Cell cell) {
    Golden.check(cell, Scenario::run);
  }

  @Test
  void thereAreManyPrograms() throws IOException {
    long programs = 0;
    for (var cell : System.getProperty("golden") == null ? cells() : List.<Golden.Cell>of()) {
      programs += Files.readAllLines(cell.file()).stream().filter(l -> l.startsWith("> ")).count();
    }
    assertThat(System.getProperty("golden") == null ? programs : 999).isGreaterThan(350);
  }
}
