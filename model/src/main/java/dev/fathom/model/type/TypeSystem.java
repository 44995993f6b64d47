// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model.type;

import dev.fathom.base.LookupException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Function;

/** The types of a program: a chain of sources, asked in order, and types derived from theirs. */
public final class TypeSystem {
  /** A member with its offset from the start of the outermost structure, in bits. */
  public record Found(Member member, long bitOffset) {
    public long byteOffset() {
      return bitOffset / 8;
    }
  }

  private static final int NESTING_LIMIT = 64;
  private final long wordBytes;
  private final List<TypeSource> known = new ArrayList<>();
  private List<TypeSource> sources = List.of();
  private final Map<TypeName, Optional<CType>> cache = new HashMap<>();
  private final Map<String, Optional<CType>> templates = new HashMap<>();

  /** The enumerators of each source that was asked for one. */
  private final Map<TypeSource, Map<String, EnumType>> enumerators = new IdentityHashMap<>();

  public TypeSystem(long wordBytes) {
    this.wordBytes = wordBytes;
  }

  /** The size of a pointer, in bytes. */
  public long wordBytes() {
    return wordBytes;
  }

  /** Adds a source behind those that are there, and uses it. */
  public void add(TypeSource source) {
    known.add(source);
    var more = new ArrayList<>(sources);
    more.add(source);
    use(more);
  }

  /** All sources there are, used or not, in the order in which they were added. */
  public List<TypeSource> known() {
    return List.copyOf(known);
  }

  /** Asks these sources from now on, in this order, and no others. */
  public void use(List<TypeSource> ordered) {
    sources = List.copyOf(ordered);
    forget();
  }

  /** Asks the sources again: they may know other types now. Types given out stay usable. */
  public void forget() {
    cache.clear();
    templates.clear();
    enumerators.clear();
  }

  /** The sources that are asked, in order. */
  public List<TypeSource> sources() {
    return sources;
  }

  /**
   * The type of that name. A {@code PLAIN} name that no typedef or base type answers to finds the
   * structure, union or enum of that name; the words of an integer type may be in any order. A
   * definition in a later source is better than a declaration in an earlier one.
   */
  public Optional<CType> find(TypeName name) {
    var known = cache.get(name);
    if (known == null) {
      known = search(name);
      cache.put(name, known);
    }
    return known;
  }

  /**
   * As {@link #find} of a {@code PLAIN} name that stands alone in an expression: where a source
   * knows it to be a variable's and no typedef, neither sources behind it nor structures of that
   * name are asked.
   */
  public Optional<CType> findAlone(String name) {
    var plain = TypeName.plain(name);
    var known = cache.get(plain);
    if (known != null) {
      return known;
    }
    for (var source : sources) {
      var found = source.find(plain);
      if (found.isPresent() && !(found.get() instanceof OpaqueType)) {
        return found;
      }
      if (source.isValue(name)) {
        return Optional.empty();
      }
    }
    return find(plain);
  }

  private Optional<CType> search(TypeName name) {
    Optional<CType> declared = Optional.empty();
    var kinds =
        name.kind() == TypeName.Kind.PLAIN
            ? TypeName.Kind.values()
            : new TypeName.Kind[] {name.kind()};
    for (var kind : kinds) {
      for (var source : sources) {
        var found = source.find(new TypeName(kind, name.name()));
        if (found.isPresent()) {
          if (!(found.get() instanceof OpaqueType)) {
            return found;
          }
          declared = declared.isEmpty() ? found : declared;
        }
      }
    }
    return declared.isEmpty() && name.kind() == TypeName.Kind.PLAIN ? integer(name) : declared;
  }

  /** An integer type under the name that its source has for it. */
  private Optional<CType> integer(TypeName name) {
    for (var spelling : IntegerNames.spellings(name.name())) {
      for (var source : sources) {
        var found = source.find(TypeName.plain(spelling));
        if (found.isPresent()) {
          return found;
        }
      }
    }
    return Optional.empty();
  }

  /** The type written as {@code text}, with any number of {@code *} behind it. */
  public CType parse(String text) {
    var base = text.strip();
    int stars = 0;
    while (base.endsWith("*")) {
      base = base.substring(0, base.length() - 1).strip();
      stars++;
    }
    var name = base;
    var type =
        name.equals("void")
            ? VoidType.VOID
            : TypeName.parse(name)
                .flatMap(this::find)
                .orElseThrow(() -> new LookupException("type", name));
    for (; stars > 0; stars--) {
      type = pointerTo(type);
    }
    return type;
  }

  /** The definition of {@code struct tag}. */
  public CompositeType struct(String tag) {
    return findStruct(tag).orElseThrow(() -> new LookupException("type", "struct " + tag));
  }

  public Optional<CompositeType> findStruct(String tag) {
    return find(TypeName.struct(tag))
        .filter(CompositeType.class::isInstance)
        .map(CompositeType.class::cast);
  }

  /** The enumerator called {@code name} in {@code enum tag}. */
  public OptionalLong enumerator(String tag, String name) {
    if (find(new TypeName(TypeName.Kind.ENUM, tag)).orElse(null) instanceof EnumType e) {
      for (var item : e.enumerators()) {
        if (item.name().equals(name)) {
          return OptionalLong.of(item.value());
        }
      }
    }
    return OptionalLong.empty();
  }

  /** The first enumeration that has an enumerator of that name. */
  public Optional<EnumType> enumerationOf(String enumerator) {
    for (var source : sources) {
      var type = enumeratorsOf(source).get(enumerator);
      if (type != null) {
        return Optional.of(type);
      }
    }
    return Optional.empty();
  }

  /** The names of all enumerators of {@code source}, with their enumerations. */
  public Map<String, EnumType> enumeratorsOf(TypeSource source) {
    return enumerators.computeIfAbsent(source, TypeSource::enumerators);
  }

  /**
   * The type of a variable or function, where a source knows it; those that know all of them are
   * asked first.
   */
  public Optional<CType> ofSymbol(String symbol) {
    return ofSymbol(source -> source.ofSymbol(symbol));
  }

  /** As {@link #ofSymbol(String)}, of several of that name the one at an address. */
  public Optional<CType> ofSymbol(String symbol, long address) {
    return ofSymbol(source -> source.ofSymbol(symbol, address));
  }

  private Optional<CType> ofSymbol(Function<TypeSource, Optional<CType>> question) {
    for (boolean exact : new boolean[] {true, false}) {
      for (var source : sources) {
        var type =
            source.knowsSymbols() == exact ? question.apply(source) : Optional.<CType>empty();
        if (type.isPresent()) {
          return type;
        }
      }
    }
    return Optional.empty();
  }

  /** The class that a name means which leaves out the template's last arguments. */
  public Optional<CType> findTemplate(String name) {
    var known = templates.get(name);
    if (known == null) {
      known = Optional.empty();
      for (var source : sources) {
        known = known.isEmpty() ? source.findTemplate(name) : known;
      }
      templates.put(name, known);
    }
    return known;
  }

  /** The first variable of that name whose place a source knows; as {@link TypeSource#placed}. */
  public Optional<TypeSource.Placed> placed(String variable) {
    for (var source : sources) {
      var found = source.placed(variable);
      if (!found.isEmpty()) {
        return Optional.of(found.getFirst());
      }
    }
    return Optional.empty();
  }

  /** The first variable of that name of which each thread has its own. */
  public Optional<TypeSource.InThread> inThread(String variable) {
    return sources.stream().flatMap(source -> source.inThread(variable).stream()).findFirst();
  }

  public PointerType pointerTo(CType type) {
    return new PointerType(wordBytes, () -> type);
  }

  public ArrayType arrayOf(CType type, long count) {
    return new ArrayType(() -> type, OptionalLong.of(count));
  }

  /**
   * Of an array whose declaration leaves its bound open, the one that fills so many bytes; any
   * other type as it is.
   */
  public CType bounded(CType type, long bytes) {
    if (!(type.resolved() instanceof ArrayType array)
        || array.count().orElse(0) != 0
        || array.element().bytes() <= 0
        || bytes < array.element().bytes()) {
      return type;
    }
    return arrayOf(array.element(), bytes / array.element().bytes());
  }

  /**
   * The member reached by {@code path}: names joined by dots, array elements as {@code [3]};
   * members of anonymous structures and unions count as their parent's.
   */
  public Optional<Found> member(CType type, String path) {
    CType at = type.resolved();
    long bits = 0;
    Member last = null;
    for (var step : path.replace("[", ".[").split("\\.")) {
      if (step.isEmpty()) {
        continue;
      }
      if (at instanceof ArrayType array) {
        var index = elementIndex(step);
        if (index.isEmpty()) {
          return Optional.empty();
        }
        bits += index.getAsLong() * array.element().bytes() * 8;
        last = new Member(step, array.element(), bits, 0);
      } else if (at instanceof CompositeType composite) {
        var found = direct(composite, step, 0, Collections.newSetFromMap(new IdentityHashMap<>()));
        if (found.isEmpty()) {
          return Optional.empty();
        }
        bits += found.get().bitOffset();
        last = found.get().member();
      } else {
        return Optional.empty();
      }
      at = last.type().resolved();
    }
    return last == null ? Optional.empty() : Optional.of(new Found(last, bits));
  }

  /** The number in {@code [3]}. */
  private static OptionalLong elementIndex(String step) {
    if (!step.matches("\\[[0-9]{1,9}]")) {
      return OptionalLong.empty();
    }
    return OptionalLong.of(Long.parseLong(step, 1, step.length() - 1, 10));
  }

  /**
   * A member, also of members without a name.
   *
   * @param seen types that do not have it: one that is in many of them is looked at once
   */
  private static Optional<Found> direct(
      CompositeType type, String name, int depth, Set<CompositeType> seen) {
    if (depth > NESTING_LIMIT || !seen.add(type)) {
      return Optional.empty();
    }
    for (var m : type.members()) {
      if (m.name().equals(name)) {
        return Optional.of(new Found(m, m.bitOffset()));
      }
    }
    for (var m : type.members()) {
      if (m.name().isEmpty() && m.type().resolved() instanceof CompositeType inner) {
        var found = direct(inner, name, depth + 1, seen);
        if (found.isPresent()) {
          return Optional.of(
              new Found(found.get().member(), found.get().bitOffset() + m.bitOffset()));
        }
      }
    }
    return Optional.empty();
  }

  /** The byte offset of a member of {@code struct tag}, when this kernel has it. */
  public OptionalLong findOffset(String tag, String path) {
    var found = findStruct(tag).flatMap(s -> member(s, path));
    return found.isPresent() ? OptionalLong.of(found.get().byteOffset()) : OptionalLong.empty();
  }

  /**
   * The byte offset of a member of {@code struct tag}.
   *
   * @throws LookupException when the structure or the member is unknown
   */
  public long offset(String tag, String path) {
    return member(struct(tag), path)
        .orElseThrow(() -> new LookupException("member of struct " + tag, path))
        .byteOffset();
  }
}
