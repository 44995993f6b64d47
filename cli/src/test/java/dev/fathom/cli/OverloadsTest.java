// SPDX-License-Identifier: Apache-2.0
package dev.fathom.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fathom.base.TextRenderer;
import dev.fathom.command.CommandService;
import dev.fathom.command.standard.StandardCommands;
import dev.fathom.kernel.KernelOptions;
import dev.fathom.kernel.Progress;
import dev.fathom.session.Session;
import dev.fathom.target.AttachOptions;
import dev.fathom.testkit.process.CProgram;
import dev.fathom.testkit.process.Subject;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Functions of C++ that share their names: which one a call means, and what a name alone is. */
@EnabledOnOs(value = OS.LINUX, architectures = "amd64")
@Timeout(120)
class OverloadsTest {
  private static final String SOURCE =
      """
      #include <cstdio>
      #include <memory>
      #include <string>
      #include <unistd.h>
      #include <vector>
      #define OWN __attribute__((noinline, used))
      namespace ns {
        template <class T> OWN T twice(T v) { return v + v; }
        struct Pair { int a, b; };
        OWN int length(const Pair &p) { return p.a + p.b; }
        OWN std::string text(int n) { return std::string(n, 'x'); }
        struct Vec {
          int x, y;
          OWN Vec operator+(const Vec &o) const { return {x + o.x, y + o.y}; }
          OWN Vec operator-() const { return {-x, -y}; }
          OWN int operator()(int k) const { return k * x; }
          OWN int operator[](int i) const { return i ? y : x; }
          OWN int size() const { return x * y; }
        };
        OWN bool operator==(const Vec &a, const Vec &b) { return a.x == b.x && a.y == b.y; }
        OWN Vec operator*(int k, const Vec &a) { return {k * a.x, k * a.y}; }
        OWN std::vector<int> ints(int n) { return std::vector<int>(n, 7); }
        OWN std::unique_ptr<Pair> owner() { return std::make_unique<Pair>(); }
        OWN Vec vec(int n) { return {n, n + 1}; }
        struct Box { Vec *v; OWN Vec *operator->() const { return v; } OWN Vec &operator*() { return *v; } };
      }
      struct Animal { int id; };
      struct Pet : Animal { int owner; };
      struct Dog : Pet { int tail; };
      enum Plain { ONE = 1 };
      enum class Scoped { ONE = 1 };
      namespace geo {
        struct Circle {
          int r;
          OWN Circle(int r) : r(r) {}
          OWN int base() { return r; }
          OWN int length() { return r; }
          OWN int only() { return r; }
        };
      }
      int base = 7;
      OWN int over(int a) { return a + 1; }
      OWN int over(double a) { return (int) a + 200; }
      OWN int over(const char *a) { return a[0] + 3000; }
      OWN int conv(long a) { return (int) a + 10; }
      OWN int conv(const Animal &a) { return a.id + 20; }
      OWN int conv(Scoped a) { return (int) a + 30; }
      OWN int clear(long a) { return 1 + a; }
      OWN int clear(unsigned long a) { return 2 + a; }
      OWN int near(Animal *) { return 1; }
      OWN int near(Pet *) { return 2; }
      OWN int near(void *) { return 3; }
      OWN int near(const Animal *) { return 4; }
      OWN int changes(Animal &) { return 1; }
      OWN int changes(const Animal &) { return 2; }
      OWN int length(const std::string &s) { return s.size(); }
      OWN int length(int a) { return a * 2; }
      OWN int bound(const int &a, double &&b) { return a + (int) b; }
      OWN int two(int a) { return a; }
      OWN int two(int a, int b) { return a * b; }
      template <class T> OWN int made(T) { return 1; }
      OWN int made(int) { return 2; }
      Dog dog; Animal animal; extern const Animal fixed; const Animal fixed{3};
      std::string s("hello"); Plain plain = ONE; Scoped scoped = Scoped::ONE;
      short sh = 4; char ch = 'c'; float fl = 2.5f; unsigned long ul = 3; ns::Pair pair{3, 4};
      ns::Vec va{1, 2}, vb{3, 4}; ns::Box box{&vb};
      volatile int turns;
      int main() {
        geo::Circle c(3);
        puts("ready");
        fflush(stdout);
        for (;;) {
          turns += ns::twice(2) + (int) ns::twice(2.5) + made(2.5) + made(1) + c.r;
          usleep(1000);
        }
      }
      """;

  @TempDir private Path directory;

  @Test
  void ofGcc() {
    in(program("gcc", "-O0"), OverloadsTest::answers);
    in(program("gcc", "-O2"), OverloadsTest::answers);
  }

  @Test
  @Tag("lab")
  void ofClang() {
    in(program("clang", "-O0"), OverloadsTest::answers);
    in(program("clang", "-O2"), OverloadsTest::answers);
  }

  private CProgram program(String compiler, String level) {
    return CProgram.compileWith(
        compiler,
        directory,
        "overloads" + level,
        SOURCE,
        "-x",
        "c++",
        "-g",
        level,
        compiler.equals("clang") ? "-fstandalone-debug" : "-g",
        "-Wl,--no-as-needed",
        "-lstdc++");
  }

  private static void answers(UnaryOperator<String> value) {
    assertThat(value.apply("over(1)")).isEqualTo("2");
    assertThat(value.apply("over(3.5)")).isEqualTo("203");
    assertThat(value.apply("over(\"A\")")).isEqualTo("3065");
    // Promotions come before conversions, and a conversion to the nearer class before others.
    assertThat(value.apply("over(sh)")).isEqualTo("5");
    assertThat(value.apply("over(ch)")).isEqualTo("100");
    assertThat(value.apply("over(plain)")).isEqualTo("2");
    assertThat(value.apply("over(fl)")).isEqualTo("202");
    assertThat(value.apply("conv(1)")).isEqualTo("11");
    assertThat(value.apply("conv(dog)")).isEqualTo("20");
    assertThat(value.apply("conv(scoped)")).isEqualTo("31");
    assertThat(value.apply("near(&dog)")).isEqualTo("2");
    assertThat(value.apply("near(&animal)")).isEqualTo("1");
    assertThat(value.apply("near(&fixed)")).isEqualTo("4");
    assertThat(value.apply("near(&s)")).isEqualTo("3");
    assertThat(value.apply("changes(animal) * 10 + changes(fixed)")).isEqualTo("12");
    assertThat(value.apply("two(3) + two(3, 4)")).isEqualTo("15");
    assertThat(value.apply("made(1) * 10 + made(2.5)")).isEqualTo("21");
    assertThat(value.apply("over(turns++ * 0)")).isEqualTo("1");
    // What is not plain is told, with what there is.
    assertThat(value.apply("over(ul)"))
        .contains("several functions take (")
        .contains("over(int)")
        .contains("over(double)")
        .doesNotContain("over(char const*)");
    assertThat(value.apply("clear(1)")).contains("clear(long), clear(unsigned long)");
    assertThat(value.apply("over(s)"))
        .contains("no function takes (std::")
        .contains("over(char const*)");
    assertThat(value.apply("two(1, 2, 3)")).contains("two(int, int)");
    // A name with its parameters, in whatever words.
    assertThat(value.apply("'over(double)'(3)")).isEqualTo("203");
    assertThat(value.apply("'over(const char *)'(\"A\")")).isEqualTo("3065");
    assertThat(value.apply("'length(std::string const&)'(s)")).isEqualTo("5");
    assertThat(value.apply("'length(const std::string &)'(s)")).isEqualTo("5");
    assertThat(value.apply("'length(char)'(s)")).contains("unknown symbol 'length(char)'");
    // What stands alone goes before members of the name.
    assertThat(value.apply("base")).isEqualTo("7");
    assertThat(value.apply("length(s) * 10 + length(4)")).isEqualTo("58");
    assertThat(value.apply("ns::length(pair)")).isEqualTo("7");
    assertThat(value.apply("only")).contains("geo::Circle::only");
    // Operators of classes, and what calls returned.
    assertThat(value.apply("(va + vb).y")).isEqualTo("6");
    assertThat(value.apply("(-va).x * 10 + va[1]")).isEqualTo("-8");
    assertThat(value.apply("va(7) + vb(1)")).isEqualTo("10");
    assertThat(value.apply("va == vb")).isEqualTo("false");
    assertThat(value.apply("vb == va + ns::vec(2) - 0")).contains("there is no 'operator-' for");
    assertThat(value.apply("va + ns::vec(2) == vb + ns::vec(0)")).isEqualTo("true");
    assertThat(value.apply("(3 * vb).size() + ns::vec(4).size()")).isEqualTo("128");
    assertThat(value.apply("box->x * 10 + (*box).y")).isEqualTo("34");
    assertThat(value.apply("va < vb"))
        .contains("there is no 'operator<' for 'ns::Vec' and 'ns::Vec'");
    assertThat(value.apply("length(ns::text(4)) + length(ns::text(40))")).isEqualTo("44");
    assertThat(value.apply("ns::text(3).size() * 100 + ns::text(33).length()")).isEqualTo("333");
    assertThat(value.apply("ns::text(3) == \"xxx\"")).isEqualTo("1");
    assertThat(value.apply("bound(3, 4.5) + bound(sh, 1)")).isEqualTo("12");
    // Functions that templates made, and those with tags in their symbols.
    assertThat(value.apply("ns::twice<double>(1.25)")).isEqualTo("2.5");
    assertThat(value.apply("ns::twice< int >(4)")).isEqualTo("8");
    assertThat(value.apply("ns::twice(1.25)")).isEqualTo("2.5");
    assertThat(value.apply("made<double>(1)")).isEqualTo("1");
    assertThat(value.apply("ns::twice<char>(4)")).contains("fathom:");
    assertThat(value.apply("ns::text(3)")).contains("\"xxx\"");
    assertThat(value.apply("base < over(7) && over(7) > base")).isEqualTo("1");
    assertThat(value.apply("base < long(99999) && 300 > *&base")).isEqualTo("1");
    assertThat(value.apply("va.x + ::base < long(99999) && 300 > *&base")).isEqualTo("1");
    assertThat(value.apply("sizeof(Wrap<int> *)")).contains("unknown type 'Wrap<int>'");
    // What is not evaluated has the types of declarations.
    assertThat(value.apply("sizeof(ns::ints(3)[1])")).isEqualTo("4");
    assertThat(value.apply("sizeof(ns::text(3)[1])")).isEqualTo("1");
    assertThat(value.apply("sizeof(*ns::owner()) * 10 + sizeof(ns::owner()->b)")).isEqualTo("84");
    assertThat(value.apply("sizeof(ns::text(3) == \"xxx\")")).isEqualTo("4");
  }

  @Test
  void aClassIsFoundByItsOwnName() {
    try (var subject = Subject.start(List.of(program("gcc", "-O0").file().toString()))) {
      assertThat(subject.line()).isEqualTo("ready");
      try (var session = attach(subject)) {
        var service = StandardCommands.over(session);
        assertThat(run(service, "ptype Circle"))
            .startsWith("type = struct geo::Circle {")
            .contains("int r;");
        assertThat(run(service, "ptype over")).contains("int (int a)");
        assertThat(run(service, "ptype base")).contains("type = int");
      }
    }
  }

  private static Session attach(Subject subject) {
    return Session.attach(
        "pid:" + subject.pid(),
        AttachOptions.DEFAULT,
        new KernelOptions(Optional.empty(), true, Progress.NONE));
  }

  private static void in(CProgram program, Consumer<UnaryOperator<String>> test) {
    try (var subject = Subject.start(List.of(program.file().toString()))) {
      assertThat(subject.line()).isEqualTo("ready");
      try (var session = attach(subject)) {
        var service = StandardCommands.over(session);
        service.environment().settings().writable(true);
        run(service, "::stop");
        test.accept(text -> run(service, "p " + text).replaceFirst("^\\$\\d+ = ", "").strip());
      }
    }
  }

  private static String run(CommandService service, String line) {
    var out = new StringWriter();
    service.run(line, new TextRenderer(out, out, TextRenderer.Options.PLAIN));
    return out.toString();
  }
}
