// SPDX-License-Identifier: Apache-2.0
package dev.fathom.testkit.lab;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fathom.base.BadDataException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TarReaderTest {
  @TempDir private Path directory;
  private final ByteArrayOutputStream tar = new ByteArrayOutputStream();
  private Path disk;

  @BeforeEach
  void begin() {
    disk = directory.resolve("disk");
  }

  @Test
  void unpacksFilesAndStopsAtZeros() throws IOException {
    entry("facts/", '5', "");
    entry("facts/maps/1", '0', "x".repeat(700));
    entry("facts/empty", '0', "");
    tar.writeBytes(new byte[4096]);
    Files.write(disk, tar.toByteArray());

    assertThat(TarReader.unpack(disk, directory.resolve("out")))
        .containsExactly("facts/maps/1", "facts/empty");
    assertThat(directory.resolve("out/facts/maps/1")).hasContent("x".repeat(700));
    assertThat(directory.resolve("out/facts/empty")).isEmptyFile();
  }

  @Test
  void findsNothingOnAnEmptyDisk() throws IOException {
    Files.write(disk, new byte[2048]);

    assertThat(TarReader.unpack(disk, directory.resolve("out"))).isEmpty();
  }

  @Test
  void refusesNamesThatLeadOut() throws IOException {
    entry("../evil", '0', "x");
    Files.write(disk, tar.toByteArray());

    assertThatThrownBy(() -> TarReader.unpack(disk, directory.resolve("out")))
        .isInstanceOf(BadDataException.class)
        .hasMessageContaining("leads out");
  }

  @Test
  void tellsThatAFileIsCutOff() throws IOException {
    entry("a", '0', "x".repeat(2000));
    byte[] whole = tar.toByteArray();
    Files.write(disk, Arrays.copyOf(whole, 1024));

    assertThatThrownBy(() -> TarReader.unpack(disk, directory.resolve("out")))
        .isInstanceOf(BadDataException.class)
        .hasMessageContaining("ends inside");
  }

  @Test
  void tellsWhatIsNoHeader() throws IOException {
    Files.write(disk, "x".repeat(512).getBytes(StandardCharsets.US_ASCII));

    assertThatThrownBy(() -> TarReader.unpack(disk, directory.resolve("out")))
        .isInstanceOf(BadDataException.class)
        .hasMessageContaining("no tar header");
  }

  private void entry(String name, char kind, String content) {
    byte[] header = new byte[512];
    put(header, 0, name);
    put(header, 124, "%011o".formatted(content.length()));
    header[156] = (byte) kind;
    put(header, 257, "ustar");
    tar.writeBytes(header);
    tar.writeBytes(content.getBytes(StandardCharsets.US_ASCII));
    tar.writeBytes(new byte[-content.length() & 511]);
  }

  private static void put(byte[] header, int at, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
    System.arraycopy(bytes, 0, header, at, bytes.length);
  }
}
