// SPDX-License-Identifier: Apache-2.0
package dev.fathom.base;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ByteSourceTest {
  private static final byte[] BYTES = {0, 1, 2, 3, 4, 5, 6, 7};

  @Test
  void aPartCountsFromItsStart() {
    ByteSource part = ByteSource.of("s", BYTES).part(2, 4);
    assertThat(part.size()).isEqualTo(4);
    assertThat(part.name()).isEqualTo("s");
    assertThat(part.bytes(1, 2)).containsExactly(3, 4);
    var into = new byte[5];
    part.copy(0, 4, MemorySegment.ofArray(into), 1);
    assertThat(into).containsExactly(0, 2, 3, 4, 5);
    assertThatThrownBy(() -> part.bytes(3, 2))
        .hasMessage("s: at offset 0x3: needs 2 bytes, but the source ends at 0x4");
    assertThatThrownBy(() -> part.part(1, 4)).isInstanceOf(BadDataException.class);
  }

  @Test
  void aRangeOutsideAllocatesNothing() {
    ByteSource source = ByteSource.of("s", BYTES);
    assertThatThrownBy(() -> source.bytes(0, Integer.MAX_VALUE))
        .isInstanceOf(BadDataException.class);
    assertThatThrownBy(() -> source.bytes(-1, 1)).isInstanceOf(BadDataException.class);
    assertThatThrownBy(() -> source.bytes(0, -1)).isInstanceOf(BadDataException.class);
    assertThatThrownBy(() -> source.check(Long.MAX_VALUE, Long.MAX_VALUE))
        .isInstanceOf(BadDataException.class);
  }

  @Test
  void aDeviceIsNoFile() {
    assertThatThrownBy(() -> MappedFile.open(Path.of("/dev/null")))
        .isInstanceOf(TargetException.class)
        .hasMessage("/dev/null: is a pipe, socket or device, expected a regular file");
  }

  @Test
  void aMappedFileIsReadOnly(@TempDir Path folder) throws IOException {
    Path path = folder.resolve("f");
    Files.write(path, BYTES);
    try (var file = MappedFile.open(path)) {
      assertThat(file.bytes(6, 2)).containsExactly(6, 7);
      assertThat(file.slice(0, 8).isReadOnly()).isTrue();
      var into = new byte[2];
      file.copy(1, 2, MemorySegment.ofArray(into), 0);
      assertThat(into).containsExactly(1, 2);
    }
  }
}
