// SPDX-License-Identifier: Apache-2.0
package dev.fathom.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fathom.base.TextRenderer;
import dev.fathom.command.standard.StandardCommands;
import dev.fathom.kernel.KernelOptions;
import dev.fathom.kernel.Progress;
import dev.fathom.session.Session;
import dev.fathom.target.AttachOptions;
import dev.fathom.testkit.process.CProgram;
import dev.fathom.testkit.process.Subject;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Debug files that lie beside the program of a process that runs. */
@EnabledOnOs(value = OS.LINUX, architectures = "amd64")
@Timeout(60)
class DebugFilesBesideTest {
  private static final String SOURCE =
      """
      #include <stdio.h>
      #include <unistd.h>
      enum colour { RED, GREEN = 5 } shade = GREEN;
      int main(void) {
        puts("ready");
        fflush(stdout);
        for (;;) {
          usleep(1000);
        }
      }
      """;

  @TempDir private Path directory;

  private String shade(CProgram program) {
    var options = new KernelOptions(Optional.empty(), true, Progress.NONE);
    try (var subject = Subject.start(List.of(program.file().toString()))) {
      assertThat(subject.line()).isEqualTo("ready");
      try (var session = Session.attach("pid:" + subject.pid(), AttachOptions.DEFAULT, options)) {
        return run(session, "p shade");
      }
    }
  }

  /** {@code .gnu_debuglink} names a file in the program's own folder. */
  @Test
  void theFileThatALinkNames() {
    var program = CProgram.compile(directory, "linked", SOURCE, "-g", "-Wl,--build-id=none");
    String file = program.file().toString();
    CProgram.run(directory, List.of("objcopy", "--only-keep-debug", file, "linked.debug"));
    CProgram.run(directory, List.of("strip", "--strip-debug", file));
    CProgram.run(directory, List.of("objcopy", "--add-gnu-debuglink=linked.debug", file));
    assertThat(shade(program)).isEqualTo("$1 = GREEN\n");
  }

  /** Split DWARF of one file with the program's name. */
  @Test
  void thePackageOfSplitUnits() {
    var program = CProgram.compile(directory, "split", SOURCE, "-gdwarf-4", "-gsplit-dwarf");
    CProgram.run(directory, List.of("sh", "-c", "dwp -o split.dwp *.dwo && rm *.dwo"));
    assertThat(shade(program)).isEqualTo("$1 = GREEN\n");
  }

  private static String run(Session session, String line) {
    var out = new StringWriter();
    StandardCommands.over(session)
        .run(line, new TextRenderer(out, out, TextRenderer.Options.PLAIN));
    return out.toString();
  }
}
