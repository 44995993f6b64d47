// SPDX-License-Identifier: Apache-2.0
package dev.fathom.base;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What glibc's printf writes for the same formats. */
class ConversionTest {
  @ParameterizedTest
  @CsvSource(
      quoteCharacter = '"',
      textBlock =
          """
          %d, -5, "-5"
          %5d, -5, "   -5"
          %-5d, 42, "42   "
          %05d, -42, "-0042"
          %+d, 42, "+42"
          "% d", 42, " 42"
          %.3d, 7, "007"
          %08.3d, 7, "     007"
          %.0d, 0, ""
          %x, 255, "ff"
          %#X, 255, "0XFF"
          %#x, 0, "0"
          %#o, 8, "010"
          %#.3o, 8, "010"
          %#10x, 291, "     0x123"
          %#010x, 291, "0x00000123"
          %u, -1, "18446744073709551615"
          """)
  void integers(String format, long value, String expected) {
    var c = Conversion.parse(format, 0);
    assertThat(c.end()).isEqualTo(format.length());
    var text =
        switch (c.letter()) {
          case 'd' -> c.signed(value);
          case 'u' -> c.unsigned(value, 10);
          case 'o' -> c.octal(value);
          default -> c.hex(value, c.letter() == 'X');
        };
    assertThat(text).isEqualTo(expected);
  }

  @ParameterizedTest
  @CsvSource(
      quoteCharacter = '"',
      textBlock =
          """
          %f, 1.5, "1.500000"
          %.0f, 2.5, "2"
          %.0f, 3.5, "4"
          %.2f, 0.125, "0.12"
          %.20f, 0.1, "0.10000000000000000555"
          %#.0f, 2, "2."
          %8.2f, -1.005, "   -1.00"
          %08.2f, -1.005, "-0001.00"
          %e, 12345.678, "1.234568e+04"
          %.0e, 12345.678, "1e+04"
          %E, 0.00012, "1.200000E-04"
          %e, 0, "0.000000e+00"
          %.2e, 9.999, "1.00e+01"
          %g, 100000, "100000"
          %g, 1000000, "1e+06"
          %g, 0.0001, "0.0001"
          %g, 0.00001, "1e-05"
          %.3g, 1234.5, "1.23e+03"
          %g, 0, "0"
          %#g, 1, "1.00000"
          %G, 1e300, "1E+300"
          %f, -0.0, "-0.000000"
          %5f, NaN, "  nan"
          %F, -Infinity, "-INF"
          """)
  void floats(String format, double value, String expected) {
    var c = Conversion.parse(format, 0);
    assertThat(c.floating(value, c.letter())).isEqualTo(expected);
  }

  @Test
  void stringsAreCutAndFilled() {
    assertThat(Conversion.parse("%.3s", 0).text("abcdef")).isEqualTo("abc");
    assertThat(Conversion.parse("%-6.3s", 0).text("abcdef")).isEqualTo("abc   ");
    assertThat(Conversion.parse("%6s", 0).text("abc")).isEqualTo("   abc");
  }

  @Test
  void argumentsTellWidthAndPrecision() {
    var c = Conversion.parse("x%*.*lld", 1);
    assertThat(c.width()).contains(new Conversion.Amount.Argument());
    assertThat(c.size()).isEqualTo("ll");
    assertThat(c.with(Optional.of(-6), Optional.of(2)).signed(7)).isEqualTo("07    ");
    assertThat(c.with(Optional.of(3), Optional.of(-1)).signed(7)).isEqualTo("  7");
  }

  @Test
  void badFormatsAreRefusedWithTheirPlace() {
    assertThatThrownBy(() -> Conversion.parse("a%-5", 1))
        .isInstanceOfSatisfying(
            EvalException.class, e -> assertThat(e.span()).contains(new Span(1, 4)))
        .hasMessageContaining("ends inside a conversion");
    assertThatThrownBy(() -> Conversion.parse("%99999d", 0))
        .hasMessageContaining("larger than 4096");
  }
}
