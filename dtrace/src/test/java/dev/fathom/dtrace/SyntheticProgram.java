// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace;

import dev.fathom.base.LookupException;
import dev.fathom.model.AddressSpace;
import dev.fathom.model.Located;
import dev.fathom.model.Memory;
import dev.fathom.model.Program;
import dev.fathom.model.Symbol;
import dev.fathom.model.SymbolTable;
import dev.fathom.model.Value;
import dev.fathom.model.arch.Architecture;
import dev.fathom.model.arch.x86_64.X86_64;
import dev.fathom.model.type.ArrayType;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.CompositeType;
import dev.fathom.model.type.EnumType;
import dev.fathom.model.type.IntType;
import dev.fathom.model.type.Member;
import dev.fathom.model.type.PointerType;
import dev.fathom.model.type.TypeName;
import dev.fathom.model.type.TypeSource;
import dev.fathom.model.type.TypeSystem;
import dev.fathom.model.type.TypedefType;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Stream;

/**
 * A kernel's types and symbols, as far as tests name them. Its memory is {@link
 * SyntheticContext}'s.
 */
final class SyntheticProgram implements Program {
  private static final CType INT = new IntType("int", 4, true, false);
  private static final CType UINT = new IntType("unsigned int", 4, false, false);
  private static final CType LONG = new IntType("long", 8, true, false);
  private static final CType CHAR = new IntType("char", 1, true, true);

  private final TypeSystem types = new TypeSystem(8);

  private final Architecture architecture;

  SyntheticProgram() {
    this(X86_64.INSTANCE);
  }

  SyntheticProgram(Architecture architecture) {
    this.architecture = architecture;
    types.add(new Source());
  }

  private static final class Source implements TypeSource {
    private final Map<TypeName, CType> all = new LinkedHashMap<>();

    Source() {
      all.put(
          TypeName.struct("task_struct"),
          struct(
              "task_struct",
              56,
              new Member("pid", INT, 0, 0),
              new Member("tgid", INT, 32, 0),
              new Member("flags", UINT, 64, 3),
              new Member("nice", INT, 67, 5),
              new Member("comm", array(CHAR, 16), 128, 0),
              new Member("parent", pointer(TypeName.struct("task_struct")), 256, 0),
              new Member("state", LONG, 320, 0),
              new Member("exit_state", INT, 384, 0)));
      all.put(
          TypeName.struct("mutex"),
          struct(
              "mutex",
              8,
              new Member("owner", struct("", 8, new Member("counter", LONG, 0, 0)), 0, 0)));
      all.put(
          new TypeName(TypeName.Kind.ENUM, "colour"),
          new EnumType(
              "colour",
              4,
              false,
              List.of(new EnumType.Enumerator("RED", 1), new EnumType.Enumerator("BLUE", 7))));
      all.put(TypeName.plain("dev_t"), new TypedefType("dev_t", () -> UINT));
    }

    private static CompositeType struct(String tag, long bytes, Member... members) {
      return new CompositeType(CompositeType.Kind.STRUCT, tag, bytes, () -> List.of(members));
    }

    private static CType array(CType element, long count) {
      return new ArrayType(() -> element, OptionalLong.of(count));
    }

    private CType pointer(TypeName name) {
      return new PointerType(8, () -> all.get(name));
    }

    @Override
    public String name() {
      return "synthetic";
    }

    @Override
    public Optional<CType> find(TypeName name) {
      return Optional.ofNullable(all.get(name));
    }

    @Override
    public Optional<CType> ofSymbol(String symbol) {
      return Optional.empty();
    }

    @Override
    public Stream<CType> stream() {
      return all.values().stream();
    }
  }

  private static final class Symbols implements SymbolTable {
    private static final List<Symbol> ALL =
        List.of(
            new Symbol("init_task", SyntheticContext.KERNEL, 40, Symbol.Kind.DATA, 'D', ""),
            new Symbol("vfs_read", 0xffff_ffff_8100_0000L, 64, Symbol.Kind.TEXT, 'T', ""),
            new Symbol("untyped", SyntheticContext.KERNEL + 8, 8, Symbol.Kind.DATA, 'D', ""));

    @Override
    public Optional<Located> at(long address) {
      return Optional.empty();
    }

    @Override
    public List<Symbol> named(String name) {
      var bare = name.startsWith("vmlinux`") ? name.substring(8) : name;
      return ALL.stream().filter(s -> s.name().equals(bare)).toList();
    }

    @Override
    public Stream<Symbol> stream() {
      return ALL.stream();
    }

    @Override
    public List<String> completions(String prefix, int limit) {
      return ALL.stream().map(Symbol::name).filter(n -> n.startsWith(prefix)).toList();
    }
  }

  @Override
  public Architecture architecture() {
    return architecture;
  }

  @Override
  public AddressSpace memory() {
    return SyntheticContext.first().kernel();
  }

  @Override
  public Memory physical() {
    return memory();
  }

  @Override
  public SymbolTable symbols() {
    return new Symbols();
  }

  @Override
  public TypeSystem types() {
    return types;
  }

  @Override
  public Value global(String name) {
    if (name.endsWith("init_task")) {
      return new Value.Ref(this, types.struct("task_struct"), SyntheticContext.KERNEL);
    }
    throw new LookupException("type of", name);
  }

  @Override
  public long epoch() {
    return 0;
  }
}
