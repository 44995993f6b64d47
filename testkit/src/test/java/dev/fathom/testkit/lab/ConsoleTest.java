// SPDX-License-Identifier: Apache-2.0
package dev.fathom.testkit.lab;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fathom.base.TargetException;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConsoleTest {
  private static final Duration LONG = Duration.ofSeconds(20);

  @TempDir private Path directory;
  private SocketChannel guest;
  private Console console;

  @BeforeEach
  void connect() throws IOException {
    try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      UnixDomainSocketAddress address = UnixDomainSocketAddress.of(directory.resolve("s"));
      server.bind(address);
      guest = SocketChannel.open(address);
      console = new Console(server.accept());
    }
  }

  @AfterEach
  void disconnect() throws IOException {
    guest.close();
    console.close();
  }

  @Test
  void waitsForAMarkerThatComesInPieces() throws IOException {
    say("[    0.1] hello\r\nLAB-RE");
    say("ADY\r\n");
    console.await("LAB-READY", LONG, () -> true);

    assertThat(console.text()).isEqualTo("[    0.1] hello\nLAB-READY\n");
  }

  @Test
  void tellsThatTheGuestPanickedInstead() throws IOException {
    say("---[ end Kernel panic - not syncing: oh ]---\r\n");

    assertThatThrownBy(() -> console.await("LAB-READY", LONG, () -> true))
        .isInstanceOf(TargetException.class)
        .hasMessageContaining("panicked")
        .hasMessageContaining("not syncing: oh");
    console.await(Console.PANIC_END, LONG, () -> true);
  }

  @Test
  void tellsThatTheGuestFailed() throws IOException {
    say("LAB-FAILED mount\n");

    assertThatThrownBy(() -> console.await("LAB-READY", LONG, () -> true))
        .hasMessageContaining("failed");
  }

  @Test
  void tellsThatTheTimeIsOver() {
    assertThatThrownBy(() -> console.await("LAB-READY", Duration.ZERO, () -> true))
        .isInstanceOf(TargetException.class)
        .hasMessageContaining("within 0 s");
  }

  @Test
  void tellsThatTheGuestEnded() throws IOException {
    say("bye");
    guest.close();

    assertThatThrownBy(() -> console.await("LAB-READY", LONG, () -> true))
        .hasMessageContaining("ended")
        .hasMessageContaining("bye");
  }

  @Test
  void types() throws IOException {
    console.send("c");

    ByteBuffer got = ByteBuffer.allocate(4);
    assertThat(guest.read(got)).isEqualTo(1);
    assertThat(got.get(0)).isEqualTo((byte) 'c');
  }

  private void say(String text) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII));
    while (bytes.hasRemaining()) {
      assertThat(guest.write(bytes)).isPositive();
    }
  }
}
