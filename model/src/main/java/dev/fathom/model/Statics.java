// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model;

import dev.fathom.model.type.CompositeType;
import java.util.Optional;

/** The members of C++ that all objects of a class share. */
public final class Statics {
  private Statics() {}

  /** What such a member is worth; empty when it has neither a place nor a constant value. */
  public static Optional<Value> value(
      Program program, CompositeType type, CompositeType.StaticMember member) {
    var symbols = program.symbols();
    var symbol =
        member
            .linkageName()
            .flatMap(symbols::first)
            .or(() -> symbols.first(type.name() + "::" + member.name()));
    if (symbol.isPresent()) {
      return Optional.of(new Value.Ref(program, member.type(), symbol.get().address()));
    }
    if (member.constant().isPresent()) {
      return Optional.of(new Value.Imm(program, member.type(), member.constant().getAsLong()));
    }
    return program
        .types()
        .placed(type.name() + "::" + member.name())
        .map(p -> new Value.Ref(program, p.type(), p.address()));
  }
}
