// SPDX-License-Identifier: Apache-2.0
package dev.fathom.lang;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fathom.base.FathomException;
import dev.fathom.model.FloatFormat;
import dev.fathom.model.HeapMemory;
import dev.fathom.model.Layout;
import dev.fathom.model.Value;
import dev.fathom.model.type.BoolType;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.EnumType;
import dev.fathom.model.type.FloatType;
import dev.fathom.model.type.FunctionType;
import dev.fathom.model.type.IntType;
import dev.fathom.model.type.PointerType;
import dev.fathom.model.type.TypeSystem;
import java.io.IOException;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Evaluates expressions over a program that is compiled here, and compares value and type with what
 * gdb says of the same program.
 */
class GdbAnswersTest {
  /** Types and variables; the declarations are read as C text, the rest is compiled only. */
  private static final String DECLARATIONS =
      """
      enum color { RED, GREEN = 5, BLUE };
      struct inner { unsigned int a : 3; int b : 5; short s; };
      struct node {
        int i; char c; double d; struct inner in[2]; struct node *next;
        union { int u; float f; }; char name[8]; int arr[4]; unsigned char uc;
        int (*fn)(int, char *); enum color e; long long ll; unsigned long ul;
        unsigned long long wide : 40;
      };
      typedef struct node node_t;
      typedef int (*callback)(int, char *);
      extern struct node one;
      extern node_t *ptr;
      extern float ff; extern double dd; extern int zz[10]; extern int aa[2][3];
      extern long lo; extern unsigned long ul; extern unsigned short us; extern signed char sc;
      extern long long neg; extern void *vp; extern unsigned char bytes[4];
      int fun(int a, char *b);
      extern callback cb;
      """;

  private static final String DATA =
      """
      int fun(int a, char *b) { return a + (b != 0); }
      struct node one = { 1, 'x', 2.5, { { 1, -2, 3 }, { 4, 5, 6 } }, &one, { 7 }, "abc",
        { 1, 2, 3, 4 }, 200, fun, GREEN, -5, 9, 0xabcdef0123ULL };
      node_t *ptr = &one;
      float ff = 3.14f; double dd = 3.14; int zz[10] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 };
      int aa[2][3] = { { 1, 2, 3 }, { 4, 5, 6 } };
      long lo = -1; unsigned long ul = -1; unsigned short us = 65535; signed char sc = -3;
      long long neg = -1234567890123LL; void *vp = &one; unsigned char bytes[4] = { 1, 2, 250, 4 };
      callback cb = fun;
      void _start(void) { fun(1, 0); }
      """;

  private static final List<String> CORPUS =
      List.of(
          "1+2*3",
          "(1+2)*3",
          "-5/2",
          "-5%3",
          "5u-6",
          "1<<31",
          "1ull<<40",
          "2147483648",
          "0xffffffff",
          "4294967296",
          "1.5e3",
          "0x1p3",
          "5>3",
          "!5",
          "~5",
          "1?2:3",
          "0?2:0?4:5",
          "1,2",
          "5>3&&2",
          "0||0",
          "07",
          "-1.5",
          "5.0/0",
          "-5.0/0",
          "0x7fffffff+1",
          "1/3.0",
          "1/3.0f",
          "10L/4",
          "1e400",
          "1.0f",
          "1e16",
          "1e17",
          "123456789.125f",
          "1e-5",
          "0.0001",
          "1.1+2.2",
          "1.1f*3",
          "5>2.5",
          "1e308*10",
          "0xe+1",
          "1e3L",
          ".5",
          "5.",
          "'a'",
          "'\\n'",
          "'\\377'",
          "'\\x41'",
          "sizeof(int)",
          "sizeof(long)",
          "sizeof(one)",
          "sizeof(struct inner)",
          "sizeof one.arr",
          "_Alignof(double)",
          "_Alignof(struct node)",
          "sizeof(long double)",
          "sizeof(char *[3])",
          "sizeof(int (*)(int))",
          "one.i",
          "one.c",
          "one.d",
          "one.in[0].a",
          "one.in[0].b",
          "one.in[1].b",
          "one.in[1].s",
          "one.next->i",
          "one.next->next->arr[2]",
          "one.u",
          "one.f",
          "one.uc",
          "one.e",
          "one.ll",
          "one.ul",
          "one.wide",
          "one.wide+1",
          "one.name[1]",
          "*one.name",
          "ptr->i",
          "(*ptr).c",
          "ptr[0].i",
          "&ptr->d",
          "&one.arr[1]",
          "&one.arr[3]-&one.arr[0]",
          "&one",
          "ptr",
          "ptr+1",
          "ptr-1",
          "1+ptr",
          "vp",
          "vp+1",
          "(char *)ptr == vp",
          "ptr==&one",
          "ptr!=vp",
          "ptr<ptr+1",
          "zz[3]",
          "*zz",
          "*(zz+4)",
          "zz+1",
          "&zz",
          "&zz[2]",
          "&zz+1",
          "aa[1][2]",
          "*aa[1]",
          "&aa[1]",
          "aa+1",
          "*(*(aa+1)+1)",
          "2[zz]",
          "lo",
          "ul",
          "us",
          "sc",
          "neg",
          "lo<0",
          "ul>0",
          "ul+1",
          "us+1",
          "sc*us",
          "-sc",
          "+us",
          "~us",
          "lo>>1",
          "ul>>1",
          "lo<ul",
          "-1<0u",
          "us<<4",
          "neg/7",
          "neg%7",
          "neg>>3",
          "ff",
          "dd",
          "ff+1",
          "dd*2",
          "ff*dd",
          "dd/ff",
          "ff==dd",
          "dd>3",
          "-dd",
          "(int)dd",
          "(long)-dd",
          "(float)dd",
          "(double)ff",
          "(char)200",
          "(unsigned char)300",
          "(unsigned)lo",
          "(short)us",
          "(unsigned long)sc",
          "(long)&one",
          "(int)one.d",
          "(enum color)6",
          "(enum color)1",
          "GREEN",
          "BLUE",
          "GREEN|RED",
          "GREEN+1",
          "one.e==GREEN",
          "(int *)0",
          "(struct node *)0",
          "(void *)0",
          "(node_t *)vp",
          "((struct node *)vp)->i",
          "((node_t *)vp)->in[1].a",
          "*(int *)vp",
          "*(char *)&lo",
          "fun",
          "&fun",
          "*fun",
          "fun+1",
          "cb",
          "*cb",
          "one.fn",
          "cb==fun",
          "(int (*)(int))0",
          "(int (*)[3])0",
          "bytes[2]",
          "(signed char)bytes[2]",
          "bytes[2]+0",
          "{int}&one",
          "{short}zz",
          "one.in[0].a+1",
          "one.in[0].b*2",
          "&one.in[1]",
          "zz[one.in[1].a]",
          "one.arr[zz[0]]",
          "!ptr",
          "!dd",
          "!0.0",
          "ptr&&dd",
          "dd?1:2",
          "1?ptr:0",
          "sizeof(1+1L)",
          "sizeof('a')",
          "sizeof(1.0f)",
          "sizeof(1==1)",
          "(1,2,3)",
          "((((7))))",
          "- -5",
          "!!5",
          "~~5",
          "-+-5",
          "&*ptr",
          "*&one.i",
          "one.d==2.5",
          "one.f==one.u",
          "100000*100000",
          "100000L*100000",
          "3%-2",
          "-3%2",
          "0x10u/3",
          "1?-1:0u",
          "ul/2",
          "ul%10",
          "(unsigned char)-1>(signed char)-1",
          "5&3|8^1",
          "1+1==2",
          "1<2==1",
          "2*3%4",
          "10-4-3",
          "100/10/2",
          "1<<2<<3",
          "6&3==3");

  private String gdb(Path folder, Path program, List<String> commands)
      throws IOException, InterruptedException {
    var script = folder.resolve("script.py");
    var text = new StringBuilder("import gdb\ngdb.execute('set print symbol off')\n");
    for (var command : commands) {
      var quoted = command.replace("\\", "\\\\").replace("'", "\\'");
      text.append("try:\n  print(gdb.execute('").append(quoted);
      text.append("', to_string=True).strip().replace('\\n', ' '))\n");
      text.append("except gdb.error as e:\n  print('error', e)\n");
    }
    Files.writeString(script, text);
    var process =
        new ProcessBuilder(
                "gdb", "-nx", "-batch", "-q", "-ex", "source " + script, program.toString())
            .redirectErrorStream(false)
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    process.getOutputStream().close();
    var output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    process.waitFor();
    return output;
  }

  /** As gdb writes types: the parameters of functions without their names. */
  private static String text(CType type) {
    return unnamed(type).text();
  }

  private static CType unnamed(CType type) {
    return switch (type) {
      case FunctionType f ->
          new FunctionType(
              () -> unnamed(f.result()),
              () ->
                  f.parameters().stream()
                      .map(p -> new FunctionType.Parameter("", unnamed(p.type())))
                      .toList(),
              f.variadic());
      case PointerType p -> new PointerType(p.bytes(), () -> unnamed(p.target()));
      default -> type;
    };
  }

  /** The value as gdb prints it, without its number in the history. */
  private static String shown(Value v, Value fun) {
    return switch (v.type().resolved()) {
      case IntType i when i.character() -> character(v.asLong());
      case IntType _ -> v.asInteger().toString();
      case BoolType _ -> v.asLong() != 0 ? "true" : "false";
      case FloatType f -> v.asReal().text(FloatFormat.of(f, true).digits());
      case EnumType e ->
          e.of(v.asLong()).map(EnumType.Enumerator::name).orElse(Long.toString(v.asLong()));
      case PointerType p -> {
        boolean plain = p.target().resolved() instanceof IntType i && i.character();
        yield (plain ? "" : "(" + text(v.type()) + ") ")
            + (p.target().resolved() instanceof FunctionType && v.asLong() != 0
                ? code(fun, v.asLong())
                : "0x" + Long.toHexString(v.asLong()));
      }
      case FunctionType _ -> "{" + text(v.type()) + "} " + code(fun, v.address());
      default -> "?";
    };
  }

  /** A place in the only function that the corpus names, or between it and the next. */
  private static String code(Value fun, long address) {
    long offset = address - fun.address();
    return "0x" + Long.toHexString(address) + " <fun" + (offset == 0 ? ">" : "+" + offset + ">");
  }

  private static String character(long bits) {
    var text =
        bits >= ' ' && bits < 0x7f
            ? String.valueOf((char) bits)
            : bits == '\n' ? "\\n" : "\\" + "%03o".formatted(bits & 0xff);
    return bits + " '" + text + "'";
  }

  /** A random expression of whole numbers; 32-bit operands do not overflow in shifts. */
  private static String random(Random random, int depth) {
    if (depth == 0 || random.nextInt(6) == 0) {
      return switch (random.nextInt(8)) {
        case 0 -> "one.i";
        case 1 -> "us";
        case 2 -> "sc";
        case 3 -> "zz[" + random.nextInt(10) + "]";
        case 4 -> "ul";
        case 5 -> Integer.toString(random.nextInt(1000));
        case 6 -> random.nextInt(1000) + "u";
        default -> "neg";
      };
    }
    var left = random(random, depth - 1);
    var right = random(random, depth - 1);
    return switch (random.nextInt(14)) {
      case 0 -> "-" + left;
      case 1 -> "~(" + left + ")";
      case 2 -> "(" + left + " << " + random.nextInt(20) + ")";
      case 3 -> "((short)" + left + ")";
      case 4 -> "((unsigned)" + left + ")";
      case 5 -> left + " / (" + right + ")";
      case 6 -> left + " % (" + right + ")";
      case 7 -> "(" + left + " ? " + right + " : " + left + ")";
      case 8 -> left + " < " + right;
      default -> "(" + left + " " + "+-*&|^".charAt(random.nextInt(6)) + " " + right + ")";
    };
  }

  @ParameterizedTest
  @ValueSource(strings = {"-m64", "-m32"})
  void valuesAndTypesAreThoseOfGdb(String machine, @TempDir Path folder)
      throws IOException, InterruptedException {
    var source = folder.resolve("program.c");
    var program = folder.resolve("program");
    Files.writeString(source, DECLARATIONS + DATA);
    run(
        "gcc",
        machine,
        "-g",
        "-O0",
        "-w",
        "-ffreestanding",
        "-nostdlib",
        "-static",
        "-no-pie",
        "-fno-stack-protector",
        source.toString(),
        "-o",
        program.toString());
    boolean wide = machine.equals("-m64");
    var model = wide ? DataModel.LP64 : DataModel.ILP32;
    var types = new TypeSystem(model.wordBytes());
    var text = new CTextTypes("c:program.c", model, types);
    text.read("program.c", DECLARATIONS);
    types.add(text);
    var memory = new HeapMemory("kernel", new Layout(ByteOrder.LITTLE_ENDIAN, model.wordBytes()));
    var scope = new CompiledProgram(types, memory, text, program);
    scope.load(folder);

    long seed = Long.getLong("fathom.fuzz.seed", System.nanoTime());
    var random = new Random(seed);
    var expressions = new ArrayList<>(CORPUS);
    for (int i = 0; i < 400; i++) {
      expressions.add(random(random, 4));
    }
    var commands = new ArrayList<String>();
    for (var e : expressions) {
      commands.add("output " + e);
      commands.add("whatis " + e);
    }
    var answers = gdb(folder, program, commands).split("\n", -1);
    int compared = 0;
    int refused = 0;
    for (int i = 0; i < expressions.size(); i++) {
      var e = expressions.get(i);
      if (i >= CORPUS.size() && e.contains("?")) {
        continue; // gdb does not convert the operands of ?: to a common type, C does.
      }
      var value = answers[2 * i].replace("-nan(0x8000000000000)", "nan");
      var type = answers[2 * i + 1].replaceFirst("^type = ", "");
      String mine;
      String mineType;
      try {
        var v = Expressions.evaluate(e, scope);
        mine = shown(v, Expressions.evaluate("fun", scope));
        mineType = text(v.type());
      } catch (FathomException x) {
        assertThat(value).as("%s: %s; seed %d", e, x.getMessage(), seed).startsWith("error");
        refused++;
        continue;
      }
      assertThat(mine).as("%s, %s, seed %d", e, machine, seed).isEqualTo(value);
      // gdb refuses the type of *fun, whose value it shows.
      if (!isSize(e) && !type.startsWith("error")) {
        assertThat(mineType).as("type of %s, %s, seed %d", e, machine, seed).isEqualTo(type);
      }
      compared++;
    }
    assertThat(compared).isGreaterThan(CORPUS.size());
    assertThat(refused).isLessThan(expressions.size() / 3);
  }

  /** gdb gives sizes the type int, C gives them size_t. */
  private static boolean isSize(String e) {
    return e.startsWith("sizeof") || e.startsWith("_Alignof");
  }

  static String run(String... command) throws IOException, InterruptedException {
    var process = new ProcessBuilder(command).redirectErrorStream(true).start();
    var output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(output).isZero();
    return output;
  }
}
