// SPDX-License-Identifier: Apache-2.0
package dev.fathom.testkit.lab;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

class CpioWriterTest {
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();

  @Test
  void writesEntriesWithTheirParentsOnce() throws Exception {
    try (CpioWriter cpio = new CpioWriter(out)) {
      cpio.file("/a/b/one", 0644, "12345".getBytes(StandardCharsets.US_ASCII));
      cpio.file("a/b/two", 0755, new byte[0]);
      cpio.symlink("a/link", "b/one");
      cpio.directory("a");
      assertThat(cpio.contains("/a/b")).isTrue();
      assertThat(cpio.contains("c")).isFalse();
    }

    assertThat(entries())
        .containsExactly(
            Map.entry("a", "040755 "),
            Map.entry("a/b", "040755 "),
            Map.entry("a/b/one", "0100644 12345"),
            Map.entry("a/b/two", "0100755 "),
            Map.entry("a/link", "0120777 b/one"),
            Map.entry("TRAILER!!!", "00 "));
  }

  @Test
  void refusesASecondFileOfAName() throws Exception {
    try (CpioWriter cpio = new CpioWriter(out)) {
      cpio.file("one", 0644, new byte[1]);
      assertThatThrownBy(() -> cpio.file("/one", 0644, new byte[1]))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("one");
    }
  }

  /** Reads the archive by the format's description: name to mode in octal, blank, content. */
  private Map<String, String> entries() {
    String all = out.toString(StandardCharsets.ISO_8859_1);
    Map<String, String> entries = new LinkedHashMap<>();
    int at = 0;
    while (at < all.length()) {
      assertThat(at % 4).isZero();
      assertThat(all.substring(at, at + 6)).isEqualTo("070701");
      int mode = field(all, at, 1);
      int size = field(all, at, 6);
      int nameSize = field(all, at, 11);
      String name = all.substring(at + 110, at + 110 + nameSize - 1);
      assertThat(all.charAt(at + 110 + nameSize - 1)).isEqualTo('\0');
      at = (at + 110 + nameSize + 3) & ~3;
      entries.put(name, "0" + Integer.toOctalString(mode) + " " + all.substring(at, at + size));
      at = (at + size + 3) & ~3;
    }
    return entries;
  }

  private static int field(String all, int at, int index) {
    return Integer.parseInt(all, at + 6 + 8 * index, at + 14 + 8 * index, 16);
  }
}
