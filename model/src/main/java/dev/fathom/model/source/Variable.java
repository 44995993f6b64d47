// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model.source;

import dev.fathom.model.Value;
import dev.fathom.model.type.CType;
import java.util.Optional;

/** A parameter or local variable. */
public interface Variable {
  String name();

  CType type();

  /** Where it is declared. */
  Optional<SourceLine> declared();

  /** How many blocks it is in; 0 for parameters and what is declared at the function's top. */
  int depth();

  /** Where it is kept, for people: {@code a variable in $rdi}. */
  String place(FrameView frame);

  /** What it is worth in a frame of its function; reads no more than it takes to find it. */
  Content in(FrameView frame);

  /**
   * What the caller passed for it; empty for what is no parameter, and where nothing tells.
   *
   * @param frame of its function
   */
  default Optional<Value> atEntry(FrameView frame) {
    return Optional.empty();
  }

  /** What a variable is worth. */
  sealed interface Content {}

  /** It is there. */
  record Present(Value value) implements Content {}

  /**
   * It is gone, but this is what the caller passed for it.
   *
   * @param value the value at the function's entry
   */
  record AtEntry(Value value) implements Content {}

  /**
   * It is not there.
   *
   * @param why {@code optimized out}, or why it cannot be told
   */
  record Gone(String why) implements Content {
    /** What is said of a variable that the compiler kept nowhere. */
    public static final String OPTIMISED_OUT = "optimized out";
  }
}
