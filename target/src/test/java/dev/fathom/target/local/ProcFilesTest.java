// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fathom.base.BadDataException;
import dev.fathom.base.Range;
import dev.fathom.target.ProcessView.Mapped;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ProcFilesTest {
  @TempDir private Path folder;

  /** This process's own: the file of this test, at the place that was sought. */
  @Test
  void tellsOpenFiles() throws IOException {
    var path = Files.writeString(folder.resolve("a b"), "0123456789");
    var files = new ProcFiles(ProcessHandle.current().pid());
    try (var channel = FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      channel.position(4);
      var found =
          IntStream.range(0, 4096)
              .mapToObj(files::openFile)
              .flatMap(Optional::stream)
              .filter(file -> file.path().equals(path.toString()))
              .findFirst()
              .orElseThrow();
      assertThat(found.offset()).isEqualTo(4);
      assertThat(found.flags() & 3).isEqualTo(2);
      assertThat(path.toString()).startsWith(found.mount());
      assertThat(found.fileSystem()).isEqualTo(Files.getFileStore(path).type());
    }
    assertThat(files.openFile(1 << 20)).isEmpty();
    assertThat(files.link("cwd")).contains(System.getProperty("user.dir"));
    assertThat(files.link("root")).contains("/");
  }

  @Test
  void readsMappings() {
    String text =
        """
        55d0c0a00000-55d0c0a02000 r--p 00000000 08:01 1311                       /usr/bin/a b (deleted)
        7ffd1c000000-7ffd1c021000 rw-p 00000000 00:00 0                          [stack]
        7f0000000000-7f0040000000 rw-s 1000 00:01 77 /memfd:ram
        7f1000000000-7f1000001000 ---p 00000000 00:00 0\s
        ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]
        7f2000000000-7f2000001000 rw-p 00000000 00:00 0""";
    assertThat(ProcFiles.maps("maps", text))
        .isEqualTo(
            List.of(
                mapped(0x55d0c0a00000L, 0x55d0c0a02000L, "r--p", 0, "/usr/bin/a b (deleted)"),
                mapped(0x7ffd1c000000L, 0x7ffd1c021000L, "rw-p", 0, "[stack]"),
                mapped(0x7f0000000000L, 0x7f0040000000L, "rw-s", 0x1000, "/memfd:ram"),
                mapped(0x7f1000000000L, 0x7f1000001000L, "---p", 0, ""),
                mapped(0xffffffffff600000L, 0xffffffffff601000L, "--xp", 0, "[vsyscall]"),
                mapped(0x7f2000000000L, 0x7f2000001000L, "rw-p", 0, "")));
  }

  private static Mapped mapped(long start, long end, String rights, long offset, String name) {
    return new Mapped(new Range(start, end), rights, offset, name);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "1000-2000",
        "1000-2000 r--p 0 00:00",
        "1000 2000-3000 r--p 0 00:00 0",
        "2000-1000 r--p 0 00:00 0",
        "1000-20g0 r--p 0 00:00 0",
        "1000-2000 r--p -1z 00:00 0",
        "-2000 r--p 0 00:00 0",
        "11112222333344445-1 r--p 0 00:00 0"
      })
  void refusesWhatIsNone(String line) {
    assertThatThrownBy(() -> ProcFiles.maps("maps", "1000-2000 r--p 0 00:00 0\n" + line + "\n"))
        .isInstanceOf(BadDataException.class)
        .hasMessageContaining("maps")
        .hasMessageContaining("'" + line + "'");
  }
}
