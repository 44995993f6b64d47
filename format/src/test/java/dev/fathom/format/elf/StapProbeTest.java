// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.elf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fathom.base.BadDataException;
import dev.fathom.base.ByteSource;
import dev.fathom.testkit.ElfCoreWriter;
import dev.fathom.testkit.ElfWriter;
import dev.fathom.testkit.Fuzz;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

/** Notes about probes, written byte by byte. */
class StapProbeTest {
  private static byte[] note(long pc, long base, long semaphore, String... strings) {
    var text = String.join("\0", strings) + "\0";
    var bytes = ByteBuffer.allocate(24 + text.length()).order(ByteOrder.LITTLE_ENDIAN);
    bytes.putLong(pc).putLong(base).putLong(semaphore);
    bytes.put(text.getBytes(StandardCharsets.US_ASCII));
    return ElfCoreWriter.noteRegion("stapsdt", 3, bytes.array());
  }

  private static byte[] file(long base, byte[]... notes) {
    var all = new ByteArrayOutputStream();
    for (var note : notes) {
      all.writeBytes(note);
    }
    var writer = new ElfWriter();
    writer.loaded(".stapsdt.base", base, false, new byte[1]);
    writer.notes(".note.stapsdt", all.toByteArray());
    return writer.build();
  }

  @Test
  void probesAreRead() {
    var file =
        ElfFile.read(
            ByteSource.of(
                "file",
                file(
                    0x2000,
                    note(0x1010, 0x2000, 0, "app", "begin", ""),
                    note(0x1020, 0x2000, 0x3000, "app", "end", "-4@%eax 8@$1"))));
    assertThat(StapProbe.of(file))
        .containsExactly(
            new StapProbe("app", "begin", 0x1010, OptionalLong.empty(), ""),
            new StapProbe("app", "end", 0x1020, OptionalLong.of(0x3000), "-4@%eax 8@$1"));
  }

  /** Such as prelink does. */
  @Test
  void aFileThatWasMovedSinceMovesItsProbes() {
    var file =
        ElfFile.read(
            ByteSource.of("file", file(0x5000, note(0x1010, 0x2000, 0x3000, "a", "b", ""))));
    assertThat(StapProbe.of(file))
        .containsExactly(new StapProbe("a", "b", 0x4010, OptionalLong.of(0x6000), ""));
  }

  @Test
  void damagedNotesAreRefused() {
    var shorter = ElfCoreWriter.noteRegion("stapsdt", 3, new byte[20]);
    assertThatThrownBy(
            () -> StapProbe.of(ElfFile.read(ByteSource.of("file", file(0x2000, shorter)))))
        .isInstanceOf(BadDataException.class)
        .hasMessageContaining("a probe of 20 bytes, expected at least 24");
    var endless = note(1, 2, 3, "a");
    assertThatThrownBy(
            () -> StapProbe.of(ElfFile.read(ByteSource.of("file", file(0x2000, endless)))))
        .isInstanceOf(BadDataException.class);
    assertThat(StapProbe.of(ElfFile.read(ByteSource.of("file", file(0x2000))))).isEmpty();
  }

  @Test
  void whateverTheBytesAreItEnds() {
    byte[] valid =
        file(
            0x2000,
            note(0x1010, 0x2000, 0, "app", "begin", ""),
            note(0x1020, 0x2000, 0x3000, "app", "end", "-4@%eax 8@$1"));
    Fuzz.run(valid, 2000, bytes -> assertThat(read(bytes)).isNotNegative());
  }

  private static int read(byte[] bytes) {
    return StapProbe.of(ElfFile.read(ByteSource.of("file", bytes))).size();
  }
}
