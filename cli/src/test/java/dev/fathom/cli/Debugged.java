// SPDX-License-Identifier: Apache-2.0
package dev.fathom.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fathom.base.TextRenderer;
import dev.fathom.command.CommandService;
import dev.fathom.command.standard.StandardCommands;
import dev.fathom.kernel.KernelOptions;
import dev.fathom.kernel.Progress;
import dev.fathom.session.Session;
import dev.fathom.target.AttachOptions;
import dev.fathom.testkit.process.CProgram;
import dev.fathom.testkit.process.Subject;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Programs that stand in a debugger: in this one, and in gdb. */
final class Debugged {
  private static final KernelOptions OPTIONS =
      new KernelOptions(Optional.empty(), true, Progress.NONE);

  private Debugged() {}

  /** What is done to a program. */
  interface Steps {
    void run(CommandService service, Subject subject);
  }

  /** Runs a program up to its line {@code ready}, stops it, and does something to it. */
  static void with(CProgram program, Steps steps) {
    try (var subject = Subject.start(List.of(program.file().toString()))) {
      assertThat(subject.line()).isEqualTo("ready");
      try (var session = attach("pid:" + subject.pid())) {
        var service = StandardCommands.over(session);
        service.environment().settings().writable(true);
        run(service, "::stop");
        run(service, "set print pretty off");
        steps.run(service, subject);
      }
    }
  }

  static Session attach(String target) {
    return Session.attach(target, AttachOptions.DEFAULT, OPTIONS);
  }

  static Session open(Path... files) {
    return Session.open(List.of(files), OPTIONS);
  }

  /** What a command line answers, without the space around it. */
  static String run(CommandService service, String line) {
    var out = new StringWriter();
    service.run(line, new TextRenderer(out, out, TextRenderer.Options.PLAIN));
    return out.toString().strip();
  }

  /**
   * What gdb answers, a line each, to expressions.
   *
   * @param folder for its script
   * @param arguments what it opens, and {@code -ex} and what it does first
   */
  static List<String> gdb(Path folder, List<String> expressions, List<String> arguments)
      throws IOException {
    var script = new StringBuilder("set width 0\nset print pretty off\necho @@\\n\n");
    expressions.forEach(e -> script.append("output ").append(e).append("\necho \\n\n"));
    var file = Files.writeString(folder.resolve("asked.gdb"), script);
    var command = new ArrayList<>(List.of("gdb", "-batch", "-nx"));
    command.addAll(List.of("-iex", "set debuginfod enabled off"));
    command.addAll(arguments);
    command.addAll(List.of("-x", file.toString()));
    var said = CProgram.run(folder, command);
    return said.substring(said.indexOf("@@\n") + 3).lines().limit(expressions.size()).toList();
  }
}
