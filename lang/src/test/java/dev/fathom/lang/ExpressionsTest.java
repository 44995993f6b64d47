// SPDX-License-Identifier: Apache-2.0
package dev.fathom.lang;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fathom.base.EvalException;
import dev.fathom.base.FathomException;
import dev.fathom.base.FaultException;
import dev.fathom.model.Value;
import dev.fathom.model.type.CompositeType;
import dev.fathom.model.type.Member;
import java.math.BigInteger;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ExpressionsTest {
  private final TestProgram program = new TestProgram();

  private Value value(String text) {
    return Expressions.evaluate(text, program);
  }

  @ParameterizedTest
  @CsvSource(
      delimiterString = " | ",
      quoteCharacter = '`',
      value = {
        "1+2*3 | 7 | int",
        "(1+2)*3 | 9 | int",
        "0x10 | 16 | int",
        "010 | 8 | int",
        "0b101 | 5 | int",
        "0xffffffff | 4294967295 | unsigned int",
        "4294967295 | 4294967295 | long",
        "0xffffffffffffffff | -1 | unsigned long",
        "1u | 1 | unsigned int",
        "1l | 1 | long",
        "-1 < 0u | 0 | int",
        "-1 < 0 | 1 | int",
        "-7 / 2 | -3 | int",
        "-7 % 3 | -1 | int",
        "0xffffffffffffffff / 2 | 9223372036854775807 | unsigned long",
        "1 << 31 | -2147483648 | int",
        "-8 >> 1 | -4 | int",
        "0x80000000 >> 4 | 134217728 | unsigned int",
        "0x7fffffff + 1 | -2147483648 | int",
        "~0 | -1 | int",
        "!5 | 0 | int",
        "3 & 6 | 2 | int",
        "3 ^ 6 | 5 | int",
        "1 ? 2 : 3 | 2 | int",
        "0 ? 2 : 0 ? 4 : 5 | 5 | int",
        "1, 2 | 2 | int",
        "1 || 1/0 | 1 | int",
        "0 && 1/0 | 0 | int",
        "2 == 2 && 3 != 4 | 1 | int",
        "'a' | 97 | char",
        "'\\n' | 10 | char",
        "(unsigned char)300 | 44 | unsigned char",
        "(char)200 | -56 | char",
        "(_Bool)77 | 1 | _Bool",
        "sizeof(struct task) | 40 | unsigned long",
        "sizeof first | 40 | unsigned long",
        "sizeof(first.pid = 5) | 4 | unsigned long",
        "sizeof((short[])first) | 40 | unsigned long",
        "sizeof((char[])first.pid) | 4 | unsigned long",
        "((short[])first.pid)[0] | 42 | short",
        "sizeof(char [16]) | 16 | unsigned long",
        "sizeof(unsigned long) | 8 | unsigned long",
        "sizeof(task) | 40 | unsigned long",
        "offsetof(struct task, hidden) | 24 | unsigned long",
        "offsetof(struct task, in[1].s) | 38 | unsigned long",
        "SLEEPING + 1 | 6 | unsigned int",
        "only_otherwise + 1 | 43 | int",
        "counter < long(99999) && 300 > *&counter | 1 | int",
      })
  void numbersHaveTheTypesOfC(String text, long bits, String type) {
    var value = value(text);
    assertThat(value.asLong()).isEqualTo(bits);
    assertThat(value.type().text()).isEqualTo(type);
  }

  @ParameterizedTest
  @CsvSource(
      delimiterString = " | ",
      quoteCharacter = '`',
      value = {
        "first.pid | 42",
        "first.neg | -7",
        "first.next->pid | 43",
        "first.next.pid | 43",
        "(*first.next).pid | 43",
        "(&first)->next->next | 0",
        "first.hidden | 1234605616436508552",
        "first.in[0].low | 5",
        "first.in[0].high | 17",
        "first.in[1].low | 6",
        "first.in[0].s | -2",
        "first.in[1].s | 3",
        "first.comm[1] | 110",
        "*first.comm | 105",
        "((struct task *)0xffff888000002000)->pid | 43",
        "*(int *)&first.neg | -7",
        "(long)&first.neg - (long)&first | 4",
        "&first.in[1] - &first.in[0] | 1",
        "(long)(&first + 1) - (long)&first | 40",
        "&first < &second | 1",
        "container_of(&second.comm, struct task, comm)->pid | 43",
        "per_cpu(counter, 0) | 1",
        "per_cpu(counter, 1) | 2",
        "(pid_t)first.neg | -7",
        "(enum state)5 == SLEEPING | 1",
        "first.pid == 42 ? second.pid : 0 | 43",
        "(unsigned long)work & 0xf | 0",
        "$rip == (unsigned long)work | 1",
      })
  void membersPointersAndArrays(String text, long bits) {
    assertThat(value(text).asLong()).isEqualTo(bits);
  }

  @ParameterizedTest
  @CsvSource(
      delimiterString = " | ",
      quoteCharacter = '`',
      value = {
        "'ab' | 24930",
        "L'\\u00e9' | 233",
        "u'\\x1234' | 4660",
        "sizeof(\"abc\") | 4",
        "sizeof(L\"abc\") | 16",
        "sizeof(u8\"\\u00e9\") | 3",
        "\"a\" \"bc\"[1] | 98",
        "(__int128)1 << 100 >> 98 | 4",
        "(unsigned __int128)-1 >> 126 | 3",
        "((__int128)1 << 64) > 1 | 1",
        "alignof(struct task) | 8",
        "{int} &first | 42",
        "{struct task *} (&first.next) == &second | 1",
        "first.next->in[1].low | 6",
        "static_cast<int>(3.9) | 3",
        "(char)first.next->comm[0] | 107",
        "sizeof(typeof(first)) | 40",
        "int(3.7) | 3",
        "SLEEPING == 5 ? SLEEPING : 0 | 5",
        "state::SLEEPING == 5 | 1",
      })
  void moreOfTheLanguage(String text, long bits) {
    assertThat(value(text).asInteger()).isEqualTo(BigInteger.valueOf(bits));
  }

  @Test
  void assignmentsGoToTheScope() {
    program.writable = true;
    assertThat(value("first.pid = 7").asLong()).isEqualTo(7);
    assertThat(value("first.pid").asLong()).isEqualTo(7);
    assertThat(value("first.pid += 3, first.pid").asLong()).isEqualTo(10);
    assertThat(value("first.pid++").asLong()).isEqualTo(10);
    assertThat(value("--first.pid").asLong()).isEqualTo(10);
    assertThat(value("first.in[0].high = -1").asLong()).isEqualTo(31);
    assertThat(value("first.in[0].low").asLong()).isEqualTo(5);
    assertThat(value("first.in[0].s").asLong()).isEqualTo(-2);
    assertThat(value("first.in[1].low = first.in[0].low = 2").asLong()).isEqualTo(2);
    assertThat(value("first.in[1] = first.in[0], first.in[1].high").asLong()).isEqualTo(31);
    assertThat(value("first.next = 0").asLong()).isZero();
    assertThat(value("first.hidden <<= 4").asLong()).isEqualTo(0x1223344556677880L);
    assertThat(value("$x = 5").asLong()).isEqualTo(5);
    assertThat(value("$x * 2").asLong()).isEqualTo(10);
    assertThat(value("$x += 1.5").asReal().toDouble()).isEqualTo(6.5);
  }

  @Test
  void callsGoToTheScope() {
    program.writable = true;
    assertThat(value("work()").asLong()).isEqualTo(77);
    assertThat(value("(&work)() + 1").asLong()).isEqualTo(78);
  }

  @Test
  void whatNamesNoMemberNeedsNoObject() {
    program.writable = true;
    program.inMethod = true;
    assertThat(value("work()").asLong()).isEqualTo(77);
    assertThatThrownBy(() -> value("Base::none"))
        .hasMessageContaining("unknown symbol 'Base::none'");
    assertThatThrownBy(() -> value("this->x")).hasMessageContaining("optimized out");
  }

  @Test
  void placesAreNotReadUntilAsked() {
    var gone = value("*(struct task *)0x10");
    assertThat(gone.address()).isEqualTo(0x10);
    assertThat(value("&((struct task *)0x10)->comm").asLong()).isEqualTo(0x20);
    assertThatThrownBy(() -> value("((struct task *)0x10)->pid").asLong())
        .isInstanceOf(FaultException.class);
  }

  /** A derives from B, and B from A before it does from C. */
  @Test
  void basesInACircleEndCasts() {
    var types = new HashMap<String, CompositeType>();
    Map.of("A", List.of("B"), "B", List.of("A", "C"), "C", List.<String>of())
        .forEach((name, bases) -> types.put(name, derived(name, bases, types)));
    var object = new Value.Ref(program, types.get("C"), TestProgram.FIRST);
    assertThatThrownBy(() -> ClassCasts.moved(object, types.get("A")))
        .isInstanceOf(EvalException.class)
        .hasMessage("'A' is said to be a base of itself");
    assertThat(ClassCasts.moved(new Value.Ref(program, types.get("B"), 16), types.get("A")).type())
        .isEqualTo(types.get("A"));
  }

  private static CompositeType derived(
      String name, List<String> bases, Map<String, CompositeType> types) {
    return new CompositeType(
        CompositeType.Kind.CLASS,
        name,
        8,
        () ->
            bases.stream()
                .map(base -> new Member("", types.get(base), 64, 0, Member.Kind.BASE))
                .toList(),
        () ->
            new CompositeType.ClassParts(
                List.of(),
                List.of(),
                List.of(),
                List.of(),
                new CompositeType.Passing(Optional.empty(), OptionalLong.empty())),
        true);
  }

  @Test
  void stringsAndSlices() {
    assertThat(value("first.comm").string(8)).isEqualTo("init");
    assertThat(value("first.in[0]@2").type().text()).isEqualTo("struct inner [2]");
    assertThat(value("(char *)first.next + 16").string(8)).isEqualTo("kid");
  }

  @Test
  void typeNames() {
    var types = program.types();
    assertThat(Expressions.type("struct task *", types))
        .hasValueSatisfying(t -> assertThat(t.text()).isEqualTo("struct task *"));
    assertThat(Expressions.type("char (*)[4]", types))
        .hasValueSatisfying(t -> assertThat(t.text()).isEqualTo("char (*)[4]"));
    assertThat(Expressions.type("const pid_t", types))
        .hasValueSatisfying(t -> assertThat(t.text()).isEqualTo("pid_t"));
    assertThat(Expressions.type("long long unsigned", types).orElseThrow().bytes()).isEqualTo(8);
    assertThat(Expressions.type("first", types)).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiterString = " | ",
      quoteCharacter = '`',
      value = {
        "1 + | expected an operand, but found the end at column 4",
        "1 + ) | expected an operand, but found ')' at column 5",
        "(1 | expected ')', but found the end at column 3",
        "1 2 | expected the end of the expression, but found '2' at column 3",
        "1/0 | division by zero (column 1)",
        "1 << 32 | shift of a 32-bit number by 32 (column 1)",
        "first + 1 | 'struct task' is not a number (column 1)",
        "*first | 'struct task' is not a pointer (column 1)",
        "first->pid | 'struct task' is not a pointer: use '.' (column 1)",
        "&5 | a number has no address (column 1)",
        "&first.in[0].low | a bit-field has no address (column 1)",
        "work() | calling a function needs a live target (column 1)",
        "1 # 2 | unexpected character '#' at column 3",
        "12ab | '12ab' at column 1 is not a number of at most 64 bits",
        "0x1ffffffffffffffff | '0x1ffffffffffffffff' at column 1 is not a number of at most 64"
            + " bits",
        "'abcde' | unknown symbol 'abcde'",
        "work(1) | the function takes 0 arguments, not 1 (column 1)",
        "5 = 6 | only what stands in memory can be assigned to (column 1)",
        "first.pid = 6 | the target cannot be written here",
        "$nosuch = 6 | $nosuch cannot be set here",
        "first.pdi | unknown member of struct task 'pdi'; did you mean pid?",
        "sizeof(struct tsk) | unknown type 'struct tsk'; did you mean task?",
        "SLEEPIN | unknown symbol 'SLEEPIN'; did you mean SLEEPING?",
        "5 % 2.0 | '%' is for whole numbers only (column 1)",
        "1.5 << 1 | '<<' is for whole numbers only (column 1)",
        "first.next + 1.5 | a pointer and a number with a fraction do not mix (column 1)",
        "int | 'int' is a type, not a value (column 1)",
        "&\"abc\" | a number has no address (column 1)",
        "1.2.3 | '1.2.3' at column 1 is not a number",
        "018 | '018' at column 1 is not a number of at most 64 bits",
        "\"ab | missing closing \" for column 1",
        "sizeof(void) | the size of 'void' is not known (column 1)",
        "(struct nosuch *)1 | unknown type 'struct nosuch'",
        "first.nosuch | unknown member of struct task 'nosuch'",
        "firsd | unknown symbol 'firsd'; did you mean first?",
        "$nosuch | unknown register or variable '$nosuch'",
        "((int (*)[])0x1000)[1] | the size of 'int []' is not known (column 2)",
        "((int (*)[])0x1000) + 1 | the size of 'int []' is not known (column 2)",
      })
  void errorsNameTheColumn(String text, String message) {
    assertThatThrownBy(() -> value(text).asLong())
        .isInstanceOf(FathomException.class)
        .hasMessage(message);
  }

  @ParameterizedTest
  @ValueSource(strings = {"(", "-", "!", "1?1:", "*", "&", "sizeof ", "first.in["})
  void depthIsBounded(String piece) {
    assertThatThrownBy(() -> value(piece.repeat(100_000))).isInstanceOf(EvalException.class);
  }

  @Test
  void anyTextEndsInAValueOrAnErrorForTheUser() {
    long seed = Long.getLong("fathom.fuzz.seed", System.nanoTime());
    var random = new Random(seed);
    var pieces =
        new String[] {
          "1",
          "0x10",
          "first",
          "second",
          "->",
          ".",
          "pid",
          "next",
          "(",
          ")",
          "[",
          "]",
          "*",
          "&",
          "+",
          "-",
          "/",
          "%",
          "(struct task *)",
          "sizeof",
          "?",
          ":",
          ",",
          "@",
          "'a'",
          "\"",
          "in",
          "comm",
          "<<",
          ">>",
          "~",
          "!",
          "$rip",
          "container_of(",
          "per_cpu(",
          "offsetof(",
          "struct",
          "enum",
          "long",
          " ",
          "{",
          "work",
          "SLEEPING",
          "e",
          "9"
        };
    for (int round = 0; round < 20_000; round++) {
      var text = new StringBuilder();
      for (int n = random.nextInt(12); n >= 0; n--) {
        text.append(pieces[random.nextInt(pieces.length)]);
      }
      try {
        var value = value(text.toString());
        if (!value.isComposite()) {
          value.asLong();
        }
      } catch (FathomException expected) {
        assertThat(expected.getMessage()).as("seed %d, text %s", seed, text).isNotBlank();
      } catch (RuntimeException | StackOverflowError e) {
        throw new AssertionError("seed " + seed + ", text " + text, e);
      }
    }
  }
}
