// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.ir;

import dev.fathom.base.EvalException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A format string of {@code printf}, {@code printa}, {@code system} and {@code freopen}, taken
 * apart: {@code %[flags][width][.precision][size]letter}, with {@code @} among the flags or behind
 * the width for the value of an aggregation.
 */
public record Format(String text, List<Piece> pieces) {
  private static final String LETTERS = "aAcCdieEfgGkopsSTuwxXY";

  public sealed interface Piece {}

  /** Bytes that are copied, {@code %%} already one percent sign. */
  public record Literal(String text) implements Piece {}

  /** A conversion; its flags may hold {@code @}. */
  public record Conversion(dev.fathom.base.Conversion spec) implements Piece {
    /** Whether the width is an argument of its own ({@code *}), before the value. */
    public boolean dynamicWidth() {
      return isArgument(spec.width());
    }

    public boolean dynamicPrecision() {
      return isArgument(spec.precision());
    }

    private static boolean isArgument(Optional<dev.fathom.base.Conversion.Amount> amount) {
      return amount.isPresent()
          && amount.get() instanceof dev.fathom.base.Conversion.Amount.Argument;
    }

    /** Whether it takes an aggregation's value ({@code printa}). */
    public boolean aggregation() {
      return spec.has('@');
    }

    /** {@code h}, {@code hh}, {@code l}, {@code ll}, {@code L}, {@code w} or empty. */
    public String size() {
      return spec.size();
    }

    public char letter() {
      return spec.letter();
    }

    /** How it was written, for messages: {@code %d}. */
    public String text() {
      return "%" + (aggregation() ? "@" : "") + size() + letter();
    }
  }

  public Format {
    pieces = List.copyOf(pieces);
  }

  /** The conversions, in order. */
  public List<Conversion> conversions() {
    return pieces.stream()
        .filter(Conversion.class::isInstance)
        .map(Conversion.class::cast)
        .toList();
  }

  /** The literal's text, or empty for a conversion. */
  public static Optional<String> literal(Piece piece) {
    return piece instanceof Literal l ? Optional.of(l.text()) : Optional.empty();
  }

  /**
   * Takes {@code text} apart.
   *
   * @throws EvalException naming the conversion that is none
   */
  public static Format parse(String text) {
    var pieces = new ArrayList<Piece>();
    var literal = new StringBuilder();
    int i = 0;
    while (i < text.length()) {
      char c = text.charAt(i);
      if (c != '%') {
        literal.append(c);
        i++;
      } else if (i + 1 < text.length() && text.charAt(i + 1) == '%') {
        literal.append('%');
        i += 2;
      } else {
        if (!literal.isEmpty()) {
          pieces.add(new Literal(literal.toString()));
          literal.setLength(0);
        }
        var spec = dev.fathom.base.Conversion.parse(text, i);
        if (LETTERS.indexOf(spec.letter()) < 0
            || !List.of("", "h", "hh", "l", "ll", "L", "w").contains(spec.size())) {
          throw new EvalException(
              "invalid conversion "
                  + text.substring(i, spec.end())
                  + "; expected one of %a %A %c %C %d %e %E %f %g %G %i %k %o %p %s %S %T %u %x %X"
                  + " %Y %%");
        }
        pieces.add(new Conversion(spec));
        i = spec.end();
      }
    }
    if (!literal.isEmpty()) {
      pieces.add(new Literal(literal.toString()));
    }
    return new Format(text, pieces);
  }
}
