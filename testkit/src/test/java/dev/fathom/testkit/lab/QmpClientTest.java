// SPDX-License-Identifier: Apache-2.0
package dev.fathom.testkit.lab;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fathom.base.TargetException;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.math.BigDecimal;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class QmpClientTest {
  private static final String GREETING =
      """
      {"QMP": {"version": {"qemu": {"major": 7}}, "capabilities": []}}
      {"return": {}}
      """;

  private final ByteArrayOutputStream sent = new ByteArrayOutputStream();

  @Test
  void passesOverEventsAndReturnsTheAnswer() {
    QmpClient client =
        client(
            GREETING
                + """
                {"timestamp": {"seconds": 1, "microseconds": 2}, "event": "STOP"}
                {"return": {"formats": ["elf", "kdump-zlib"], "n": 3, "on": true}}
                """);

    assertThat(client.execute("query-dump", Map.of("paging", false, "protocol", "file:/a \"b\"")))
        .isEqualTo(
            Map.of("formats", List.of("elf", "kdump-zlib"), "n", new BigDecimal(3), "on", true));
    assertThat(client.events()).containsExactly("STOP");
    List<String> lines = sent.toString(StandardCharsets.UTF_8).lines().toList();
    assertThat(lines.getFirst()).isEqualTo("{\"execute\":\"qmp_capabilities\",\"arguments\":{}}");
    assertThat(Json.read(lines.getLast()))
        .isEqualTo(
            Map.of(
                "execute",
                "query-dump",
                "arguments",
                Map.of("paging", false, "protocol", "file:/a \"b\"")));
  }

  @Test
  void tellsQemusWordsWhenACommandFails() {
    QmpClient client =
        client(GREETING + "{\"error\": {\"class\": \"GenericError\", \"desc\": \"no such\"}}\n");

    assertThatThrownBy(() -> client.execute("frob", Map.of()))
        .isInstanceOf(TargetException.class)
        .hasMessage("QMP: frob: no such");
  }

  @Test
  void tellsThatTheConnectionEnded() {
    QmpClient client = client(GREETING);

    assertThatThrownBy(() -> client.execute("quit", Map.of()))
        .isInstanceOf(TargetException.class)
        .hasMessage("QMP: the connection ended");
  }

  @Test
  void refusesWhatDoesNotGreet() {
    assertThatThrownBy(() -> client("{\"return\": {}}\n"))
        .isInstanceOf(TargetException.class)
        .hasMessageContaining("greeting");
  }

  private QmpClient client(String script) {
    return new QmpClient(
        Channels.newChannel(new ByteArrayInputStream(script.getBytes(StandardCharsets.UTF_8))),
        Channels.newChannel(sent));
  }
}
