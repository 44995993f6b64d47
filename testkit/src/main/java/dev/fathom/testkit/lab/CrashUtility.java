// SPDX-License-Identifier: Apache-2.0
package dev.fathom.testkit.lab;

import dev.fathom.base.TargetException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Debian's {@code crash}, which tests ask about a dump to compare. */
public final class CrashUtility {
  private static final String MARK = "==== answer ";

  private final Path program;
  private final Path vmlinux;

  /**
   * @param vmlinux the kernel with debug information that the dump is of
   */
  CrashUtility(Path program, Path vmlinux) {
    this.program = program;
    this.vmlinux = vmlinux;
  }

  /** The kernel with debug information. */
  public Path vmlinux() {
    return vmlinux;
  }

  /**
   * What crash prints for each of the commands, in one session; none of the user's settings count.
   *
   * @throws TargetException when crash cannot open the dump
   */
  public List<String> ask(Path dump, List<String> commands) {
    try {
      Path work = Files.createTempDirectory("crash");
      try {
        var script = new StringBuilder();
        for (int i = 0; i < commands.size(); i++) {
          script.append("!echo; echo '").append(MARK).append(i).append("'\n");
          script.append(commands.get(i)).append('\n');
        }
        script.append("!echo; echo '").append(MARK).append(commands.size()).append("'\nquit\n");
        Path input = Files.writeString(work.resolve("commands"), script);
        Shell.Result result =
            Shell.run(
                work,
                Map.of("HOME", work.toString(), "TERM", "dumb"),
                List.of(
                    program.toString(),
                    "-s",
                    "-i",
                    input.toString(),
                    vmlinux.toString(),
                    dump.toAbsolutePath().toString()));
        return answers(result.output(), commands.size());
      } finally {
        Trees.delete(work);
      }
    } catch (IOException e) {
      throw new TargetException("lab: cannot write the commands for crash", e);
    }
  }

  private static List<String> answers(String output, int count) {
    var answers = new ArrayList<String>();
    for (int i = 0; i < count; i++) {
      int start = output.indexOf("\n" + MARK + i + "\n");
      int end = output.indexOf("\n" + MARK + (i + 1) + "\n");
      if (start < 0 || end < start) {
        throw new TargetException("lab: crash ended early: " + output.strip());
      }
      answers.add(output.substring(output.indexOf('\n', start + 1) + 1, end));
    }
    return answers;
  }
}
