// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.presenter.boost;

import dev.fathom.base.LookupException;
import dev.fathom.command.presenter.Parts;
import dev.fathom.model.Value;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.CompositeType;
import dev.fathom.model.type.TypeSystem;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/**
 * Where the links of an intrusive container are in its elements. The container's class says it: by
 * {@code bhtraits<T, NodeTraits, LinkMode, Tag, Kind>} for links that are a base class, by {@code
 * mhtraits<T, Hook, Member>} for those in a member.
 */
record Hooks(CType element, long offset) {
  /** Classes that are looked at for what one of them says. */
  private static final int CLASS_LIMIT = 1000;

  private static final String NAMESPACE = "boost::intrusive::";

  /** Reads them of a container. */
  static Hooks of(Value.Ref container, CompositeType type) {
    var types = container.program().types();
    var traits =
        traits(type, new HashSet<>())
            .orElseThrow(() -> new LookupException("value traits of", type.name()));
    var element = Parts.typeArgument(traits, 0);
    var offset =
        traits.name().startsWith(NAMESPACE + "mhtraits<")
            ? ofMember(types, traits, element)
            : ofBase(element, tagAndKind(traits), new HashSet<>());
    if (offset.isEmpty()) {
      throw new LookupException("links in", element.text());
    }
    return new Hooks(element, offset.getAsLong());
  }

  /** Compilers do not tell the kind, which is a number, but have it in the name. */
  private static List<String> tagAndKind(CompositeType traits) {
    var arguments = Parts.written(traits.name());
    return arguments.size() == 5 ? arguments.subList(3, 5) : List.of();
  }

  /** The traits are the first argument of the template of one of the container's bases. */
  private static Optional<CompositeType> traits(CompositeType type, Set<String> seen) {
    if (!seen.add(type.name()) || seen.size() > CLASS_LIMIT) {
      return Optional.empty();
    }
    for (var argument : type.templateArguments()) {
      if (argument.type().resolved() instanceof CompositeType c
          && (c.name().startsWith(NAMESPACE + "mhtraits<")
              || c.name().startsWith(NAMESPACE + "bhtraits<"))) {
        return Optional.of(c);
      }
    }
    for (var member : type.members()) {
      if (member.isBase() && member.type().resolved() instanceof CompositeType base) {
        var found = traits(base, seen);
        if (found.isPresent()) {
          return found;
        }
      }
    }
    return Optional.empty();
  }

  /** The third argument is the member: a number where the compiler tells it, else in the name. */
  private static OptionalLong ofMember(TypeSystem types, CompositeType traits, CType element) {
    var member = Parts.argument(traits, 2);
    if (member.value().isPresent()) {
      return member.value();
    }
    var name = traits.name();
    int from = name.lastIndexOf("::") + 2;
    int to = name.lastIndexOf('>');
    var found =
        from < to
            ? types.member(element, name.substring(from, to).strip())
            : Optional.<TypeSystem.Found>empty();
    return found.isPresent() ? OptionalLong.of(found.get().byteOffset()) : OptionalLong.empty();
  }

  /** The base called {@code node_holder} that was made with the container's tag and kind. */
  private static OptionalLong ofBase(CType element, List<String> tagAndKind, Set<String> seen) {
    if (!(element.resolved() instanceof CompositeType c)
        || !seen.add(c.name())
        || seen.size() > CLASS_LIMIT) {
      return OptionalLong.empty();
    }
    if (c.name().startsWith(NAMESPACE + "node_holder<")) {
      var arguments = Parts.written(c.name());
      if (arguments.size() == 3 && arguments.subList(1, 3).equals(tagAndKind)) {
        return OptionalLong.of(0);
      }
    }
    for (var member : c.members()) {
      if (member.isBase()) {
        var inner = ofBase(member.type(), tagAndKind, seen);
        if (inner.isPresent()) {
          return OptionalLong.of(member.byteOffset() + inner.getAsLong());
        }
      }
    }
    return OptionalLong.empty();
  }

  /** The element that a node belongs to. */
  Value.Ref elementOf(Value.Ref container, long node) {
    return Parts.at(container.program(), element, node - offset);
  }
}
