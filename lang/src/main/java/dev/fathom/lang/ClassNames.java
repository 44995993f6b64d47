// SPDX-License-Identifier: Apache-2.0
package dev.fathom.lang;

import dev.fathom.base.EvalException;
import dev.fathom.model.Program;
import dev.fathom.model.Statics;
import dev.fathom.model.Value;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.CompositeType;
import dev.fathom.model.type.EnumType;
import dev.fathom.model.type.TypeName;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** The names that belong to C++'s classes and enumerations rather than to their objects. */
public final class ClassNames {
  /** Base classes that are looked through. */
  private static final int NESTING_LIMIT = 1000;

  private ClassNames() {}

  /**
   * What a class or enumeration has under a name: a member that all objects share, an enumerator.
   *
   * @param type its name, with what it is in
   * @throws EvalException for a member that is nowhere
   */
  public static Optional<Value> in(Program program, String type, String name) {
    var found =
        type.isEmpty() ? Optional.<CType>empty() : program.types().find(TypeName.plain(type));
    if (found.isEmpty()) {
      return Optional.empty();
    }
    return switch (found.get().resolved()) {
      case EnumType e -> e.named(name).map(item -> new Value.Imm(program, e, item.value()));
      case CompositeType c -> in(program, c, name, BaseClasses.noneSeen());
      default -> Optional.empty();
    };
  }

  /** As {@link #in(Program, String, String)}, of a class or one of its bases. */
  static Optional<Value> in(Program program, CompositeType type, String name) {
    return in(program, type, name, BaseClasses.noneSeen());
  }

  private static Optional<Value> in(
      Program program, CompositeType type, String name, Set<CompositeType> seen) {
    if (!seen.add(type) || seen.size() > NESTING_LIMIT) {
      return Optional.empty();
    }
    for (var member : type.statics()) {
      if (member.name().equals(name)) {
        return Optional.of(
            Statics.value(program, type, member)
                .orElseThrow(
                    () -> new EvalException(type.name() + "::" + name + ": optimized out")));
      }
    }
    if (type.isCxx()) {
      var enumerator = enumerator(program, type.name() + "::" + name);
      if (enumerator.isPresent()) {
        return enumerator;
      }
    }
    for (var base : BaseClasses.of(type)) {
      if (base.resolved() instanceof CompositeType inner) {
        var found = in(program, inner, name, seen);
        if (found.isPresent()) {
          return found;
        }
      }
    }
    return Optional.empty();
  }

  /**
   * The names of a class's bases, the nearest first; none of what is no class.
   *
   * @param type its name, with what it is in
   */
  public static List<String> bases(Program program, String type) {
    var found = program.types().find(TypeName.plain(type));
    return found.isPresent() && found.get().resolved() instanceof CompositeType c
        ? BaseClasses.names(c)
        : List.of();
  }

  /**
   * @param name in C++ with what it is in
   */
  static Optional<Value> enumerator(Program program, String name) {
    var last = name.substring(name.lastIndexOf(':') + 1);
    return program
        .types()
        .enumerationOf(name)
        .flatMap(e -> e.named(last).map(item -> new Value.Imm(program, e, item.value())));
  }
}
