// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fathom.base.FathomException;
import dev.fathom.dtrace.compile.Compiler;
import dev.fathom.dtrace.compile.Input;
import dev.fathom.dtrace.syntax.Macros;
import dev.fathom.testkit.Golden;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * Nonsense and near misses of D: each compiles, and then runs, or ends in an error for the user.
 * The failure says the seed; {@code -Dfathom.fuzz.seed=SEED} runs it again.
 */
class ParserFuzzTest {
  private static final int ROUNDS = 3000;

  private static final List<String> PIECES =
      List.of(
          "BEGIN",
          "syn:::entry",
          "read:return",
          "{",
          "}",
          "(",
          ")",
          "[",
          "]",
          "/",
          ";",
          ",",
          "@",
          "@a",
          "=",
          "+=",
          "++",
          "--",
          "->",
          ".",
          "*",
          "&",
          "!",
          "~",
          "?",
          ":",
          "&&",
          "||",
          "^^",
          "<",
          ">>",
          "==",
          "1",
          "0",
          "-1",
          "0xff",
          "99999999999",
          "'a'",
          "\"s\"",
          "\"%d %s\"",
          "self->x",
          "this->y",
          "x",
          "a[1]",
          "arg0",
          "args[0]",
          "execname",
          "pid",
          "curthread",
          "curthread->comm",
          "`init_task",
          "count()",
          "sum(1)",
          "quantize(arg0)",
          "trace(",
          "printf(",
          "stack()",
          "ustack()",
          "exit(0)",
          "speculation()",
          "speculate(",
          "commit(",
          "strlen(",
          "substr(",
          "strjoin(",
          "alloca(8)",
          "copyinstr(",
          "sizeof(",
          "offsetof(",
          "stringof",
          "xlate <",
          "(int)",
          "(struct task_struct *)",
          "(string)",
          "if",
          "else",
          "int",
          "struct s {",
          "union",
          "enum",
          "typedef",
          "inline",
          "translator",
          "string",
          "unsigned",
          "long",
          "$1",
          "$target",
          "$$1",
          "/*",
          "*/",
          "//",
          "\n",
          "#pragma D option x\n",
          "printa(@a)",
          "clear(@a)",
          "trunc(@a, 1)",
          "normalize(@a, 2)",
          "tracemem(",
          "print(");

  @Test
  void nonsenseEndsInAnErrorForTheUser() throws IOException {
    long seed = Long.getLong("fathom.fuzz.seed", System.nanoTime());
    var random = new Random(seed);
    var corpus = new ArrayList<String>();
    for (var cell : Golden.cells(Path.of("src/test/golden/language"))) {
      Files.readAllLines(cell.file()).stream()
          .filter(l -> l.startsWith("> "))
          .forEach(l -> corpus.add(l.substring(2)));
    }
    for (int i = 0; i < ROUNDS; i++) {
      var text = i % 2 == 0 ? pieces(random) : damaged(corpus, random);
      try {
        tryOut(text);
      } catch (FathomException e) {
        assertThat(e.getMessage()).isNotBlank();
      } catch (RuntimeException | StackOverflowError e) {
        throw new AssertionError("seed " + seed + ": " + text, e);
      }
    }
  }

  private static void tryOut(String text) {
    var compiled =
        Compiler.compile(
            Scenario.environment(
                new Macros(List.of("f.d", "7"), Map.of("target", 1L), true),
                Map.of("destructive", "", "zdefs", "")),
            List.of(),
            List.of(Input.script("f.d", text)));
    Scenario.run(compiled.plan());
  }

  private static String pieces(Random random) {
    var text = new StringBuilder("BEGIN { ");
    int count = 1 + random.nextInt(25);
    for (int i = 0; i < count; i++) {
      text.append(PIECES.get(random.nextInt(PIECES.size())))
          .append(random.nextBoolean() ? " " : "");
    }
    return text.append(random.nextBoolean() ? "; }" : "").toString();
  }

  private static String damaged(List<String> corpus, Random random) {
    var text = new StringBuilder(corpus.get(random.nextInt(corpus.size())));
    int changes = 1 + random.nextInt(3);
    for (int i = 0; i < changes && !text.isEmpty(); i++) {
      int at = random.nextInt(text.length());
      switch (random.nextInt(4)) {
        case 0 -> text.deleteCharAt(at);
        case 1 -> text.insert(at, PIECES.get(random.nextInt(PIECES.size())));
        case 2 -> text.setCharAt(at, (char) (32 + random.nextInt(95)));
        default -> text.setLength(at);
      }
    }
    return text.toString();
  }
}
