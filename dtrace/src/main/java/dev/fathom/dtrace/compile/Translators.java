// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.compile;

import dev.fathom.base.ProgramException;
import dev.fathom.base.Span;
import dev.fathom.dtrace.syntax.External;
import dev.fathom.dtrace.syntax.Node;
import dev.fathom.dtrace.syntax.Tag;
import dev.fathom.dtrace.syntax.TypeText;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.CompositeType;
import dev.fathom.model.type.PointerType;
import dev.fathom.model.type.VoidType;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Finds the translator between two types and types the members that it gives. */
final class Translators {
  private final Typer typer;

  Translators(Typer typer) {
    this.typer = typer;
  }

  private RuntimeException error(Span at, Tag tag, String detail) {
    return typer.error(at, tag, detail);
  }

  /** A type that a provider names: {@code int}, {@code struct s *}. */
  CType namedType(String name, Span at) {
    boolean pointer = name.endsWith("*");
    var bare = (pointer ? name.substring(0, name.length() - 1) : name).strip();
    var specifier =
        new TypeText.Specifier(
            List.of(),
            List.of(),
            bare.startsWith("struct ")
                ? new TypeText.Tagged("", "struct", bare.substring(7).strip(), Optional.empty())
                : new TypeText.Named("", bare),
            at);
    var type = typer.types().base(specifier);
    return pointer ? typer.types().pointerTo(type) : type;
  }

  Typed translate(CType type, Typed input, Span at) {
    var wanted = type.resolved() instanceof PointerType p ? p.target() : type;
    if (!(wanted.resolved() instanceof CompositeType)) {
      throw error(
          at,
          Tag.D_XLATE_SOU,
          "xlate makes a structure or union or a pointer to one, not " + DTypes.text(type));
    }
    for (var t : typer.scope().translators()) {
      if (DTypes.same(typeIn(t, t.output()), wanted) && accepts(typeIn(t, t.input()), input)) {
        return new Typed.Translated(type, t, input);
      }
    }
    throw error(
        at,
        Tag.D_XLATE_NONE,
        "there is no translator to " + DTypes.text(wanted) + " from " + DTypes.text(input.type()));
  }

  /** Checks a translator where it is declared, so that errors in it are told at once. */
  void check(Scope.Translator t, External.Translator written) {
    var output = typer.types().resolve(t.output());
    if (!(output.resolved() instanceof CompositeType composite)) {
      throw error(
          written.span(),
          Tag.D_XLATE_SOU,
          "a translator makes a structure or union, not " + DTypes.text(output));
    }
    var input = typer.types().resolve(t.input());
    for (var other : typer.scope().translators()) {
      if (DTypes.same(typeIn(other, other.output()), output)
          && DTypes.same(typeIn(other, other.input()), input)) {
        throw error(
            written.span(),
            Tag.D_XLATE_REDECL,
            "there is a translator to "
                + DTypes.text(output)
                + " from "
                + DTypes.text(input)
                + " already");
      }
    }
    typer.enter("", List.of());
    typer.resolver().begin();
    var bound = Map.<String, Typed>of(t.inputName(), new Typed.Old(input));
    for (var m : written.members()) {
      var found = typer.types().member(composite, m.name());
      if (found.isEmpty()) {
        throw error(
            m.span(),
            Tag.D_XLATE_MEMB,
            "'" + m.name() + "' is no member of " + DTypes.text(output));
      }
      typer.resolver().body(m.value(), bound.keySet());
      var wanted = found.get().member().type();
      typer.bound(bound, () -> checked(m.value(), wanted, m.name()));
    }
  }

  private Typed checked(Node node, CType wanted, String name) {
    var given = given(node, wanted, name);
    boolean pointer = DTypes.isPointer(wanted) && given instanceof Typed.Retyped;
    if (pointer && DTypes.isInteger(((Typed.Retyped) given).value().type())) {
      var value = ((Typed.Retyped) given).value();
      throw error(
          node.span(),
          Tag.D_XLATE_INCOMPAT,
          "member '" + name + "' is " + DTypes.text(wanted) + ", not " + DTypes.text(value.type()));
    }
    return given;
  }

  private static boolean accepts(CType parameter, Typed input) {
    return DTypes.same(parameter, input.type())
        || (DTypes.isInteger(parameter) && DTypes.isInteger(input.type()));
  }

  /** A type of a translator; one that is not known in this kernel matches nothing. */
  private CType typeIn(Scope.Translator t, TypeText text) {
    return typer
        .texts()
        .in(
            t.source(),
            () -> {
              try {
                return typer.types().resolve(text);
              } catch (ProgramException e) {
                if (!e.tag().equals(Tag.D_DECL_IDENT.name())) {
                  throw e;
                }
                return VoidType.VOID;
              }
            });
  }

  Typed member(Typed.Translated t, String name, Span at) {
    var type = t.type().resolved() instanceof PointerType p ? p.target() : t.type();
    var composite = (CompositeType) type.resolved();
    var found =
        typer
            .types()
            .member(composite, name)
            .orElseThrow(() -> typer.elements().noMember(composite, name, at));
    var nodes = t.translator().members().getOrDefault(name, List.of());
    if (nodes.isEmpty()) {
      throw error(
          at,
          Tag.D_XLATE_NOCONV,
          "the translator from "
              + DTypes.text(t.input().type())
              + " to "
              + composite.text()
              + " does not give '"
              + name
              + "'");
    }
    var input = Map.of(t.translator().inputName(), t.input());
    return typer.within(
        name,
        at,
        () ->
            typer
                .texts()
                .in(
                    t.translator().source(),
                    () ->
                        typer.bound(
                            input,
                            () -> first(nodes, input.keySet(), found.member().type(), name))));
  }

  /** The first of several that names only what this kernel's types have. */
  private Typed first(List<Node> nodes, Set<String> parameters, CType wanted, String name) {
    for (var node : nodes.subList(0, nodes.size() - 1)) {
      try {
        typer.resolver().body(node, parameters);
        return given(node, wanted, name);
      } catch (ProgramException e) {
        if (!e.tag().equals(Tag.D_TYPE_MEMBER.name())
            && !e.tag().equals(Tag.D_IDENT_UNDEF.name())) {
          throw e;
        }
      }
    }
    typer.resolver().body(nodes.getLast(), parameters);
    return given(nodes.getLast(), wanted, name);
  }

  /** What a translator says of a member, as a value of the member's type. */
  private Typed given(Node node, CType wanted, String name) {
    var o = typer.operand(node);
    if (o instanceof Typed.Translated) {
      return o;
    }
    if (DTypes.isString(wanted) || (DTypes.isStringLike(o.type()) && DTypes.isArray(wanted))) {
      return typer.string(o, node.span(), Tag.D_XLATE_INCOMPAT, "member '" + name + "'");
    }
    var v = typer.load(o, node.span());
    return DTypes.isPointer(wanted) && DTypes.isScalar(v.type())
        ? Typed.retyped(v, wanted)
        : typer.convert(v, wanted, node.span());
  }
}
