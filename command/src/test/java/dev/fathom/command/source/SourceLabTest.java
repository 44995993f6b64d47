// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.source;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fathom.base.TextRenderer;
import dev.fathom.command.standard.StandardCommands;
import dev.fathom.kernel.KernelOptions;
import dev.fathom.kernel.Progress;
import dev.fathom.model.source.SourceFrame;
import dev.fathom.session.Session;
import dev.fathom.testkit.lab.Lab;
import dev.fathom.testkit.lab.Recipe;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Stacks of a real kernel, relocated by KASLR, with its debug file. */
@Tag("lab")
@Timeout(1200)
class SourceLabTest {
  private static Path vmlinux;
  private static Session session;

  @BeforeAll
  static void open() {
    var lab = Lab.open();
    vmlinux = lab.crash("6.1").vmlinux();
    session =
        Session.open(
            List.of(lab.dump(Recipe.healthy("6.1")).dump(), vmlinux),
            new KernelOptions(Optional.empty(), true, Progress.NONE));
  }

  @AfterAll
  static void close() {
    session.close();
  }

  private static String run(String line) {
    var out = new StringWriter();
    StandardCommands.over(session)
        .run(line, new TextRenderer(out, out, TextRenderer.Options.PLAIN));
    return out.toString();
  }

  /** Every frame of every task that is in the kernel proper, with what was inlined into it. */
  @Test
  void everyFrameIsWhereAddr2lineSaysItIs() throws IOException {
    var source = session.sources();
    var ours = new LinkedHashMap<Long, List<String>>();
    var kernel = session.kernel();
    kernel
        .tasks(_ -> {})
        .forEach(
            task -> {
              for (var frame : SourceFrame.of(kernel.program(), source, kernel.stack(task))) {
                frame
                    .activation()
                    .ifPresent(
                        a ->
                            ours.computeIfAbsent(frame.frame().lookup(), _ -> new ArrayList<>())
                                .add(a.function() + " " + a.line().orElseThrow().text()));
              }
            });
    assertThat(ours).hasSizeGreaterThan(30);
    long here = kernel.program().symbols().first("_stext").orElseThrow().address();
    long slide = here - 0xffffffff81000000L;
    var command = new ArrayList<>(List.of("addr2line", "-a", "-i", "-f", "-e", vmlinux.toString()));
    ours.keySet().forEach(pc -> command.add(Long.toHexString(pc - slide)));
    var process = new ProcessBuilder(command).start();
    var lines =
        new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8)
            .lines()
            .map(l -> l.replaceAll(" \\(discriminator.*", ""))
            .toList();
    var theirs = new LinkedHashMap<Long, List<String>>();
    long at = 0;
    for (int i = 0; i < lines.size(); i++) {
      if (lines.get(i).startsWith("0x")) {
        at = Long.parseUnsignedLong(lines.get(i).substring(2), 16) + slide;
      } else {
        theirs.computeIfAbsent(at, _ -> new ArrayList<>()).add(lines.get(i) + " " + lines.get(++i));
      }
    }
    // A task's stack is walked once or more often; a place in it has the same answer each time.
    ours.replaceAll((pc, said) -> said.subList(0, theirs.get(pc).size()));
    assertThat(ours).isEqualTo(theirs);
    assertThat(source.problems()).isEmpty();
  }

  @Test
  void variablesOfFramesAreThere() {
    var full = run("bt full 2");
    // kthreadd waits in its loop: arguments and locals that the compiler kept.
    assertThat(full).contains("in kthreadd (unused=").contains("No locals.").contains("kthread.c:");
    assertThat(full).doesNotContain("is not saved");
    assertThat(run("set 2")).contains("kthreadd");
    assertThat(run("info line vfs_read")).contains("fs/read_write.c").contains("starts at address");
    assertThat(run("info scope vfs_read"))
        .contains("symbol file of vfs_read is a variable in $rdi");
  }
}
