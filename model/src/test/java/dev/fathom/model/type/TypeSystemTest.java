// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model.type;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fathom.base.LookupException;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class TypeSystemTest {
  private final IntType intType = new IntType("int", 4, true, false);
  private final CompositeType inner =
      new CompositeType(
          CompositeType.Kind.UNION,
          "",
          8,
          () -> List.of(new Member("a", intType, 0, 0), new Member("b", intType, 32, 0)));
  private final CompositeType outer =
      new CompositeType(
          CompositeType.Kind.STRUCT,
          "outer",
          64,
          () ->
              List.of(
                  new Member("first", intType, 0, 0),
                  new Member("", inner, 64, 0),
                  new Member("list", new ArrayType(() -> inner, OptionalLong.of(3)), 128, 0)));

  private record One(String name, TypeName typeName, CType type) implements TypeSource {
    @Override
    public Optional<CType> find(TypeName wanted) {
      return wanted.equals(typeName) ? Optional.of(type) : Optional.empty();
    }

    @Override
    public Optional<CType> ofSymbol(String symbol) {
      return Optional.empty();
    }

    @Override
    public Stream<CType> stream() {
      return Stream.of(type);
    }
  }

  private TypeSystem types() {
    var types = new TypeSystem(8);
    types.add(new One("declared", TypeName.struct("outer"), new OpaqueType("struct outer")));
    types.add(new One("defined", TypeName.struct("outer"), outer));
    types.add(new One("int", TypeName.plain("int"), intType));
    return types;
  }

  @Test
  void aDefinitionIsBetterThanADeclaration() {
    assertThat(types().find(TypeName.struct("outer"))).containsSame(outer);
    assertThat(types().find(TypeName.plain("outer"))).containsSame(outer);
    assertThat(types().find(new TypeName(TypeName.Kind.UNION, "outer"))).isEmpty();
  }

  /** A source that knows a variable, or one that nobody may ask. */
  private record Knowing(Optional<String> variable) implements TypeSource {
    @Override
    public String name() {
      return "knowing";
    }

    @Override
    public Optional<CType> find(TypeName wanted) {
      assertThat(variable).isPresent();
      return Optional.empty();
    }

    @Override
    public boolean isValue(String value) {
      return value.equals(variable.orElseThrow());
    }

    @Override
    public Optional<CType> ofSymbol(String symbol) {
      return Optional.empty();
    }

    @Override
    public Stream<CType> stream() {
      return Stream.empty();
    }
  }

  @Test
  void behindTheSourceThatKnowsAVariableNoneIsAskedForATypeOfItsName() {
    var types = new TypeSystem(8);
    types.add(new One("int", TypeName.plain("int"), intType));
    types.add(new Knowing(Optional.of("counter")));
    types.add(new Knowing(Optional.empty()));
    assertThat(types.findAlone("int")).containsSame(intType);
    assertThat(types.findAlone("counter")).isEmpty();
    assertThatThrownBy(() -> types.findAlone("other")).isInstanceOf(AssertionError.class);
  }

  @Test
  void membersThroughAnonymousOnesAndArrays() {
    var types = types();
    assertThat(types.offset("outer", "b")).isEqualTo(12);
    assertThat(types.offset("outer", "list[2].b")).isEqualTo(16 + 16 + 4);
    assertThat(types.findOffset("outer", "nosuch")).isEmpty();
    assertThat(types.findOffset("outer", "list[x]")).isEmpty();
    assertThat(types.findOffset("outer", "first.b")).isEmpty();
    assertThatThrownBy(() -> types.offset("outer", "nosuch"))
        .isInstanceOf(LookupException.class)
        .hasMessage("unknown member of struct outer 'nosuch'");
  }

  /** Each has two members without a name of the next: 2^60 ways lead to the last. */
  @Test
  @Timeout(60)
  void aTypeThatIsInManyOthersIsLookedAtOnce() {
    var inner = new CompositeType(CompositeType.Kind.STRUCT, "last", 4, List::of);
    for (int i = 0; i < 60; i++) {
      var next = inner;
      inner =
          new CompositeType(
              CompositeType.Kind.UNION,
              "u" + i,
              4,
              () -> List.of(new Member("", next, 0, 0), new Member("", next, 0, 0)));
    }
    assertThat(types().member(inner, "nowhere")).isEmpty();
  }

  @Test
  void typesAsTyped() {
    assertThat(types().parse("struct  outer **").text()).isEqualTo("struct outer **");
    assertThat(types().parse("void *").text()).isEqualTo("void *");
    assertThat(types().parse("int").bytes()).isEqualTo(4);
    assertThatThrownBy(() -> types().parse("struct nosuch *")).isInstanceOf(LookupException.class);
  }

  @Test
  void integerTypesHaveManyNames() {
    var gcc = new TypeSystem(8);
    var gccLong = new IntType("long unsigned int", 8, false, false);
    gcc.add(new One("gcc", TypeName.plain("long unsigned int"), gccLong));
    var clang = new TypeSystem(8);
    var clangLong = new IntType("unsigned long", 8, false, false);
    clang.add(new One("clang", TypeName.plain("unsigned long"), clangLong));
    for (var name :
        new String[] {
          "unsigned long", "long unsigned int", "unsigned long int", "int long unsigned"
        }) {
      assertThat(gcc.find(TypeName.plain(name))).as(name).contains(gccLong);
      assertThat(clang.find(TypeName.plain(name))).as(name).contains(clangLong);
    }
    for (var name :
        new String[] {"long", "unsigned long long", "unsigned", "long short", "unsigned page"}) {
      assertThat(gcc.find(TypeName.plain(name))).as(name).isEmpty();
    }
    assertThat(IntegerNames.spellings("unsigned")).containsExactly("unsigned int");
    assertThat(IntegerNames.spellings("signed")).containsExactly("int");
    assertThat(IntegerNames.spellings("short")).containsExactly("short int", "short");
    assertThat(IntegerNames.spellings("long long")).containsExactly("long long int", "long long");
    assertThat(IntegerNames.spellings("unsigned signed int")).isEmpty();
    assertThat(IntegerNames.spellings("page")).isEmpty();
  }

  @Test
  void sourcesAreAskedInTheOrderThatTheUserGives() {
    var types = new TypeSystem(8);
    var first = new One("first", TypeName.plain("t"), intType);
    var second = new One("second", TypeName.plain("t"), inner);
    types.add(first);
    types.add(second);
    assertThat(types.find(TypeName.plain("t"))).containsSame(intType);

    types.use(List.of(second, first));
    assertThat(types.find(TypeName.plain("t"))).containsSame(inner);
    types.use(List.of());
    assertThat(types.find(TypeName.plain("t"))).isEmpty();

    assertThat(types.sources()).isEmpty();
    assertThat(types.known()).containsExactly(first, second);
  }

  @Test
  void sourcesThatKnowSymbolsAreAskedAboutThemFirst() {
    var types = new TypeSystem(8);
    types.add(new Symbols("rough", false, new OpaqueType("rough")));
    types.add(new Symbols("exact", true, intType));

    assertThat(types.ofSymbol("jiffies")).containsSame(intType);
    types.use(types.known().subList(0, 1));
    assertThat(types.ofSymbol("jiffies")).contains(new OpaqueType("rough"));
  }

  private record Symbols(String name, boolean knowsSymbols, CType type) implements TypeSource {
    @Override
    public Optional<CType> find(TypeName wanted) {
      return Optional.empty();
    }

    @Override
    public Optional<CType> ofSymbol(String symbol) {
      return Optional.of(type);
    }

    @Override
    public Stream<CType> stream() {
      return Stream.empty();
    }
  }

  @Test
  void aPointerToAMemberIsFoundBehindItsNames() {
    var pointer = TypedefType.memberPointer(new OpaqueType("P"), intType, 8);
    var constant = new QualifiedType(QualifiedType.Qualifier.CONST, () -> pointer);
    var named = new TypedefType("place", () -> constant);
    assertThat(TypedefType.memberPointerOf(named)).contains(pointer);
    assertThat(TypedefType.memberPointerOf(intType)).isEmpty();
    var loop = new AtomicReference<CType>();
    loop.set(new TypedefType("loop", loop::get));
    assertThat(TypedefType.memberPointerOf(loop.get())).isEmpty();
  }

  @Test
  void anArrayWithoutABoundFillsWhatItsSymbolHas() {
    var types = new TypeSystem(8);
    var open = new ArrayType(() -> intType, OptionalLong.empty());
    assertThat(types.bounded(open, 15)).hasToString("int [3]");
    assertThat(types.bounded(open, 3)).isSameAs(open);
    assertThat(types.bounded(types.arrayOf(intType, 2), 16)).hasToString("int [2]");
    assertThat(types.bounded(intType, 16)).isSameAs(intType);
  }
}
