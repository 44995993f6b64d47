// SPDX-License-Identifier: Apache-2.0
package dev.fathom.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fathom.testkit.process.CProgram;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What functions of processes get and return, whatever its type is, beside gdb. */
@EnabledOnOs(value = OS.LINUX, architectures = "amd64")
@Timeout(180)
class ProcessCallValuesTest {
  private static final String SOURCE =
      """
      #include <math.h>
      #include <stdio.h>
      #include <unistd.h>
      #include <stdarg.h>
      #include <complex.h>
      struct point { int x, y; };
      struct mixed { double d; long l; };
      struct fpair { float a, b; };
      struct dpair { double a, b; };
      struct one { char c; };
      struct three { char c[3]; };
      struct big { long a[5]; double d; };
      struct lbig { long double ld; };
      struct bits { unsigned a : 3, b : 20; long c; };
      struct __attribute__((packed)) odd { char c; long l; };
      union u { int i; float f; };
      typedef double (*fn)(double);
      struct point make_point(int x, int y) { struct point p = { x, y }; return p; }
      struct mixed make_mixed(double d, long l) { struct mixed m = { d, l }; return m; }
      struct fpair make_fpair(float a, float b) { struct fpair m = { a, b }; return m; }
      struct dpair make_dpair(double a, double b) { struct dpair m = { a, b }; return m; }
      struct big make_big(long a, double d) { struct big b = { { a, a+1, a+2, a+3, a+4 }, d }; return b; }
      struct three make_three(int a) { struct three t = { { a, a+1, a+2 } }; return t; }
      struct odd make_odd(int a) { struct odd t = { a, a * 10 }; return t; }
      union u make_u(int i) { union u v = { .i = i }; return v; }
      struct lbig make_lbig(int i) { struct lbig v = { i + 0.5L }; return v; }
      struct bits make_bits(int a, int b, long c) { struct bits v = { a, b, c }; return v; }
      int sum_point(struct point p) { return p.x * 100 + p.y; }
      double sum_mixed(struct mixed m, struct fpair f, struct dpair d) { return m.d + m.l + f.a + f.b + d.a + d.b; }
      double sum_big(int k, struct big b, struct three t) { return k + b.a[0] + b.a[4] + b.d + t.c[2]; }
      long sum_odd(struct odd o, union u v, struct bits b) { return o.c + o.l + v.i + b.a + b.b + b.c; }
      long double ld(long double a, int b) { return a * b; }
      float ff(float a, double b) { return a * (float) b; }
      double nine(double a, double b, double c, double d, double e, double f, double g, double h, double i, float j) { return a+b*2+c*3+d*4+e*5+f*6+g*7+h*8+i*9+j*10; }
      long ten(long a, int b, char c, short d, long e, long f, long g, int h, unsigned char i, long j) { return a+b*2+c*3+d*4+e*5+f*6+g*7+h*8+i*9+j*10; }
      double mix(int a, double b, long c, float d, int e, double f, int g, double h, int i, double j, int k, double l, int m, double n, struct point p, double o, double q, double r, struct point s) { return a+b+c+d+e+f+g+h+i+j+k+l+m+n+p.x+p.y+o+q+r+s.x*1000+s.y; }
      double va(int n, ...) { va_list l; va_start(l, n); double s = 0; for (int i = 0; i < n; i++) s += va_arg(l, double); va_end(l); return s; }
      __int128 wide(__int128 a, int b) { return a * b; }
      double complex cx(double complex a) { return a * 2; }
      float complex cf(float complex a) { return a * 2; }
      int aligned(void);
      void nothing(int a) { (void) a; }
      double avg(double *p, int n) { double s = 0; for (int i = 0; i < n; i++) s += p[i]; return s / n; }
      fn which(int i) { return i ? sqrt : fabs; }
      _Bool truth(double d) { return d > 0; }
      struct point gp = { 7, 8 }; struct big gb = { {1,2,3,4,5}, 6.5 }; struct mixed gm = { 1.5, 2 }; struct fpair gf = { 0.25, 0.5 }; struct dpair gd = { 10, 20 }; struct three gt = { {1,2,3} }; struct odd go = { 3, 4 }; union u gu = { 5 }; struct bits gbits = { 2, 3, 4 };
      double arr[] = { 1, 2, 6 }; volatile double vd = 2.0; __int128 gw = 12345678901234567LL; double complex gc = 1 + 2*I; float complex gcf = 3 + 4*I;
      void stop(void) { asm volatile(""); }
      long double complex make_long_complex(int i) { return i + 4 * I; }
      volatile int clobbered;
      int main(void) {
        puts("ready");
        fflush(stdout);
        double keep = vd;
        for (;;) {
          usleep(1000);
          double in = keep;
          asm volatile("movsd %0, %%xmm9" : : "m"(in) : "xmm9");
          asm volatile("call stop" : : : "memory", "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11");
          double out;
          asm volatile("movsd %%xmm9, %0" : "=m"(out));
          if (out != vd) clobbered++;
        }
      }
      """;

  private static final String OBJECTS =
      """
      #include <stdio.h>
      #include <unistd.h>
      struct P {
        double x, y;
        double len2() const { return x * x + y * y; }
        P plus(const P &o) const { return {x + o.x, y + o.y}; }
        static int one(int a) { return a + 1; }
      };
      struct Z { long z = 1; };
      struct B { int b = 5; virtual int v(int k) { return b + k; } virtual ~B() {} };
      struct M : B {
        int m = 9;
        int v(int k) override { return m * k; }
        int plain(int k) { return m + k; }
      };
      struct F : Z, M { int f = 2; };
      struct E {};
      struct C { int a; C(int i) : a(i) {} C(const C &o) : a(o.a + 1) {} };
      double total(P a, P b, float f) { return a.x + b.y + f; }
      int raised(int &r, const int &c) { r += 1; return r + c; }
      int through(B &b) { return b.v(2); }
      int empty(E, int k) { return k; }
      int taken(C c) { return c.a; }
      C made(int i) { return C(i); }
      P p{3, 4};
      F f;
      B *bp = &f;
      M *mp = &f;
      E e;
      C c(3);
      int num = 7;
      int main() {
        puts("ready");
        fflush(stdout);
        if (getpid() == 1) return p.plus(p).len2() + P::one(1) + f.plain(1);
        for (;;) usleep(1000);
      }
      """;

  /** What a call must not take for something else. */
  private static final String DOUBTS =
      """
      #include <stdio.h>
      #include <string.h>
      #include <unistd.h>
      #define STAY __attribute__((noinline, used))
      typedef float four __attribute__((vector_size(16)));
      typedef float eight __attribute__((vector_size(32)));
      struct Plain {
        long a;
        Plain(long i) : a(i) {}
        Plain(const Plain &) = default;
        ~Plain() = default;
      };
      struct Own { long a; Own(long i) : a(i) {} Own(const Own &); ~Own(); };
      Own::Own(const Own &o) : a(o.a + 1) {}
      Own::~Own() = default;
      struct Conn {
        int fd;
        __attribute__((always_inline)) int close() { return fd + 1; }
        STAY int size() const { return fd; }
      };
      struct Base { STAY static int stat(int a) { return a + 1; } int b; };
      struct Many : Base {
        int m;
        STAY int take(int a) { return m + a; }
        STAY int take(double a) { return m + (int) a * 100; }
        STAY int take(int a, int b) { return m + a * b; }
        STAY int take(const Base &) { return -4; }
        STAY int get() { return 1; }
        STAY int get() const { return 2; }
        template <class T> STAY T twice(T x) { return x + x + m; }
      };
      struct Shape { virtual int f(int) { return 1; } virtual int f(double) { return 2; } };
      struct Round : Shape { int f(double) override { return 3; } };
      struct Wide { four v; };
      struct alignas(16) Asked { long a, b, c; };
      struct alignas(32) Far { long a; };
      Conn conns[2] = {{5}, {7}};
      int steps, spot[4];
      STAY Conn *next() { steps++; return &conns[1]; }
      STAY int *place() { return &spot[steps++ & 3]; }
      STAY Plain made(long i) { return Plain(i); }
      STAY long taken(Plain p) { return p.a; }
      STAY Own given(long i) { return Own(i); }
      STAY long owned(Own o) { return o.a; }
      STAY long narrow(signed char c, short s) { return (long) c * 1000 + s; }
      STAY int raised(int &r) { return ++r; }
      STAY int based(Base &b) { return b.b; }
      STAY four added(four a, Wide w, double d) { return a + w.v + (float) d; }
      STAY eight wide8(eight v) { return v; }
      STAY long asked(int i, Own &, long, long, long, long, long x, Asked a) { return x + a.a + a.c; }
      STAY long far(Far f) { return f.a; }
      STAY int row(int n) {
        int a[3][n];
        for (int i = 0; i < 3; i++) for (int k = 0; k < n; k++) a[i][k] = i * 10 + k;
        steps = 100;
        puts("ready");
        fflush(stdout);
        for (;;) { usleep(1000); if (a[2][n - 1] == 0) return 0; }
      }
      Plain plain(4);
      Own own(4);
      Many many;
      extern const Many unchanged;
      const Many unchanged{};
      Shape plain_shape;
      Round round_one;
      Shape *shape = &round_one;
      four lanes = {1, 2, 3, 4};
      Wide lane{{10, 20, 30, 40}};
      eight lots;
      Asked here{1, 2, 3};
      Far away{1};
      int number = 7;
      long larger = 7;
      signed char minus = -1;
      int main(int argc, char **) {
        many.m = 9;
        many.b = 6;
        if (getpid() == 1)
          return many.twice(1) + conns[0].close() + (int) owned(given(1)) + (int) taken(made(1)) + shape->f(1);
        return row(argc + 3);
      }
      """;

  private static final List<String> CALLS =
      List.of(
          "((double (*)(double)) sqrt)(2.0)",
          "make_point(1,2)",
          "make_mixed(1.5, 7)",
          "make_fpair(1.5, 2.5)",
          "make_dpair(1.5, -2.5)",
          "make_big(3, 0.5)",
          "make_u(6)",
          "make_lbig(2)",
          "make_bits(1,2,3)",
          "sum_point(gp)",
          "sum_point(make_point(3,4))",
          "sum_mixed(gm, gf, gd)",
          "sum_big(1, gb, gt)",
          "sum_odd(go, gu, gbits)",
          "ld(1.5, 3)",
          "ld(2, 3)",
          "ff(1.5, 2)",
          "nine(1,2,3,4,5,6,7,8,9,10)",
          "ten(1,2,3,4,5,6,7,8,9,10)",
          "mix(1,2,3,4,5,6,7,8,9,10,11,12,13,14,gp,15,16,17,gp)",
          "va(3, 1.0, 2.0, 3.5)",
          "va(2, (float)1.5, 2.5)",
          "avg(arr, 3)",
          "truth(1.5)",
          "make_point(1,2).y",
          "make_big(1,2).a[3]",
          "((double (*)(double)) sqrt)(make_point(16,2).x) + 1",
          "(int) make_three(4).c[2]",
          "make_odd(5).l",
          "((double (*)(double, double)) pow)(2.0, 0.5)",
          "(int) make_fpair(7.5, 1)  .a",
          "make_mixed(nine(1,2,3,4,5,6,7,8,9,10), ten(1,2,3,4,5,6,7,8,9,10))");

  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(strings = {"-O0", "-O2"})
  void argumentsAndResultsAreThoseOfGdb(String level) throws IOException {
    var program =
        CProgram.compile(
            folder, "calls", SOURCE, "-g", level, "-fno-inline", "-Wl,--no-as-needed", "-lm");
    var theirs =
        Debugged.gdb(
            folder, CALLS, List.of(program.file().toString(), "-ex", "break stop", "-ex", "run"));
    assertThat(theirs).hasSize(CALLS.size());
    Debugged.with(
        program,
        (service, _) -> {
          var ours = new ArrayList<String>();
          CALLS.forEach(call -> ours.add(Debugged.run(service, "output " + call)));
          for (int i = 0; i < CALLS.size(); i++) {
            assertThat(ours.get(i)).as(CALLS.get(i)).isEqualTo(theirs.get(i));
          }
        });
  }

  @Test
  void methodsAreThoseOfTheObject() {
    var program =
        CProgram.compile(
            folder, "objects", OBJECTS, "-g", "-O0", "-Wl,--no-as-needed", "-lstdc++", "-x", "c++");
    Debugged.with(
        program,
        (service, _) -> {
          assertThat(Debugged.run(service, "output p.len2()")).isEqualTo("25");
          assertThat(Debugged.run(service, "output p.plus(p)")).isEqualTo("{x = 6, y = 8}");
          assertThat(Debugged.run(service, "output total(p, p.plus(p), 1.5)")).isEqualTo("12.5");
          assertThat(Debugged.run(service, "output p.one(4)")).isEqualTo("5");
          // Of the class that the object has, whatever the pointer says; and of one without one.
          assertThat(Debugged.run(service, "output bp->v(4)")).isEqualTo("36");
          assertThat(Debugged.run(service, "output bp->B::v(4)")).isEqualTo("9");
          assertThat(Debugged.run(service, "output f.plain(3) + mp->plain(1)")).isEqualTo("22");
          assertThat(Debugged.run(service, "output through(f)")).isEqualTo("18");
          assertThat(Debugged.run(service, "output raised(num, num) + num")).isEqualTo("24");
          assertThat(Debugged.run(service, "output raised(num, 3)")).isEqualTo("12");
          assertThat(Debugged.run(service, "output raised(3, num)")).contains("can be referred to");
          assertThat(Debugged.run(service, "output empty(e, 4)")).isEqualTo("4");
          assertThat(Debugged.run(service, "output made(8)")).isEqualTo("{a = 8}");
          assertThat(Debugged.run(service, "output taken(c)")).contains("use a pointer");
        });
  }

  @ParameterizedTest
  @ValueSource(strings = {"-O0", "-O1"})
  void whatACallMeansIsSureOrRefused(String level) {
    sureOrRefused("gcc", level);
  }

  @Tag("lab")
  @ParameterizedTest
  @ValueSource(strings = {"-O0", "-O2"})
  void whatACallMeansIsSureOrRefusedOfClangToo(String level) {
    sureOrRefused("clang", level);
  }

  private void sureOrRefused(String compiler, String level) {
    var options = new ArrayList<>(List.of("-g", level, "-Wl,--no-as-needed", "-lstdc++"));
    if (compiler.equals("clang")) {
      options.add("-fstandalone-debug"); // else a class is declared only
    }
    options.addAll(List.of("-x", "c++"));
    var program =
        CProgram.compileWith(compiler, folder, "doubts", DOUBTS, options.toArray(String[]::new));
    Debugged.with(
        program,
        (service, _) -> {
          // Trivial as the class says, and not.
          assertThat(Debugged.run(service, "output made(8)")).isEqualTo("{a = 8}");
          assertThat(Debugged.run(service, "output taken(plain)")).isEqualTo("4");
          assertThat(Debugged.run(service, "output given(8)")).isEqualTo("{a = 8}");
          assertThat(Debugged.run(service, "output owned(own)")).contains("use a pointer");
          // An inlined method is not the C library's close().
          assertThat(Debugged.run(service, "output conns[0].size()")).isEqualTo("5");
          assertThat(Debugged.run(service, "output conns[0].close()"))
              .contains("'Conn::close' was inlined or is not there");
          assertThat(Debugged.run(service, "output conns[0].close")).contains("was inlined");
          assertThat(Debugged.run(service, "output Conn::close(&conns[0])"))
              .contains("Conn::close");
          // What a method is of is evaluated once, and so is what is assigned to.
          Debugged.run(service, "p steps = 0");
          assertThat(Debugged.run(service, "output next()->size()")).isEqualTo("7");
          assertThat(Debugged.run(service, "output next()->fd")).isEqualTo("7");
          assertThat(Debugged.run(service, "output steps")).isEqualTo("2");
          assertThat(Debugged.run(service, "output *place() += 5")).isEqualTo("5");
          assertThat(Debugged.run(service, "output (*place())++")).isEqualTo("0");
          assertThat(Debugged.run(service, "output ++*place()")).isEqualTo("1");
          assertThat(Debugged.run(service, "output *place() = 8")).isEqualTo("8");
          assertThat(Debugged.run(service, "output steps")).isEqualTo("6");
          assertThat(Debugged.run(service, "output spot")).isEqualTo("{1, 8, 5, 1}");
          // Of several methods the one that the types mean.
          assertThat(Debugged.run(service, "output many.take(2)")).isEqualTo("11");
          assertThat(Debugged.run(service, "output many.take(2.0)")).isEqualTo("209");
          assertThat(Debugged.run(service, "output many.take(2, 3)")).isEqualTo("15");
          assertThat(Debugged.run(service, "output many.take((short) 2)")).isEqualTo("11");
          assertThat(Debugged.run(service, "output many.take(2UL)")).contains("one of 3 methods");
          assertThat(Debugged.run(service, "output many.take(1, 2, 3)"))
              .contains("takes 3 arguments");
          assertThat(Debugged.run(service, "output many.take")).contains("is 4 methods");
          assertThat(Debugged.run(service, "output many.get()")).isEqualTo("1");
          assertThat(Debugged.run(service, "output unchanged.get()")).isEqualTo("2");
          assertThat(Debugged.run(service, "output many.stat(4)")).isEqualTo("5");
          assertThat(Debugged.run(service, "output many.Base::stat(4)")).isEqualTo("5");
          assertThat(Debugged.run(service, "output many.twice(3)")).isEqualTo("15");
          assertThat(Debugged.run(service, "output shape->f(2.0)")).isEqualTo("3");
          assertThat(Debugged.run(service, "output shape->f(2)")).isEqualTo("1");
          assertThat(Debugged.run(service, "output shape->Shape::f(2.0)")).isEqualTo("2");
          // Numbers by their sign, references by their type.
          assertThat(Debugged.run(service, "output narrow(minus, minus)")).isEqualTo("-1001");
          assertThat(Debugged.run(service, "output raised(number)")).isEqualTo("8");
          assertThat(Debugged.run(service, "output raised(larger)"))
              .contains("cannot refer to a 'long");
          assertThat(Debugged.run(service, "output based(many)")).isEqualTo("6");
          assertThat(Debugged.run(service, "output based(conns[0])"))
              .contains("cannot refer to a 'Conn'");
          // Vectors and alignment.
          assertThat(Debugged.run(service, "output added(lanes, lane, 0.5)"))
              .isEqualTo("{11.5, 22.5, 33.5, 44.5}");
          assertThat(Debugged.run(service, "output added(lots, lane, 0.5)"))
              .contains("cannot be passed");
          assertThat(Debugged.run(service, "output wide8(lots)")).contains("a vector of 32 bytes");
          assertThat(Debugged.run(service, "output asked(1, own, 3, 4, 5, 6, 7, here)"))
              .isEqualTo("11");
          assertThat(Debugged.run(service, "output far(away)"))
              .contains("aligned to more than 16 bytes");
          if (level.equals("-O0") && compiler.equals("gcc")) {
            for (int i = 0; i < 8 && !Debugged.run(service, "frame").contains(" row ("); i++) {
              Debugged.run(service, "up");
            }
            assertThat(Debugged.run(service, "output a[2][3]")).isEqualTo("23");
            assertThat(Debugged.run(service, "output sizeof(a)")).isEqualTo("48");
          }
        });
  }

  @Test
  void theThreadHasItsRegistersAgain() {
    var program =
        CProgram.compile(folder, "calls", SOURCE, "-g", "-O1", "-Wl,--no-as-needed", "-lm");
    Debugged.with(
        program,
        (service, subject) -> {
          Debugged.run(service, "b stop");
          Debugged.run(service, "c");
          var registers = Debugged.run(service, "::regs");
          assertThat(
                  Debugged.run(
                      service, "output mix(1,2,3,4,5,6,7,8,9,10,11,12,13,14,gp,15,16,17,gp)"))
              .startsWith("7");
          assertThat(Debugged.run(service, "output ld(1.5, 3)")).isEqualTo("4.5");
          assertThat(Debugged.run(service, "::regs")).isEqualTo(registers);
          for (int i = 0; i < 3; i++) {
            assertThat(Debugged.run(service, "c")).contains("breakpoint 1");
          }
          // It keeps a number in a vector register over the calls of stop().
          assertThat(Debugged.run(service, "output clobbered")).isEqualTo("0");
        });
  }

  @Test
  void callIsPrintAndWhatDoesNotFitIsTold() {
    var program =
        CProgram.compile(folder, "calls", SOURCE, "-g", "-O0", "-Wl,--no-as-needed", "-lm");
    Debugged.with(
        program,
        (service, _) -> {
          assertThat(Debugged.run(service, "call make_point(1, 2)"))
              .isEqualTo("$1 = {x = 1, y = 2}");
          assertThat(Debugged.run(service, "::call ten 1 2 3 4 5 6 7 8 9 0t10")).contains("181");
          assertThat(Debugged.run(service, "p sum_point(gm)"))
              .contains("'struct mixed' cannot be passed as a 'struct point'");
          assertThat(Debugged.run(service, "p sum_point(3)")).contains("'int' cannot be passed");
          assertThat(Debugged.run(service, "p ten(1)")).contains("takes 10 arguments, not 1");
          assertThat(Debugged.run(service, "output make_long_complex(3)")).isEqualTo("3 + 4i");
        });
  }
}
