// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.gdb;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Random;
import org.junit.jupiter.api.Test;

class HexTest {
  @Test
  void decodesWhatAnyDigitsStandFor() {
    var random = new Random(4);
    for (int count = 0; count < 40; count++) {
      var bytes = new byte[count];
      random.nextBytes(bytes);
      assertThat(Hex.encode(bytes)).isEqualTo(HexFormat.of().formatHex(bytes));
      for (HexFormat format : new HexFormat[] {HexFormat.of(), HexFormat.of().withUpperCase()}) {
        byte[] text = ("??" + format.formatHex(bytes)).getBytes(StandardCharsets.ISO_8859_1);
        var into = new byte[count + 3];
        assertThat(Hex.decode(text, 2, into, 3, count)).isEqualTo(count);
        assertThat(Arrays.copyOfRange(into, 3, into.length)).isEqualTo(bytes);
      }
    }
  }

  /** Every byte at every place of a run of digits. */
  @Test
  void stopsAtWhatIsNoDigit() {
    for (int b = 0; b < 256; b++) {
      int digit = Character.digit((char) b, 16);
      for (int place = 0; place < 20; place++) {
        byte[] text = "00112233445566778899".getBytes(StandardCharsets.ISO_8859_1);
        text[place] = (byte) b;
        int expected = digit >= 0 && b < 128 ? 10 : place / 2;
        assertThat(Hex.decode(text, 0, new byte[10], 0, 10))
            .as("byte %d at %d", b, place)
            .isEqualTo(expected);
      }
    }
  }

  @Test
  void passesOverDigitsOnly() {
    for (int b = 0; b < 256; b++) {
      byte[] text = "0123456789abcdef0123456789abcdef".getBytes(StandardCharsets.ISO_8859_1);
      text[11] = (byte) b;
      int end = Hex.plainEights(text, 0, text.length);
      assertThat(end).as("byte %d", b).isEqualTo(b >= 0x30 && b <= 0x66 ? 32 : 8);
      int sum = 0;
      for (int i = 0; i < end; i++) {
        sum += text[i];
      }
      assertThat(Hex.sumOfEights(text, 0, end)).isEqualTo(sum);
    }
  }
}
