// SPDX-License-Identifier: Apache-2.0
package dev.fathom.lang;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fathom.base.EvalException;
import dev.fathom.base.FathomException;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.CompositeType;
import dev.fathom.model.type.EnumType;
import dev.fathom.model.type.TypeName;
import dev.fathom.model.type.TypeSystem;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CTextTypesTest {
  private final TypeSystem program = new TypeSystem(8);
  private final CTextTypes types = new CTextTypes("c:test.h", DataModel.LP64, program);

  private CType named(String text) {
    return types.find(TypeName.parse(text).orElseThrow()).orElseThrow();
  }

  private String members(String text) {
    var list = new ArrayList<String>();
    for (var m : ((CompositeType) named(text).resolved()).members()) {
      list.add(
          m.bitOffset() / 8
              + (m.isBitField() ? "." + m.bitOffset() % 8 : "")
              + " "
              + m.type().declare(m.name())
              + (m.isBitField() ? ":" + m.bitSize() : ""));
    }
    return String.join("; ", list);
  }

  @ParameterizedTest
  @CsvSource(
      delimiterString = " | ",
      quoteCharacter = '`',
      value = {
        "struct s { char c; double _Complex d; float _Complex e; }; | 32 | 0 char c; 8 complex"
            + " double d; 24 complex float e",
        "struct s { int a; char b[]; }; | 4 | 0 int a; 4 char b[]",
        "struct s { char c; long l; char d; }; | 24 | 0 char c; 8 long l; 16 char d",
        "struct s { char c; long l; } __attribute__((packed)); | 9 | 0 char c; 1 long l",
        "struct __attribute__((packed, aligned(4))) s { char c; long l; }; | 12 | 0 char c; 1 long"
            + " l",
        "struct s { char c; int i __attribute__((packed)); }; | 5 | 0 char c; 1 int i",
        "struct s { char c; _Alignas(16) char d; }; | 32 | 0 char c; 16 char d",
        "struct s { unsigned a : 3, b : 30; }; | 8 | 0.0 unsigned int a:3; 4.0 unsigned int b:30",
        "struct s { char c; int : 0; char d; }; | 5 | 0 char c; 4 char d",
        "struct s { int (*f)(struct s *, const char *, ...); }; | 8 | 0 int (*f)(struct s *, const"
            + " char *, ...)",
        "struct s { void (*table[3])(int); int m[2][3]; }; | 48 | 0 void (*table[3])(int); 24 int"
            + " m[2][3]",
        "struct s { struct { int x; }; union { char c; long l; } u; }; | 16 | 0 struct {...}; 8"
            + " union {...} u",
        "#define N (2 + 3)\\n"
            + "enum { MANY = N * 2 };\\n"
            + "struct s { char a[N], b[MANY], c[sizeof(int) << 1]; }; | 23 | 0 char a[5]; 5 char"
            + " b[10]; 15 char c[8]",
        "#if defined(NO) || 0x10 < 3\\n"
            + "broken\\n"
            + "#elif 1\\n"
            + "struct s { int a; };\\n"
            + "#else\\n"
            + "broken too\\n"
            + "#endif | 4 | 0 int a",
        "#ifdef NO\\nstruct s { long a; };\\n#else\\nstruct s { int a; };\\n#endif | 4 | 0 int a",
        "struct t; typedef struct t *tp; struct s { tp p; struct t *q; }; struct t { int x; }; | 16"
            + " | 0 tp p; 8 struct t *q",
        "typedef unsigned char u8; typedef u8 mac[6]; struct s { mac m; u8 const v; }; | 7 | 0 mac"
            + " m; 6 const u8 v",
        "struct s { /* a\\ncomment */ int a; // and another\\n int b; }; | 8 | 0 int a; 4 int b",
        "#pragma pack(push, 2)\\n"
            + "struct s { char c; int i; };\\n"
            + "#pragma pack(pop)\\n"
            + " | 6 | 0 char c; 2 int i",
        "_Static_assert(sizeof(int) == 4, \"x\"); struct s { int a; _Static_assert(1, \"\"); }; | 4"
            + " | 0 int a",
        "static inline int f(int x) { return x ? '}' : 1; } struct s { int a; }; | 4 | 0 int a",
        "struct s { enum { A, B = 5, C } e; }; | 4 | 0 enum {...} e",
      })
  void layouts(String text, long bytes, String members) {
    types.read("test.h", text.replace("\\n", "\n"));
    assertThat(named("struct s").bytes()).isEqualTo(bytes);
    assertThat(members("struct s")).isEqualTo(members);
  }

  @Test
  void declarationsTypeVariablesAndFunctions() {
    types.read(
        "test.h",
        """
        #include <stdint.h>
        struct item;
        extern struct item *first, second[4];
        extern int count __attribute__((weak));
        int lookup(const char *name, int flags[2], int cb(void));
        struct item { struct item *next; };
        """);
    assertThat(types.ofSymbol("first").orElseThrow().text()).isEqualTo("struct item *");
    assertThat(types.ofSymbol("second").orElseThrow().bytes()).isEqualTo(32);
    assertThat(types.ofSymbol("count").orElseThrow().text()).isEqualTo("int");
    assertThat(types.ofSymbol("lookup").orElseThrow().declare("lookup"))
        .isEqualTo("int lookup(const char *name, int *flags, int (*cb)(void))");
    assertThat(types.notes()).containsExactly("test.h:1:1: left out: #include <stdint.h>");
  }

  @Test
  void enumerators() {
    types.read(
        "test.h", "enum e { A = 1 << 3, B, C = A | 3, D = -1 }; enum big { X = 1ull << 40 };");
    program.add(types);
    var e = program.enumerationOf("C").orElseThrow();
    assertThat(e.name()).isEqualTo("e");
    assertThat(e.signed()).isTrue();
    assertThat(e.named("C").orElseThrow().value()).isEqualTo(11);
    assertThat(((EnumType) named("enum big")).bytes()).isEqualTo(8);
  }

  @ParameterizedTest
  @CsvSource(
      delimiterString = " | ",
      quoteCharacter = '`',
      value = {
        "struct s { int a }; | test.h:1:18: expected ';', but found '}'",
        "int a;\\n  strct s x; | test.h:2:3: expected a type name, but found 'strct'",
        "struct s { struct t x; }; | test.h:1:21: member 'x' has the incomplete type 'struct t'",
        "struct s { int a : 40; }; | test.h:1:16: a bit-field of 40 bits in 'int'",
        "struct s { int a[-1]; }; | test.h:1:18: an array of -1 elements",
        "struct s { int a[1 / 0]; }; | test.h:1:18: division by zero",
        "struct s { int a; }; struct s { long a; }; | test.h:1:29: 'struct s' is defined twice, and"
            + " differently",
        "struct s { long short x; }; | test.h:1:12: no such combination of type words",
        "#if 1\\nint a; | test.h:2:7: #if without #endif",
        "#error no\\n | test.h:1:1: #error no",
        "/* never | test.h:1:1: comment without end",
        "struct s { int a __attribute__((aligned(3))); }; | test.h:1:41: 3 is not an alignment: a"
            + " power of two is needed",
        "int x[N]; | test.h:1:7: unknown constant 'N'",
      })
  void errorsNameFileLineAndColumn(String text, String message) {
    assertThatThrownBy(() -> types.read("test.h", text.replace("\\n", "\n")))
        .isInstanceOf(EvalException.class)
        .hasMessage(message);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "struct { ",
        "int (",
        "int (*",
        "union u { struct {",
        "#if 1\n",
        "enum { A = (",
        "int a[",
        "#define A A A\nA ",
        "__attribute__((",
        "typedef int (*("
      })
  void depthIsBounded(String piece) {
    assertThatThrownBy(() -> types.read("test.h", piece.repeat(50_000)))
        .isInstanceOf(FathomException.class);
  }

  @Test
  void macrosThatGrowAreBounded() {
    var text = new StringBuilder("#define A0 1 1 1 1 1 1 1 1 1 1\n");
    for (int i = 1; i < 40; i++) {
      text.append(
          "#define A%d A%d A%d A%d A%d A%d\n".formatted(i, i - 1, i - 1, i - 1, i - 1, i - 1));
    }
    assertThatThrownBy(() -> types.read("test.h", text + "int x[A39];"))
        .isInstanceOf(FathomException.class)
        .hasMessageContaining("more than");
  }

  @Test
  void anyTextEndsInTypesOrAnErrorForTheUser() {
    long seed = Long.getLong("fathom.fuzz.seed", System.nanoTime());
    var random = new Random(seed);
    var pieces =
        new String[] {
          "struct ",
          "union ",
          "enum ",
          "typedef ",
          "s",
          "t ",
          "{",
          "}",
          ";",
          "int ",
          "long ",
          "*",
          "(",
          ")",
          "[",
          "]",
          "3",
          ":",
          ",",
          "a",
          "b ",
          "=",
          "1 << 2",
          "\n#if 1\n",
          "\n#else\n",
          "\n#endif\n",
          "\n#define N 4\n",
          "N",
          "__attribute__((packed))",
          "const ",
          "...",
          "extern ",
          "\"",
          "'",
          "/*",
          "*/",
          "sizeof(",
          "_Alignas(8) ",
          "\n#pragma pack(1)\n",
          "void ",
          "char ",
          "-",
          "\\\n",
          "float ",
          "struct s { int x; };",
          "typeof(",
          "0x",
          "__fathom_pack"
        };
    for (int round = 0; round < 20_000; round++) {
      var text = new StringBuilder();
      for (int n = random.nextInt(20); n >= 0; n--) {
        text.append(pieces[random.nextInt(pieces.length)]);
      }
      var fresh = new CTextTypes("c:fuzz", DataModel.LP64, new TypeSystem(8));
      try {
        fresh.read("fuzz.h", text.toString());
        fresh.stream().forEach(type -> assertThat(type.text()).isNotNull());
      } catch (FathomException expected) {
        assertThat(expected.getMessage()).as("seed %d, text %s", seed, text).isNotBlank();
      } catch (RuntimeException | StackOverflowError e) {
        throw new AssertionError("seed " + seed + ", text " + text, e);
      }
    }
  }

  // ---- gcc's layouts

  private static final String[] SCALARS = {
    "char", "signed char", "unsigned short", "int", "unsigned", "long", "unsigned long long",
    "float", "double", "long double", "void *", "_Bool", "short", "enum color"
  };

  private static final String[] FIELDS = {
    "int", "unsigned", "char", "unsigned short", "unsigned long long", "long", "_Bool", "short"
  };

  /** A structure with members of every kind; the names of those with a place go to the list. */
  private static String structure(
      Random random, int number, List<String> plain, List<String> bits) {
    var text = new StringBuilder(random.nextInt(5) == 0 ? "union s" : "struct s");
    text.append(number).append(" {\n");
    int count = 1 + random.nextInt(8);
    for (int i = 0; i < count; i++) {
      member(random, number, "m" + i, text, plain, bits, 0);
    }
    text.append("}");
    switch (random.nextInt(8)) {
      case 0 -> text.append(" __attribute__((packed))");
      case 1 ->
          text.append(" __attribute__((aligned(").append(1 << random.nextInt(6)).append(")))");
      case 2 -> text.append(" __attribute__((packed, aligned(4)))");
      default -> {}
    }
    return text.append(";\n").toString();
  }

  private static void member(
      Random random,
      int number,
      String name,
      StringBuilder text,
      List<String> plain,
      List<String> bits,
      int depth) {
    switch (random.nextInt(10)) {
      case 0, 1, 2, 3 -> {
        text.append(SCALARS[random.nextInt(SCALARS.length)]).append(' ').append(name);
        switch (random.nextInt(10)) {
          case 0 -> text.append("[").append(1 + random.nextInt(5)).append("]");
          case 1 -> text.append("[2][3]");
          case 2 -> text.append(" __attribute__((packed))");
          case 3 ->
              text.append(" __attribute__((aligned(").append(1 << random.nextInt(5)).append(")))");
          default -> {}
        }
        text.append(";\n");
        plain.add(name);
      }
      case 4, 5, 6 -> {
        var type = FIELDS[random.nextInt(FIELDS.length)];
        int most =
            switch (type) {
              case "_Bool" -> 1;
              case "char" -> 8;
              case "short", "unsigned short" -> 16;
              default -> 32;
            };
        if (random.nextInt(8) == 0) {
          text.append(type).append(" : ").append(random.nextInt(most + 1)).append(";\n");
        } else {
          text.append(type).append(' ').append(name).append(" : ");
          text.append(1 + random.nextInt(most)).append(";\n");
          bits.add(name);
        }
      }
      case 7 -> {
        text.append("int (*").append(name).append(")(long, char *);\n");
        plain.add(name);
      }
      case 8 -> {
        if (number > 0) {
          text.append("S").append(random.nextInt(number)).append(' ').append(name).append(";\n");
          plain.add(name);
        }
      }
      default -> {
        if (depth < 3) {
          text.append(random.nextBoolean() ? "struct" : "union").append(" {\n");
          for (int i = 0; i <= random.nextInt(3); i++) {
            member(random, number, name + "_" + i, text, plain, bits, depth + 1);
          }
          text.append("};\n");
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"-m64", "-m32"})
  void layoutsAreThoseOfGcc(String machine, @TempDir Path folder)
      throws IOException, InterruptedException {
    long seed = Long.getLong("fathom.fuzz.seed", System.nanoTime());
    var random = new Random(seed);
    var header = new StringBuilder("enum color { RED, GREEN = 7 };\n");
    var asked = new StringBuilder();
    var names = new ArrayList<String>();
    int count = 150;
    for (int i = 0; i < count; i++) {
      var plain = new ArrayList<String>();
      var bits = new ArrayList<String>();
      var text = structure(random, i, plain, bits);
      header.append(text).append("typedef ").append(text, 0, text.indexOf(" {"));
      header.append(" S").append(i).append(";\n");
      asked.append("sizeof(S%d), _Alignof(S%d),\n".formatted(i, i));
      names.add("S" + i);
      for (var name : plain) {
        asked.append("__builtin_offsetof(S%d, %s),\n".formatted(i, name));
        names.add("S" + i + "." + name);
      }
      for (var name : bits) {
        names.add("S" + i + ":" + name);
      }
    }
    var source = new StringBuilder(header);
    source.append("const unsigned long long asked[] __attribute__((section(\".asked\"))) = {\n");
    source.append(asked).append("};\n");
    int probe = 0;
    var order = new ArrayList<String>();
    for (var name : names) {
      int colon = name.indexOf(':');
      if (colon > 0) {
        var type = name.substring(0, colon);
        var member = name.substring(colon + 1);
        source.append(
            "const %s p%d __attribute__((section(\".p%d\"))) = { .%s = -1 };\n"
                .formatted(type, probe, probe, member));
        order.add(name);
        probe++;
      }
    }
    var c = folder.resolve("layout.c");
    var o = folder.resolve("layout.o");
    Files.writeString(c, source);
    run("gcc", machine, "-w", "-ffreestanding", "-c", c.toString(), "-o", o.toString());

    var model = machine.equals("-m32") ? DataModel.ILP32 : DataModel.LP64;
    var system = new TypeSystem(model.wordBytes());
    var mine = new CTextTypes("c:layout.h", model, system);
    mine.read("layout.h", header.toString());
    var answers = section(folder, o, ".asked");
    int at = 0;
    for (var name : names) {
      if (name.indexOf(':') > 0) {
        continue;
      }
      int dot = name.indexOf('.');
      var type = mine.find(TypeName.plain(dot < 0 ? name : name.substring(0, dot))).orElseThrow();
      if (dot < 0) {
        assertThat(type.bytes())
            .as("sizeof(%s), seed %d, %s\n%s", name, seed, machine, definition(header, name))
            .isEqualTo(answers.getLong(at));
        at += 16;
      } else {
        assertThat(system.member(type, name.substring(dot + 1)).orElseThrow().byteOffset())
            .as("%s, seed %d, %s\n%s", name, seed, machine, definition(header, name))
            .isEqualTo(answers.getLong(at));
        at += 8;
      }
    }
    for (int i = 0; i < order.size(); i++) {
      var name = order.get(i);
      int colon = name.indexOf(':');
      var type = mine.find(TypeName.plain(name.substring(0, colon))).orElseThrow();
      var found = system.member(type, name.substring(colon + 1)).orElseThrow();
      var bytes = section(folder, o, ".p" + i);
      int first = -1;
      int ones = 0;
      for (int bit = 0; bit < bytes.limit() * 8; bit++) {
        if ((bytes.get(bit / 8) >> (bit % 8) & 1) != 0) {
          first = first < 0 ? bit : first;
          ones++;
        }
      }
      assertThat(found.bitOffset())
          .as("%s, seed %d, %s\n%s", name, seed, machine, definition(header, name))
          .isEqualTo(first);
      assertThat(found.member().bitSize()).as("%s, seed %d", name, seed).isEqualTo(ones);
    }
  }

  private static String definition(StringBuilder header, String name) {
    var number = name.replaceAll("^S([0-9]+).*", "$1");
    int at =
        Math.max(
            header.indexOf("struct s" + number + " {"), header.indexOf("union s" + number + " {"));
    return header.substring(at, header.indexOf("typedef", at));
  }

  private static ByteBuffer section(Path folder, Path object, String name)
      throws IOException, InterruptedException {
    var raw = folder.resolve("raw");
    run(
        "objcopy",
        "-O",
        "binary",
        "--only-section=" + name,
        "--set-section-flags",
        name + "=alloc",
        object.toString(),
        raw.toString());
    return ByteBuffer.wrap(Files.readAllBytes(raw)).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static void run(String... command) throws IOException, InterruptedException {
    var process = new ProcessBuilder(command).redirectErrorStream(true).start();
    var output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(output).isZero();
  }

  @Test
  void whatIsWrongIsLeftOutAndToldOf() {
    var text =
        """
        struct one { int a; };
        struct bad { int x y; };
        struct two { struct one o; int *p; };
        int f(nosuch_t a) {
          return 1;
        }
        int g(void) { return f(2); }
        enum e { A, B = 1 +, C };
        int odd = 8 ` 3;
        ;
        typedef long fine_t;
        struct open { int b;
        struct three { fine_t c; };
        """;
    assertThat(types.readWhatIsRight("h.h", text))
        .containsExactlyInAnyOrder(
            "h.h:2:20: expected ';', but found 'y'; line 2 is left out",
            "h.h:4:7: expected a type name, but found 'nosuch_t'; lines 4 to 6 are left out",
            "h.h:8:20: expected an operand, but found ','; line 8 is left out",
            "h.h:9:13: unexpected character '`'; line 9 is left out",
            "h.h:14:1: expected '}', but found the end; line 12 is left out");
    assertThat(types.find(TypeName.struct("two")).orElseThrow().bytes()).isEqualTo(16);
    assertThat(types.find(TypeName.struct("three"))).isPresent();
    assertThat(types.find(TypeName.struct("bad"))).isEmpty();
    assertThat(types.variables()).containsOnlyKeys("g", "odd");
    assertThatThrownBy(() -> types.readWhatIsRight("h.h", "int x y;\n".repeat(200)))
        .hasMessageContaining("more than 100 errors, the first of which is h.h:1:7: ");
  }

  @Test
  void nothingOfADeclarationThatIsWrongStays() {
    var text =
        """
        enum e { A = 1 };
        struct a { int x; } v, bad!;
        typedef enum { A = 5, B } one_t, struct;
        struct c { struct { enum f { D } d; } in; } x = {1}, y z;
        int g(int a), h(nosuch_t);
        struct a { long x; };
        int n = A;
        """;
    assertThat(types.readWhatIsRight("h.h", text))
        .hasSize(4)
        .allMatch(line -> line.matches("h.h:[2345]:.*; line [2345] is left out"));
    assertThat(types.stream().map(CType::text)).containsExactly("enum e", "struct a");
    assertThat(named("struct a").bytes()).isEqualTo(8);
    assertThat(types.variables()).containsOnlyKeys("n");
    assertThat(types.enumerators()).containsOnlyKeys("A");
    assertThat(types.enumeratorValue("A")).hasValue(1L);
    assertThatThrownBy(() -> types.read("h.h", "int q; struct r { int x; } s, bad!;"))
        .isInstanceOf(EvalException.class);
    assertThat(types.variables()).containsOnlyKeys("n", "q");
    assertThat(types.find(TypeName.struct("r"))).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{ int x; }",
        "int f(void) noexcept { return 1; }",
        "struct s f(void) noexcept { return 1; }",
        "static void f(int a) throw() -> int { if (a) { a = 2; } }",
        "nosuch_t f(void) { return 1; }",
        "struct bad { int x y; };",
        "struct bad { int x y; } v = {1}, w[] = {{2}, {3}};",
        "struct __attribute__((packed)) bad { int x y; } v;",
        "enum bad { A = 1 + } v;",
        "int x = (struct bad) { 1 }, y z;",
        "nosuch_t x[] = { 1, 2 };",
        "namespace n { int x; }",
      })
  void whatFollowsADeclarationThatIsWrongIsRead(String wrong) {
    var text = wrong + "\nstruct next { int a; };\n";
    assertThat(types.readWhatIsRight("h.h", text))
        .singleElement()
        .satisfies(line -> assertThat(line).endsWith("; line 1 is left out"));
    assertThat(types.find(TypeName.struct("next"))).isPresent();
    assertThat(types.stream()).hasSize(1);
    assertThat(types.variables()).isEmpty();
  }

  @Test
  void bracesInCommentsAndQuotesAreNone() {
    assertThat(CTextTypes.unclosed("struct { int a; /* { */ }")).isEmpty();
    assertThat(CTextTypes.unclosed("struct { int a; } // {")).isEmpty();
    assertThat(CTextTypes.unclosed("struct { char a['{']; }")).isEmpty();
    assertThat(CTextTypes.unclosed("struct { struct { int a; /* } */ }")).hasValue(7);
    assertThat(CTextTypes.unclosed("struct { int a; // }")).hasValue(7);
  }
}
