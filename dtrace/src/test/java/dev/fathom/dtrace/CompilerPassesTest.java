// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fathom.base.ProgramException;
import dev.fathom.dtrace.compile.Compiler;
import dev.fathom.dtrace.compile.Environment;
import dev.fathom.dtrace.compile.Input;
import dev.fathom.dtrace.syntax.Macros;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

/** What each pass of the compiler shows, and what it refuses. */
class CompilerPassesTest {
  private static Compiler.Compiled compile(String text) {
    return Compiler.compile(
        Environment.bare(new Macros(List.of("test"), Map.of(), false), Map.of()),
        List.of(),
        List.of(Input.script("test.d", text)));
  }

  @Test
  void passesFollowEachOtherByName() {
    assertThat(compile("BEGIN { trace(1); }").passes().keySet())
        .containsExactly("parse", "expand", "resolve", "type", "check", "lower", "verify");
  }

  @Test
  void resolveTellsWhatNamesAre() {
    assertThat(
            compile("inline int two = 2; BEGIN { self->x = pid + two; trace(arg0 + self->x); }")
                .dump("resolve"))
        .isEqualTo(
            """
            clause 0 :::BEGIN
              pid: built-in
              two: inline
              self->x: thread-local, defined here
              arg0: argument
              self->x: thread-local
            """);
  }

  @Test
  void typeMakesConversionsExplicit() {
    assertThat(compile("BEGIN { c = (char)arg0; }").dump("type"))
        .isEqualTo(
            """
            clause 0 :::BEGIN
              ((v0 : char) = (narrow((arg0 : long)) : char) : char)
            """);
  }

  @Test
  void checkTellsWhatAClauseChanges() {
    var allowed =
        Compiler.compile(
            Environment.bare(
                new Macros(List.of("test"), Map.of(), false), Map.of("destructive", "")),
            List.of(),
            List.of(Input.script("test.d", "BEGIN { copyout((void *)arg0, arg1, 4); }")));
    assertThat(allowed.dump("check")).contains("changes: copyout()");
    assertThat(compile("BEGIN { x = 1; trace(x); }").dump("check"))
        .contains("records, changes nothing");
  }

  @Test
  void keysOfAPlaceAreEvaluatedOnce() {
    assertThat(
            compile("struct s { int m; } a[int]; BEGIN { a[n++].m = 3; }")
                .dump("lower")
                .split("v1 = ", -1))
        .hasSize(2);
  }

  @Test
  void inlinesAreCheckedWhereTheyAreDeclared() {
    assertThatThrownBy(() -> compile("inline string s = 3; BEGIN { }"))
        .isInstanceOf(ProgramException.class)
        .hasMessageContaining("D_OP_INCOMPAT");
  }

  @Test
  void inlinesThatDoubleAreBounded() {
    var text = new StringBuilder("inline int i0 = pid + pid;\n");
    for (int i = 1; i < 39; i++) {
      text.append("inline int i%d = i%d + i%d;\n".formatted(i, i - 1, i - 1));
    }
    assertThatThrownBy(() -> compile(text + "BEGIN { trace(i38); }"))
        .isInstanceOf(ProgramException.class)
        .hasMessageContaining("uses of inlines");
  }

  /** A long sum is deep to the left; no pass may need much stack for a level. */
  @Test
  void longSumsNeedLittleStack() throws InterruptedException {
    var failure = new AtomicReference<Throwable>();
    var thread =
        new Thread(
            null,
            () -> compile("BEGIN { trace(arg0" + " + arg1".repeat(380) + "); }").dump("lower"),
            "small stack",
            2 << 20);
    thread.setUncaughtExceptionHandler((_, e) -> failure.set(e));
    thread.start();
    thread.join();
    assertThat(failure.get()).isNull();
  }
}
