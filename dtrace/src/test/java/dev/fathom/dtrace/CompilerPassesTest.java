// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fathom.base.ProgramException;
import dev.fathom.dtrace.compile.Compiler;
import dev.fathom.dtrace.compile.Environment;
import dev.fathom.dtrace.compile.Input;
import dev.fathom.dtrace.ir.Builtin;
import dev.fathom.dtrace.syntax.Macros;
import dev.fathom.model.arch.aarch64.Aarch64;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

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

  /** An argument that one program uses need not be used by the others. */
  @Test
  void argumentsAreGivenToAllProgramsTogether() {
    var environment =
        Environment.bare(new Macros(List.of("test", "7", "8"), Map.of(), false), Map.of());
    var first = Input.description(Input.Kind.NAME, "BEGIN { trace($1); }");
    var second = Input.description(Input.Kind.NAME, "END { trace($2); }");
    assertThat(Compiler.compile(environment, List.of(), List.of(first, second)).matched())
        .containsExactly(1, 1);
    assertThatThrownBy(() -> Compiler.compile(environment, List.of(), List.of(second, second)))
        .hasMessageContaining("argument $1 was given but is not used")
        .hasMessageContaining("D_MACRO_UNUSED");
  }

  /** Signed addresses of 64-bit Arm: bit 55 says what the bits above the address are. */
  @Test
  void addressesOfArmAreStripped() {
    var bare = Environment.bare(new Macros(List.of("test"), Map.of(), false), Map.of());
    var arm =
        new Environment(
            Optional.of(new SyntheticProgram(Aarch64.INSTANCE)),
            bare.providers(),
            bare.builtins(),
            bare.subroutines(),
            bare.destructions(),
            bare.macros(),
            bare.options());
    var text = "BEGIN { trace(strip(0x3f92800010203040)); trace(strip(0x3f128aaa10203040)); }";
    var plan = Compiler.compile(arm, List.of(), List.of(Input.script("test.d", text))).plan();
    assertThat(Scenario.run(plan))
        .contains("trace " + 0xffff800010203040L + ":U8 | trace " + 0x8aaa10203040L + ":U8");
  }

  /** Where the kernel is out of sight, the process on the CPU stands for itself. */
  @Test
  void processesAreDescribedWithoutTheirKernel() {
    var bare = Environment.bare(new Macros(List.of("test"), Map.of(), false), Map.of());
    var process =
        new Environment(
            Optional.empty(),
            bare.providers(),
            EnumSet.complementOf(EnumSet.of(Builtin.CURTHREAD)),
            bare.subroutines(),
            bare.destructions(),
            bare.macros(),
            bare.options());
    var text = "BEGIN { trace(curpsinfo->pr_psargs); trace(curlwpsinfo->pr_lwpid); }";
    var plan = Compiler.compile(process, List.of(), List.of(Input.script("test.d", text))).plan();
    assertThat(Scenario.run(plan)).contains("trace \"cat -x\":S256 | trace 100:S4");
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
  void whatIsSwitchedOffIsOff() {
    var input = List.of(Input.script("test.d", "BEGIN { copyout((void *)arg0, arg1, 4); }"));
    var off =
        Environment.bare(
            new Macros(List.of("test"), Map.of(), false), Map.of("destructive", "off"));
    assertThatThrownBy(() -> Compiler.compile(off, List.of(), input))
        .hasMessageContaining("copyout");
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

  private static final String STRUCTS =
      "struct in { int i; char c; }; struct out { int i; char *p; };";

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "D_XLATE_SOU|translator int < struct in *s > { };",
        "D_XLATE_MEMB|translator struct out < struct in *s > { nothing = s->i; };",
        "D_TYPE_MEMBER|translator struct out < struct in *s > { i = s->nothing; };",
        "D_XLATE_INCOMPAT|translator struct out < struct in *s > { p = s->c; };",
        "D_OP_INCOMPLETE|translator struct out < struct none *s > { i = s->c; };",
        "D_XLATE_REDECL|translator struct out < struct in *s > { i = s->i; };"
            + " translator struct out < struct in *s > { i = s->i; };",
        "D_DECL_IDRED|inline int foo = timestamp; inline int foo = 8;",
        "D_DECL_BFCONST|struct bits { int a : 1; int b : 0; };",
        "D_OP_ARRFUN|int a[3]; int b[3]; BEGIN { a = b; }",
        "D_OP_INCOMPAT|void *p; BEGIN { trace(p + 1); }",
        "D_PRINT_SIZE|BEGIN { print((struct none *)arg0); }",
      })
  void mistakesHaveTheirTags(String tag, String text) {
    assertThatThrownBy(() -> compile(STRUCTS + text + " BEGIN { }"))
        .isInstanceOf(ProgramException.class)
        .hasMessageContaining(tag);
  }

  @Test
  void translatorsThatAreRightAreTaken() {
    assertThat(
            compile(
                    STRUCTS
                        + "translator struct out < struct in *s > { i = s->i; p = NULL; };"
                        + "BEGIN { trace(xlate <struct out>((struct in *)arg0).i); }")
                .dump("lower"))
        .contains("s32[");
  }

  /** What is not known yet when its predicate is come to is known when the body was. */
  @Test
  void bodiesOfInlinesAreResolvedAgainWhenTheirNamesAreKnown() {
    var library = Input.script("library.d", "inline int twice = later * 2;");
    var plan =
        Compiler.compile(
                Environment.bare(new Macros(List.of("test"), Map.of(), false), Map.of()),
                List.of(library),
                List.of(Input.script("test.d", "BEGIN /twice == 0/ { later = 7; trace(twice); }")))
            .plan();
    assertThat(Scenario.run(plan)).contains("trace 14:S4");
  }

  @Test
  void aStringThatIsNotThereIsEmpty() {
    assertThat(
            compile("BEGIN /strchr(\"abc\", 'b') != NULL/ { exit(NULL == probefunc); }")
                .dump("lower"))
        .contains("!=s \"\"")
        .contains("(probefunc ==s \"\")");
  }

  @Test
  void bigArraysInMemoryAreTypes() {
    assertThat(compile("extern int a[123][456][789]; BEGIN { trace(1); }").matched())
        .containsExactly(1);
  }
}
