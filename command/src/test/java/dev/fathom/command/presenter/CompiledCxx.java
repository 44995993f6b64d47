// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.presenter;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fathom.base.JsonRenderer;
import dev.fathom.base.TextRenderer;
import dev.fathom.command.standard.StandardCommands;
import dev.fathom.kernel.KernelOptions;
import dev.fathom.kernel.Progress;
import dev.fathom.session.Session;
import dev.fathom.testkit.process.CProgram;
import java.io.IOException;
import java.io.InputStream;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A program of C++, compiled here, stopped in its function {@code stop} by gdb, which says what it
 * thinks of some expressions and writes the core file that is then looked at.
 */
final class CompiledCxx implements AutoCloseable {
  private final Path core;
  private final List<String> answers;
  private Session session;

  private CompiledCxx(Path core, List<String> answers) {
    this.core = core;
    this.answers = answers;
    this.session = open(core);
  }

  private static Session open(Path core) {
    return Session.open(List.of(core), new KernelOptions(Optional.empty(), true, Progress.NONE));
  }

  /**
   * Compiles a program that is among the test's resources.
   *
   * @param commands what gdb is asked in the C++ language; each must take one line, and has one in
   *     {@link #answers}
   */
  static CompiledCxx compile(
      Path folder, String name, List<String> options, List<String> commands) {
    return compile("g++", folder, name, options, commands);
  }

  /** As the other, by a compiler of that name. */
  static CompiledCxx compile(
      String compiler, Path folder, String name, List<String> options, List<String> commands) {
    try {
      Path source = folder.resolve(name + ".cc");
      try (InputStream text = CompiledCxx.class.getResourceAsStream("/cxx/" + name + ".cc")) {
        Files.write(source, text.readAllBytes());
      }
      Path program = folder.resolve(name);
      var line = new ArrayList<>(List.of(compiler, "-g", "-O0"));
      line.addAll(options);
      line.addAll(List.of("-o", program.toString(), source.toString()));
      CProgram.run(folder, line);
      Path core = folder.resolve(name + ".core");
      Path said = folder.resolve(name + ".said");
      Path script = folder.resolve(name + ".py");
      Files.writeString(script, script(commands, said));
      CProgram.run(
          folder,
          List.of(
              "gdb",
              "-batch",
              "-nx",
              "-iex",
              "set debuginfod enabled off",
              "-ex",
              "break stop",
              "-ex",
              "run",
              "-ex",
              "source " + script,
              "-ex",
              "generate-core-file " + core,
              program.toString()));
      var lines = Files.readAllLines(said);
      assertThat(lines).as("gdb's answers").hasSize(commands.size());
      return new CompiledCxx(core, lines);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private static String script(List<String> commands, Path said) {
    var text = new StringBuilder("import gdb\nsaid = open('" + said + "', 'w')\n");
    text.append("gdb.execute('set language c++')\n");
    for (var command : commands) {
      var quoted = command.replace("\\", "\\\\").replace("'", "\\'");
      text.append("try:\n  said.write(gdb.execute('").append(quoted);
      text.append("', to_string=True).strip().replace('\\n', '\\\\n') + '\\n')\n");
      text.append("except gdb.error as e:\n  said.write('error: ' + str(e).replace('\\n', ' ')");
      text.append(" + '\\n')\n");
    }
    return text.append("said.close()\n").toString();
  }

  /** What gdb said, by the number of the command; line feeds are written as {@code \n}. */
  List<String> answers() {
    return answers;
  }

  Path core() {
    return core;
  }

  /** Opens the core file again, which was changed. */
  void reopen() {
    session.close();
    session = open(core);
  }

  /** What command lines print, remarks included. */
  String run(String... lines) {
    var out = new StringWriter();
    var interpreter = StandardCommands.over(session);
    interpreter.run("set print pretty off", new TextRenderer(out, out, TextRenderer.Options.PLAIN));
    for (var line : lines) {
      interpreter.run(line, new TextRenderer(out, out, TextRenderer.Options.PLAIN));
    }
    return out.toString().strip();
  }

  /** What each expression is worth, all in one go, without remarks. */
  List<String> output(List<String> expressions) {
    var interpreter = StandardCommands.over(session);
    var values = new ArrayList<String>();
    var none = new StringWriter();
    interpreter.run(
        "set print pretty off", new TextRenderer(none, none, TextRenderer.Options.PLAIN));
    for (var expression : expressions) {
      var out = new StringWriter();
      interpreter.run(
          "output " + expression, new TextRenderer(out, out, TextRenderer.Options.PLAIN));
      values.add(out.toString().strip());
    }
    return values;
  }

  /** A command line's result as JSON. */
  String json(String line) {
    var out = new StringWriter();
    var renderer = new JsonRenderer(out);
    StandardCommands.over(session).run(line, renderer);
    return out.toString();
  }

  @Override
  public void close() {
    session.close();
  }
}
