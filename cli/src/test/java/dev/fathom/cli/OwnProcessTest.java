// SPDX-License-Identifier: Apache-2.0
package dev.fathom.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What {@code $uid} and its like stand for. */
class OwnProcessTest {
  @TempDir private Path folder;

  @Test
  void groupsAndUsersAreTold() throws IOException {
    Files.writeString(folder.resolve("stat"), "77 (a) b) S 5 60 70 34816 0 0\n");
    Files.writeString(
        folder.resolve("status"), "Name:\ta) b\nUid:\t1\t2\t3\t4\nGid:\t11\t12\t13\t14\n");
    assertThat(OwnProcess.macros(folder))
        .containsEntry("ppid", 5L)
        .containsEntry("pgid", 60L)
        .containsEntry("sid", 70L)
        .containsEntry("uid", 1L)
        .containsEntry("euid", 2L)
        .containsEntry("gid", 11L)
        .containsEntry("egid", 12L)
        .containsEntry("projid", 0L);
  }

  @Test
  void withoutProcTheyAreNotDefined() {
    assertThat(OwnProcess.macros(folder.resolve("none")))
        .containsKeys("pid", "ppid")
        .doesNotContainKeys("pgid", "uid", "egid");
  }

  @Test
  void theyAreThoseOfThisProcess() {
    assertThat(OwnProcess.macros())
        .containsEntry("pid", ProcessHandle.current().pid())
        .containsKeys("pgid", "sid", "uid", "euid", "gid", "egid");
  }
}
