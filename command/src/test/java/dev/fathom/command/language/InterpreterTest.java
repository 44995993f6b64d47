// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.language;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fathom.base.Datum;
import dev.fathom.base.Loss;
import dev.fathom.base.Outcome;
import dev.fathom.base.Sink;
import dev.fathom.command.Fixture;
import dev.fathom.command.Screen;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class InterpreterTest {
  private final Fixture fixture = new Fixture();

  /** Keeps what it is given; {@code onDatum} runs for each datum. */
  private static final class Recorder implements Sink {
    private final List<Datum> data = new ArrayList<>();
    private final Runnable onDatum;
    private int begun;
    private int ended;

    Recorder(Runnable onDatum) {
      this.onDatum = onDatum;
    }

    @Override
    public void begin(String command) {
      begun++;
    }

    @Override
    public void accept(Datum datum) {
      data.add(datum);
      onDatum.run();
    }

    @Override
    public void lost(Loss loss) {}

    @Override
    public void end(Outcome outcome) {
      ended++;
    }
  }

  @Test
  void anInterruptStopsAnEndlessWalkAndTheRestOfTheLine() {
    var sink = new Recorder(() -> fixture.service().interrupt());
    var outcome = fixture.service().run("::walk endless; ::echo more", sink);
    assertThat(outcome.error()).contains("command cancelled by user");
    assertThat(sink.data).hasSizeLessThan(5);
    assertThat(sink.data).noneMatch(d -> d instanceof Datum.Text);
    assertThat(sink.begun).isEqualTo(1);
    assertThat(sink.ended).isEqualTo(1);
    assertThat(fixture.outcome("1=K").ok()).as("the next line runs").isTrue();
  }

  @Test
  @Timeout(20)
  void aCommandForAllThatCannotTakeItsAddressFailsOnce() {
    assertThat(fixture.outcome("3ffff0::stacks").ok()).isFalse();
    assertThat(fixture.outcome("rd \"\"").ok()).isFalse();
    assertThat(fixture.outcome("set -c ,").ok()).isFalse();
    assertThat(fixture.text("set -c ,")).doesNotContain("internal error");
  }

  @Test
  void aFailedElementDoesNotStopTheWalk() {
    assertThat(fixture.text("::walk task | ::map .+8 | ::whatis"))
        .contains("fathom: whatis failed on purpose")
        .contains("ffff888000001008 is first_task+8");
    assertThat(fixture.outcome("::walk task | ::map .+8 | ::whatis").error())
        .contains("whatis failed on purpose");
  }

  @Test
  void outcomeTellsOneShotUsersWhetherAllWorked() {
    assertThat(fixture.outcome("1=K").ok()).isTrue();
    assertThat(fixture.outcome("::nosuch").ok()).isFalse();
    assertThat(fixture.outcome("0/X").ok()).isFalse();
    assertThat(fixture.outcome("add/W 5").ok()).isFalse();
    assertThat(fixture.outcome("::print -z").ok()).isFalse();
    assertThat(fixture.outcome("").ok()).isTrue();
  }

  @Test
  void shellCommandsCanBeSwitchedOff() {
    fixture.service().environment().settings().shellAllowed(false);
    assertThat(fixture.text("!echo secret")).contains("switched off").doesNotContain("secret\n");
    assertThat(fixture.text("::echo a ! cat")).contains("switched off").doesNotContain("a\n");
  }

  @Test
  void aShellCommandThatStopsReadingIsNoError() {
    assertThat(fixture.text("::walk task ! head -1")).isEqualTo("0xffff888000001000\n");
    assertThat(fixture.outcome("::walk task ! true").ok()).isTrue();
  }

  @Test
  void crashOutputGoesToFiles(@TempDir Path folder) throws IOException {
    var file = folder.resolve("out");
    assertThat(fixture.text("sym start > " + file)).isEmpty();
    assertThat(fixture.text("sym head >> " + file)).isEmpty();
    assertThat(Files.readString(file)).contains("start").contains("head");
    assertThat(fixture.text("sym start > " + folder)).startsWith("fathom: cannot write ");
  }

  /** A comparison must not be cut and make a file of its right side. */
  @Test
  void behindAnExpressionOnlyAPathIsAFile(@TempDir Path folder) throws IOException {
    var file = folder.resolve("out");
    assertThat(fixture.text("p counter > 5")).isEqualTo("$1 = 1\n");
    assertThat(fixture.text("p 16 >> 3")).isEqualTo("$2 = 2\n");
    assertThat(fixture.text("p 1 | 6")).isEqualTo("$3 = 7\n");
    assertThat(fixture.text("p 1 > 5 || 1")).isEqualTo("$4 = 1\n");
    assertThat(fixture.text("p counter > out")).contains("unknown symbol 'out'", "'> ./out'");
    assertThat(fixture.text("p counter > out.txt")).contains("symbol 'out'", "'> ./out.txt'");
    assertThat(fixture.text("p out.txt > counter")).doesNotContain("./");
    assertThat(fixture.text("display counter > 5")).isEqualTo("1: counter > 5 = 1\n");
    assertThat(fixture.text("set $a = counter > 5; p $a")).isEqualTo("$5 = 1\n");
    for (var name : List.of("5", "3", "out")) {
      assertThat(Path.of(name)).doesNotExist();
    }
    assertThat(fixture.text("p 7 > " + file)).isEmpty();
    assertThat(fixture.text("p 8 >> " + file)).isEmpty();
    assertThat(Files.readString(file)).isEqualTo("$6 = 7\n$7 = 8\n");
    assertThat(fixture.text("p 7 | wc -l")).isEqualTo("1\n");
    assertThat(fixture.text("display | wc -l")).isEqualTo("1\n");
  }

  @Test
  void theOpenDumpIsNotWritten(@TempDir Path folder) throws IOException {
    var dump = Files.writeString(folder.resolve("dump"), "precious");
    var other = Files.createSymbolicLink(folder.resolve("other"), dump);
    fixture.opened(dump);
    for (var line : List.of("sym start > " + dump, "sym start >> " + other, "::log " + other)) {
      assertThat(fixture.text(line)).endsWith(" is open here, and is not written\n");
    }
    assertThat(fixture.text("1=K")).isNotBlank();
    assertThat(Files.readString(dump)).isEqualTo("precious");
  }

  @Test
  void withoutAShellNoFileIsWritten(@TempDir Path folder) {
    fixture.service().environment().settings().shellAllowed(false);
    var file = folder.resolve("out");
    assertThat(fixture.text("sym start > " + file)).contains("switched off");
    assertThat(fixture.text("::log " + file)).contains("switched off");
    assertThat(file).doesNotExist();
  }

  @Test
  void aShellCommandThatFailsFailsTheLine() {
    assertThat(fixture.text("! exit 3")).isEqualTo("fathom: 'exit 3' ended with status 3\n");
    assertThat(fixture.text("::echo a ! cat; ::echo b ! grep nosuch"))
        .isEqualTo("a\nfathom: 'grep nosuch' ended with status 1\n");
  }

  @Test
  @Timeout(20)
  void anInterruptEndsAShellCommandWhoseOutputIsCollected() throws InterruptedException {
    var ended = new AtomicBoolean();
    var later =
        Thread.ofVirtual()
            .start(
                () -> {
                  while (!ended.get()) {
                    if (ProcessHandle.current().descendants().anyMatch(ProcessHandle::isAlive)) {
                      fixture.service().interrupt();
                    }
                    LockSupport.parkNanos(1_000_000);
                  }
                });
    assertThat(fixture.outcome("! sleep 100; ::echo more").error())
        .contains("command cancelled by user");
    ended.set(true);
    later.join();
  }

  @Test
  @Timeout(60)
  void collectedOutputIsBounded() {
    assertThat(fixture.outcome("! yes").error().orElseThrow()).contains("was cut after 258112 l");
  }

  @Test
  void whatAShellCommandPrintsItselfComesInOrder() {
    var order = new StringBuilder();
    fixture
        .service()
        .environment()
        .settings()
        .screen(
            new Screen() {
              @Override
              public boolean interactive() {
                return false;
              }

              @Override
              public void lend() {
                order.append("lent,");
              }

              @Override
              public void takeBack() {
                order.append("back");
              }
            });
    assertThat(fixture.text("::echo a; ::walk task ! cat > /dev/null; ! exit 2"))
        .isEqualTo("a\nfathom: 'exit 2' ended with status 2\n");
    assertThat(order).hasToString("lent,backlent,back");
  }

  @Test
  void theLogHoldsCommandsAndResults(@TempDir Path folder) throws IOException {
    var file = folder.resolve("log");
    fixture.text("::log " + file);
    fixture.text("1=K");
    fixture.text("nosuch=K");
    fixture.text("::log -d");
    fixture.text("2=K");
    assertThat(Files.readString(file))
        .startsWith("> 1=K\n                1               \n> nosuch=K\nfathom: failed")
        .doesNotContain("2=K");
  }

  @ParameterizedTest
  @ValueSource(strings = {"::quit", "$q", "$Q", "$%", ":R", "quit", "q", "exit", "detach"})
  void quitEndsTheLine(String spelling) {
    assertThat(fixture.text(spelling + "; ::echo more")).isEmpty();
    assertThat(fixture.service().environment().quitting()).isTrue();
  }

  @Test
  void jsonIsOneDocumentPerLine() {
    assertThat(fixture.json("::walk task | ::head -1"))
        .isEqualTo(
            "{\"command\":\"::walk task | ::head -1\",\"results\":[{\"kind\":\"value\","
                + "\"name\":\"address\",\"type\":\"struct task\",\"value\":"
                + "\"0xffff888000001000\"}],\"ok\":true,\"notes\":[],\"lost\":[],"
                + "\"error\":null}\n");
    assertThat(fixture.json("::nosuch"))
        .isEqualTo(
            "{\"command\":\"::nosuch\",\"results\":[],\"ok\":false,\"notes\":[{\"severity\":"
                + "\"error\",\"text\":\"invalid command '::nosuch': unknown dcmd name\"}],"
                + "\"lost\":[],\"error\":\"invalid command '::nosuch': unknown dcmd name\"}\n");
    assertThat(fixture.json("first_task::print struct task comm pid"))
        .contains("{\"name\":\"comm\",\"value\":\"init\",\"cut\":false}");
    assertThat(fixture.json("ps")).contains("\"kind\":\"table\"").contains("\"pid\":1");
  }
}
