// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.dwarf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fathom.base.BadDataException;
import dev.fathom.base.ByteSource;
import dev.fathom.base.EvalException;
import dev.fathom.base.FathomException;
import dev.fathom.base.FaultException;
import dev.fathom.base.Readability;
import dev.fathom.testkit.Fuzz;
import dev.fathom.testkit.LittleEndian;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DwarfExpressionTest {
  private static final BaseType INT = new BaseType(4, BaseType.Kind.SIGNED);
  private static final BaseType UINT = new BaseType(4, BaseType.Kind.UNSIGNED);
  private static final BaseType DOUBLE = new BaseType(8, BaseType.Kind.FLOAT);
  private static final BaseType FLOAT = new BaseType(4, BaseType.Kind.FLOAT);

  private static DwarfExpression expression(String hex) {
    byte[] bytes = HexFormat.of().parseHex(hex.replace(" ", ""));
    return new DwarfExpression(
        ByteSource.of(".debug_info", bytes),
        0,
        bytes.length,
        new Encoding(java.nio.ByteOrder.LITTLE_ENDIAN, 5, 4, 8));
  }

  /** Register n is 0x100 * n + 1, memory at a holds a in each 8 bytes, base types at 1 to 4. */
  private static final ExpressionContext CONTEXT =
      new ExpressionContext() {
        @Override
        public long register(int number) {
          if (number > 20) {
            throw new EvalException("r" + number + " is not known here");
          }
          return 0x100L * number + 1;
        }

        @Override
        public long read(long address, int size) {
          if (address == 0) {
            throw new FaultException("user", 0, Readability.UNMAPPED);
          }
          return size == 8 ? address : address & (1L << (size * 8)) - 1;
        }

        @Override
        public long cfa() {
          return 0xcfa0;
        }

        @Override
        public long frameBase() {
          return 0xfb00;
        }

        @Override
        public long object() {
          return 0x0b00;
        }

        @Override
        public long address(long index) {
          return 0xadd0 + index;
        }

        @Override
        public long constant(long index) {
          return 0xadd0 + index;
        }

        @Override
        public long threadLocal(long offset) {
          return 0x715000 + offset;
        }

        @Override
        public DwarfExpression called(long die, boolean inUnit) {
          return expression(die == 0x99 ? "98 99 00" : inUnit ? "1c" : "22");
        }

        @Override
        public long variable(long die) {
          return 0x7000 + die;
        }

        @Override
        public long entryValue(DwarfExpression of) {
          return 0xe000L + of.soleRegister().orElse(0xff);
        }

        @Override
        public long parameter(long die) {
          return 0x9000 + die;
        }

        @Override
        public BaseType baseType(long die) {
          return List.of(INT, UINT, DOUBLE, FLOAT).get((int) die - 1);
        }
      };

  @ParameterizedTest
  @CsvSource({
    "03 8877665544332211, 1122334455667788",
    "08 ff, ff",
    "09 ff, ffffffffffffffff",
    "0a ffff, ffff",
    "0b ffff, ffffffffffffffff",
    "0c ffffffff, ffffffff",
    "0d feffffff, fffffffffffffffe",
    "0e 0100000000000080, 8000000000000001",
    "10 8001, 80",
    "11 7f, ffffffffffffffff",
    "35, 5",
    "31 32 12 22 22, 5", // dup
    "31 32 13, 1", // drop
    "31 32 14 22, 3", // over
    "31 32 33 15 02 22, 4", // pick
    "31 32 16 1c, 1", // swap: 2 - 1
    "31 32 33 17, 2", // rot: 3 1 2
    "31 32 33 17 13, 1",
    "31 32 33 17 13 13, 3",
    "34 06, 4", // deref
    "0a 3412 94 01, 34",
    "11 7b 19, 5", // abs
    "3f 35 1a, 5", // and
    "11 78 34 1b, fffffffffffffffe", // div signed
    "38 35 1c, 3", // minus
    "11 7f 3a 1d, 5", // mod unsigned: 2^64-1 mod 10
    "36 37 1e, 2a", // mul
    "31 1f, ffffffffffffffff", // neg
    "30 20, ffffffffffffffff", // not
    "31 32 21, 3", // or
    "3f 23 8001, 8f", // plus_uconst
    "31 34 24, 10", // shl
    "11 7f 33 25, 1fffffffffffffff", // shr
    "11 70 32 26, fffffffffffffffc", // shra
    "31 33 27, 2", // xor
    "31 31 29, 1",
    "11 7f 30 2a, 0", // ge signed
    "31 30 2b, 1",
    "11 7f 30 2c, 1",
    "11 7f 30 2d, 1",
    "31 30 2e, 1",
    "31 2f 0100 32, 1", // skip over lit2
    "35 31 28 0100 36, 5", // bra taken
    "35 30 28 0100 36, 6",
    "72 08, 209", // breg2 + 8
    "92 05 7f, 500", // bregx
    "91 70, faf0", // fbreg
    "96 31, 1",
    "97, b00",
    "31 9b, 715001",
    "31 e0, 715001",
    "9c, cfa0",
    "a1 03, add3",
    "a2 04, add4",
    "fb 05, add5",
    "fc 06, add6",
    "34 33 98 0700, 1", // call2: minus
    "34 33 99 07000000, 1",
    "34 33 9a 07000000, 7", // call_ref: plus
    "a3 01 55, e005",
    "f3 01 53, e003",
    "fd 11000000, 7011",
    "fa 12000000, 9012",
    "a4 01 04 ffffffff a8 00, ffffffffffffffff", // (int) -1, generic
    "a4 02 04 ffffffff a8 00, ffffffff",
    "a5 03 01 a8 00, 301", // regval_type
    "3f 1f a6 04 02 a8 00, fffffff1", // deref_type
    "33 a8 03 a8 01 a8 00, 3", // to double and back
    "37 a8 03 32 a8 03 1b a8 04 a9 02 a8 00, 40600000", // 7.0 / 2.0 as float bits: 3.5f
    "3f a8 01 30 a8 01 1b, div0",
    "50, 1", // a register's value
    "53 , 301",
    "35 9f, 5"
  })
  void everyOperation(String hex, String expected) {
    if (expected.equals("div0")) {
      assertThatThrownBy(() -> expression(hex).evaluate(CONTEXT))
          .isInstanceOf(EvalException.class)
          .hasMessageContaining("division by zero");
      return;
    }
    assertThat(Long.toHexString(expression(hex).evaluate(CONTEXT))).isEqualTo(expected);
  }

  @Test
  void locations() {
    assertThat(expression("").locate(CONTEXT)).isEqualTo(new Location.OptimisedOut());
    assertThat(expression("91 08").locate(CONTEXT)).isEqualTo(new Location.Memory(0xfb08));
    assertThat(expression("55").locate(CONTEXT)).isEqualTo(new Location.InRegister(5));
    assertThat(expression("90 11").locate(CONTEXT)).isEqualTo(new Location.InRegister(17));
    assertThat(((Location.StackValue) expression("33 9f").locate(CONTEXT)).bits()).isEqualTo(3);
    assertThat(((Location.Implicit) expression("9e 02 abcd").locate(CONTEXT)).bytes())
        .isEqualTo(new byte[] {(byte) 0xab, (byte) 0xcd});
    assertThat(expression("a0 44000000 04").locate(CONTEXT))
        .isEqualTo(new Location.ImplicitPointer(0x44, 4));
    assertThat(expression("53 93 08 93 04 91 00 93 04 32 9f 9d 03 02").locate(CONTEXT))
        .isEqualTo(
            new Location.Composite(
                List.of(
                    new Location.Piece(new Location.InRegister(3), 64, 0),
                    new Location.Piece(new Location.OptimisedOut(), 32, 0),
                    new Location.Piece(new Location.Memory(0xfb00), 32, 0),
                    new Location.Piece(
                        new Location.StackValue(2, new BaseType(8, BaseType.Kind.GENERIC)),
                        3,
                        2))));
    assertThat(expression("8f 00").locate(CONTEXT))
        .isEqualTo(new Location.Unavailable("r31 is not known here"));
    assertThat(((Location.Unavailable) expression("30 06").locate(CONTEXT)).why())
        .contains("cannot read user address 0x0");
    assertThat(expression("12").soleRegister()).isEmpty();
    assertThat(expression("90 05").soleRegister()).hasValue(5);
    assertThat(expression("03 0100000000000000").soleAddress()).hasValue(1);
  }

  @Test
  void anAddressOf32Bits() {
    byte[] bytes = HexFormat.of().parseHex("311f31221f");
    var encoding = new Encoding(java.nio.ByteOrder.LITTLE_ENDIAN, 4, 4, 4);
    var neg = new DwarfExpression(ByteSource.of("x", bytes), 0, 2, encoding);
    assertThat(neg.evaluate(CONTEXT)).isEqualTo(0xffff_ffffL);
    var zero = new DwarfExpression(ByteSource.of("x", bytes), 0, 4, encoding);
    assertThat(zero.evaluate(CONTEXT)).isZero();
  }

  @Test
  void whatNeverEndsIsEnded() {
    assertThatThrownBy(() -> expression("2f fdff").evaluate(CONTEXT))
        .isInstanceOf(BadDataException.class)
        .hasMessageContaining("100000 operations");
    assertThatThrownBy(() -> expression("31 2f fcff").evaluate(CONTEXT))
        .hasMessageContaining("stack entries");
    assertThatThrownBy(() -> expression("98 99 00").evaluate(CONTEXT))
        .hasMessageContaining("call each other");
    assertThatThrownBy(() -> expression("22").evaluate(CONTEXT))
        .hasMessageContaining("needs 2 stack entries, there are 0");
    assertThatThrownBy(() -> expression("01").evaluate(CONTEXT))
        .hasMessageContaining("unknown operation 0x1");
    assertThatThrownBy(() -> expression("50 31").locate(CONTEXT))
        .hasMessageContaining("after a location");
    assertThatThrownBy(() -> expression("2f 0500").evaluate(CONTEXT))
        .hasMessageContaining("leaves the expression");
  }

  @Test
  void damagedExpressionsAreEvaluatedOrRefused() {
    var whole = new LittleEndian();
    for (var hex :
        List.of(
            "31 32 12 22 22 13",
            "53 93 08 91 00 93 04",
            "9e 02 abcd 93 02",
            "31 28 0100 96",
            "a4 01 04 ffffffff a8 03 a8 02 9f 93 04")) {
      whole.bytes(HexFormat.of().parseHex(hex.replace(" ", "")));
    }
    Fuzz.run(
        whole.toByteArray(),
        20_000,
        bytes -> {
          var expression =
              new DwarfExpression(
                  ByteSource.of("x", bytes),
                  0,
                  bytes.length,
                  new Encoding(java.nio.ByteOrder.LITTLE_ENDIAN, 5, 4, 8));
          try {
            assertThat(expression.locate(STRICT)).isNotNull();
          } catch (BadDataException e) {
            throw e;
          } catch (FathomException e) {
            assertThat(e.getMessage()).isNotEmpty();
          }
        });
  }

  /** Knows registers and base types only. */
  private static final ExpressionContext STRICT =
      new ExpressionContext() {
        @Override
        public long register(int number) {
          return number;
        }

        @Override
        public BaseType baseType(long die) {
          return die == 3 ? DOUBLE : INT;
        }
      };
}
