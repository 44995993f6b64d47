// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command;

import dev.fathom.base.Datum;
import dev.fathom.model.Value;
import dev.fathom.model.type.ArrayType;
import dev.fathom.model.type.BoolType;
import dev.fathom.model.type.CompositeType;
import dev.fathom.model.type.EnumType;
import dev.fathom.model.type.FloatType;
import dev.fathom.model.type.FunctionType;
import dev.fathom.model.type.IntType;
import dev.fathom.model.type.OpaqueType;
import dev.fathom.model.type.PointerType;
import dev.fathom.model.type.QualifiedType;
import dev.fathom.model.type.TypedefType;
import dev.fathom.model.type.VoidType;

/** What a command produces. */
public sealed interface Item {
  /**
   * A value that flows on through the pipe. At the end of the pipe it is shown: a place in memory
   * as its address, an immediate value as its number.
   */
  record Val(Value value) implements Item {}

  /**
   * Something to show. In front of a pipe, the numbers of a {@link Datum.Scalar} or {@link
   * Datum.Formatted}, the first address of a {@link Datum.Row} and the expressions in a {@link
   * Datum.Text} flow on as untyped values, notes go to the user, and other data is an error.
   */
  record Out(Datum datum) implements Item {}

  static Item value(Value value) {
    return new Val(value);
  }

  /**
   * A member or the like in front of a pipe: a number, enum or pointer as what it is, read now;
   * whatever else as its place.
   *
   * @throws dev.fathom.base.FaultException when it cannot be read
   */
  static Item contents(Value value) {
    if (!(value instanceof Value.Ref ref)) {
      return value(value);
    }
    return value(
        switch (ref.type().resolved()) {
          case BoolType _, EnumType _, IntType _, PointerType _ ->
              new Value.Imm(ref.program(), ref.type(), ref.asLong());
          case ArrayType _,
              CompositeType _,
              FloatType _,
              FunctionType _,
              OpaqueType _,
              QualifiedType _,
              TypedefType _,
              VoidType _ ->
              ref;
        });
  }

  static Item show(Datum datum) {
    return new Out(datum);
  }
}
