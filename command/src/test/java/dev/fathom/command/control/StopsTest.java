// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.control;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fathom.base.Outcome;
import dev.fathom.base.TextRenderer;
import dev.fathom.command.CommandService;
import dev.fathom.command.standard.StandardCommands;
import dev.fathom.kernel.KernelOptions;
import dev.fathom.kernel.Progress;
import dev.fathom.session.Session;
import dev.fathom.target.AttachOptions;
import dev.fathom.testkit.gdb.FakeStub;
import dev.fathom.testkit.tiny.TinyLinux;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Lines typed at a guest behind a gdb stub whose CPUs follow a script. */
@Timeout(60)
class StopsTest {
  @TempDir private Path folder;

  private final TinyLinux linux = new TinyLinux();
  private FakeStub stub;
  private Session session;
  private CommandService service;
  private Outcome outcome;
  private long schedule;

  @BeforeEach
  void attach() {
    linux.vmcore();
    stub = linux.stub();
    connect();
  }

  private void connect() {
    session =
        Session.attach(
            stub.address(),
            AttachOptions.DEFAULT,
            new KernelOptions(Optional.empty(), true, Progress.NONE));
    service = StandardCommands.over(session);
    service.environment().settings().writable(true);
    schedule = linux.address("schedule");
  }

  @AfterEach
  void close() {
    session.close();
    stub.close();
    assertThat(stub.violations()).isEmpty();
  }

  private String run(String line) {
    var out = new StringWriter();
    outcome = service.run(line, new TextRenderer(out, out, TextRenderer.Options.PLAIN));
    return out.toString();
  }

  private void hits(int count) {
    for (int i = 0; i < count; i++) {
      stub.comes(i % 2, schedule);
    }
  }

  @Test
  void tellsOfTheStopAndWhereItIs() {
    assertThat(run("schedule::bp")).isNotEmpty();
    stub.comes(0, linux.address("panic"));
    hits(1);
    assertThat(run(":c")).contains("breakpoint 1: ", " on CPU 0\n");
    assertThat(stub.breakpoints()).isEmpty();
    assertThat(stub.running()).isFalse();
  }

  /** More often than commands may be nested. */
  @Test
  void commandsRunAtEveryHit() {
    assertThat(run("schedule::bp -c silent -c '::echo hit' -c '::echo on' -c :c")).isNotEmpty();
    run("panic::bp");
    hits(40);
    stub.comes(1, linux.address("panic"));
    assertThat(run(":c")).startsWith("hit\non\n".repeat(40)).contains("breakpoint 2: ");
    assertThat(outcome.error()).isEmpty();
    assertThat(run("::events")).contains("40");
  }

  @Test
  void commandsThatDoNotGoOnLeaveItStopped() {
    run("schedule::bp -c '::echo one' -c '::echo two'");
    hits(2);
    assertThat(run(":c")).contains("breakpoint 1: ").endsWith("one\ntwo\n");
    assertThat(run(":c")).contains("breakpoint 1: ").endsWith("one\ntwo\n");
  }

  /** What went wrong in the commands of one stop has no bearing on the next line. */
  @Test
  void goesOnAfterACommandThatCannotBeRun() {
    run("schedule::bp -c silent -c '::echo before' -c ::nosuch -c :c");
    hits(2);
    assertThat(run(":c")).startsWith("before\n");
    assertThat(outcome.error()).isPresent();
    assertThat(run(":c")).startsWith("before\n");
    assertThat(outcome.error()).isPresent();
    assertThat(run("::events")).contains("2");
  }

  @Test
  void conditionsInGdbsSpellingKeepTheirStrings() {
    run("b schedule if comm == \"no such name\"");
    run("b panic");
    run("condition 2 comm != \"no such name\"");
    assertThat(run("info b")).contains("comm == \"no such name\"", "comm != \"no such name\"");
    hits(3);
    stub.comes(0, linux.address("panic"));
    assertThat(run("c")).contains("breakpoint 2: ");
    assertThat(outcome.error()).isEmpty();
  }

  @Test
  void conditionsInGdbsSpellingAreCToTheEnd() {
    run("b schedule if pid >= 0 && $rdx > 100 | 2 || tid >> 3; ::echo after");
    assertThat(outcome.error()).isEmpty();
    run("tb panic thread 1 if $rdi >> 4");
    run("watch panic_cpu if pid > 3");
    assertThat(run("info b")).contains("if pid >= 0 && $rdx > 100 | 2 || tid >> 3\n");
    run("condition 1 $rdi > 5");
    assertThat(run("info b")).contains("if $rdi > 5\n");
    for (var name : List.of("100", "5", "4", "3")) {
      assertThat(Path.of(name)).doesNotExist();
    }
    assertThat(run("info b > " + folder.resolve("list"))).isEmpty();
    assertThat(folder.resolve("list")).isNotEmptyFile();
  }

  @Test
  void conditionsInGdbsSpellingMayStandCloseToIf() {
    run("b schedule if(pid == 99)");
    assertThat(outcome.error()).isEmpty();
    run("tb schedule thread 1 if(pid > 3) || tid >> 3");
    assertThat(outcome.error()).isEmpty();
    run("watch panic_cpu if(pid == 98)");
    assertThat(outcome.error()).isEmpty();
    assertThat(run("info b"))
        .contains("if (pid == 99)\n", "if (pid > 3) || tid >> 3, thread", "if (pid == 98)\n");
    run("b panic");
    hits(3);
    stub.comes(0, linux.address("panic"));
    assertThat(run("c")).contains("breakpoint 4: ");
  }

  @Test
  void whatConditionsCallTheThreadIsNamedSoInExpressions() {
    run("tb schedule if comm == \"" + "swapper/1" + "\" || pid == 0 || 1");
    stub.comes(1, schedule);
    assertThat(run("c")).contains("breakpoint 1: swapper/1/0 on CPU 1");
    assertThat(run("p comm")).contains("\"swapper/1\"");
    assertThat(run("p pid + tid")).isEqualTo("$2 = 0\n");
    assertThat(run("p cpu")).isEqualTo("$3 = 1\n");
    assertThat(run("p curthread->pid == tid")).isEqualTo("$4 = 1\n");
    assertThat(run("thread 1")).isNotEmpty();
    assertThat(run("p pid")).isEqualTo("$5 = 1\n");
    assertThat(run("p nosuch")).contains("unknown symbol 'nosuch'");
  }

  @Test
  void conditionsThatCannotHoldAreRefused() {
    assertThat(run("b schedule if comm == dd"))
        .contains("unknown symbol 'dd'", "the name of a command stands in quotes: \"dd\"");
    assertThat(run("b schedule if comm = \"dd\"")).contains("'comm = \"dd\"' does: == compares");
    assertThat(run("::bp -i 'pid++' schedule")).contains("changes nothing");
    assertThat(run("b schedule if panic(1)")).contains("calls nothing");
    assertThat(run("b schedule if sizeof(pid = 1) == 8")).contains("breakpoint ");
    assertThat(run("info b")).containsOnlyOnce("schedule");
  }

  @Test
  void conditionsOfWatchpointsAreLookedAtWhenSet() {
    assertThat(run("watch panic_cpu if pidd == 3")).contains("unknown symbol 'pidd'");
    assertThat(run("panic_cpu::wp -L 4 -i 'nosuch > 3'")).contains("unknown symbol 'nosuch'");
    assertThat(run("watch panic_cpu if (pid == 3")).contains("expected ')'");
    assertThat(run("watch panic_cpu if pid = 3")).contains("'pid = 3' does: == compares");
    assertThat(run("info b")).contains("there are no breakpoints");
    assertThat(run("panic_cpu::wp -L 4 -i 'pid > 3 && panic_cpu != 0 && $rdi'"))
        .contains("watchpoint ");
    int id = session.control().breakpoints().getFirst().id();
    assertThat(run("condition " + id + " comm == dd")).contains("\"dd\"");
    assertThat(run("info b")).contains("if pid > 3 && panic_cpu != 0 && $rdi\n");
  }

  /** Names may come with the module. */
  @Test
  void ofConditionsThatWaitForAModuleTheSyntaxIsLookedAt() {
    assertThat(run("b absent`probe if (pid == 3")).contains("expected ')'");
    assertThat(run("b absent`probe if pid = 3")).contains("'pid = 3' does: == compares");
    assertThat(run("info b")).contains("there are no breakpoints");
    assertThat(run("b absent`probe if its_own == 3")).contains("waits for absent`probe");
  }

  @Test
  void whereNothingIsMappedThereIsNoBreakpoint() {
    assertThat(run("b *0x1000")).contains("no breakpoint can be set there: cannot read");
    assertThat(run("0x1000::bp")).contains("no breakpoint can be set there: cannot read");
    assertThat(run("info b")).contains("there are no breakpoints");
    assertThat(run("hb *0x1000")).contains("0x1000", "warning", "breakpoint ");
    assertThat(run("awatch *(int *)0")).contains("0x0", "warning", "watchpoint ");
    assertThat(run("panic_cpu+1::wp -L 8")).contains("multiple of 8", "watchpoint ");
    assertThat(run("panic_cpu::wp -L 4")).doesNotContain("warning");
  }

  @Test
  void aNameThatItsLoadedModuleDoesNotHaveIsToldOfOnce() {
    assertThat(run("::bp -p tiny_mod`no_such"))
        .isEqualTo("breakpoint 1 waits for tiny_mod`no_such\n");
    assertThat(run("b schedule"))
        .contains("breakpoint 1 waits in vain: tiny_mod is loaded and has no 'no_such'");
    run("b absent`no_such");
    hits(1);
    assertThat(run("c")).contains("breakpoint 2: ").doesNotContain("in vain");
    assertThat(run("info b")).contains("waiting").doesNotContain("in vain");
  }

  @Test
  void wordsForWhatASleepingThreadAndUnmappedMemoryDoNotHave() {
    run("thread 1");
    assertThat(run("<rax=K")).contains("on no CPU: it sleeps", "'rax'");
    assertThat(run("<nosuch=K")).contains("variable 'nosuch' is not defined");
    assertThat(run("1000/W 5")).contains("cannot write kernel address 0x1000: no mapping");
  }

  @Test
  void helpBeginsWithTheWordAskedFor() {
    for (var word : List.of("until", "advance", "step", "s", "finish", "fin", "si", "nexti")) {
      assertThat(run("help " + word)).contains("NAME\n  " + word);
    }
    assertThat(run("help until")).contains("DESCRIPTION\n  `until` and `advance` run until");
    assertThat(run("help next")).contains("DESCRIPTION\n  `next` lets", "\n      > next 3");
  }

  @Test
  void withoutBreakpointsItRunsUntilItIsStopped() {
    assertThat(run(":c")).isEqualTo("fathom: note: the target runs; ::stop stops it\n");
    assertThat(outcome.error()).isEmpty();
    while (!stub.running()) {
      Thread.onSpinWait(); // It is told to run, and no answer is waited for; the time limit is
      // JUnit's.
    }
    assertThat(run("::stop")).contains("stopped by user");
    assertThat(outcome.error()).isEmpty();
    assertThat(stub.running()).isFalse();
    assertThat(run("::threads -r")).contains("CPU");
    assertThat(outcome.error()).isEmpty();
    assertThat(stub.running()).isFalse();
  }

  /** As long as a description says, which may be anything. */
  @Test
  void vectorRegistersOfOddLengths() {
    session.close();
    stub.describes("ymm0h", 72).describes("xmm1", 128).describes("ymm1h", 128);
    stub.describes("xmm2", 72).describes("ymm2h", 128).describes("mxcsr", 16);
    stub.describes("st0", 80).describes("st1", 88).describes("fop", 7);
    connect();
    var all = run("info all-registers");
    assertThat(outcome.error()).isEmpty();
    assertThat(all).contains("ymm0h", "xmm1", "ymm1 = ", "xmm2", "ymm2h", "mxcsr", "st1");
    assertThat(run("p $ymm1.v8_int32[7]")).isEqualTo("$1 = 16843009\n");
    for (var name : List.of("ymm0h", "xmm2", "mxcsr", "st0", "st1", "fop")) {
      assertThat(run("p $" + name)).startsWith("$").contains(" = ");
    }
  }

  /** What the target does not describe is a variable's name like any other. */
  @Test
  void variablesMayHaveTheNamesOfRegistersThatAreNotThere() {
    run("set $fop = 5");
    assertThat(run("p $fop + 1")).isEqualTo("$1 = 6\n");
    assertThat(run("p $st1")).isEqualTo("$2 = void\n");
  }

  @Test
  void topicsMayBeCutShort() {
    for (var topic : List.of("r", "regi", "regis", "registe", "registers")) {
      assertThat(run("info " + topic + " rax")).as(topic).contains("rax ");
      assertThat(outcome.error()).as(topic).isEmpty();
    }
    for (var topic : List.of("symb", "symbol")) {
      assertThat(run("info " + topic + " schedule")).isEqualTo("schedule\n");
    }
    assertThat(run("info funct ^sched")).contains("schedule");
    assertThat(run("info registersx")).contains("'registersx'");
  }

  @Test
  void declarationsOfAHeaderThatAreLeftOutAreCounted() throws IOException {
    var header = folder.resolve("some.h");
    Files.writeString(header, "int x y;\nstruct some { int a; };\n");
    assertThat(run("::cheader " + header))
        .contains("; line 1 is left out\n", ": 1 types, 0 variables, 1 declaration left out\n");
    Files.writeString(header, "int x y;\n{ int a; }\nlong after;\n");
    assertThat(run("::cheader " + header))
        .contains("; line 2 is left out\n", ": 0 types, 1 variables, 2 declarations left out\n");
  }
}
