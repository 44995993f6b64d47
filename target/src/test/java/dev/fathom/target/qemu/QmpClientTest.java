// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.qemu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fathom.base.TargetException;
import dev.fathom.testkit.qemu.FakeQmp;
import java.io.IOException;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class QmpClientTest {
  private static final Duration PATIENCE = Duration.ofSeconds(20);
  private static final Duration SHORT = Duration.ofSeconds(2);

  private final FakeQmp qemu = new FakeQmp();

  @AfterEach
  void end() throws IOException {
    qemu.close();
  }

  @Test
  void matchesAnswersToCommandsAndKeepsEvents() {
    qemu.answer("query-status", "{\"status\": \"running\", \"running\": true, \"n\": [1, -2]}")
        .before("query-status", "{\"event\": \"STOP\", \"timestamp\": {}}\n")
        .monitor("info a", "line 1\nline 2 \"quoted\"\n")
        .monitor("info b", "x".repeat(300_000));
    try (QmpClient client = connect(PATIENCE)) {
      assertThat(client.execute("query-status", Map.of()))
          .isEqualTo(Map.of("status", "running", "running", true, "n", List.of(1L, -2L)));
      assertThat(client.monitor(List.of("info a", "info b")))
          .containsExactly("line 1\nline 2 \"quoted\"\n", "x".repeat(300_000));
      qemu.send("{\"event\": \"RESUME\"}\r\n");
      assertThat(client.event(PATIENCE)).contains("STOP");
      assertThat(client.event(PATIENCE)).contains("RESUME");
      assertThat(client.event(Duration.ZERO)).isEmpty();
    }
    assertThat(qemu.commands())
        .containsExactly("qmp_capabilities", "query-status", "info a", "info b");
  }

  @Test
  void tellsQemusWordsWhenACommandIsRefused() {
    try (QmpClient client = connect(PATIENCE)) {
      assertThatThrownBy(() -> client.execute("frob", Map.of("a", "b\n\"c\"", "d", 3, "e", true)))
          .isInstanceOf(TargetException.class)
          .hasMessage("QMP " + qemu.socket() + ": frob: no script for frob");
      assertThat(client.works()).isTrue();
    }
  }

  @Test
  void saysThatAnotherClientMayBeConnectedWhenThereIsNoGreeting() {
    qemu.greeting(new byte[0]);
    assertThatThrownBy(() -> connect(SHORT))
        .isInstanceOf(TargetException.class)
        .hasMessage(
            "QMP "
                + qemu.socket()
                + ": no greeting in 2.0 s; QEMU serves one client at a time, is another one"
                + " connected?");
  }

  @Test
  void refusesOtherProtocols() {
    qemu.greeting("SSH-2.0-OpenSSH_9.2\r\n".getBytes(StandardCharsets.US_ASCII));
    assertThatThrownBy(() -> connect(PATIENCE)).hasMessageContaining("no JSON");
    qemu.greeting("{\"hello\": 1}\n".getBytes(StandardCharsets.US_ASCII));
    assertThatThrownBy(() -> connect(PATIENCE))
        .hasMessageContaining("this is not QEMU's machine protocol");
    qemu.greeting("[1]\n".getBytes(StandardCharsets.US_ASCII));
    assertThatThrownBy(() -> connect(PATIENCE)).hasMessageContaining("no JSON object");
    qemu.greeting("[".repeat(100_000).concat("\n").getBytes(StandardCharsets.US_ASCII));
    assertThatThrownBy(() -> connect(PATIENCE)).hasMessageContaining("no JSON");
    qemu.greeting("{\"QMP\": 1} {}\n".getBytes(StandardCharsets.US_ASCII));
    assertThatThrownBy(() -> connect(PATIENCE)).hasMessageContaining("no JSON object");
  }

  @Test
  void givesUpOnALineWithoutEnd() {
    var endless = new byte[17 << 20];
    Arrays.fill(endless, (byte) ' ');
    qemu.greeting(endless);
    assertThatThrownBy(() -> connect(PATIENCE))
        .isInstanceOf(TargetException.class)
        .hasMessageContaining("a line longer than 16777216 bytes");
  }

  @Test
  void givesUpOnDeeplyNestedAnswers() {
    qemu.answer("deep", "[".repeat(5000) + "]".repeat(5000));
    try (QmpClient client = connect(PATIENCE)) {
      assertThatThrownBy(() -> client.execute("deep", Map.of()))
          .isInstanceOf(TargetException.class)
          .hasMessageContaining("no JSON");
      assertThat(client.works()).isFalse();
    }
  }

  @Test
  void tellsOfTheEndOfTheConnection() {
    try (QmpClient client = connect(PATIENCE)) {
      qemu.hangUp();
      assertThatThrownBy(() -> client.execute("query-status", Map.of()))
          .isInstanceOf(TargetException.class);
      assertThat(client.works()).isFalse();
      assertThatThrownBy(() -> client.execute("query-status", Map.of()))
          .hasMessageContaining("the connection is gone");
    }
  }

  @Test
  void givesUpOnAnAnswerThatDoesNotCome() {
    try (QmpClient client = connect(SHORT)) {
      qemu.silence("slow").before("slow", "{\"return\": 1, \"id\": 77}\n");
      assertThatThrownBy(() -> client.execute("slow", Map.of()))
          .isInstanceOf(TargetException.class)
          .hasMessageContaining("slow: no answer in 2.0 s");
    }
  }

  @Test
  void saysWhenNobodyListens(@TempDir Path directory) {
    SocketAddress nowhere = UnixDomainSocketAddress.of(directory.resolve("none"));
    assertThatThrownBy(() -> QmpClient.connect(nowhere, PATIENCE))
        .isInstanceOf(TargetException.class)
        .hasMessageContaining("cannot connect");
  }

  private QmpClient connect(Duration timeout) {
    return QmpClient.connect(UnixDomainSocketAddress.of(qemu.socket()), timeout);
  }
}
