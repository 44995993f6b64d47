// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.compile;

import dev.fathom.base.Span;
import dev.fathom.dtrace.ir.IrType;
import dev.fathom.dtrace.ir.Shape;
import dev.fathom.dtrace.syntax.Tag;
import dev.fathom.model.type.CType;
import java.util.Optional;

/** How the consumer shows values of D's types. */
final class Shapes {
  /** Most bytes of a value that is recorded. */
  static final int MOST_RECORDED = 1 << 16;

  private final Typer typer;

  Shapes(Typer typer) {
    this.typer = typer;
  }

  /** How the consumer shows a value of that type. */
  Shape of(CType type, Span at) {
    if (DTypes.isString(type)) {
      return new Shape(Shape.Form.STRING, typer.limits().strsize(), Optional.of(type));
    }
    if (DTypes.is(type, DTypes.STACK)) {
      return new Shape(Shape.Form.STACK, 0);
    }
    if (DTypes.is(type, DTypes.USTACK)) {
      return new Shape(Shape.Form.USTACK, 0);
    }
    if (DTypes.is(type, DTypes.SYMADDR)) {
      return new Shape(Shape.Form.SYM, 8);
    }
    if (DTypes.is(type, DTypes.MODADDR)) {
      return new Shape(Shape.Form.MOD, 8);
    }
    if (DTypes.is(type, DTypes.USYMADDR)) {
      return new Shape(Shape.Form.USYM, 16);
    }
    if (DTypes.is(type, DTypes.UMODADDR)) {
      return new Shape(Shape.Form.UMOD, 16);
    }
    if (DTypes.is(type, DTypes.UADDR)) {
      return new Shape(Shape.Form.UADDR, 16);
    }
    if (DTypes.isScalar(type)) {
      return new Shape(
          DTypes.isSigned(type) ? Shape.Form.SIGNED : Shape.Form.UNSIGNED,
          (int) type.resolved().bytes(),
          Optional.of(type));
    }
    var ir = typer.texts().irType(type, at);
    if (ir instanceof IrType.Blob b) {
      if (b.bytes() > MOST_RECORDED) {
        throw typer.error(
            at,
            Tag.D_TRACE_DYN,
            "a value of " + b.bytes() + " bytes is too big to record; at most " + MOST_RECORDED);
      }
      return new Shape(Shape.Form.BYTES, b.bytes(), Optional.of(type));
    }
    throw typer.error(
        at, Tag.D_TRACE_DYN, "a value of type " + DTypes.text(type) + " cannot be recorded");
  }
}
