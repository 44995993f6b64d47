// SPDX-License-Identifier: Apache-2.0
package dev.fathom.session;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fathom.base.TargetException;
import dev.fathom.kernel.KernelOptions;
import dev.fathom.kernel.Progress;
import dev.fathom.testkit.ElfCoreWriter;
import dev.fathom.testkit.ElfWriter;
import dev.fathom.testkit.tiny.TinyLinux;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A vmlinux given beside the dump, as crash's users do. */
class SessionDebugFilesTest {
  private static final KernelOptions OPTIONS =
      new KernelOptions(Optional.empty(), true, Progress.NONE);

  @TempDir private Path folder;

  private Path vmcore() throws IOException {
    return Files.write(folder.resolve("vmcore"), new TinyLinux().vmcore());
  }

  private Path vmlinux(String id) throws IOException {
    var writer = new ElfWriter().type(2);
    writer.notes(".notes", ElfCoreWriter.noteRegion("GNU", 3, HexFormat.of().parseHex(id)));
    writer.section(".debug_info", new byte[16]);
    return Files.write(folder.resolve("vmlinux"), writer.build());
  }

  @Test
  void aVmlinuxBesideTheDumpIsItsDebugFile() throws IOException {
    var vmlinux = vmlinux(TinyLinux.BUILD_ID);
    for (var files : List.of(List.of(vmcore(), vmlinux), List.of(vmlinux, vmcore()))) {
      try (var session = Session.open(files, OPTIONS)) {
        var image = session.kernel().images().getFirst();
        var opened = session.debugFiles().open(image).orElseThrow();
        assertThat(opened.path()).isEqualTo(vmlinux);
        assertThat(session.debugFiles().open(image)).contains(opened); // once
      }
    }
  }

  @Test
  void aVmlinuxOfAnotherBuildIsRefused() throws IOException {
    var files = List.of(vmcore(), vmlinux("00112233"));
    assertThatThrownBy(() -> Session.open(files, OPTIONS))
        .isInstanceOf(TargetException.class)
        .hasMessageContaining("is of another build: has build-id 00112233")
        .hasMessageContaining(TinyLinux.BUILD_ID);
  }

  @Test
  void withoutAFileThereIsNone() throws IOException {
    try (var session = Session.open(List.of(vmcore()), OPTIONS)) {
      assertThat(session.debugFiles().open(session.kernel().images().getFirst())).isEmpty();
    }
  }
}
