// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.language;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fathom.base.Datum;
import dev.fathom.base.FathomException;
import dev.fathom.base.Loss;
import dev.fathom.base.Outcome;
import dev.fathom.base.Sink;
import dev.fathom.base.TextRenderer;
import dev.fathom.command.CommandService;
import dev.fathom.command.Environment;
import dev.fathom.command.Fixture;
import dev.fathom.command.standard.StandardCommands;
import java.io.IOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** Nonsense and near misses: only errors for the user come out, and soon. */
class ParserFuzzTest {
  private static final List<String> PIECES =
      List.of(
          "1",
          "0t10",
          "0x1f",
          "f",
          "add",
          "head",
          "first_task",
          ".",
          "+",
          "^",
          "&",
          "-",
          "*",
          "%",
          "%%",
          "#",
          "|",
          "<<",
          ">>",
          "==",
          "!=",
          "(",
          ")",
          "~",
          "'a'",
          "''",
          "<x",
          "<rip",
          ">x",
          ">/c/x",
          ",",
          ",2",
          "/",
          "\\",
          "=",
          "?",
          "@",
          "K",
          "X",
          "j",
          "s",
          "i",
          "n",
          "\"t\"",
          "::",
          "::walk",
          "::walk task",
          "::map .+1",
          "::grep .",
          "::eval",
          "'::walk task'",
          "::print",
          "::print struct task",
          "::head -2",
          "::list struct list_head next",
          "$[",
          "]",
          "$[1]",
          "$C",
          "$d",
          "!",
          ">",
          "sym start > 2",
          "::log 2",
          "! echo >2",
          "$v",
          ";",
          "\n",
          "//",
          " ",
          " ",
          " ",
          "\t",
          "*/c/",
          "\\x",
          "\"",
          "'",
          "ps",
          "bt",
          "struct task",
          "p counter",
          "-l",
          "-z",
          "\u0000",
          "\u00e9",
          "$",
          ":",
          "0i",
          "0t",
          "ffffffffffffffff",
          "99999999999999999999",
          "::sizeof struct task",
          "::array struct point 3",
          "::dump -l 20",
          "::echo",
          "::offsetof",
          "::help",
          "::dis");

  private static final int LINES = 4000;

  /** How long a line may run; some, such as {@code ,ffffffff::grep .}, are endless and silent. */
  private static final long ENOUGH_MILLIS = 100;

  private static final long PATIENCE_MILLIS = 10_000;

  @Test
  void onlyErrorsForTheUserEscape() throws IOException {
    long seed = Long.getLong("fathom.fuzz.seed", System.nanoTime());
    var before = here();
    for (int i = 0; i < LINES; i++) {
      check(line(new Random(seed + i)), seed + i);
    }
    assertThat(here()).as("files after seed " + seed).isEqualTo(before);
  }

  /** The files of the working folder. */
  private static Set<Path> here() throws IOException {
    try (var files = Files.list(Path.of(""))) {
      return files.collect(Collectors.toSet());
    }
  }

  private static String line(Random random) {
    var line = new StringBuilder();
    int pieces = 1 + random.nextInt(12);
    for (int i = 0; i < pieces; i++) {
      line.append(PIECES.get(random.nextInt(PIECES.size())));
    }
    return line.toString();
  }

  private static void check(String line, long seed) {
    var replay = "replay with -Dfathom.fuzz.seed=" + seed + ": '" + line + "'";
    var environment = new Environment(StandardCommands.groups());
    long start = System.nanoTime();
    try {
      var parser = new Parser(line, environment);
      var statements = new ArrayList<Statement>();
      for (var next = parser.next(); next.isPresent(); next = parser.next()) {
        statements.add(next.get());
      }
      assertThat(statements.size()).as(replay).isLessThanOrEqualTo(line.length());
    } catch (FathomException e) {
      assertThat(e.getMessage()).as(replay).isNotBlank();
    } catch (RuntimeException | StackOverflowError e) {
      throw new AssertionError(replay + " let " + e + " escape", e);
    }
    run(line, replay);
    assertThat((System.nanoTime() - start) / 1_000_000).as(replay).isLessThan(PATIENCE_MILLIS);
  }

  /** Counts may be endless: the user, here a clock and a bound on output, can always stop. */
  private static void run(String line, String replay) {
    var service = new Fixture().harmless().service();
    var watch = new Thread(() -> interruptLater(service));
    watch.start();
    var outcome = service.run(line, new Bounded(service));
    watch.interrupt();
    assertThat(outcome.error().orElse("")).as(replay).doesNotContain("internal error");
  }

  private static void interruptLater(CommandService service) {
    try {
      while (true) { // One that comes before the line begins is of no use.
        Thread.sleep(ENOUGH_MILLIS);
        service.interrupt();
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  /** Asks to stop when it has had enough. */
  private static final class Bounded implements Sink {
    private final CommandService service;
    private final TextRenderer text =
        new TextRenderer(Writer.nullWriter(), Writer.nullWriter(), TextRenderer.Options.PLAIN);
    private int left = 500;

    Bounded(CommandService service) {
      this.service = service;
    }

    @Override
    public void begin(String command) {
      text.begin(command);
    }

    @Override
    public void accept(Datum datum) {
      text.accept(datum);
      if (--left == 0) {
        service.interrupt();
      }
    }

    @Override
    public void lost(Loss loss) {
      text.lost(loss);
    }

    @Override
    public void end(Outcome outcome) {
      text.end(outcome);
    }
  }

  @Test
  void deepAndLongExpressionsEndInAnError() {
    var fixture = new Fixture();
    assertThat(fixture.text("(".repeat(100_000) + "1")).contains("nested too deeply");
    assertThat(fixture.text("-".repeat(100_000) + "1=K")).contains("nested too deeply");
    assertThat(fixture.text("1+".repeat(100_000) + "1=K")).contains("too many operators");
    assertThat(fixture.text("::echo " + "x".repeat(2_000_000))).contains("longer than");
    assertThat(fixture.text("::eval '5>l; ::eval \"<l=K\"'")).contains("5");
  }

  @Test
  void commandsThatCallThemselvesEnd() {
    var fixture = new Fixture();
    assertThat(fixture.text("::walk task | ::eval '::walk task | ::eval \"::walk task\"'"))
        .isNotBlank();
    assertThat(fixture.text("$<src/test/golden-recursive")).contains("nested more than 32 deep");
  }
}
