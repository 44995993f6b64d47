// SPDX-License-Identifier: Apache-2.0
package dev.fathom.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fathom.command.CommandService;
import dev.fathom.command.standard.StandardCommands;
import dev.fathom.kernel.KernelOptions;
import dev.fathom.kernel.Progress;
import dev.fathom.session.Session;
import dev.fathom.testkit.tiny.TinyLinux;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jline.terminal.Attributes;
import org.jline.terminal.Size;
import org.jline.terminal.Terminal;
import org.jline.terminal.impl.DumbTerminal;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The interactive session over a made-up kernel, on a terminal made of byte arrays. */
class ReplTest {
  @TempDir private Path folder;
  private final ByteArrayOutputStream screen = new ByteArrayOutputStream();
  private final List<String> warnings = new ArrayList<>();
  private Session session;
  private CommandService service;

  @BeforeEach
  void open() throws IOException {
    var file = Files.write(folder.resolve("vmcore"), new TinyLinux().vmcore());
    session = Session.open(List.of(file), new KernelOptions(Optional.empty(), true, Progress.NONE));
    service = StandardCommands.over(session);
  }

  @AfterEach
  void close() {
    session.close();
  }

  private Terminal terminal(String typed, int rows) throws IOException {
    var input = new ByteArrayInputStream(typed.getBytes(StandardCharsets.UTF_8));
    var terminal = new DumbTerminal("test", "dumb", input, screen, StandardCharsets.UTF_8);
    terminal.setSize(Size.of(80, rows));
    return terminal;
  }

  private String run(String typed, int rows) throws IOException {
    try (var repl =
        new Repl(
            session, service, terminal(typed, rows), new Warnings(session, warnings::add), false)) {
      repl.run(false);
    }
    return screen.toString(StandardCharsets.UTF_8).replace("\r", "");
  }

  @Test
  void commandsRunUntilQuit() throws IOException {
    var shown = run("::ps\n::nosuch\nps -A\n::quit\n::version\n", 1000);
    assertThat(shown).contains("ELF vmcore", TinyLinux.RELEASE);
    assertThat(shown).containsPattern("Z 102 +1 .*child");
    assertThat(shown).contains("fathom: invalid command '::nosuch': unknown dcmd name");
    assertThat(shown).containsPattern("> +103 .*sh");
    assertThat(shown).doesNotContain("::version");
    assertThat(service.environment().quitting()).isTrue();
    assertThat(warnings).isEmpty();
  }

  @Test
  void theEndOfTheInputLeaves() throws IOException {
    assertThat(run("::echo hello\n", 1000)).contains("hello");
    assertThat(service.environment().quitting()).isFalse();
  }

  @Test
  void thePagerStopsAtAScreenfulAndCanEndTheCommand() throws IOException {
    var shown = run("::msgbuf\nq::echo after\n", 4);
    assertThat(shown).contains("MESSAGE", ">> More [<space>, <cr>, q, n, c, a] ?", "after");
    assertThat(shown).doesNotContain("Kernel panic - not syncing");
  }

  @Test
  void theEndOfInputThatCameBeforeTheQuestionLeaves() throws IOException {
    assertThat(run("::echo hello\n\0::echo never\n", 1000)).contains("hello");
    assertThat(screen.toString(StandardCharsets.UTF_8)).doesNotContain("never");
  }

  @Test
  void aNulInALineIsNoEnd() throws IOException {
    assertThat(run("::echo he\0llo\n", 1000)).contains("\nhello\n");
  }

  /** Without somebody who takes the signal it ends this very program. */
  @Test
  void aSignalAtTheDumbTerminalsPromptIsNoEnd() throws IOException {
    var raised = new CountDownLatch(1);
    var came = new AtomicBoolean();
    var input =
        new ByteArrayInputStream("::echo after\n".getBytes(StandardCharsets.UTF_8)) {
          @Override
          public synchronized int read(byte[] into, int from, int count) {
            try {
              if (!came.get()) {
                long self = ProcessHandle.current().pid();
                new ProcessBuilder("kill", "-INT", Long.toString(self)).start().waitFor();
                came.set(raised.await(30, TimeUnit.SECONDS));
                if (!came.get()) {
                  return -1;
                }
              }
            } catch (IOException | InterruptedException e) {
              throw new IllegalStateException(e);
            }
            return super.read(into, from, count);
          }

          @Override
          public synchronized int read() {
            var one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0];
          }
        };
    var terminal =
        new DumbTerminal("test", "dumb", input, screen, StandardCharsets.UTF_8) {
          @Override
          public void raise(Terminal.Signal signal) {
            super.raise(signal);
            raised.countDown();
          }
        };
    terminal.setSize(Size.of(80, 1000));
    try (var repl =
        new Repl(session, service, terminal, new Warnings(session, warnings::add), false)) {
      repl.run(true);
    }
    assertThat(came).as("SIGINT comes; it does not to what a script runs behind '&'").isTrue();
    assertThat(screen.toString(StandardCharsets.UTF_8)).contains("after");
  }

  @Test
  void ctrlCIsAnAnswerToThePager() throws IOException {
    var modes = new ArrayList<Attributes>();
    var input =
        new ByteArrayInputStream("::msgbuf\n\3::echo after\n".getBytes(StandardCharsets.UTF_8));
    var terminal =
        new DumbTerminal("test", "dumb", input, screen, StandardCharsets.UTF_8) {
          @Override
          public void setAttributes(Attributes attributes) {
            modes.add(new Attributes(attributes));
            super.setAttributes(attributes);
          }
        };
    terminal.setSize(Size.of(80, 4));
    var before = new Attributes(terminal.getAttributes());
    before.setLocalFlag(Attributes.LocalFlag.ISIG, true);
    terminal.setAttributes(before);
    try (var repl =
        new Repl(session, service, terminal, new Warnings(session, warnings::add), false)) {
      repl.run(true);
    }
    assertThat(screen.toString(StandardCharsets.UTF_8))
        .contains("after")
        .doesNotContain("Kernel panic - not syncing");
    assertThat(modes)
        .anyMatch(
            mode ->
                !mode.getLocalFlag(Attributes.LocalFlag.ISIG)
                    && !mode.getLocalFlag(Attributes.LocalFlag.ICANON));
    assertThat(modes.getLast().getLocalFlag(Attributes.LocalFlag.ISIG)).isTrue();
  }

  @Test
  void thePagerGoesOnByPageByLineOrToTheEnd() throws IOException {
    var shown = run("::msgbuf\n \nc", 4);
    assertThat(shown).contains("Kernel panic - not syncing");
  }

  @Test
  void wordsAreCompletedByWhatStandsBeforeThem() {
    var completer = new SessionCompleter(session, service);
    assertThat(completer.words("", "::find")).containsExactly("::findstack");
    assertThat(completer.words("::walk thread | ", "::finds")).containsExactly("::findstack");
    assertThat(completer.words("::walk ", "thr")).contains("thread");
    assertThat(completer.words("::print struct ", "task_")).containsExactly("task_struct");
    assertThat(completer.words("::print struct task_struct ", "com")).containsExactly("comm");
    assertThat(completer.words("p ", "init_task.real_")).containsExactly("init_task.real_parent");
    assertThat(completer.words("p ", "init_task.real_parent->sig"))
        .containsExactly("init_task.real_parent->signal");
    assertThat(completer.words("", "sysrq_h")).containsExactly("sysrq_handle_crash");
    assertThat(completer.words("", "whati")).containsExactly("whatis");
    assertThat(completer.words("p ", "whati")).isEmpty();
  }

  @Test
  void theWordAtTheCursorKeepsColonsAndArrows() {
    var parsed = new WholeLineParser().parse("::walk x | ::ps foo", 15, null);
    assertThat(parsed.word()).isEqualTo("::ps");
    assertThat(new WholeLineParser().parse("p a->b.c", 8, null).word()).isEqualTo("a->b.c");
    assertThat(new WholeLineParser().parse("p (a)", 2, null).word()).isEmpty();
  }
}
