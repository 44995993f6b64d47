// SPDX-License-Identifier: Apache-2.0
package dev.fathom.symbols.dwarf;

import dev.fathom.base.BadDataException;
import dev.fathom.format.dwarf.At;
import dev.fathom.format.dwarf.Die;
import dev.fathom.format.dwarf.Dwarf;
import dev.fathom.format.dwarf.DwarfNames;
import dev.fathom.format.dwarf.Form;
import dev.fathom.format.dwarf.FormValue;
import dev.fathom.format.dwarf.Tag;
import dev.fathom.format.dwarf.Unit;
import dev.fathom.model.CxxNames;
import dev.fathom.model.type.ArrayType;
import dev.fathom.model.type.BoolType;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.CompositeType;
import dev.fathom.model.type.EnumType;
import dev.fathom.model.type.FloatType;
import dev.fathom.model.type.FunctionType;
import dev.fathom.model.type.IntType;
import dev.fathom.model.type.OpaqueType;
import dev.fathom.model.type.PointerType;
import dev.fathom.model.type.QualifiedType;
import dev.fathom.model.type.TypeName;
import dev.fathom.model.type.TypeSource;
import dev.fathom.model.type.TypedefType;
import dev.fathom.model.type.VoidType;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The types that DWARF describes, of C and C++, and those of its variables and functions. A type is
 * made when it is first asked for and then kept. What many units say in the same words is one type;
 * what a unit only declares is the definition of another, where there is one. Used by one thread.
 */
public final class DwarfTypeSource implements TypeSource {
  private static final Set<DwarfNames.Kind> TYPES =
      EnumSet.of(
          DwarfNames.Kind.BASE,
          DwarfNames.Kind.TYPEDEF,
          DwarfNames.Kind.STRUCT,
          DwarfNames.Kind.UNION,
          DwarfNames.Kind.ENUM);

  /** How deep arrays, typedefs and qualifiers may nest; deeper is a cycle. */
  private static final int NESTING_LIMIT = 64;

  /** The largest size of a type that is believed: all addresses of a process of user mode. */
  private static final long MAX_BYTES = 1L << 48;

  // DW_ATE_*, DWARF 5, section 7.8
  private static final int ATE_BOOLEAN = 0x02;
  private static final int ATE_COMPLEX_FLOAT = 0x03;
  private static final int ATE_FLOAT = 0x04;
  private static final int ATE_SIGNED = 0x05;
  private static final int ATE_SIGNED_CHAR = 0x06;
  private static final int ATE_UNSIGNED_CHAR = 0x08;
  private static final int ATE_SIGNED_FIXED = 0x0d;
  private static final int ATE_DECIMAL_FLOAT = 0x0f;
  private static final int ATE_UTF = 0x10;
  private static final int ATE_UCS = 0x11;
  private static final int ATE_ASCII = 0x12;

  /** What gcc adds to the names of symbols whose types changed with its library. */
  private static final Pattern ABI_TAG = Pattern.compile("\\[abi:\\w+]");

  /** What scopes without a name are called in symbols, and not at all here. */
  private static final String ANONYMOUS = "(anonymous namespace)::";

  private final String name;
  private final Supplier<NameLookup> opener;
  private Optional<NameLookup> lookup = Optional.empty();
  private final Scopes scopes = new Scopes();
  private final Members members =
      new Members(
          new Members.Types() {
            @Override
            public CType of(Die die) {
              return type(die);
            }

            @Override
            public CType named(Die die) {
              return typeOf(die);
            }
          });

  /** By file, and in it by offset; types of {@code .debug_types} by the complement of theirs. */
  private final Map<Dwarf, Map<Long, CType>> made = new IdentityHashMap<>();

  private DwarfTypeSource(Supplier<NameLookup> opener, String name) {
    this.name = name;
    this.opener = opener;
  }

  /**
   * @param name {@code dwarf}, or {@code dwarf:} and a module's name
   * @param opener opens a file's names; called once, when something is first asked
   */
  public DwarfTypeSource(String name, Supplier<DwarfNames> opener) {
    this(() -> NameLookup.of(() -> Optional.of(opener.get())), name);
  }

  /**
   * The types of a file that is looked for when something is first asked, so that a program whose
   * debug information nobody needs does not pay for it. Without a file there are no types.
   *
   * @param name {@code dwarf}, or {@code dwarf:} and a module's name
   * @param finder finds the file and how its names are found; called once
   */
  public static DwarfTypeSource whereFound(String name, Supplier<NameLookup> finder) {
    return new DwarfTypeSource(finder, name);
  }

  @Override
  public String name() {
    return name;
  }

  /** How the names of the file are found, opened if need be. */
  private NameLookup lookup() {
    if (lookup.isEmpty()) {
      lookup = Optional.of(opener.get());
    }
    return lookup.get();
  }

  /** All names of the file, opened if need be; empty when there is no file. */
  public Optional<DwarfNames> names() {
    return lookup().all();
  }

  @Override
  public Optional<CType> find(TypeName wanted) {
    return lookup()
        .ask(
            finder -> {
              var named = finder.look(wanted.name());
              var found = find(wanted, named.entries());
              boolean sure =
                  found.isPresent()
                      ? !(found.get() instanceof OpaqueType)
                      : wanted.kind() == TypeName.Kind.PLAIN && hasValue(wanted.name(), named);
              return new NameLookup.Answer<>(found, sure);
            });
  }

  @Override
  public boolean isValue(String value) {
    return lookup().ask(f -> new NameLookup.Answer<>(hasValue(value, f.look(value)), true));
  }

  private boolean hasValue(String name, NameLookup.Entries named) {
    try {
      return named.allTypes()
          && named.entries().stream()
              .anyMatch(entry -> isValue(entry, named.noTypes()) && isNamed(entry.die(), name));
    } catch (BadDataException e) {
      return false; // Whoever needs the entry is told.
    }
  }

  /**
   * Whether an entry has its name in all of a program. What is of its file only does where no type
   * has it in another.
   */
  private static boolean isValue(DwarfNames.Entry entry, boolean noTypes) {
    return switch (entry.kind()) {
      case VARIABLE, FUNCTION -> (entry.isExternal() || noTypes) && !entry.isDeclaration();
      case BASE, TYPEDEF, STRUCT, UNION, ENUM, ENUMERATOR -> false;
    };
  }

  private Optional<CType> find(TypeName wanted, List<DwarfNames.Entry> entries) {
    Optional<CType> declared = Optional.empty();
    BadDataException failure = null;
    for (var entry : entries) {
      if (!fits(entry.kind(), wanted.kind()) || (entry.isDeclaration() && declared.isPresent())) {
        continue;
      }
      try {
        var die = entry.die();
        if (isNamed(die, wanted.name())) {
          var type = type(die);
          if (!(type instanceof OpaqueType)) {
            return Optional.of(type);
          }
          declared = Optional.of(type);
        }
      } catch (BadDataException e) {
        failure = e; // spoils this entry; another may have the name as well
      }
    }
    if (declared.isEmpty() && failure != null) {
      throw failure;
    }
    return declared;
  }

  private static boolean fits(DwarfNames.Kind kind, TypeName.Kind wanted) {
    return switch (kind) {
      case BASE, TYPEDEF -> wanted == TypeName.Kind.PLAIN;
      case STRUCT -> wanted == TypeName.Kind.STRUCT;
      case UNION -> wanted == TypeName.Kind.UNION;
      case ENUM -> wanted == TypeName.Kind.ENUM;
      case ENUMERATOR, VARIABLE, FUNCTION -> false;
    };
  }

  private boolean isNamed(Die die, String wanted) {
    var owner = die.owner(At.NAME);
    return owner.isPresent()
        && DwarfNames.same(qualified(owner.get(), owner.get().name().orElse("")), wanted);
  }

  /** The name of an entry with the namespaces and classes that it is in; empty without a name. */
  public Optional<String> nameOf(Die die) {
    var owner = die.owner(At.NAME);
    return owner.flatMap(Die::name).map(own -> qualified(owner.get(), own));
  }

  private String qualified(Die die, String own) {
    return own.isEmpty() ? own : scopes.qualified(die, own);
  }

  /**
   * A variable or function as debug information has it.
   *
   * @param address where it is by the link, without the shift of a relocated image, or in the
   *     storage of a thread where that is asked for; empty when it is only declared, optimised
   *     away, or not at a fixed address
   */
  public record Described(String name, CType type, OptionalLong address, Die die) {
    /** Whether it is known outside of its unit, where no other has its name then. */
    private boolean isExternal() {
      return address.isPresent() && die.owner(At.EXTERNAL).isPresent();
    }
  }

  /**
   * The variables and functions of that qualified name: definitions and those known outside first.
   */
  public List<Described> described(String wanted) {
    return names().map(all -> described(wanted, all.find(wanted))).orElse(List.of());
  }

  private List<Described> described(String wanted, List<DwarfNames.Entry> named) {
    return described(wanted, named, Places::address);
  }

  private List<Described> described(
      String wanted, List<DwarfNames.Entry> named, Function<Die, OptionalLong> place) {
    var found = new ArrayList<Described>();
    var entries = new ArrayList<DwarfNames.Entry>();
    for (int rank = 0; rank < 4; rank++) {
      for (var entry : named) {
        if (rank(entry) == rank) {
          entries.add(entry);
        }
      }
    }
    for (var entry : entries) {
      var die = entry.die();
      if (isNamed(die, wanted)) {
        var type =
            entry.kind() == DwarfNames.Kind.FUNCTION ? type(die) : typeOf(die.owner(At.TYPE));
        found.add(new Described(wanted, type, place.apply(die), die));
      }
    }
    return found;
  }

  /** The entries of functions of that qualified name: those with code, and abstract ones. */
  public List<Die> functions(String wanted) {
    return names().map(all -> all.find(wanted)).orElse(List.of()).stream()
        .filter(entry -> entry.kind() == DwarfNames.Kind.FUNCTION)
        .map(DwarfNames.Entry::die)
        .filter(die -> isNamed(die, wanted))
        .toList();
  }

  /** The variable at a fixed place, also of each thread, that a unit has outside of functions. */
  public Optional<Die> ofUnit(Unit unit, String variable) {
    return described(variable, lookup().near(unit, variable), Places::anywhere).stream()
        .filter(d -> d.die().tag() == Tag.VARIABLE && d.address().isPresent())
        .map(Described::die)
        .filter(
            die -> die.unit().dwarf().equals(unit.dwarf()) && die.unit().offset() == unit.offset())
        .findFirst();
  }

  /**
   * The variables of that qualified name whose places are known, by the link: those outside of
   * functions, of a source file as {@code d1.c::variable}, else those that a function keeps between
   * its calls, as {@code function::variable}.
   */
  public List<Described> fixed(String wanted) {
    return lookup().ask(finder -> fixed(wanted, finder, Places::address));
  }

  /** As {@link #fixed}, those of which each thread has its own. */
  public List<Described> perThread(String wanted) {
    return lookup().ask(finder -> fixed(wanted, finder, Places::inThread));
  }

  private NameLookup.Answer<List<Described>> fixed(
      String wanted, NameLookup.Finder finder, Function<Die, OptionalLong> place) {
    var plain = wanted.replace(ANONYMOUS, "");
    var outside =
        described(plain, finder.find(plain), place).stream()
            .filter(d -> d.die().tag() != Tag.SUBPROGRAM && d.address().isPresent())
            .toList();
    int split = lastScope(plain);
    if (!outside.isEmpty() || split <= 0) {
      return new NameLookup.Answer<>(outside, outside.stream().anyMatch(Described::isExternal));
    }
    var function = CxxNames.withoutParameters(plain.substring(0, split));
    var variable = plain.substring(split + 2);
    if (plain.lastIndexOf('.', split) > 0) {
      var ofFile =
          described(variable, finder.find(variable), place).stream()
              .filter(d -> d.die().tag() != Tag.SUBPROGRAM && d.address().isPresent())
              .filter(d -> isOfFile(d.die().unit(), plain.substring(0, split)))
              .toList();
      if (!ofFile.isEmpty()) {
        return new NameLookup.Answer<>(ofFile, false);
      }
    }
    var found = new ArrayList<Described>();
    boolean external = false;
    for (var entry : finder.find(function)) {
      if (entry.kind() == DwarfNames.Kind.FUNCTION) {
        var die = entry.die();
        if (isNamed(die, function)) {
          external |= entry.isExternal();
          for (var origin : die.withOrigins()) {
            kept(origin, variable, place, found, 0);
          }
        }
      }
    }
    return new NameLookup.Answer<>(found, external && !found.isEmpty());
  }

  /** Whether a unit was made from a source file, by its path or the end of it. */
  private static boolean isOfFile(Unit unit, String file) {
    var path = unit.root().name().orElse("");
    return path.equals(file) || path.endsWith("/" + file);
  }

  /** Adds the variables at fixed places in a function or block, those of inner blocks last. */
  private void kept(
      Die block,
      String variable,
      Function<Die, OptionalLong> place,
      List<Described> found,
      int depth) {
    for (var child = block.firstChild(); child.isPresent(); child = child.get().next()) {
      var die = child.get();
      switch (die.tag()) {
        case Tag.VARIABLE -> {
          var own = die.owner(At.NAME).flatMap(Die::name).orElse("");
          var address = place.apply(die);
          if (own.equals(variable) && address.isPresent()) {
            found.add(new Described(variable, typeOf(die.owner(At.TYPE)), address, die));
          }
        }
        case Tag.LEXICAL_BLOCK -> {
          if (depth < NESTING_LIMIT) {
            kept(die, variable, place, found, depth + 1);
          }
        }
        default -> {}
      }
    }
  }

  /** Where the last {@code ::} is that is in no brackets; -1 when there is none. */
  private static int lastScope(String name) {
    int depth = 0;
    for (int i = name.length() - 1; i > 0; i--) {
      switch (name.charAt(i)) {
        case ')', '>' -> depth++;
        case '(', '<' -> depth--;
        case ':' -> {
          if (depth == 0 && name.charAt(i - 1) == ':') {
            return i - 1;
          }
        }
        default -> {}
      }
    }
    return -1;
  }

  private static int rank(DwarfNames.Entry entry) {
    return switch (entry.kind()) {
      case VARIABLE -> entry.isDeclaration() ? 3 : entry.isExternal() ? 0 : 1;
      case FUNCTION -> 2;
      default -> -1;
    };
  }

  @Override
  public Optional<CType> ofSymbol(String symbol) {
    return lookup()
        .ask(
            finder -> {
              var first = ofName(symbol, finder).stream().findFirst();
              return new NameLookup.Answer<>(
                  first.map(Described::type), first.map(Described::isExternal).orElse(false));
            });
  }

  /**
   * As {@link #ofSymbol(String)}, of several of that name the one at an address.
   *
   * @param linked the address that it has by the link
   */
  public Optional<CType> ofLinked(String symbol, long linked) {
    return lookup()
        .ask(
            finder -> {
              var all = ofName(symbol, finder);
              var there =
                  all.stream()
                      .filter(d -> d.address().isPresent() && d.address().getAsLong() == linked)
                      .findFirst();
              return new NameLookup.Answer<>(
                  there.or(() -> all.stream().findFirst()).map(Described::type), there.isPresent());
            });
  }

  private List<Described> ofName(String symbol, NameLookup.Finder finder) {
    var own = ABI_TAG.matcher(symbol).replaceAll("");
    var all = described(own, finder.find(own));
    if (all.isEmpty() && (symbol.indexOf(':') >= 0 || symbol.indexOf('(') > 0)) {
      // As the demangler has it: with parameters, and with what has no name.
      var plain = CxxNames.withoutParameters(symbol.replace(ANONYMOUS, ""));
      all = described(plain, finder.find(plain));
    }
    if (all.isEmpty() && symbol.indexOf(':') >= 0) {
      all = fixed(symbol, finder, Places::address).value();
    }
    return all;
  }

  @Override
  public boolean knowsSymbols() {
    return true;
  }

  /** The enumeration that has an enumerator of that qualified name. */
  public Optional<EnumType> enumeration(String enumerator) {
    return lookup()
        .ask(
            finder -> {
              var found = enumeration(enumerator, finder.find(enumerator));
              return new NameLookup.Answer<>(found, found.isPresent());
            });
  }

  private Optional<EnumType> enumeration(String enumerator, List<DwarfNames.Entry> entries) {
    var last = enumerator.substring(enumerator.lastIndexOf(':') + 1);
    for (var entry : entries) {
      if (entry.kind() == DwarfNames.Kind.ENUMERATOR
          && type(entry.die()) instanceof EnumType e
          && e.enumerators().stream().anyMatch(item -> item.name().equals(last))) {
        return Optional.of(e);
      }
    }
    return Optional.empty();
  }

  /**
   * {@inheritDoc} Looks at enumerations only, also at those without a tag. Enumerators of C++ are
   * there with what they are in, and those of no {@code enum class} without it as well.
   */
  @Override
  public Map<String, EnumType> enumerators() {
    var found = new HashMap<String, EnumType>();
    var seen = Collections.newSetFromMap(new IdentityHashMap<EnumType, Boolean>());
    names().stream()
        .flatMap(all -> all.defined(EnumSet.of(DwarfNames.Kind.ENUMERATOR)))
        .forEach(entry -> enumeration(entry).filter(seen::add).ifPresent(e -> add(e, found)));
    return found;
  }

  private Optional<EnumType> enumeration(DwarfNames.Entry enumerator) {
    try {
      return type(enumerator.die()) instanceof EnumType e ? Optional.of(e) : Optional.empty();
    } catch (BadDataException e) {
      return Optional.empty(); // spoils this enumeration, which whoever names it is told
    }
  }

  private static void add(EnumType e, Map<String, EnumType> found) {
    boolean scoped = e.cxx().map(EnumType.Cxx::isClass).orElse(false);
    for (var item : e.enumerators()) {
      found.putIfAbsent(e.text(item), e);
      if (!scoped) {
        found.putIfAbsent(item.name(), e);
      }
    }
  }

  @Override
  public Optional<CType> findTemplate(String name) {
    var wanted = name.substring(0, name.length() - 1) + ",";
    int open = name.indexOf('<');
    int scope = open < 0 ? -1 : name.lastIndexOf("::", open);
    var own = name.substring(scope < 0 ? 0 : scope + 2, open + 1);
    Optional<Die> best = Optional.empty();
    int length = Integer.MAX_VALUE;
    int count = open < 0 ? 0 : names().map(DwarfNames::size).orElse(0);
    for (int i = 0; i < count; i++) {
      var entry = names().orElseThrow().get(i);
      if (entry.kind() != DwarfNames.Kind.STRUCT || entry.isDeclaration()) {
        continue;
      }
      try {
        var die = entry.die();
        var found = die.name().orElse("");
        if (found.startsWith(own)) {
          var whole = qualified(die, found);
          if (whole.length() < length && DwarfNames.begins(whole, wanted)) {
            best = Optional.of(die);
            length = whole.length();
          }
        }
      } catch (BadDataException e) {
        continue; // spoils this entry, which whoever names it is told
      }
    }
    return best.map(this::type);
  }

  @Override
  public Stream<CType> stream() {
    return definedTypes().map(entry -> type(entry.die()));
  }

  @Override
  public Stream<Named> typeNames() {
    return definedTypes().flatMap(entry -> named(entry).stream());
  }

  private Stream<DwarfNames.Entry> definedTypes() {
    return names().stream().flatMap(all -> all.defined(TYPES));
  }

  private Optional<Named> named(DwarfNames.Entry entry) {
    try {
      var die = entry.die();
      var own = qualified(die, die.name().orElse(""));
      if (own.isEmpty()) {
        return Optional.empty();
      }
      var kind =
          switch (entry.kind()) {
            case STRUCT -> TypeName.Kind.STRUCT;
            case UNION -> TypeName.Kind.UNION;
            case ENUM -> TypeName.Kind.ENUM;
            case BASE, TYPEDEF, ENUMERATOR, VARIABLE, FUNCTION -> TypeName.Kind.PLAIN;
          };
      var name = new TypeName(kind, own);
      return Optional.of(
          new Named(
              name,
              kind == TypeName.Kind.PLAIN || Scopes.isCxx(die.unit())
                  ? own
                  : die.tag() == Tag.CLASS_TYPE ? "class " + own : name.toString()));
    } catch (BadDataException e) {
      return Optional.empty(); // spoils this entry, which whoever names it is told
    }
  }

  /**
   * The type that an entry describes; of a function its signature.
   *
   * @throws BadDataException when the entry does not describe it properly
   */
  public CType type(Die die) {
    var ofFile = made.computeIfAbsent(die.unit().dwarf(), _ -> new HashMap<>());
    boolean inTypes = die.unit().typeSignature().isPresent() && die.unit().version() < 5;
    long key = inTypes ? ~die.offset() : die.offset();
    var known = ofFile.get(key);
    if (known == null) {
      known = make(die);
      ofFile.put(key, known);
    }
    return known;
  }

  /** The type that an entry's {@code DW_AT_type} leads to; void when there is none. */
  private CType typeOf(Die die) {
    var target = die.reference(At.TYPE);
    return target.isPresent() ? type(target.get()) : VoidType.VOID;
  }

  private CType typeOf(Optional<Die> die) {
    return die.isPresent() ? typeOf(die.get()) : VoidType.VOID;
  }

  private CType make(Die die) {
    return switch (die.tag()) {
      case Tag.BASE_TYPE -> base(die);
      case Tag.UNSPECIFIED_TYPE -> unspecified(die);
      case Tag.POINTER_TYPE -> pointer(PointerType.Kind.POINTER, die);
      case Tag.REFERENCE_TYPE -> pointer(PointerType.Kind.REFERENCE, die);
      case Tag.RVALUE_REFERENCE_TYPE -> pointer(PointerType.Kind.RVALUE_REFERENCE, die);
      case Tag.CONST_TYPE, Tag.IMMUTABLE_TYPE -> qualified(QualifiedType.Qualifier.CONST, die);
      case Tag.VOLATILE_TYPE -> qualified(QualifiedType.Qualifier.VOLATILE, die);
      case Tag.RESTRICT_TYPE -> qualified(QualifiedType.Qualifier.RESTRICT, die);
      case Tag.ATOMIC_TYPE -> qualified(QualifiedType.Qualifier.ATOMIC, die);
      case Tag.TYPEDEF, Tag.TEMPLATE_ALIAS -> typedef(die);
      case Tag.ARRAY_TYPE -> array(die);
      case Tag.STRUCTURE_TYPE -> composite(CompositeType.Kind.STRUCT, die);
      case Tag.UNION_TYPE -> composite(CompositeType.Kind.UNION, die);
      case Tag.CLASS_TYPE, Tag.INTERFACE_TYPE -> composite(CompositeType.Kind.CLASS, die);
      case Tag.ENUMERATION_TYPE -> enumeration(die);
      case Tag.SUBROUTINE_TYPE, Tag.SUBPROGRAM -> function(die);
      case Tag.PTR_TO_MEMBER_TYPE -> memberPointer(die);
      case Tag.SUBRANGE_TYPE, Tag.SHARED_TYPE, Tag.DYNAMIC_TYPE -> {
        requireEnd(die);
        yield typeOf(die);
      }
      case Tag.STRING_TYPE ->
          new ArrayType(
              () -> new IntType("character", 1, false, true), OptionalLong.of(bytes(die, 0)));
      default -> new OpaqueType("DWARF tag 0x" + Integer.toHexString(die.tag()));
    };
  }

  static long bytes(Die die, long ifAbsent) {
    var given = die.number(At.BYTE_SIZE);
    if (given.isEmpty()) {
      var bits = die.number(At.BIT_SIZE);
      return bits.isPresent() ? (bits.getAsLong() + 7) >>> 3 : ifAbsent;
    }
    long size = given.getAsLong();
    if (size < 0 || size > MAX_BYTES) {
      throw die.unit()
          .bad(die.offset(), "type has a size of 0x" + Long.toHexString(size) + " bytes");
    }
    return size;
  }

  private static CType base(Die die) {
    var name = die.name().orElse("");
    long size = bytes(die, 0);
    int encoding = (int) die.number(At.ENCODING).orElse(0);
    return switch (encoding) {
      case ATE_BOOLEAN -> new BoolType(name, size);
      case ATE_FLOAT, ATE_DECIMAL_FLOAT -> new FloatType(name, size);
      case ATE_COMPLEX_FLOAT -> {
        var part = new FloatType(name.replace("complex ", ""), size / 2);
        yield new TypedefType(name, () -> CompositeType.complex(part));
      }
      case ATE_SIGNED, ATE_SIGNED_FIXED -> new IntType(name, size, true, false);
      case ATE_SIGNED_CHAR -> new IntType(name, size, true, size == 1);
      case ATE_UNSIGNED_CHAR -> new IntType(name, size, false, size == 1);
      case ATE_UTF, ATE_UCS, ATE_ASCII -> new IntType(name, size, false, true);
      default -> new IntType(name, size, false, false);
    };
  }

  private CType pointer(PointerType.Kind kind, Die die) {
    return new PointerType(kind, bytes(die, die.unit().addressSize()), () -> typeOf(die));
  }

  private CType qualified(QualifiedType.Qualifier qualifier, Die die) {
    return new QualifiedType(qualifier, () -> typeOf(die));
  }

  private CType typedef(Die die) {
    var own = qualified(die, die.name().orElse(""));
    // Instances of a C++ alias template share name and line, and are different types.
    var canonical =
        Scopes.isCxx(die.unit())
            ? Optional.<Die>empty()
            : canonical(DwarfNames.Kind.TYPEDEF, own, die);
    return canonical.isPresent() ? type(canonical.get()) : new TypedefType(own, () -> typeOf(die));
  }

  /** Checks that arrays, qualifiers and typedefs from an entry on come to an end. */
  private static void requireEnd(Die die) {
    var at = die;
    for (int depth = 0; depth < NESTING_LIMIT; depth++) {
      switch (at.tag()) {
        case Tag.ARRAY_TYPE,
            Tag.TYPEDEF,
            Tag.TEMPLATE_ALIAS,
            Tag.CONST_TYPE,
            Tag.VOLATILE_TYPE,
            Tag.RESTRICT_TYPE,
            Tag.ATOMIC_TYPE,
            Tag.IMMUTABLE_TYPE,
            Tag.SHARED_TYPE,
            Tag.DYNAMIC_TYPE,
            Tag.SUBRANGE_TYPE -> {
          var next = at.reference(At.TYPE);
          if (next.isEmpty()) {
            return;
          }
          at = next.get();
        }
        default -> {
          return;
        }
      }
    }
    throw die.unit().bad(die.offset(), "type contains itself, or types nest too deep");
  }

  private CType array(Die die) {
    requireEnd(die);
    var dimensions = new ArrayList<OptionalLong>();
    for (var child = die.firstChild(); child.isPresent(); child = child.get().next()) {
      if (child.get().tag() == Tag.SUBRANGE_TYPE || child.get().tag() == Tag.GENERIC_SUBRANGE) {
        dimensions.add(count(child.get()));
      }
      if (dimensions.size() > NESTING_LIMIT) {
        throw die.unit().bad(die.offset(), "array has more than " + NESTING_LIMIT + " dimensions");
      }
    }
    if (dimensions.isEmpty()) {
      dimensions.add(OptionalLong.empty());
    }
    Supplier<CType> element = () -> typeOf(die);
    for (int i = dimensions.size() - 1; i > 0; i--) {
      var inner = new ArrayType(element, dimensions.get(i));
      element = () -> inner;
    }
    return die.flag(At.GNU_VECTOR)
        ? ArrayType.vector(element, dimensions.getFirst())
        : new ArrayType(element, dimensions.getFirst());
  }

  /** How many elements a dimension has; empty when that is not known before the program runs. */
  private static OptionalLong count(Die subrange) {
    var count = subrange.number(At.COUNT);
    if (count.isPresent()) {
      return count.getAsLong() < 0 ? OptionalLong.empty() : count;
    }
    var upper = subrange.attribute(At.UPPER_BOUND);
    if (upper.isEmpty() || !upper.get().isConstant()) {
      return OptionalLong.empty();
    }
    long lower = subrange.number(At.LOWER_BOUND).orElse(0);
    long last = upper.get().value();
    // gcc writes an upper bound of -1, in as many bytes as it has, for arrays without elements.
    boolean minusOne = upper.get().signed() == -1 && upper.get().form() != Form.DATA1;
    if (minusOne || last < lower) {
      return OptionalLong.of(0);
    }
    long elements = last - lower + 1;
    return elements < 0 ? OptionalLong.empty() : OptionalLong.of(elements);
  }

  private CType composite(CompositeType.Kind kind, Die die) {
    var own = qualified(die, die.name().orElse(""));
    var kindOfName =
        kind == CompositeType.Kind.UNION ? DwarfNames.Kind.UNION : DwarfNames.Kind.STRUCT;
    if (die.has(At.SIGNATURE)) {
      return type(die.reference(At.SIGNATURE).orElseThrow());
    }
    if (die.flag(At.DECLARATION)) {
      var definition = definition(kindOfName, own);
      return definition.isPresent()
          ? type(definition.get())
          : new OpaqueType(Scopes.isCxx(die.unit()) ? own : (kind.keyword() + " " + own).strip());
    }
    var canonical = canonical(kindOfName, own, die);
    if (canonical.isPresent()) {
      return type(canonical.get());
    }
    return new CompositeType(
        kind,
        own,
        bytes(die, 0),
        () -> members.members(die),
        () -> members.parts(die),
        Scopes.isCxx(die.unit()));
  }

  /** Where a type of that name is defined. */
  private Optional<Die> definition(DwarfNames.Kind kind, String own) {
    if (own.isEmpty()) {
      return Optional.empty();
    }
    return lookup()
        .ask(
            finder -> {
              var found = definition(kind, own, finder.find(own));
              return new NameLookup.Answer<>(found, found.isPresent());
            });
  }

  private Optional<Die> definition(
      DwarfNames.Kind kind, String own, List<DwarfNames.Entry> entries) {
    for (var entry : entries) {
      if (entry.kind() == kind && !entry.isDeclaration()) {
        var die = entry.die();
        if (!die.flag(At.DECLARATION) && !die.has(At.SIGNATURE) && isNamed(die, own)) {
          return Optional.of(die);
        }
      }
    }
    return Optional.empty();
  }

  /**
   * The entry that the index has for a type that many units define in the same words; empty when
   * that is the entry itself, or there is none.
   */
  private Optional<Die> canonical(DwarfNames.Kind kind, String own, Die die) {
    // As long as units are read one by one, each has its own: looking for others would read many.
    var entries =
        own.isEmpty() || lookup().isPartial()
            ? List.<DwarfNames.Entry>of()
            : names().map(all -> all.find(own)).orElse(List.of());
    for (var entry : entries) {
      if (entry.kind() != kind || entry.isDeclaration()) {
        continue;
      }
      var other = entry.die();
      if (other.equals(die)) {
        return Optional.empty();
      }
      if (other.tag() == die.tag()
          && other.number(At.BYTE_SIZE).equals(die.number(At.BYTE_SIZE))
          && other.number(At.DECL_LINE).equals(die.number(At.DECL_LINE))
          && isNamed(other, own)) {
        return Optional.of(other);
      }
    }
    return Optional.empty();
  }

  private CType enumeration(Die die) {
    var own = qualified(die, die.name().orElse(""));
    if (die.has(At.SIGNATURE)) {
      return type(die.reference(At.SIGNATURE).orElseThrow());
    }
    if (die.flag(At.DECLARATION)) {
      var definition = definition(DwarfNames.Kind.ENUM, own);
      if (definition.isPresent()) {
        return type(definition.get());
      }
    }
    var canonical = canonical(DwarfNames.Kind.ENUM, own, die);
    if (canonical.isPresent()) {
      return type(canonical.get());
    }
    var underlying = die.has(At.TYPE) ? typeOf(die).resolved() : VoidType.VOID;
    long size = bytes(die, underlying.bytes());
    boolean signed = underlying instanceof IntType i && i.signed();
    var items = new ArrayList<Die>();
    for (var child = die.firstChild(); child.isPresent(); child = child.get().next()) {
      if (child.get().tag() == Tag.ENUMERATOR) {
        items.add(child.get());
        var value = child.get().attribute(At.CONST_VALUE);
        signed |= !die.has(At.TYPE) && value.map(DwarfTypeSource::isNegative).orElse(false);
      }
    }
    if (items.isEmpty() && die.flag(At.DECLARATION)) {
      return new OpaqueType(Scopes.isCxx(die.unit()) ? own : "enum " + own);
    }
    var values = new ArrayList<EnumType.Enumerator>(items.size());
    for (var item : items) {
      long value = item.number(At.CONST_VALUE).orElse(0);
      int unused = size > 0 && size < 8 ? (int) (64 - 8 * size) : 0;
      value = signed ? value << unused >> unused : value << unused >>> unused;
      values.add(new EnumType.Enumerator(item.name().orElse(""), value));
    }
    return new EnumType(own, size, signed, values, cxx(die, own, underlying));
  }

  private Optional<EnumType.Cxx> cxx(Die die, String own, CType underlying) {
    if (!Scopes.isCxx(die.unit())) {
      return Optional.empty();
    }
    boolean isClass = die.flag(At.ENUM_CLASS);
    var scope = isClass ? own + "::" : scopes.scope(die);
    return Optional.of(
        new EnumType.Cxx(isClass, scope, underlying instanceof VoidType ? "" : underlying.text()));
  }

  /** Compilers write negative numbers, and only these, in signed forms. */
  private static boolean isNegative(FormValue value) {
    return (value.form() == Form.SDATA || value.form() == Form.IMPLICIT_CONST) && value.value() < 0;
  }

  private CType function(Die die) {
    if (Scopes.isAssembler(die.unit())) {
      return FunctionType.unknown(); // That it returns nothing and takes nothing is not meant.
    }
    boolean variadic = false;
    for (var part : signature(die)) {
      variadic |= part.tag() == Tag.UNSPECIFIED_PARAMETERS;
    }
    return new FunctionType(() -> typeOf(die.owner(At.TYPE)), () -> parameters(die), variadic);
  }

  /** What parameters there are. They come first, but for what clang has before them. */
  private static List<Die> signature(Die die) {
    var found = new ArrayList<Die>();
    for (var child = die.firstChild(); child.isPresent(); child = child.get().next()) {
      switch (child.get().tag()) {
        case Tag.FORMAL_PARAMETER, Tag.UNSPECIFIED_PARAMETERS, Tag.GNU_FORMAL_PARAMETER_PACK ->
            found.add(child.get());
        case Tag.TEMPLATE_TYPE_PARAMETER, Tag.TEMPLATE_VALUE_PARAMETER -> {}
        case Tag.LEXICAL_BLOCK, Tag.INLINED_SUBROUTINE, Tag.LABEL -> {
          return found; // a body, and there may be much of it
        }
        default -> {
          if (!found.isEmpty()) {
            return found;
          }
        }
      }
    }
    return found;
  }

  private List<FunctionType.Parameter> parameters(Die die) {
    var found = new ArrayList<FunctionType.Parameter>();
    for (var part : signature(die)) {
      if (part.tag() == Tag.FORMAL_PARAMETER) {
        found.add(parameter(part));
      } else if (part.tag() == Tag.GNU_FORMAL_PARAMETER_PACK) {
        for (var inner : part.children()) {
          found.add(parameter(inner));
        }
      }
    }
    return found;
  }

  private FunctionType.Parameter parameter(Die die) {
    var name = die.owner(At.NAME).flatMap(Die::name).orElse("");
    return new FunctionType.Parameter(name, typeOf(die.owner(At.TYPE)));
  }

  /** The type of C++'s {@code nullptr} is a pointer that leads nowhere. */
  private static CType unspecified(Die die) {
    var name = die.name().orElse("void");
    long word = die.unit().addressSize();
    return name.equals("decltype(nullptr)")
        ? new TypedefType(name, () -> new PointerType(word, () -> VoidType.VOID))
        : new OpaqueType(name);
  }

  /**
   * C++'s pointers to members are numbers, those to member functions two; no address is in them.
   */
  private CType memberPointer(Die die) {
    var owner = die.reference(At.CONTAINING_TYPE).map(this::type).orElse(VoidType.VOID);
    return TypedefType.memberPointer(owner, typeOf(die), die.unit().addressSize());
  }
}
