// SPDX-License-Identifier: Apache-2.0
package dev.fathom.session.process;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fathom.kernel.KernelOptions;
import dev.fathom.kernel.Progress;
import dev.fathom.model.type.TypeName;
import dev.fathom.session.Session;
import dev.fathom.target.AttachOptions;
import dev.fathom.testkit.lab.Lab;
import dev.fathom.testkit.process.CProgram;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Debian's User Mode Linux with debug information in its program, as one has it who builds it. */
@Tag("lab")
@Timeout(300)
class UserModeLinuxTypesLabTest {
  private static final String SOURCE =
      """
      struct task_struct { long lab_first; int lab_second[3]; };
      struct task_struct lab_task;
      """;

  @TempDir private Path folder;
  @TempDir private Path directory;

  private Path described(Path kernel) {
    Path types =
        CProgram.compile(folder, "types", SOURCE, "-g", "-nostdlib", "-static", "-Wl,-e,0").file();
    Path described = folder.resolve("linux");
    var command = new ArrayList<String>(List.of("objcopy"));
    for (String section : List.of("info", "abbrev", "str", "line", "line_str")) {
      Path bytes = folder.resolve(section);
      String name = ".debug_" + section;
      CProgram.run(
          folder,
          List.of("objcopy", "--dump-section", name + "=" + bytes, types.toString(), "/dev/null"));
      command.addAll(List.of("--add-section", name + "=" + bytes));
    }
    command.addAll(List.of(kernel.toString(), described.toString()));
    CProgram.run(folder, command);
    return described;
  }

  @Test
  void theTypesOfTheProgramAreTheKernels() {
    try (var guest = Lab.open().userModeLinux(directory, this::described);
        var session =
            Session.attach(
                "pid:" + guest.pid(),
                AttachOptions.DEFAULT,
                new KernelOptions(Optional.empty(), true, Progress.NONE))) {
      assertThat(session.kernel().warnings())
          .anyMatch(warning -> warning.endsWith("types are those of its debug file"));
      var task =
          session
              .kernel()
              .program()
              .types()
              .find(new TypeName(TypeName.Kind.STRUCT, "task_struct"));
      assertThat(task.orElseThrow().bytes()).isEqualTo(24);
    }
  }
}
