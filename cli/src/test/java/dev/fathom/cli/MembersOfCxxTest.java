// SPDX-License-Identifier: Apache-2.0
package dev.fathom.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fathom.testkit.process.CProgram;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Pointers to members, operators that assign, {@code typeid} and virtual functions beside gdb. */
@EnabledOnOs(value = OS.LINUX, architectures = "amd64")
@Timeout(120)
class MembersOfCxxTest {
  private static final String SOURCE =
      """
      #include <stdio.h>
      #include <string>
      #include <typeinfo>
      #include <unistd.h>
      #define STAY __attribute__((noinline, used))
      namespace geo {
      struct P {
        int x, y;
        STAY P &operator+=(const P &o) { x += o.x; y += o.y; return *this; }
        STAY P &operator++() { ++x; return *this; }
        STAY P operator++(int) { P old = *this; x += 10; return old; }
        STAY P &operator--() { --x; return *this; }
        STAY int sum(int k) const { return x + y + k; }
        STAY int twice(int k) { return 2 * k + x; }
      };
      STAY P &operator-=(P &a, int b) { a.x -= b; return a; }
      struct V { virtual int f(int) { return 1; } virtual int g() { return 2; } int v = 1; };
      struct W : V { int f(int k) override { return k * 3; } int w = 2; };
      struct Z { virtual int h() { return 9; } int z = 3; };
      struct M : Z, W { int m = 4; int h() override { return 10; } };
      struct VB : virtual V { int q = 7; virtual int r() { return 1; } };
      }
      using namespace geo;
      P p{1, 2}, q{10, 20}, *pp = &q;
      W w;
      M m;
      VB vb;
      V *vp = &w, *vm = &m, *vvb = &vb, &vr = w;
      Z *zm = &m;
      int P::*pm = &P::y, P::*none = nullptr, V::*vv = &V::v, W::*wm = &W::w, M::*mv = &M::v;
      int (P::*pf)(int) const = &P::sum;
      int (P::*pt)(int) = &P::twice, (P::*nf)(int) = nullptr;
      int (V::*vf)(int) = &V::f;
      int (W::*wf)(int) = &W::f;
      int (M::*mf)(int) = (int (M::*)(int)) &W::f;
      extern int P::*const cpm;
      int P::*const cpm = &P::y;
      extern int (P::*const tab[2])(int);
      int (P::*const tab[2])(int) = {&P::twice, nullptr};
      int P::*away = &P::y;
      int (P::*gone)(int) = &P::twice;
      std::string s = "abc";
      int i = 3;
      unsigned long ul = 4;
      const std::type_info *uses[] = {&typeid(*vp), &typeid(V), &typeid(std::string), &typeid(VB)};
      int main() {
        puts("ready");
        fflush(stdout);
        if (getpid() == 1) { p += q; ++p; p++; --p; p -= 2; s += s; s += "x"; (p.*pf)(3); }
        for (;;) pause();
      }
      """;

  /** Asked in this order: some change what others read. */
  private static final List<String> ASKED =
      List.of(
          "p.*pm",
          "pp->*pm",
          "(p.*pf)(3)",
          "(pp->*pt)(3)",
          "(vp->*vf)(5)",
          "(w.*vf)(5)",
          "(vm->*vf)(6)",
          "(vvb->*vf)(1)",
          "(m.*wf)(3)",
          "(m.*mf)(3)",
          "vp->*vv",
          "m.*wm",
          "m.*mv",
          "p.*(&geo::P::x)",
          "p.*pm = 7",
          "p",
          "pm",
          "none",
          "mv",
          "vf",
          "wf",
          "mf",
          "&geo::P::y",
          "&geo::V::f",
          "sizeof(pf)",
          "cpm",
          "tab",
          "p.*cpm",
          "away = 0",
          "away",
          "gone = 0",
          "gone",
          "(pm == &geo::P::y) + 1",
          "(pf == &geo::P::sum) + 1",
          "sizeof(p += q)",
          "(p += q).x",
          "p",
          "++p",
          "p++",
          "p",
          "(--p).x",
          "(p -= 2).x",
          "p",
          "(s += \"def\").size()",
          "s",
          "(s += s).size()",
          "s",
          "sizeof(typeid(i))");

  private static final List<String> TABLES =
      List.of("w", "vp", "*vp", "m", "vb", "vr", "vvb", "zm", "*vm");

  @TempDir Path folder;

  private static String plain(String text) {
    // Where things are differs from process to process, and gdb leaves out the library.
    return text.replaceAll("@? ?0x[0-9a-f]+", "AT")
        .replaceAll("true", "1")
        .replaceAll("<[^<>` ]*`", "<");
  }

  @ParameterizedTest
  @ValueSource(strings = {"g++", "clang++"})
  void areThoseOfGdb(String compiler) throws IOException {
    var program =
        CProgram.compileWith(
            compiler,
            folder,
            "members",
            SOURCE,
            "-xc++",
            "-g",
            "-O0",
            "-std=c++17",
            compiler.equals("g++") ? "-g" : "-fstandalone-debug");
    var first = List.of(program.file().toString(), "-ex", "break main", "-ex", "run");
    var theirs = Debugged.gdb(folder, ASKED, first);
    assertThat(theirs).hasSameSizeAs(ASKED);
    Debugged.with(
        program,
        (service, _) -> {
          Debugged.run(service, "frame function main");
          for (int n = 0; n < ASKED.size(); n++) {
            assertThat(plain(Debugged.run(service, "output " + ASKED.get(n))))
                .as(ASKED.get(n))
                .isEqualTo(plain(theirs.get(n)));
          }
          assertThat(Debugged.run(service, "output pf"))
              .containsPattern(
                  "^\\(int \\(geo::P::\\*\\)\\(const geo::P \\* const, int\\)\\) 0x\\w+"
                      + " <geo::P::sum");
          assertThat(Debugged.run(service, "output vf == &geo::V::g")).isEqualTo("0");
          assertThat(Debugged.run(service, "output nf == 0 && 0 != pf")).isEqualTo("1");
          assertThat(Debugged.run(service, "output none == 0 && &geo::P::x != 0")).isEqualTo("1");
          assertThat(Debugged.run(service, "output gone == nullptr && pm != away")).isEqualTo("1");
          assertThat(Debugged.run(service, "output nf")).isEqualTo("NULL");
          assertThat(Debugged.run(service, "output typeid(*vp).__name")).endsWith("\"N3geo1WE\"");
          assertThat(Debugged.run(service, "output &typeid(*vp) == &typeid(w)")).isEqualTo("1");
          assertThat(Debugged.run(service, "output typeid(vr)")).contains("__name = 0x", "geo1WE");
          assertThat(Debugged.run(service, "output typeid(i).__name")).endsWith("\"i\"");
          assertThat(Debugged.run(service, "output typeid(ul).__name")).endsWith("\"m\"");
          assertThat(Debugged.run(service, "output typeid(int *).__name")).endsWith("\"Pi\"");
          assertThat(Debugged.run(service, "output typeid(s).__name")).contains("basic_string");
          assertThat(Debugged.run(service, "output typeid(geo::P)")).contains("unknown typeinfo");
          assertThat(Debugged.run(service, "output p.*none")).contains("leads to no member");
          assertThat(Debugged.run(service, "output (p.*nf)(1)")).contains("leads to no member");
          assertThat(Debugged.run(service, "output p.*1")).contains("not a pointer to a member");
          assertThat(Debugged.run(service, "output q.*wm")).contains("is no 'geo::W'");
          assertThat(Debugged.run(service, "output i.*pm")).contains("is no 'geo::P'");
          assertThat(Debugged.run(service, "output w += 1")).contains("there is no 'operator+='");
          assertThat(Debugged.run(service, "info vtbl p")).contains("does not have a virtual");
        });
  }

  @ParameterizedTest
  @ValueSource(strings = {"g++", "clang++"})
  void tablesOfVirtualFunctionsAreThoseOfGdb(String compiler) throws IOException {
    var program =
        CProgram.compileWith(
            compiler, folder, "members", SOURCE, "-xc++", "-g", "-O0", "-std=c++17", "-no-pie");
    var commands = new ArrayList<>(List.of("gdb", "-batch", "-nx"));
    commands.addAll(List.of("-ex", "break main", "-ex", "run"));
    for (var one : TABLES) {
      commands.addAll(List.of("-ex", "echo @@\\n", "-ex", "info vtbl " + one));
    }
    commands.add(program.file().toString());
    var theirs = CProgram.run(folder, commands).split("@@\n");
    Debugged.with(
        program,
        (service, _) -> {
          for (int n = 0; n < TABLES.size(); n++) {
            var ours = Debugged.run(service, "info vtbl " + TABLES.get(n));
            assertThat(ours.replace("fathom: this", "This"))
                .as(TABLES.get(n))
                .isEqualTo(theirs[n + 1].strip());
          }
        });
  }
}
