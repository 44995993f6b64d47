// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.compile;

import dev.fathom.base.Span;
import dev.fathom.dtrace.syntax.Node;
import dev.fathom.dtrace.syntax.Tag;
import dev.fathom.dtrace.syntax.TypeText;
import dev.fathom.model.Program;
import dev.fathom.model.type.ArrayType;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.CompositeType;
import dev.fathom.model.type.EnumType;
import dev.fathom.model.type.FunctionType;
import dev.fathom.model.type.Member;
import dev.fathom.model.type.OpaqueType;
import dev.fathom.model.type.PointerType;
import dev.fathom.model.type.QualifiedType;
import dev.fathom.model.type.TypeName;
import dev.fathom.model.type.TypeSystem;
import dev.fathom.model.type.TypedefType;
import dev.fathom.model.type.VoidType;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Collectors;

/** The types that a program can name: its own declarations, D's, and the kernel's. */
final class TypeTable {
  private static final long MOST_ELEMENTS = 1 << 20;

  /** Of an array in memory; one that a variable of D holds is smaller. */
  private static final long MOST_ARRAY_BYTES = 1L << 40;

  private static final int ENUMS_LOOKED_AT = 100_000;

  /** Evaluates a constant expression of a declaration. */
  interface Constants {
    OptionalLong of(Node node);
  }

  record EnumConstant(EnumType type, long value) {}

  private final Optional<TypeSystem> kernel;
  private final Constants constants;
  private final Map<String, CType> typedefs = new HashMap<>();
  private final Map<String, CType> tags = new HashMap<>();
  private final Map<String, EnumConstant> enumerators = new HashMap<>();
  private final Map<String, Optional<EnumConstant>> kernelEnumerators = new HashMap<>();

  private final Texts texts;

  TypeTable(Texts texts, Optional<Program> program, Constants constants) {
    this.texts = texts;
    this.kernel = program.map(Program::types);
    this.constants = constants;
  }

  /** Whether a bare name is a type's, for the parser, which knows the program's own typedefs. */
  static boolean isTypeName(Optional<Program> program, String name) {
    return DTypes.named(name).isPresent()
        || (program.isPresent() && plain(program.get().types(), name).isPresent());
  }

  /** A typedef or base type; unlike {@link TypeSystem#find} no structure of that name. */
  private static Optional<CType> plain(TypeSystem types, String name) {
    for (var s : types.sources()) {
      var found = s.find(TypeName.plain(name));
      if (found.isPresent()) {
        return found;
      }
    }
    return Optional.empty();
  }

  CType pointerTo(CType target) {
    return new PointerType(8, () -> target);
  }

  Optional<EnumConstant> enumerator(String name) {
    var own = enumerators.get(name);
    if (own != null) {
      return Optional.of(own);
    }
    return kernelEnumerators.computeIfAbsent(name, this::searchEnumerators);
  }

  private Optional<EnumConstant> searchEnumerators(String name) {
    if (kernel.isEmpty()) {
      return Optional.empty();
    }
    for (var s : kernel.get().sources()) {
      try (var all = s.stream()) {
        var found =
            all.filter(EnumType.class::isInstance)
                .map(EnumType.class::cast)
                .limit(ENUMS_LOOKED_AT)
                .flatMap(
                    e ->
                        e.enumerators().stream()
                            .filter(x -> x.name().equals(name))
                            .map(x -> new EnumConstant(e, x.value())))
                .findFirst();
        if (found.isPresent()) {
          return found;
        }
      }
    }
    return Optional.empty();
  }

  // From text to types

  CType resolve(TypeText text) {
    return derive(base(text.specifier()), text.declarator());
  }

  CType resolve(TypeText.Specifier specifier, TypeText.Declarator declarator) {
    return derive(base(specifier), declarator);
  }

  void declareTypedef(String name, CType type, Span at) {
    var known = typedefs.get(name);
    if (known != null && !DTypes.same(known, type)) {
      throw texts.error(
          at,
          Tag.D_DECL_TYPERED,
          "type '" + name + "' is declared again; it is " + DTypes.text(known.resolved()));
    }
    if (DTypes.named(name).isPresent()) {
      if (!DTypes.same(DTypes.named(name).get(), type)) {
        throw texts.error(at, Tag.D_DECL_TYPERED, "type '" + name + "' is D's own");
      }
      return;
    }
    typedefs.put(name, new TypedefType(name, () -> type));
  }

  CType base(TypeText.Specifier specifier) {
    CType type =
        switch (specifier.base()) {
          case TypeText.Words w -> words(w.words(), specifier.span());
          case TypeText.Named n -> named(n, specifier.span());
          case TypeText.Tagged t -> tagged(t, specifier.span());
          case TypeText.EnumText e -> enumeration(e, specifier.span());
        };
    return qualified(type, specifier.qualifiers());
  }

  private static CType qualified(CType type, List<String> qualifiers) {
    CType result = type;
    for (var q : qualifiers) {
      if (!q.equals("userland")) {
        var target = result;
        result =
            new QualifiedType(
                QualifiedType.Qualifier.valueOf(q.toUpperCase(Locale.ROOT)), () -> target);
      }
    }
    return result;
  }

  private CType words(List<String> words, Span at) {
    if (words.isEmpty()) {
      return DTypes.INT;
    }
    int longs = count(words, "long");
    int shorts = count(words, "short");
    int signs = count(words, "signed") + count(words, "unsigned");
    boolean unsigned = words.contains("unsigned");
    var rest =
        words.stream()
            .filter(w -> !List.of("long", "short", "signed", "unsigned").contains(w))
            .toList();
    var text = String.join(" ", words);
    if (signs > 1 || longs > 2 || shorts > 1 || longs * shorts > 0 || rest.size() > 1) {
      throw texts.error(
          at, Tag.D_DECL_COMBO, "'" + text + "' is no combination of words that makes a type");
    }
    var last = rest.isEmpty() ? "int" : rest.getFirst();
    if (signs > 0 && !last.equals("int") && !last.equals("char")) {
      throw texts.error(
          at, Tag.D_DECL_SIGNINT, "signed and unsigned go with integers only, not with " + last);
    }
    if (longs + shorts > 0 && !last.equals("int") && !(last.equals("double") && longs == 1)) {
      throw texts.error(
          at, Tag.D_DECL_LONGINT, "long and short go with int (and long with double), not " + last);
    }
    var name =
        switch (last) {
          case "int" ->
              (unsigned ? "unsigned " : "")
                  + (longs == 2
                      ? "long long"
                      : longs == 1 ? "long" : shorts == 1 ? "short" : "int");
          case "char" ->
              (unsigned ? "unsigned " : words.contains("signed") ? "signed " : "") + last;
          case "double" -> longs == 1 ? "long double" : last;
          default -> last;
        };
    return DTypes.named(name).orElseThrow();
  }

  private static int count(List<String> words, String word) {
    return (int) words.stream().filter(word::equals).count();
  }

  private CType named(TypeText.Named n, Span at) {
    var own = typedefs.get(n.name());
    if (own != null && n.module().isEmpty()) {
      return own;
    }
    var d = DTypes.named(n.name());
    if (d.isPresent() && n.module().isEmpty()) {
      return d.get();
    }
    return kernel
        .flatMap(k -> plain(k, n.name()))
        .orElseThrow(() -> unknown(n.name(), Tag.D_DECL_IDENT, at));
  }

  private RuntimeException unknown(String name, Tag tag, Span at) {
    return texts.error(
        at,
        tag,
        "there is no type '"
            + name
            + "'"
            + Near.text(name, typedefs.keySet())
            + (kernel.isEmpty() ? " (no kernel types are loaded)" : ""));
  }

  private CType tagged(TypeText.Tagged t, Span at) {
    var key = t.keyword() + " " + t.tag();
    var kind = t.keyword().equals("struct") ? CompositeType.Kind.STRUCT : CompositeType.Kind.UNION;
    if (t.members().isPresent()) {
      if (!t.tag().isEmpty() && tags.get(key) instanceof CompositeType) {
        throw texts.error(at, Tag.D_DECL_TYPERED, key + " is declared again");
      }
      // Members may point to the structure that they are in.
      var holder = new CompositeType[1];
      if (!t.tag().isEmpty()) {
        tags.put(key, new TypedefType(key, () -> holder[0] == null ? VoidType.VOID : holder[0]));
      }
      holder[0] = layOut(kind, t.tag(), t.members().get());
      if (!t.tag().isEmpty()) {
        tags.put(key, holder[0]);
      }
      return holder[0];
    }
    var own = tags.get(key);
    if (own != null && t.module().isEmpty()) {
      return own;
    }
    var name =
        new TypeName(
            kind == CompositeType.Kind.STRUCT ? TypeName.Kind.STRUCT : TypeName.Kind.UNION,
            t.tag());
    return kernel.flatMap(k -> k.find(name)).orElseGet(() -> new Forward(key).type());
  }

  /** A structure that is not known yet, and may be declared further down. */
  private final class Forward {
    private final String key;

    Forward(String key) {
      this.key = key;
    }

    CType type() {
      var opaque = new OpaqueType(key);
      return new TypedefType(key, () -> tags.getOrDefault(key, opaque));
    }
  }

  private CompositeType layOut(
      CompositeType.Kind kind, String tag, List<TypeText.MemberText> written) {
    var members = new ArrayList<Member>();
    var names = new HashSet<String>();
    long bits = 0;
    long end = 0;
    long alignment = 1;
    for (var m : written) {
      var at = m.declarator().span();
      var type = resolve(m.specifier(), m.declarator());
      var name = m.declarator().name();
      if (name.isEmpty() && m.bits().isEmpty() && !DTypes.isComposite(type)) {
        throw texts.error(at, Tag.D_DECL_MNAME, "a member needs a name");
      }
      if (!name.isEmpty() && !names.add(name)) {
        throw texts.error(at, Tag.D_DECL_IDRED, "member '" + name + "' is declared again");
      }
      if (DTypes.isVoid(type)) {
        throw texts.error(at, Tag.D_DECL_VOIDOBJ, "member '" + name + "' cannot be void");
      }
      if ((type.bytes() == 0 && !(type.resolved() instanceof ArrayType))
          || type.resolved() instanceof FunctionType) {
        throw texts.error(
            at,
            Tag.D_DECL_INCOMPLETE,
            "member '" + name + "' is of the incomplete type " + DTypes.text(type));
      }
      long align = DTypes.isString(type) ? 1 : alignmentOf(type, 0);
      alignment = Math.max(alignment, align);
      if (kind == CompositeType.Kind.UNION) {
        bits = 0;
      }
      int width = 0;
      if (m.bits().isPresent()) {
        width = bitWidth(m.bits().get(), type, at);
        long unit = type.bytes() * 8;
        if (width == 0 || bits / unit != (bits + width - 1) / unit) {
          bits = (bits + unit - 1) / unit * unit;
        }
      } else {
        bits = (bits + align * 8 - 1) / (align * 8) * (align * 8);
      }
      if (m.bits().isPresent() && width == 0 && !name.isEmpty()) {
        throw texts.error(
            at, Tag.D_DECL_BFCONST, "a bit-field of 0 bits has no name: '" + name + "'");
      }
      members.add(new Member(name, type, bits, width));
      bits += m.bits().isPresent() ? width : type.bytes() * 8;
      end = Math.max(end, bits);
      if (end / 8 > MOST_ELEMENTS) {
        throw texts.error(
            at, Tag.D_DECL_ARRBIG, "the structure is above " + MOST_ELEMENTS + " bytes");
      }
    }
    long bytes = (end + 7) / 8;
    bytes = (bytes + alignment - 1) / alignment * alignment;
    var list = List.copyOf(members);
    return new CompositeType(kind, tag, bytes, () -> list);
  }

  private int bitWidth(Node node, CType type, Span at) {
    if (!DTypes.isInteger(type)) {
      throw texts.error(
          at, Tag.D_DECL_BFTYPE, "a bit-field is an integer, not " + DTypes.text(type));
    }
    var width = constants.of(node);
    if (width.isEmpty() || width.getAsLong() < 0) {
      throw texts.error(
          node.span(), Tag.D_DECL_BFCONST, "the width of a bit-field is a constant of 0 or more");
    }
    if (width.getAsLong() > type.bytes() * 8) {
      throw texts.error(
          node.span(),
          Tag.D_DECL_BFSIZE,
          "a bit-field of "
              + width.getAsLong()
              + " bits does not fit in the "
              + type.bytes() * 8
              + " of "
              + DTypes.text(type));
    }
    return (int) width.getAsLong();
  }

  private static long alignmentOf(CType type, int depth) {
    var t = type.resolved();
    if (depth > 32) {
      return 1;
    }
    if (t instanceof ArrayType a) {
      return alignmentOf(a.element(), depth + 1);
    }
    if (t instanceof CompositeType c) {
      long most = 1;
      for (var m : c.members()) {
        most = Math.max(most, alignmentOf(m.type(), depth + 1));
      }
      return most;
    }
    return Math.max(1, Math.min(8, Long.highestOneBit(Math.max(1, t.bytes()))));
  }

  private CType enumeration(TypeText.EnumText e, Span at) {
    var key = "enum " + e.tag();
    if (e.enumerators().isEmpty()) {
      var own = tags.get(key);
      if (own != null) {
        return own;
      }
      return kernel
          .flatMap(k -> k.find(new TypeName(TypeName.Kind.ENUM, e.tag())))
          .orElseThrow(() -> unknown(key, Tag.D_DECL_IDENT, at));
    }
    if (!e.tag().isEmpty() && tags.containsKey(key)) {
      throw texts.error(at, Tag.D_DECL_TYPERED, key + " is declared again");
    }
    var list = new ArrayList<EnumType.Enumerator>();
    long next = 0;
    for (var item : e.enumerators().get()) {
      if (item.value().isPresent()) {
        var node = item.value().get();
        next =
            constants
                .of(node)
                .orElseThrow(
                    () ->
                        texts.error(
                            node.span(),
                            Tag.D_DECL_ENCONST,
                            "the value of '" + item.name() + "' is not a constant"));
      }
      if (next > Integer.MAX_VALUE || next < Integer.MIN_VALUE) {
        throw texts.error(
            item.span(),
            Tag.D_DECL_ENOFLOW,
            "the value of '" + item.name() + "', " + next + ", does not fit in an int");
      }
      if (enumerators.containsKey(item.name())) {
        throw texts.error(
            item.span(), Tag.D_DECL_IDRED, "enumerator '" + item.name() + "' is declared again");
      }
      list.add(new EnumType.Enumerator(item.name(), next));
      enumerators.put(
          item.name(), new EnumConstant(new EnumType(e.tag(), 4, true, List.of()), next));
      next++;
    }
    var type = new EnumType(e.tag(), 4, true, list);
    if (!e.tag().isEmpty()) {
      tags.put(key, type);
    }
    return type;
  }

  CType derive(CType base, TypeText.Declarator declarator) {
    CType type = base;
    // What is written nearest to the name applies last.
    for (int i = declarator.derivations().size() - 1; i >= 0; i--) {
      var target = type;
      type =
          switch (declarator.derivations().get(i)) {
            case TypeText.Pointer p -> qualified(new PointerType(8, () -> target), p.qualifiers());
            case TypeText.Array a -> array(target, a, declarator.span());
            case TypeText.Tuple _ ->
                throw texts.error(
                    declarator.span(),
                    Tag.D_DECL_DYNOBJ,
                    "an associative array cannot be part of a type");
            case TypeText.Function f -> function(target, f);
          };
    }
    return type;
  }

  private CType function(CType result, TypeText.Function f) {
    var parameters = new ArrayList<FunctionType.Parameter>();
    for (var p : f.parameters()) {
      var type = resolve(p);
      if (DTypes.isVoid(type)) {
        if (f.parameters().size() > 1) {
          throw texts.error(
              p.span(), Tag.D_DECL_PROTO_VOID, "void is the only parameter where it is one");
        }
        if (!p.declarator().name().isEmpty()) {
          throw texts.error(
              p.span(), Tag.D_DECL_PROTO_NAME, "a parameter of type void has no name");
        }
        continue;
      }
      parameters.add(new FunctionType.Parameter(p.declarator().name(), type));
    }
    return new FunctionType(() -> result, () -> parameters, f.variadic());
  }

  private CType array(CType element, TypeText.Array a, Span at) {
    if (a.count().isEmpty()) {
      return new ArrayType(() -> element, OptionalLong.empty());
    }
    var node = a.count().get();
    var count = constants.of(node);
    if (count.isEmpty() || count.getAsLong() < 0) {
      throw texts.error(
          node.span(), Tag.D_DECL_ARRSUB, "the number of elements is a constant of 0 or more");
    }
    if (DTypes.isVoid(element)) {
      throw texts.error(at, Tag.D_DECL_VOIDOBJ, "an array cannot have void elements");
    }
    if (count.getAsLong() > MOST_ARRAY_BYTES
        || count.getAsLong() > MOST_ARRAY_BYTES / Math.max(1, element.bytes())) {
      throw texts.error(
          node.span(),
          Tag.D_DECL_ARRBIG,
          "an array of "
              + count.getAsLong()
              + " elements is too big; at most "
              + MOST_ARRAY_BYTES
              + " bytes");
    }
    return new ArrayType(() -> element, count);
  }

  /** The member called {@code name}, which may be inside an anonymous one. */
  Optional<TypeSystem.Found> member(CompositeType type, String name) {
    return new TypeSystem(8).member(type, name);
  }

  List<String> memberNames(CompositeType type) {
    return type.members().stream()
        .map(Member::name)
        .filter(n -> !n.isEmpty())
        .collect(Collectors.toList());
  }
}
