// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fathom.kernel.Kernel;
import dev.fathom.kernel.Task;
import dev.fathom.target.OpenFile;
import java.util.Optional;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What a small kernel's processes have to do with files. */
class LinuxFilesTest {
  private static Task task(Kernel kernel, int id) {
    return kernel.taskOfId(id).orElseThrow();
  }

  @ParameterizedTest
  @EnumSource
  void directoriesAndArgumentsAreTold(SyntheticKernel.Era era) {
    var kernel = new SyntheticKernel(era, 4).open();
    var files = kernel.files().orElseThrow();
    assertThat(files.directory(task(kernel, 1))).isEqualTo("/mnt/bin");
    assertThat(files.root(task(kernel, 1))).isEqualTo("/");
    assertThat(files.arguments(task(kernel, 1))).isEqualTo("init -x");
  }

  @ParameterizedTest
  @EnumSource
  void openFilesAreTold(SyntheticKernel.Era era) {
    var kernel = new SyntheticKernel(era, 4).open();
    var files = kernel.files().orElseThrow();
    var init = task(kernel, 1);
    assertThat(files.open(init, 1))
        .contains(new OpenFile("/mnt/bin/init", "ext4", "/mnt", 77, 0x8002));
    assertThat(files.path(files.object(init, 1).orElseThrow() + 16)).isEqualTo("/mnt/bin/init");
    assertThat(files.open(init, 0)).isEmpty();
    assertThat(files.open(init, 2)).isEmpty();
    assertThat(files.open(init, -1)).isEmpty();
    assertThat(files.open(init, 1L << 40)).isEmpty();
  }

  /** A kernel thread has no memory, and may have no files. */
  @ParameterizedTest
  @EnumSource
  void kernelThreadsHaveNone(SyntheticKernel.Era era) {
    var kernel = new SyntheticKernel(era, 4).open();
    var files = kernel.files().orElseThrow();
    var thread = task(kernel, 2);
    assertThat(files.directory(thread)).isEmpty();
    assertThat(files.arguments(thread)).isEmpty();
    assertThat(files.open(thread, 1)).isEmpty();
  }

  @ParameterizedTest
  @EnumSource
  void pagesLeadToTheirFiles(SyntheticKernel.Era era) {
    var synthetic = new SyntheticKernel(era, 4);
    var files = synthetic.open().files().orElseThrow();
    var file = Optional.of(new OpenFile("/mnt/bin/init", "ext4", "/mnt", 6 * 4096, 0));
    assertThat(files.ofPage(synthetic.page())).isEqualTo(file);
    assertThat(files.ofPage(synthetic.page() + 64).map(OpenFile::offset)).contains(7 * 4096L);
    assertThat(files.ofPage(0)).isEmpty();
    synthetic.put8(synthetic.page() + 24, synthetic.page() | 1);
    assertThat(synthetic.open().files().orElseThrow().ofPage(synthetic.page())).isEmpty();
  }
}
