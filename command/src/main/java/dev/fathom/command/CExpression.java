// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command;

import dev.fathom.base.EvalException;
import dev.fathom.base.FathomException;
import dev.fathom.base.LookupException;
import dev.fathom.base.Span;
import dev.fathom.lang.Expressions;
import dev.fathom.lang.Scope;
import dev.fathom.model.Value;
import dev.fathom.model.type.CType;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.regex.Pattern;

/** C expressions as commands take them: errors show the text and point at what is wrong. */
public final class CExpression {
  /** Longer text is not shown again. */
  private static final int SHOWN_LIMIT = 500;

  /** What a user who says {@code p x > out.txt}, which compares, means as a file's name. */
  private static final Pattern FILE_NAME = Pattern.compile("[\\w./-]+");

  private CExpression() {}

  /**
   * The value of {@code text} with the names that {@link CScope} has.
   *
   * @throws FathomException as {@link Expressions#evaluate(String, Scope)}; where the place of the
   *     error is known, an {@link EvalException} of that cause with two lines more that show it
   */
  public static Value evaluate(Invocation call, String text) {
    var scope = new CScope(call);
    return pointing(text, () -> Expressions.evaluate(text, scope));
  }

  /** The type that {@code text} names; empty when it does not begin as one. */
  public static Optional<CType> type(Invocation call, String text) {
    var scope = new CScope(call);
    return pointing(text, () -> Expressions.type(text, scope));
  }

  /** The values of the expressions that commas separate; of references what they refer to. */
  public static List<Value> all(Invocation call, String text) {
    var scope = new CScope(call);
    return pointing(
        text,
        () -> {
          var values = new ArrayList<Value>();
          for (var expression : Expressions.parseAll(text, scope)) {
            values.add(Expressions.evaluate(expression, scope).referred());
          }
          return values;
        });
  }

  private static <T> T pointing(String text, Supplier<T> work) {
    try {
      return work.get();
    } catch (FathomException e) {
      var hint = e instanceof LookupException ? fileHint(text, e.span()) : "";
      if (e.span().isEmpty() || text.length() > SHOWN_LIMIT || text.indexOf('\n') >= 0) {
        throw e;
      }
      throw pointed(text, e.span().get(), e, hint);
    }
  }

  /** How to name a file, where the name in question begins what stands behind a last {@code >}. */
  private static String fileHint(String text, Optional<Span> span) {
    int start = Math.min(span.map(Span::start).orElse(0), text.length());
    var name = text.substring(start).strip();
    return text.substring(0, start).stripTrailing().endsWith(">")
            && FILE_NAME.matcher(name).matches()
        ? "; a file is named as in '> ./" + name + "'"
        : "";
  }

  private static EvalException pointed(String text, Span span, FathomException e, String hint) {
    int start = Math.min(span.start(), text.length());
    int end = Math.clamp(span.end(), start, text.length());
    var pointed =
        new EvalException(
            span,
            e.getMessage()
                + hint
                + "\n  "
                + text
                + "\n  "
                + " ".repeat(start)
                + "^"
                + "~".repeat(Math.max(0, end - start - 1)));
    pointed.initCause(e);
    return pointed;
  }
}
