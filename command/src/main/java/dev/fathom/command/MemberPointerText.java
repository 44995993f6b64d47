// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command;

import dev.fathom.lang.MemberFunction;
import dev.fathom.model.Program;
import dev.fathom.model.Value;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.CompositeType;
import dev.fathom.model.type.FunctionType;
import dev.fathom.model.type.TypedefType;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;

/** Pointers to members of classes, as gdb writes them: {@code &Class::member}. */
final class MemberPointerText {
  /** Classes that are looked through. */
  private static final int CLASSES_LIMIT = 1000;

  private MemberPointerText() {}

  /** The text of a value; empty when its type is no such pointer. Reads memory. */
  static Optional<String> of(Value value) {
    return TypedefType.memberPointerOf(value.type())
        .map(type -> of(value, type, type.memberPointer().orElseThrow()));
  }

  private static String of(Value value, TypedefType type, TypedefType.MemberPointer to) {
    if (to.member() instanceof FunctionType) {
      return function(value, type, to);
    }
    long offset = value.asLong();
    return offset == -1
        ? "NULL"
        : datum(to.owner(), offset, new HashSet<>()).orElse(Long.toString(offset));
  }

  private static Optional<String> datum(CType owner, long offset, Set<CompositeType> seen) {
    if (!(owner.resolved() instanceof CompositeType c)
        || seen.size() >= CLASSES_LIMIT
        || !seen.add(c)) {
      return Optional.empty();
    }
    for (var member : c.members()) {
      if (!member.isBase() && member.bitOffset() == 8 * offset) {
        return Optional.of("&" + c.name() + "::" + member.name());
      }
    }
    for (var member : c.members()) {
      long start = member.byteOffset();
      if (member.isBase() && offset >= start && offset < start + member.type().bytes()) {
        var found = datum(member.type(), offset - start, seen);
        if (found.isPresent()) {
          return found;
        }
      }
    }
    return Optional.empty();
  }

  private static String function(Value value, TypedefType type, TypedefType.MemberPointer to) {
    var function = MemberFunction.of(value);
    long code = function.code();
    long moved = function.moved();
    var program = value.program();
    if (function.isNull()) {
      return "NULL";
    }
    if (function.isVirtual()) {
      long slot = code / program.types().wordBytes();
      var name = virtual(program, to.owner(), slot, moved, new HashSet<>());
      if (name.isPresent()) {
        return "&virtual " + name.get();
      }
    }
    var text =
        function.isVirtual()
            ? "&virtual table offset " + code
            : "("
                + type.text()
                + ") 0x"
                + Long.toHexString(code)
                + program.symbols().at(code).map(l -> " <" + l.text() + ">").orElse("");
    return moved == 0 ? text : text + ", this adjustment " + moved;
  }

  /**
   * @param moved where in an object of the class the part is whose table is meant
   */
  private static Optional<String> virtual(
      Program program, CType owner, long slot, long moved, Set<CompositeType> seen) {
    if (!(owner.resolved() instanceof CompositeType c)
        || seen.size() >= CLASSES_LIMIT
        || !seen.add(c)) {
      return Optional.empty();
    }
    for (var method : c.methods()) {
      if (moved == 0
          && method.isVirtual()
          && method.slot().isPresent()
          && method.slot().getAsLong() == slot) {
        return Optional.of(
            method
                .linkageName()
                .flatMap(program.symbols()::first)
                .map(symbol -> symbol.name())
                .orElse(c.name() + "::" + method.name()));
      }
    }
    for (var member : c.members()) {
      long start = member.byteOffset();
      if (member.isBase() && moved >= start && moved < start + member.type().bytes()) {
        var found = virtual(program, member.type(), slot, moved - start, seen);
        if (found.isPresent()) {
          return found;
        }
      }
    }
    return Optional.empty();
  }
}
