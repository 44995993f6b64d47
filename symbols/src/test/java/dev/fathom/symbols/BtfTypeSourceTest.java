// SPDX-License-Identifier: Apache-2.0
package dev.fathom.symbols;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fathom.base.BadDataException;
import dev.fathom.base.ByteSource;
import dev.fathom.format.btf.Btf;
import dev.fathom.model.type.ArrayType;
import dev.fathom.model.type.BoolType;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.CompositeType;
import dev.fathom.model.type.EnumType;
import dev.fathom.model.type.FunctionType;
import dev.fathom.model.type.IntType;
import dev.fathom.model.type.OpaqueType;
import dev.fathom.model.type.PointerType;
import dev.fathom.model.type.TypeName;
import dev.fathom.model.type.TypeSource;
import dev.fathom.model.type.TypeSystem;
import dev.fathom.testkit.BtfWriter;
import dev.fathom.testkit.Fuzz;
import org.junit.jupiter.api.Test;

final class BtfTypeSourceTest {
  private static BtfTypeSource source(BtfWriter w) {
    return BtfTypeSource.of(Btf.parse(ByteSource.of("btf", w.bytes())), 8);
  }

  private static CompositeType struct(BtfTypeSource source, String tag) {
    return (CompositeType) source.find(TypeName.struct(tag)).orElseThrow();
  }

  @Test
  void makesStructuresWithAnonymousAndFlexibleMembers() {
    var w = new BtfWriter();
    int u32 = w.integer("unsigned int", 4, 0);
    int character = w.integer("char", 1, 0);
    int inner = w.union("", 8, 2);
    w.member("a", u32, 0).member("b", u32, 0);
    int name = w.array(character, u32, 16);
    int flexible = w.array(u32, u32, 0);
    int self = w.nextId();
    w.struct("node", 32, 5);
    w.member("next", self + 1, 0)
        .member("", inner, 64)
        .member("comm", name, 128)
        .member("x", u32, 256);
    w.member("data", flexible, 256);
    w.pointer(self);
    var source = source(w);
    var node = struct(source, "node");
    assertThat(node.bytes()).isEqualTo(32);
    assertThat(node.members())
        .extracting(m -> m.type().declare(m.name()))
        .containsExactly(
            "struct node *next",
            "union {...}",
            "char comm[16]",
            "unsigned int x",
            "unsigned int data[]");
    assertThat(((PointerType) node.members().get(0).type()).target()).isSameAs(node);
    assertThat(((ArrayType) node.members().get(4).type()).count()).isEmpty();
    assertThat(((IntType) ((ArrayType) node.members().get(2).type()).element()).character())
        .isTrue();
    var types = new TypeSystem(8);
    types.add(source);
    assertThat(types.offset("node", "b")).isEqualTo(8);
    assertThat(types.offset("node", "comm[3]")).isEqualTo(19);
  }

  @Test
  void makesBitFieldsOfBothEncodings() {
    var w = new BtfWriter();
    int u32 = w.integer("unsigned int", 4, 0);
    int three = w.integer("unsigned int", 4, 0, 2, 3);
    w.structWithBitFields("flagged", 4, 2);
    w.bitField("on", u32, 5, 1).bitField("rest", u32, 6, 26);
    w.struct("old", 4, 2);
    w.member("three", three, 8).member("whole", u32, 32);
    var source = source(w);
    assertThat(struct(source, "flagged").members())
        .extracting(m -> m.bitOffset() + ":" + m.bitSize())
        .containsExactly("5:1", "6:26");
    assertThat(struct(source, "old").members())
        .extracting(m -> m.bitOffset() + ":" + m.bitSize())
        .containsExactly("10:3", "32:0");
  }

  @Test
  void prefersDefinitionsToDeclarations() {
    var w = new BtfWriter();
    w.forward("page", false);
    w.forward("page", true);
    w.enumeration("state", 4, false, 0);
    int u64 = w.integer("unsigned long", 8, 0);
    w.forward("only_declared", false);
    w.struct("page", 64, 0);
    w.enumeration("state", 4, false, 1);
    w.value("ON", 1);
    w.typedef("page", u64);
    var source = source(w);
    assertThat(struct(source, "page").bytes()).isEqualTo(64);
    assertThat(source.find(new TypeName(TypeName.Kind.UNION, "page")))
        .contains(new OpaqueType("union page"));
    assertThat(source.find(TypeName.struct("only_declared")))
        .contains(new OpaqueType("struct only_declared"));
    assertThat(source.find(new TypeName(TypeName.Kind.ENUM, "state")).orElseThrow())
        .isInstanceOf(EnumType.class);
    assertThat(source.find(TypeName.plain("page")).orElseThrow().resolved().text())
        .isEqualTo("unsigned long");
    assertThat(source.find(TypeName.plain("only_declared"))).isEmpty();
    assertThat(source.find(TypeName.struct("missing"))).isEmpty();
    assertThat(source.stream()).hasSize(8);
    assertThat(source.typeNames())
        .isNotEmpty()
        .containsExactlyElementsOf(
            source.stream().flatMap(t -> TypeSource.Named.of(t).stream()).toList());
  }

  @Test
  void seesThroughTagsAndTypesSymbols() {
    var w = new BtfWriter();
    int bool = w.integer("_Bool", 1, 4);
    int tag = w.typeTag("rcu", bool);
    int pointer = w.pointer(tag);
    int konst = w.constOf(pointer);
    int prototype = w.prototype(konst, 2);
    w.parameter("flag", bool).parameter("", 0);
    w.function("ask", prototype, 1);
    w.variable("answers", konst, 1);
    w.enumeration64("big", 8, false, 1);
    w.value64("TOP", -1);
    var source = source(w);
    assertThat(source.ofSymbol("ask").orElseThrow().declare("ask"))
        .isEqualTo("_Bool * const ask(_Bool flag, ...)");
    assertThat(((FunctionType) source.ofSymbol("ask").orElseThrow()).variadic()).isTrue();
    var answers = source.ofSymbol("answers").orElseThrow();
    assertThat(((PointerType) answers.resolved()).target()).isInstanceOf(BoolType.class);
    assertThat(source.ofSymbol("question")).isEmpty();
    assertThat(source.find(new TypeName(TypeName.Kind.ENUM, "big")))
        .hasValueSatisfying(
            e -> assertThat(((EnumType) e).enumerators().getFirst().value()).isEqualTo(-1));
  }

  @Test
  void aModuleRefersToTheKernelsTypes() {
    var kernel = new BtfWriter();
    int u32 = kernel.integer("unsigned int", 4, 0);
    int list = kernel.struct("list_head", 16, 0);
    var module = BtfWriter.split(kernel);
    module.struct("device", 24, 2);
    module.member("list", list, 0).member("count", u32, 128);
    var base = source(kernel);
    var split =
        BtfTypeSource.ofModule(
            "dummy", Btf.parseSplit(ByteSource.of("split", module.bytes()), base.btf()), base);
    assertThat(split.name()).isEqualTo("btf:dummy");
    var device = struct(split, "device");
    assertThat(device.members().get(0).type()).isSameAs(struct(base, "list_head"));
    assertThat(split.find(TypeName.struct("list_head")))
        .as("the base answers that itself")
        .isEmpty();
  }

  @Test
  void endsCyclesThatOnlyHostileDataHas() {
    var w = new BtfWriter();
    w.typedef("loop", 1);
    w.array(2, 2, 3);
    w.typeTag("tag", 4);
    w.typeTag("tag", 3);
    w.struct("self", 8, 1);
    w.member("self", 5, 0);
    w.array(99, 1, 1);
    var source = source(w);
    assertThat(source.type(1).resolved().bytes()).isZero();
    assertThatThrownBy(() -> source.type(2))
        .isInstanceOf(BadDataException.class)
        .hasMessageContaining("itself");
    assertThatThrownBy(() -> source.type(3)).hasMessageContaining("itself");
    assertThat(struct(source, "self").members().getFirst().type().bytes()).isEqualTo(8);
    assertThatThrownBy(() -> source.type(6)).hasMessageContaining("type id 99");
  }

  @Test
  void survivesDamage() {
    var w = new BtfWriter();
    int u32 = w.integer("unsigned int", 4, 0);
    int array = w.array(u32, u32, 4);
    int pointer = w.pointer(7);
    int konst = w.constOf(pointer);
    w.typedef("name_t", konst);
    w.typeTag("rcu", 5);
    w.struct("node", 32, 3);
    w.member("a", array, 0).member("b", 6, 128).member("c", konst, 192);
    int prototype = w.prototype(u32, 1);
    w.parameter("x", 7);
    w.function("f", prototype, 0);
    Fuzz.run(
        w.bytes(),
        3000,
        bytes -> {
          var source = BtfTypeSource.of(Btf.parse(ByteSource.of("btf", bytes)), 8);
          for (int id = 1; id < source.btf().endId(); id++) {
            use(source.type(id), 0);
          }
          source.find(TypeName.struct("node"));
          source.ofSymbol("f");
          assertThat(source.stream().limit(1000).map(CType::text)).doesNotContainNull();
        });
  }

  private static void use(CType type, int depth) {
    type.bytes();
    type.text();
    type.declare("x");
    type.resolved();
    if (depth < 5) {
      if (type instanceof CompositeType c) {
        c.members().forEach(m -> use(m.type(), depth + 1));
      } else if (type instanceof FunctionType f) {
        f.parameters().forEach(p -> use(p.type(), depth + 1));
      } else if (type instanceof PointerType p) {
        use(p.target(), depth + 1);
      }
    }
  }
}
