// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.compile;

import dev.fathom.base.Span;
import dev.fathom.dtrace.ir.IrType;
import dev.fathom.dtrace.syntax.Source;
import dev.fathom.dtrace.syntax.Tag;
import dev.fathom.model.type.CType;
import java.util.function.Supplier;

/** Which text the passes are in, so that errors name its places. */
final class Texts {
  private Source source;

  Texts(Source source) {
    this.source = source;
  }

  Source source() {
    return source;
  }

  void use(Source text) {
    source = text;
  }

  /** Does something inside another text. */
  <T> T in(Source text, Supplier<T> work) {
    var outer = source;
    source = text;
    try {
      return work.get();
    } finally {
      source = outer;
    }
  }

  RuntimeException error(Span at, Tag tag, String detail) {
    return source.error(at, tag, detail);
  }

  /** The type of a value of {@code type} at the probe. */
  IrType irType(CType type, Span at) {
    return DTypes.irType(type)
        .orElseThrow(
            () ->
                error(
                    at,
                    Tag.D_OP_INCOMPLETE,
                    "a value of type " + DTypes.text(type) + " has no size that D can handle"));
  }
}
