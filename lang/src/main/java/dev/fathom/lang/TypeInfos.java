// SPDX-License-Identifier: Apache-2.0
package dev.fathom.lang;

import dev.fathom.base.LookupException;
import dev.fathom.model.Program;
import dev.fathom.model.Value;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.CompositeType;
import dev.fathom.model.type.Member;
import dev.fathom.model.type.QualifiedType;
import dev.fathom.model.type.VoidType;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;

/**
 * C++'s {@code typeid}: the object that stands for a type, which the program or its library of C++
 * has where something asks for it. Every one begins with the same two words (Itanium C++ ABI,
 * section 2.9.4).
 */
final class TypeInfos {
  private final Evaluator evaluator;
  private final Program program;
  private final CTypes types;

  TypeInfos(Evaluator evaluator, Program program, CTypes types) {
    this.evaluator = evaluator;
    this.program = program;
    this.types = types;
  }

  /** Of an object with virtual functions it is that of the class which the object is of. */
  Value of(Expr.TypeId t) {
    var type = evaluator.typeOf(t.operand());
    if (!(t.operand() instanceof Expr.TypeName)
        && type.resolved() instanceof CompositeType c
        && c.isCxx()
        && DynamicTypes.isDynamic(c)
        && evaluator.operand(t.operand()) instanceof Value.Ref object) {
      int word = (int) program.types().wordBytes();
      long table = object.space().unsigned(object.address(), word);
      return new Value.Ref(program, type(), program.memory().unsigned(table - word, word));
    }
    return named(type)
        .map(address -> (Value) new Value.Ref(program, type(), address))
        .orElseThrow(
            () -> new LookupException("typeinfo of type", type.text(), List.of()).at(t.span()));
  }

  private Optional<Long> named(CType type) {
    var bare = Parser.bare(type);
    var names = new LinkedHashSet<String>();
    for (var one : List.of(bare, bare.resolved())) {
      // As symbols have it, which may put less space into it.
      names.add(one.text());
      names.add(one.text().replace(" *", "*"));
      names.add(one.text().replace("> >", ">>").replace("> >", ">>"));
    }
    // Symbols have clang's spelling of integers, debug information may have gcc's.
    types
        .basic(List.of(bare.resolved().text().split(" ")))
        .ifPresent(number -> names.add(number.text()));
    return names.stream()
        .flatMap(name -> program.symbols().named("typeinfo for " + name).stream())
        .findFirst()
        .map(symbol -> symbol.address());
  }

  private CType type() {
    var pointers = program.types().pointerTo(program.types().pointerTo(VoidType.VOID));
    var text =
        program
            .types()
            .pointerTo(new QualifiedType(QualifiedType.Qualifier.CONST, () -> CTypes.CHAR));
    long word = program.types().wordBytes();
    return new CompositeType(
        CompositeType.Kind.STRUCT,
        "std::type_info",
        2 * word,
        () ->
            List.of(
                new Member("_vptr.type_info", pointers, 0, 0),
                new Member("__name", text, 8 * word, 0)));
  }
}
