// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.gdb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fathom.base.BadDataException;
import dev.fathom.testkit.Fuzz;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PacketReaderTest {
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 1000})
  void takesFramesOutOfPiecesOfAnySize(int piece) throws IOException {
    String stream =
        "+" + frame("OK") + "-" + frame("0* ") + "%" + frame("Stop:T05").substring(1) + frame("");
    assertThat(events(new ArrayWire(stream.getBytes(StandardCharsets.ISO_8859_1), piece)))
        .containsExactly(
            "ACK", "PACKET OK", "NAK", "PACKET 0000", "NOTIFICATION Stop:T05", "PACKET ", "END");
  }

  @Test
  void undoesEscapesAndRuns() throws IOException {
    assertThat(events(new ArrayWire(frame("a}\u0003b}\u0004}]}\n"))))
        .containsExactly("PACKET a#b$}*", "END");
    assertThat(events(new ArrayWire(frame("x*~y*\""))))
        .containsExactly("PACKET " + "x".repeat(98) + "yyyyyy", "END");
  }

  @Test
  void writesWhatItReads() throws IOException {
    var all = new byte[256];
    for (int i = 0; i < all.length; i++) {
      all[i] = (byte) i;
    }
    var buffer = new PacketWriter().packet(all).packet("vCont;c").raw('+').take();
    var bytes = new byte[buffer.remaining()];
    buffer.get(bytes);
    var reader = new PacketReader(new ArrayWire(bytes, 7), "test");
    assertThat(reader.next(0)).isEqualTo(PacketReader.Event.PACKET);
    assertThat(reader.payload()).isEqualTo(all);
    assertThat(reader.next(0)).isEqualTo(PacketReader.Event.PACKET);
    assertThat(reader.payload()).asString().isEqualTo("vCont;c");
    assertThat(reader.next(0)).isEqualTo(PacketReader.Event.ACK);
    assertThat(new String(bytes, StandardCharsets.ISO_8859_1)).endsWith("$vCont;c#a8+");
  }

  @Test
  void tellsDamagedPackets() throws IOException {
    assertThat(events(new ArrayWire("$OK#9b" + "$OK#zz" + "$cut$OK#9a")))
        .containsExactly("DAMAGED", "DAMAGED", "DAMAGED", "PACKET OK", "END");
  }

  @Test
  void refusesWhatHasNoBound() {
    assertThatThrownBy(() -> events(new ArrayWire("$" + "a".repeat(PacketReader.MAX_PACKET + 1))))
        .isInstanceOf(BadDataException.class)
        .hasMessageContaining("packet of more than 1048576 bytes");
    assertThatThrownBy(() -> events(new ArrayWire("$a" + "*~".repeat(12_000))))
        .hasMessageContaining("packet of more than 1048576 bytes");
    assertThatThrownBy(() -> events(new ArrayWire("x".repeat(PacketReader.MAX_JUNK + 1))))
        .hasMessage("test: at offset 0x10000: 65536 bytes outside of packets; this is no gdb stub");
    assertThatThrownBy(() -> events(new ArrayWire("$*~#00")))
        .hasMessageContaining("run of 97 bytes");
    assertThatThrownBy(() -> events(new ArrayWire("$a* *\u001f#00")))
        .hasMessageContaining("run of 2 bytes, expected 3 to 97");
  }

  @Test
  void survivesDamage() {
    var valid = new ByteArrayOutputStream();
    for (String text : List.of("OK", "l<target/>", "0* 1*~", "}\u0003}]", "T05thread:p1.1;")) {
      valid.writeBytes(("+" + frame(text)).getBytes(StandardCharsets.ISO_8859_1));
    }
    Fuzz.run(
        valid.toByteArray(),
        3000,
        bytes -> {
          try {
            assertThat(events(new ArrayWire(bytes, 5))).endsWith("END");
          } catch (IOException e) {
            throw new AssertionError(e);
          }
        });
  }

  private static List<String> events(ArrayWire wire) throws IOException {
    var reader = new PacketReader(wire, "test");
    var events = new ArrayList<String>();
    while (true) {
      PacketReader.Event event = reader.next(0);
      boolean has = event == PacketReader.Event.PACKET || event == PacketReader.Event.NOTIFICATION;
      events.add(
          event + (has ? " " + new String(reader.payload(), StandardCharsets.ISO_8859_1) : ""));
      if (event == PacketReader.Event.END) {
        return events;
      }
    }
  }

  static String frame(String payload) {
    int sum = 0;
    for (char c : payload.toCharArray()) {
      sum += c;
    }
    return "$" + payload + "#" + String.format("%02x", sum & 0xff);
  }
}
