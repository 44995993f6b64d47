// SPDX-License-Identifier: Apache-2.0
package dev.fathom.base;

import java.util.Optional;

/**
 * An expression or statement that cannot be parsed or evaluated, with the place in the text when it
 * is known.
 */
public final class EvalException extends FathomException {
  private static final long serialVersionUID = 1L;
  private final transient Optional<Span> span;

  public EvalException(String message) {
    super(message);
    this.span = Optional.empty();
  }

  public EvalException(Span span, String message) {
    super(message);
    this.span = Optional.of(span);
  }

  @Override
  public Optional<Span> span() {
    return span;
  }
}
