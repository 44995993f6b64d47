// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.junit.jupiter.api.Test;

class CharacterTextTest {
  private static String of(int... bytes) {
    var all = new byte[bytes.length];
    for (int i = 0; i < bytes.length; i++) {
      all[i] = (byte) bytes[i];
    }
    return CharacterText.string(all, all.length);
  }

  @Test
  void escapesAreGdbs() {
    assertThat(of(7, 8, 9, 10, 11, 12, 13, 27, 127, '"', '\'', '\\'))
        .isEqualTo("\"\\a\\b\\t\\n\\v\\f\\r\\033\\177\\\"'\\\\\"");
    assertThat(of()).isEqualTo("\"\"");
    assertThat(CharacterText.character(0)).isEqualTo("'\\000'");
    assertThat(CharacterText.character('\'')).isEqualTo("'\\''");
    assertThat(CharacterText.character('"')).isEqualTo("'\"'");
    assertThat(CharacterText.character(-1)).isEqualTo("'\\377'");
  }

  @Test
  void tenOfOneCharacterAreCounted() {
    var text = "b" + "a".repeat(9) + "c".repeat(10);
    assertThat(CharacterText.string(text)).isEqualTo("\"baaaaaaaaa\", 'c' <repeats 10 times>");
    assertThat(of(new int[12])).isEqualTo("'\\000' <repeats 12 times>");
  }

  /** Only what is UTF-8 is taken for it; all else is shown byte by byte. */
  @Test
  void whatIsNoUtf8IsOctal() {
    assertThat(of(0xc3, 0xa9)).isEqualTo("\"\u00e9\"");
    assertThat(of(0xc3)).isEqualTo("\"\\303\"");
    assertThat(of(0xc0, 0x80)).isEqualTo("\"\\300\\200\"");
    assertThat(of(0xed, 0xa0, 0x80)).isEqualTo("\"\\355\\240\\200\"");
    assertThat(of(0xf0, 0x9f, 0x98, 0x80)).isEqualTo("\"\ud83d\ude00\"");
    assertThat(of(0xc2, 0x85)).as("a control character").isEqualTo("\"\\302\\205\"");
  }

  /** Nothing that a terminal would obey comes out, and no byte is lost. */
  @Test
  void anyBytesComeOutAsText() {
    long seed = Long.getLong("fathom.fuzz.seed", System.nanoTime());
    System.out.println("CharacterTextTest: seed " + seed);
    var random = new Random(seed);
    for (int round = 0; round < 20_000; round++) {
      var bytes = new byte[random.nextInt(12)];
      for (int i = 0; i < bytes.length; i++) {
        bytes[i] = (byte) (random.nextBoolean() ? random.nextInt(256) : 0xe0 + random.nextInt(32));
      }
      var text = CharacterText.string(bytes, bytes.length);
      assertThat(text.chars().noneMatch(Character::isISOControl)).as("seed %d", seed).isTrue();
      if (!text.contains(" <repeats ")) {
        assertThat(read(text)).as("%s, seed %d", text, seed).isEqualTo(bytes);
      }
    }
  }

  /** What C makes of it, as far as this class writes it. */
  private static byte[] read(String literal) {
    var bytes = new ByteArrayOutputStream();
    var text = literal.substring(1, literal.length() - 1);
    for (int i = 0; i < text.length(); ) {
      int code = text.codePointAt(i);
      i += Character.charCount(code);
      if (code != '\\') {
        bytes.writeBytes(Character.toString(code).getBytes(StandardCharsets.UTF_8));
        continue;
      }
      char next = text.charAt(i);
      int known = "abtnvfr\"\\".indexOf(next);
      bytes.write(
          known >= 0
              ? "\u0007\b\t\n\u000b\f\r\"\\".charAt(known)
              : Integer.parseInt(text.substring(i, i + 3), 8));
      i += known >= 0 ? 1 : 3;
    }
    return bytes.toByteArray();
  }
}
