// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command;

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
    var type = value.type();
    while (type instanceof TypedefType t && !t.isMemberPointer()) {
      type = t.target();
    }
    return type instanceof TypedefType t && t.isMemberPointer()
        ? t.memberPointer().map(to -> of(value, t, to))
        : Optional.empty();
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
    long code = value.member("__pfn").asLong();
    long moved = value.member("__delta").asLong();
    var program = value.program();
    if (code == 0) {
      return "NULL";
    }
    if ((code & 1) != 0) {
      long slot = (code - 1) / program.types().wordBytes();
      var name = virtual(program, to.owner(), slot, moved, new HashSet<>());
      if (name.isPresent()) {
        return "&virtual " + name.get();
      }
    }
    var text =
        (code & 1) != 0
            ? "&virtual table offset " + (code - 1)
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
