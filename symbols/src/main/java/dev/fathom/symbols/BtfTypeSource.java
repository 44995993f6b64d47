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

  /** The integers that have fewer bits than their bytes. */
  private final Map<Integer, BtfType.Int> narrow = new HashMap<>();

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

  @Override
  public Stream<Named> typeNames() {
    return IntStream.range(btf.firstId(), btf.endId())
        .filter(id -> isNamed(id) && isDefined(id))
        .mapToObj(this::named);
  }

  private boolean isDefined(int id) {
    return switch (btf.kind(id)) {
      case Btf.FWD -> false;
      case Btf.ENUM, Btf.ENUM64 -> !((BtfType.Enum) btf.type(id)).values().isEmpty();
      default -> true;
    };
  }

  private Named named(int id) {
    var kind =
        switch (btf.kind(id)) {
          case Btf.STRUCT -> TypeName.Kind.STRUCT;
          case Btf.UNION -> TypeName.Kind.UNION;
          case Btf.ENUM, Btf.ENUM64 -> TypeName.Kind.ENUM;
          default -> TypeName.Kind.PLAIN;
        };
    var name = new TypeName(kind, btf.name(id));
    return new Named(name, name.toString());
  }

  /** Looks at enumerations only, also at those without a tag. */
  @Override
  public Map<String, EnumType> enumerators() {
    var found = new HashMap<String, EnumType>();
    for (int id = btf.firstId(); id < btf.endId(); id++) {
      int kind = btf.kind(id);
      if ((kind == Btf.ENUM || kind == Btf.ENUM64) && type(id) instanceof EnumType e) {
        for (var item : e.enumerators()) {
          found.putIfAbsent(item.name(), e);
        }
      }
    }
    return found;
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
    // By kind and not by the decoded record: a switch over patterns costs milliseconds when it
    // first runs, and structures need
    // no decoding before their members are asked for.
    return switch (btf.kind(id)) {
      case Btf.STRUCT ->
          new CompositeType(
              CompositeType.Kind.STRUCT, btf.name(id), btf.size(id), () -> members(id));
      case Btf.UNION ->
          new CompositeType(
              CompositeType.Kind.UNION, btf.name(id), btf.size(id), () -> members(id));
      case Btf.PTR -> new PointerType(wordBytes, () -> type(btf.referenced(id)));
      case Btf.TYPEDEF -> new TypedefType(btf.name(id), () -> type(btf.referenced(id)));
      case Btf.CONST -> qualified(QualifiedType.Qualifier.CONST, id);
      case Btf.VOLATILE -> qualified(QualifiedType.Qualifier.VOLATILE, id);
      case Btf.RESTRICT -> qualified(QualifiedType.Qualifier.RESTRICT, id);
      case Btf.INT -> integer(id, (BtfType.Int) btf.type(id));
      case Btf.ARRAY -> array(id, (BtfType.Array) btf.type(id));
      case Btf.ENUM, Btf.ENUM64 -> enumeration((BtfType.Enum) btf.type(id));
      case Btf.FWD -> declared((BtfType.Fwd) btf.type(id));
      case Btf.FUNC_PROTO -> function((BtfType.FuncProto) btf.type(id));
      case Btf.FLOAT -> new FloatType(btf.name(id), btf.size(id));
      case Btf.DATASEC -> new OpaqueType("section " + btf.name(id));
      default -> new OpaqueType("BTF kind " + btf.kind(id));
    };
  }

  private CType qualified(QualifiedType.Qualifier qualifier, int id) {
    return new QualifiedType(qualifier, () -> type(btf.referenced(id)));
  }

  private static CType declared(BtfType.Fwd f) {
    return new OpaqueType((f.union() ? "union " : "struct ") + f.name());
  }

  private CType function(BtfType.FuncProto f) {
    return new FunctionType(() -> type(f.returnType()), () -> parameters(f), f.variadic());
  }

  /** The id behind tags, functions and variables, which are no types of their own. */
  private int throughTags(int id) {
    int at = id;
    for (int depth = 0; depth < NESTING_LIMIT; depth++) {
      int kind = btf.kind(at);
      if (kind != Btf.TYPE_TAG && kind != Btf.DECL_TAG && kind != Btf.FUNC && kind != Btf.VAR) {
        return at;
      }
      at = btf.referenced(at);
    }
    throw cycle(id);
  }

  /** Checks that the elements' size can be told: a chain of arrays and typedefs that ends. */
  private CType array(int id, BtfType.Array a) {
    int at = a.elementType();
    for (int depth = 0; at != 0 && btf.kind(at) != Btf.PTR; depth++) {
      if (depth == NESTING_LIMIT) {
        throw cycle(id);
      }
      at = btf.referenced(at);
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

  private List<Member> members(int id) {
    if (!(btf.type(id) instanceof BtfType.Composite c)) {
      throw new IllegalStateException("is no structure: " + id);
    }
    var members = new ArrayList<Member>(c.members().size());
    for (var m : c.members()) {
      var type = type(m.type());
      var bits = m.bitSize() == 0 ? narrow(m.type()) : Optional.<BtfType.Int>empty();
      members.add(
          bits.isEmpty()
              ? new Member(m.name(), type, m.bitOffset(), m.bitSize())
              : new Member(
                  m.name(), type, m.bitOffset() + bits.get().bitOffset(), bits.get().bits()));
    }
    return members;
  }

  /**
   * Without kind_flag, which pahole sets since 1.13, the type itself says that a member is a
   * bit-field.
   */
  private Optional<BtfType.Int> narrow(int id) {
    if (id > 0 && id < btf.firstId() && base.isPresent()) {
      return base.get().narrow(id);
    }
    return Optional.ofNullable(narrow.get(id));
  }

  private CType integer(int id, BtfType.Int i) {
    if (i.bool()) {
      return new BoolType(i.name(), i.size());
    }
    if (i.bits() != i.size() * 8) {
      narrow.put(id, i);
    }
    return new IntType(i.name(), i.size(), i.signed(), i.character() || isCharacter(i));
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
