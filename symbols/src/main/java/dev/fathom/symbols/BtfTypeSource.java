// SPDX-License-Identifier: Apache-2.0
package dev.fathom.symbols;

import dev.fathom.base.BadDataException;
import dev.fathom.format.btf.Btf;
import dev.fathom.format.btf.BtfType;
import dev.fathom.model.type.ArrayType;
import dev.fathom.model.type.BoolType;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.CompositeType;
import dev.fathom.model.type.EnumType;
import dev.fathom.model.type.FloatType;
import dev.fathom.model.type.FunctionType;
import dev.fathom.model.type.IntType;
import dev.fathom.model.type.Member;
import dev.fathom.model.type.OpaqueType;
import dev.fathom.model.type.PointerType;
import dev.fathom.model.type.QualifiedType;
import dev.fathom.model.type.TypeName;
import dev.fathom.model.type.TypeSource;
import dev.fathom.model.type.TypedefType;
import dev.fathom.model.type.VoidType;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * The types that a BTF section describes. A type is made when it is first asked for and then kept.
 * BTF's tags are seen through; of a structure that is defined and declared the definition is found.
 * Used by one thread.
 */
public final class BtfTypeSource implements TypeSource {
  /**
   * How deep arrays, typedefs and qualifiers may nest; deeper is a cycle, which only corrupt data
   * has.
   */
  private static final int NESTING_LIMIT = 64;

  private final String name;
  private final Btf btf;
  private final long wordBytes;
  private final Optional<BtfTypeSource> base;
  private final Map<Integer, CType> made = new HashMap<>();

  private BtfTypeSource(String name, Btf btf, long wordBytes, Optional<BtfTypeSource> base) {
    this.name = name;
    this.btf = btf;
    this.wordBytes = wordBytes;
    this.base = base;
  }

  /** The types of a kernel; {@code wordBytes} is the size of its pointers. */
  public static BtfTypeSource of(Btf btf, long wordBytes) {
    return new BtfTypeSource("btf", btf, wordBytes, Optional.empty());
  }

  /** The types of a module, whose split BTF continues the BTF of {@code base}. */
  public static BtfTypeSource ofModule(String module, Btf btf, BtfTypeSource base) {
    return new BtfTypeSource("btf:" + module, btf, base.wordBytes, Optional.of(base));
  }

  @Override
  public String name() {
    return name;
  }

  public Btf btf() {
    return btf;
  }

  @Override
  public Optional<CType> find(TypeName wanted) {
    int declared = 0;
    for (int id : btf.typesNamed(wanted.name())) {
      int kind = btf.kind(id);
      boolean fits =
          switch (wanted.kind()) {
            case PLAIN -> kind == Btf.TYPEDEF || kind == Btf.INT || kind == Btf.FLOAT;
            case STRUCT -> kind == Btf.STRUCT;
            case UNION -> kind == Btf.UNION;
            case ENUM -> kind == Btf.ENUM || kind == Btf.ENUM64;
          };
      if (fits && !(type(id) instanceof OpaqueType)) {
        return Optional.of(type(id));
      }
      if (fits || isDeclaration(id, kind, wanted.kind())) {
        declared = id;
      }
    }
    return declared == 0 ? Optional.empty() : Optional.of(type(declared));
  }

  private boolean isDeclaration(int id, int kind, TypeName.Kind wanted) {
    return kind == Btf.FWD
        && btf.type(id) instanceof BtfType.Fwd f
        && wanted == (f.union() ? TypeName.Kind.UNION : TypeName.Kind.STRUCT);
  }

  @Override
  public Optional<CType> ofSymbol(String symbol) {
    int[] ids = btf.symbolsNamed(symbol);
    return ids.length == 0 ? Optional.empty() : Optional.of(type(ids[0]));
  }

  @Override
  public Stream<CType> stream() {
    return IntStream.range(btf.firstId(), btf.endId()).filter(this::isNamed).mapToObj(this::type);
  }

  private boolean isNamed(int id) {
    return switch (btf.kind(id)) {
      case Btf.INT, Btf.STRUCT, Btf.UNION, Btf.ENUM, Btf.FWD, Btf.TYPEDEF, Btf.FLOAT, Btf.ENUM64 ->
          !btf.name(id).isEmpty();
      default -> false;
    };
  }

  /**
   * The type with a BTF type id; of a function its signature, of a variable its type.
   *
   * @throws BadDataException when the section does not describe it properly
   */
  public CType type(int id) {
    if (id == 0) {
      return VoidType.VOID;
    }
    if (id > 0 && id < btf.firstId() && base.isPresent()) {
      return base.get().type(id);
    }
    var known = made.get(id);
    if (known == null) {
      known = make(id);
      made.put(id, known);
    }
    return known;
  }

  private CType make(int id) {
    int described = throughTags(id);
    if (described != id) {
      return type(described);
    }
    return switch (btf.type(id)) {
      case BtfType.Void _ -> VoidType.VOID;
      case BtfType.Int i ->
          i.bool()
              ? new BoolType(i.name(), i.size())
              : new IntType(i.name(), i.size(), i.signed(), i.character() || isCharacter(i));
      case BtfType.Ptr p -> new PointerType(wordBytes, () -> type(p.type()));
      case BtfType.Array a -> array(id, a);
      case BtfType.Composite c ->
          new CompositeType(
              c.union() ? CompositeType.Kind.UNION : CompositeType.Kind.STRUCT,
              c.name(),
              c.size(),
              () -> members(c));
      case BtfType.Enum e -> enumeration(e);
      case BtfType.Fwd f -> new OpaqueType((f.union() ? "union " : "struct ") + f.name());
      case BtfType.Typedef t -> new TypedefType(t.name(), () -> type(t.type()));
      case BtfType.Qualified q -> new QualifiedType(qualifier(q.qualifier()), () -> type(q.type()));
      case BtfType.FuncProto f ->
          new FunctionType(() -> type(f.returnType()), () -> parameters(f), f.variadic());
      case BtfType.DataSec d -> new OpaqueType("section " + d.name());
      case BtfType.Float f -> new FloatType(f.name(), f.size());
      case BtfType.Func _, BtfType.Var _, BtfType.DeclTag _, BtfType.TypeTag _ ->
          throw new IllegalStateException("seen through before: " + id);
    };
  }

  /** The id behind tags, functions and variables, which are no types of their own. */
  private int throughTags(int id) {
    int at = id;
    for (int depth = 0; depth < NESTING_LIMIT; depth++) {
      int kind = btf.kind(at);
      if (kind != Btf.TYPE_TAG && kind != Btf.DECL_TAG && kind != Btf.FUNC && kind != Btf.VAR) {
        return at;
      }
      at = target(at);
    }
    throw cycle(id);
  }

  private int target(int id) {
    return switch (btf.type(id)) {
      case BtfType.TypeTag t -> t.type();
      case BtfType.DeclTag t -> t.type();
      case BtfType.Func f -> f.type();
      case BtfType.Var v -> v.type();
      case BtfType.Typedef t -> t.type();
      case BtfType.Qualified q -> q.type();
      case BtfType.Array a -> a.elementType();
      case BtfType.Void _,
          BtfType.Int _,
          BtfType.Ptr _,
          BtfType.Composite _,
          BtfType.Enum _,
          BtfType.Fwd _,
          BtfType.FuncProto _,
          BtfType.DataSec _,
          BtfType.Float _ ->
          0;
    };
  }

  /** Checks that the elements' size can be told: a chain of arrays and typedefs that ends. */
  private CType array(int id, BtfType.Array a) {
    int at = a.elementType();
    for (int depth = 0; at != 0; depth++) {
      if (depth == NESTING_LIMIT) {
        throw cycle(id);
      }
      at = target(at);
    }
    var count = a.elements() == 0 ? OptionalLong.empty() : OptionalLong.of(a.elements());
    return new ArrayType(() -> type(a.elementType()), count);
  }

  private BadDataException cycle(int id) {
    return new BadDataException(
        btf.source(), 0, "BTF type " + id + " contains itself, or types nest too deep");
  }

  /** pahole does not mark characters in kernels. */
  private static boolean isCharacter(BtfType.Int i) {
    return i.size() == 1
        && (i.name().equals("char")
            || i.name().equals("signed char")
            || i.name().equals("unsigned char"));
  }

  private static QualifiedType.Qualifier qualifier(BtfType.Qualifier qualifier) {
    return switch (qualifier) {
      case CONST -> QualifiedType.Qualifier.CONST;
      case VOLATILE -> QualifiedType.Qualifier.VOLATILE;
      case RESTRICT -> QualifiedType.Qualifier.RESTRICT;
    };
  }

  private static CType enumeration(BtfType.Enum e) {
    if (e.values().isEmpty()) {
      return new OpaqueType("enum " + e.name());
    }
    var values = new ArrayList<EnumType.Enumerator>(e.values().size());
    for (var v : e.values()) {
      values.add(new EnumType.Enumerator(v.name(), v.value()));
    }
    return new EnumType(e.name(), e.size(), e.signed(), values);
  }

  private List<Member> members(BtfType.Composite c) {
    var members = new ArrayList<Member>(c.members().size());
    for (var m : c.members()) {
      long bitOffset = m.bitOffset();
      int bitSize = m.bitSize();
      // Without kind_flag, which pahole sets since 1.13, the type itself says that a member is a
      // bit-field.
      if (bitSize == 0
          && btf.kind(m.type()) == Btf.INT
          && btf.type(m.type()) instanceof BtfType.Int i) {
        bitSize = i.bits() != i.size() * 8 && !i.bool() ? i.bits() : 0;
        bitOffset += i.bitOffset();
      }
      members.add(new Member(m.name(), type(m.type()), bitOffset, bitSize));
    }
    return members;
  }

  private List<FunctionType.Parameter> parameters(BtfType.FuncProto f) {
    int count = f.params().size() - (f.variadic() ? 1 : 0);
    var parameters = new ArrayList<FunctionType.Parameter>(count);
    for (var p : f.params().subList(0, count)) {
      parameters.add(new FunctionType.Parameter(p.name(), type(p.type())));
    }
    return parameters;
  }
}
