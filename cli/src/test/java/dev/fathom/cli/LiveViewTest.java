// SPDX-License-Identifier: Apache-2.0
package dev.fathom.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

/** Aggregations over each other on a terminal, else one after the other. */
class LiveViewTest {
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private int drawn;

  private void aggregations(OutputStream to) {
    drawn++;
    try {
      for (int line = 1; line <= 6; line++) {
        to.write(("line " + line + " of " + drawn + "\n").getBytes(StandardCharsets.US_ASCII));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private LiveView view(OptionalInt lines, long interval) {
    return new LiveView(out, interval, () -> lines, () -> "head", this::aggregations);
  }

  @Test
  void onATerminalTheLastLinesThatThereIsRoomFor() throws IOException {
    try (var view = view(OptionalInt.of(5), 1)) {
      view.show();
      view.show();
    }
    assertThat(out)
        .hasToString(
            "\033[H\033[Jhead\n\nline 5 of 1\nline 6 of 1\n"
                + "\033[H\033[Jhead\n\nline 5 of 2\nline 6 of 2\n\033[H\033[J");
  }

  @Test
  void allOfThemWhereThereIsRoom() throws IOException {
    try (var view = view(OptionalInt.of(50), 1)) {
      view.show();
    }
    assertThat(out.toString(StandardCharsets.US_ASCII))
        .startsWith("\033[H\033[Jhead\nline 1 of 1\n")
        .contains("line 6 of 1\n");
  }

  @Test
  void withoutOneTheyFollowEachOther() throws IOException {
    try (var view = view(OptionalInt.empty(), 1)) {
      view.show();
      view.update();
    }
    assertThat(out.toString(StandardCharsets.US_ASCII))
        .startsWith("line 1 of 1\n")
        .endsWith("line 6 of 2\n")
        .doesNotContain("\033");
  }

  @Test
  void notBeforeItIsTime() throws IOException {
    try (var view = view(OptionalInt.empty(), Long.MAX_VALUE / 4)) {
      view.update();
      assertThat(view.until(7)).isEqualTo(7);
    }
    assertThat(out.size()).isZero();
  }
}
