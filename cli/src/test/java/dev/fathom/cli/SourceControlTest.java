// SPDX-License-Identifier: Apache-2.0
package dev.fathom.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fathom.base.Outcome;
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
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Breakpoints and steps by lines of the source, as typed at a process. */
@EnabledOnOs(value = OS.LINUX, architectures = "amd64")
@Timeout(60)
class SourceControlTest {
  private static final String SOURCE =
      """
      #include <stdio.h>
      #include <unistd.h>
      int add(int a, int b) {
        int sum = a + b;
        return sum;
      }
      int work(int n) {
        int total = add(n, 1);
        total *= 2;
        return total;
      }
      static int shared = 7;
      const char *escapes = "tab\\t \\"q\\" \\033[0m caf\\xc3\\xa9 \\xff";
      char repeats[40] = "aaaaaaaaaaaaaaaaaaaaaaaaabb", binary[5] = {1, 0, 'x', 2}, bell = 7;
      int counts[14] = {1, [12] = 3};
      char *bad = (char *) 8;
      double other(void);
      int one(int n) { return n + shared + (int) other(); }
      int nothing(void) { return 3; }
      void empty(void) { }
      int same(int pid) { struct { int x, y; } both = {pid, 2}; return both.x; }
      int large(char *text) { char copy[300]; sprintf(copy, "%s", text); return copy[0]; }
      int main(void) {
        puts("ready");
        fflush(stdout);
        for (;;) {
          work(20);
          usleep(100 + one(1) + nothing() + same(7) + large("a"));
          empty();
        }
      }
      """;

  /** With a variable that is another than the first file's of the same name. */
  private static final String OTHER =
      """
      static double shared = 2.5;
      double other(void) { return shared * 2; }
      """;

  @TempDir private Path directory;
  private Subject subject;
  private Session session;
  private CommandService service;
  private Outcome outcome;

  @BeforeEach
  void attach() throws IOException {
    var other = Files.writeString(directory.resolve("other.c"), OTHER);
    var program = CProgram.compile(directory, "lines", SOURCE, "-O0", "-g", other.toString());
    subject = Subject.start(List.of(program.file().toString()));
    assertThat(subject.line()).isEqualTo("ready");
    session =
        Session.attach(
            "pid:" + subject.pid(),
            AttachOptions.DEFAULT,
            new KernelOptions(Optional.empty(), true, Progress.NONE));
    service = StandardCommands.over(session);
    run("::stop");
  }

  @AfterEach
  void close() {
    try (var _ = subject) {
      session.close();
    }
  }

  private String run(String line) {
    var out = new StringWriter();
    outcome = service.run(line, new TextRenderer(out, out, TextRenderer.Options.PLAIN));
    return out.toString();
  }

  @Test
  void aBreakpointOnALineIsHitThere() {
    assertThat(run("b lines.c:9")).isEqualTo("breakpoint 1 at lines.c:9\n");
    assertThat(run("c"))
        .startsWith("breakpoint 1: lines/")
        .contains("in work (n=20) at ")
        .endsWith("/lines.c:9\n9\t  total *= 2;\n");
    assertThat(run("info b")).contains("lines.c:9                work at lines.c:9\n");
    assertThat(run("tbreak 5")).contains("temporary breakpoint 2 at ").contains("lines.c:5\n");
    assertThat(run("c")).contains("breakpoint 2: ").endsWith("5\t  return sum;\n");
    run("delete lines.c:9");
    assertThat(run("info b")).contains("there are no breakpoints");
    assertThat(run("b lines.c:999")).contains("lines.c:999");
    assertThat(outcome.error()).isPresent();
  }

  @Test
  void mdbsBreakpointTakesLinesToo() {
    assertThat(run("::bp -i 'n == 20' lines.c:9")).contains("breakpoint 1 at lines.c:9");
    assertThat(run("::bp lines.c:999")).contains("lines.c:999");
    assertThat(outcome.error()).isPresent();
    assertThat(run("::events")).contains("lines.c:9");
  }

  /** At the function's entry the arguments are not yet where the debug information says. */
  @Test
  void aFunctionIsStoppedInWhenItsArgumentsAreInPlace() {
    run("b add");
    assertThat(run("c")).contains("in add (a=20, b=1) at ").endsWith("4\t  int sum = a + b;\n");
    assertThat(run("finish")).contains("in work (n=20) at ").contains("/lines.c:8\n");
    run("delete add");
    assertThat(run("info b")).contains("there are no breakpoints");
  }

  @Test
  void aStackIsShownInPart() {
    run("b add");
    run("c");
    assertThat(run("bt 2"))
        .contains("\n#0  ", "\n#1  ", " in work (n=20) ")
        .doesNotContain("#2  ")
        .endsWith("(More stack frames follow...)\n");
    assertThat(run("bt -1")).contains(" in _start").doesNotContain("#1  ", "follow");
    assertThat(run("bt full 1")).contains("sum = ").doesNotContain("total = ");
    assertThat(run("bt 99")).contains("#2  ", " in main ").doesNotContain("follow");
    assertThat(run("bt " + subject.pid())).contains("#2  ", " in main ");
    run("bt -l 2");
    assertThat(outcome.error()).isPresent();
  }

  @Test
  void aFrameIsChosenByItsFunctionOrPlace() {
    run("b add");
    run("c");
    assertThat(run("frame function main")).startsWith("#2  ").contains(" in main ");
    assertThat(run("frame level 1")).startsWith("#1  ").contains(" in work ");
    assertThat(run("frame address $rip")).startsWith("#1  ");
    run("frame function none");
    assertThat(outcome.error()).isPresent();
    run("frame nonsense 1");
    assertThat(outcome.error()).isPresent();
  }

  @Test
  void commandsRunForThreadsInTurn() {
    run("b add");
    run("c");
    run("up");
    assertThat(run("thread apply all p a"))
        .isEqualTo("Thread " + subject.pid() + " (lines):\n$1 = 20\n");
    assertThat(run("info frame")).contains("work");
    assertThat(run("thread apply " + subject.pid() + " bt 1")).contains("#0  ", " in add ");
    run("thread apply all");
    assertThat(outcome.error()).isPresent();
    run("thread apply all p nosuch");
    assertThat(outcome.error()).isPresent();
  }

  @Test
  void aDisplayIsShownWhereItsNamesAreKnown() {
    run("b add");
    run("c");
    assertThat(run("display a + b")).isEqualTo("1: a + b = 21\n");
    assertThat(run("finish")).contains(" in work ").doesNotContain("1: ", "a + b");
    assertThat(outcome.error()).isEmpty();
    assertThat(run("c")).contains("1: a + b = 21\n");
    run("display nosuch");
    assertThat(outcome.error()).isPresent();
  }

  @Test
  void settingsOfPrintHoldForLocals() {
    run("b same");
    run("c");
    assertThat(run("info locals")).contains("both = {\n");
    run("set print pretty off");
    assertThat(run("info locals")).contains("both = {x = ", ", y = ");
  }

  @Test
  void finishShowsWhatWasReturned() {
    run("tbreak add");
    run("c");
    assertThat(run("finish")).endsWith("Value returned is $1 = 21\n");
    assertThat(run("p $ * 2")).isEqualTo("$2 = 42\n");
    run("tbreak other");
    run("c");
    assertThat(run("finish")).contains(" in one ").endsWith("Value returned is $3 = 5\n");
    run("tbreak other");
    run("c");
    assertThat(run("up")).contains(" one (n=1) ");
    assertThat(run("finish")).contains(" in main ").endsWith("Value returned is $4 = 13\n");
    run("tbreak empty");
    run("c");
    assertThat(run("finish")).contains(" in main ").doesNotContain("Value returned");
  }

  @Test
  void localsAreWatchedWhereTheyAre() {
    run("tbreak lines.c:9");
    run("c");
    var set = run("watch -l total");
    if (outcome.error().isPresent()) { // ProcessTargetTest holds this against a program in C.
      assertThat(outcome.error().get()).contains("debug registers stop nothing");
      assertThat(run("info watchpoints")).doesNotContain("total");
      return;
    }
    assertThat(set)
        .contains("watchpoint 2 at total")
        .contains("also when its function has returned");
    assertThat(run("c")).startsWith("watchpoint 2").contains(" in work (n=20) ");
    assertThat(run("watch shared")).doesNotContain("has returned");
    run("watch n + 1");
    assertThat(outcome.error().orElseThrow()).contains("'n + 1' is not in memory");
  }

  @Test
  void charactersAreShownAsInC() {
    assertThat(run("p escapes")).endsWith(" \"tab\\t \\\"q\\\" \\033[0m caf\u00e9 \\377\"\n");
    assertThat(run("p repeats")).isEqualTo("$2 = 'a' <repeats 25 times>, \"bb\"\n");
    assertThat(run("p binary")).isEqualTo("$3 = \"\\001\\000x\\002\"\n");
    assertThat(run("p bell")).isEqualTo("$4 = 7 '\\a'\n");
    assertThat(run("p counts")).isEqualTo("$5 = {1, 0 <repeats 11 times>, 3, 0}\n");
    assertThat(run("p bad")).isEqualTo("$6 = 0x8 <error: Cannot access memory at address 0x8>\n");
  }

  @Test
  void whatisDeclaresNamesAndTellsTheTypeOfOtherExpressions() {
    assertThat(run("whatis counts")).isEqualTo("int counts[14];\n");
    assertThat(run("whatis counts[1]")).isEqualTo("int;\n");
    assertThat(run("whatis *escapes")).isEqualTo("const char;\n");
  }

  @Test
  void listShowsLinesUnlessItIsForLinkedLists() {
    run("b add");
    run("c");
    assertThat(run("list")).startsWith("1\t#include <stdio.h>\n").contains("\n10\t");
    assertThat(run("list")).startsWith("11\t").contains("\n20\t");
    assertThat(run("l -")).startsWith("1\t").contains("\n10\t").doesNotContain("\n11\t");
    run("list -");
    assertThat(outcome.error().orElseThrow()).contains("shown already");
    assertThat(run("list 4,5")).isEqualTo("4\t  int sum = a + b;\n5\t  return sum;\n");
    assertThat(run("list work")).contains("\n7\tint work(int n) {\n");
    assertThat(run("l lines.c:7")).isEqualTo(run("list work"));
    run("l 5,4");
    assertThat(outcome.error().orElseThrow()).contains("line 4 comes before line 5");
    run("list -H 8");
    assertThat(outcome.error().orElseThrow()).doesNotContain("line");
  }

  @Test
  void conditionsKnowParametersAndLocals() {
    run("b add if a == 40");
    run("b lines.c:5 if sum == a + b && b == 1");
    assertThat(run("b lines.c:9 if nosuch == 1")).contains("unknown symbol 'nosuch'");
    assertThat(outcome.error()).isPresent();
    assertThat(run("c")).contains("breakpoint 2: ").contains("in add (a=20, b=1) at ");
    assertThat(run("p sum")).endsWith(" = 21\n");
    run("condition 2 (a < 0 || $rip == 0)");
    run("b work if (n == 20 && pid == " + subject.pid() + ")");
    assertThat(run("c")).contains("breakpoint 3: ").contains("in work (n=20) at ");
    assertThat(run("condition 1 a == n")).contains("unknown symbol 'n'");
    assertThat(outcome.error()).isPresent();
  }

  /**
   * A variable that is there hides the word for the thread; the one of the thread stays within
   * reach.
   */
  @Test
  void localsHideTheWordsForTheThread() {
    run("b same if pid == 7");
    assertThat(run("c")).contains("in same (pid=7)");
    run("condition 1 pid == " + subject.pid());
    run("b add if pid == " + subject.pid());
    assertThat(run("c")).contains("breakpoint 2: ");
  }

  @Test
  void staticVariablesAreNamedByTheirFile() {
    assertThat(run("p 'other.c'::shared")).isEqualTo("$1 = 2.5\n");
    assertThat(run("p 'lines.c'::shared")).isEqualTo("$2 = 7\n");
    run("p 'nosuch.c'::shared");
    assertThat(outcome.error().orElseThrow()).contains("nosuch.c");
    run("p work::counts");
    assertThat(outcome.error().orElseThrow())
        .as("counts is no variable of work")
        .contains("counts");
  }

  @Test
  void staticVariablesOfOneNameAreTheFunctionsFiles() {
    run("b other if shared == 2.5");
    run("b one if shared == 7");
    assertThat(run("c")).contains(" in ");
    for (int i = 0; i < 2; i++) {
      boolean inOther = run("frame 0").contains(" in other ");
      assertThat(run("p shared")).endsWith(inOther ? " = 2.5\n" : " = 7\n");
      assertThat(run("whatis shared")).contains(inOther ? "double" : "int");
      assertThat(run("frame 1")).contains(inOther ? " in one " : " in main ");
      assertThat(run("p shared")).endsWith(" = 7\n");
      assertThat(run("c")).contains(" in ");
    }
  }

  /** Where gdb stops, too. */
  @Test
  void functionsAreStoppedInBehindTheirPrologues() throws IOException {
    var functions = List.of("one", "nothing", "empty", "same", "add", "work", "large", "main");
    var gdb =
        new ArrayList<>(List.of("gdb", "-batch", "-nx", "-iex", "set debuginfod enabled off"));
    functions.forEach(name -> gdb.addAll(List.of("-ex", "break " + name)));
    functions.forEach(name -> gdb.addAll(List.of("-ex", "info address " + name)));
    gdb.add(directory.resolve("lines").toString());
    var said = CProgram.run(directory, gdb);
    var stops = found(said, "Breakpoint [0-9]+ at 0x([0-9a-f]+)");
    var entries = found(said, "is a function at address 0x([0-9a-f]+)");
    assertThat(stops).hasSameSizeAs(functions).hasSameSizeAs(entries);
    for (int i = 0; i < functions.size(); i++) {
      run("b " + functions.get(i));
      long distance = stops.get(i) - entries.get(i);
      var added = session.control().breakpoints().getLast();
      long entry = session.kernel().program().symbols().first(functions.get(i)).get().address();
      assertThat(added.address().getAsLong() - entry).as(functions.get(i)).isEqualTo(distance);
    }
  }

  private static List<Long> found(String text, String pattern) {
    return Pattern.compile(pattern)
        .matcher(text)
        .results()
        .map(result -> Long.parseUnsignedLong(result.group(1), 16))
        .toList();
  }

  @Test
  void instructionsAreShownWithTheirLines() {
    var code = run("disassemble /s add");
    assertThat(code).startsWith("Dump of assembler code for function add:\n");
    assertThat(code.lines().filter(line -> line.matches("[0-9]+\t.*")))
        .containsExactly(
            "3\tint add(int a, int b) {", "4\t  int sum = a + b;", "5\t  return sum;", "6\t}");
    assertThat(code.lines().filter(line -> line.contains(" <+0>"))).hasSize(1);
    assertThat(code).endsWith("End of assembler dump.\n");
    assertThat(run("dis -l work").lines().filter(line -> line.contains("lines.c: ")))
        .extracting(line -> line.substring(line.lastIndexOf(' ') + 1))
        .containsExactly("7", "8", "9", "10", "11");
    run("b add");
    run("c");
    assertThat(run("disassemble").lines().filter(line -> line.contains("=>"))).hasSize(1);
  }

  @Test
  void sourcesAreLookedForWhereTheUserSays() throws IOException {
    run("b add");
    assertThat(run("c")).endsWith("4\t  int sum = a + b;\n");
    var elsewhere = Files.createDirectory(directory.resolve("elsewhere"));
    Files.writeString(elsewhere.resolve("lines.c"), "1\n2\n3\nmoved\n");
    run("set substitute-path " + directory + "/ " + elsewhere);
    assertThat(run("frame")).endsWith("4\tmoved\n");
    assertThat(run("show substitute-path")).isEqualTo(directory + " -> " + elsewhere + "\n");
    run("unset substitute-path");
    assertThat(run("frame")).endsWith("4\t  int sum = a + b;\n");
    run("unset substitute-path /no/rule");
    assertThat(outcome.error()).isPresent();
  }

  @Test
  void stepsByLineShowTheLine() {
    run("b lines.c:8");
    assertThat(run("c")).endsWith("8\t  int total = add(n, 1);\n");
    assertThat(run("step")).contains("in add (a=20, b=1)").endsWith("4\t  int sum = a + b;\n");
    assertThat(run("s 2")).endsWith("6\t}\n");
    assertThat(run("next")).contains("in work (n=20)").endsWith("9\t  total *= 2;\n");
    assertThat(run("si")).contains("10\t  return total;\n").contains("work+0x");
    run("c");
    assertThat(run("n")).endsWith("9\t  total *= 2;\n");
    assertThat(run("until lines.c:11")).endsWith("11\t}\n");
    run("c");
    assertThat(run("advance 10")).endsWith("10\t  return total;\n");
    run("b add");
    run("c");
    run("c");
    run("up");
    assertThat(run("finish")).contains("in main () at ");
  }
}
