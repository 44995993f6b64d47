// SPDX-License-Identifier: Apache-2.0
package dev.fathom.symbols.dwarf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.fathom.base.BadDataException;
import dev.fathom.base.ByteSource;
import dev.fathom.format.dwarf.At;
import dev.fathom.format.dwarf.Dwarf;
import dev.fathom.format.dwarf.DwarfNames;
import dev.fathom.format.dwarf.DwarfSections;
import dev.fathom.format.dwarf.Form;
import dev.fathom.format.dwarf.Tag;
import dev.fathom.model.type.Access;
import dev.fathom.model.type.ArrayType;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.CompositeType;
import dev.fathom.model.type.EnumType;
import dev.fathom.model.type.FunctionType;
import dev.fathom.model.type.Member;
import dev.fathom.model.type.OpaqueType;
import dev.fathom.model.type.PointerType;
import dev.fathom.model.type.TypeName;
import dev.fathom.model.type.TypedefType;
import dev.fathom.symbols.index.IndexFolder;
import dev.fathom.symbols.index.TableIndex;
import dev.fathom.testkit.DwarfWriter;
import dev.fathom.testkit.DwarfWriter.Entry;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class DwarfTypeSourceTest {
  private static final int C11 = 0x1d;
  private static final int CPP14 = 0x21;

  private record Sections(ByteOrder order, Map<String, byte[]> bytes) implements DwarfSections {
    @Override
    public String name() {
      return "a.out";
    }

    @Override
    public Optional<ByteSource> find(String section) {
      return Optional.ofNullable(bytes.get(section))
          .map(content -> ByteSource.of("a.out(" + section + ")", content));
    }
  }

  private static Entry unit(DwarfWriter w, int version, int language) {
    return w.unit(version, Tag.COMPILE_UNIT).root().with(At.LANGUAGE, Form.DATA1, language);
  }

  private static Entry base(Entry in, String name, int bytes, int encoding) {
    return in.child(Tag.BASE_TYPE)
        .with(At.NAME, Form.STRP, name)
        .with(At.BYTE_SIZE, Form.DATA1, bytes)
        .with(At.ENCODING, Form.DATA1, encoding);
  }

  private static Entry integer(Entry in) {
    return base(in, "int", 4, 5);
  }

  private static Entry struct(Entry in, int tag, String name, int bytes) {
    return in.child(tag).with(At.NAME, Form.STRP, name).with(At.BYTE_SIZE, Form.DATA2, bytes);
  }

  private static Entry member(Entry in, String name, Entry type, int at) {
    return in.child(Tag.MEMBER)
        .with(At.NAME, Form.STRP, name)
        .with(At.TYPE, Form.REF4, type)
        .with(At.DATA_MEMBER_LOCATION, Form.DATA1, at);
  }

  private static DwarfTypeSource source(ByteOrder order, DwarfWriter w) {
    var sections = new Sections(order, w.sections());
    return new DwarfTypeSource("dwarf", () -> DwarfNames.build(Dwarf.open(sections), 1));
  }

  private static DwarfTypeSource source(DwarfWriter w) {
    return source(ByteOrder.LITTLE_ENDIAN, w);
  }

  private static CompositeType struct(DwarfTypeSource source, String name) {
    return (CompositeType) source.find(TypeName.struct(name)).orElseThrow();
  }

  private static List<String> declarations(CompositeType type) {
    return type.members().stream()
        .map(m -> m.bitOffset() + ":" + m.bitSize() + " " + m.type().declare(m.name()))
        .toList();
  }

  @Test
  void makesTheTypesOfC() {
    var w = new DwarfWriter();
    var root = unit(w, 5, C11);
    var number = integer(root);
    var character = base(root, "char", 1, 6);
    var constant = root.child(Tag.CONST_TYPE).with(At.TYPE, Form.REF4, character);
    var text = root.child(Tag.POINTER_TYPE).with(At.TYPE, Form.REF4, constant);
    var nothing = root.child(Tag.POINTER_TYPE);
    var matrix = root.child(Tag.ARRAY_TYPE).with(At.TYPE, Form.REF4, number);
    matrix.child(Tag.SUBRANGE_TYPE).with(At.UPPER_BOUND, Form.DATA1, 1);
    matrix.child(Tag.SUBRANGE_TYPE).with(At.COUNT, Form.DATA1, 3);
    var flexible = root.child(Tag.ARRAY_TYPE).with(At.TYPE, Form.REF4, character);
    flexible.child(Tag.SUBRANGE_TYPE);
    var empty = root.child(Tag.ARRAY_TYPE).with(At.TYPE, Form.REF4, character);
    empty.child(Tag.SUBRANGE_TYPE).with(At.UPPER_BOUND, Form.SDATA, -1);
    var variable = root.child(Tag.ARRAY_TYPE).with(At.TYPE, Form.REF4, character);
    variable.child(Tag.SUBRANGE_TYPE).with(At.UPPER_BOUND, Form.EXPRLOC, new byte[] {0x30});
    var handler = root.child(Tag.SUBROUTINE_TYPE).with(At.TYPE, Form.REF4, number);
    handler.child(Tag.FORMAL_PARAMETER).with(At.TYPE, Form.REF4, text);
    handler.child(Tag.UNSPECIFIED_PARAMETERS);
    var callback = root.child(Tag.POINTER_TYPE).with(At.TYPE, Form.REF4, handler);
    var inner = root.child(Tag.UNION_TYPE).with(At.BYTE_SIZE, Form.DATA1, 4);
    inner.child(Tag.MEMBER).with(At.NAME, Form.STRP, "u").with(At.TYPE, Form.REF4, number);
    var all = struct(root, Tag.STRUCTURE_TYPE, "all", 100);
    var self = root.child(Tag.POINTER_TYPE).with(At.TYPE, Form.REF4, all);
    member(all, "text", text, 0);
    member(all, "any", nothing, 8);
    member(all, "matrix", matrix, 16);
    member(all, "call", callback, 40);
    all.child(Tag.MEMBER)
        .with(At.TYPE, Form.REF4, inner)
        .with(At.DATA_MEMBER_LOCATION, Form.DATA1, 48);
    member(all, "next", self, 56);
    member(all, "none", empty, 64);
    member(all, "variable", variable, 64);
    member(all, "rest", flexible, 64);

    var source = source(w);
    var type = struct(source, "all");

    assertThat(type.bytes()).isEqualTo(100);
    assertThat(declarations(type))
        .containsExactly(
            "0:0 const char *text",
            "64:0 void *any",
            "128:0 int matrix[2][3]",
            "320:0 int (*call)(const char *, ...)",
            "384:0 union {...}",
            "448:0 struct all *next",
            "512:0 char none[0]",
            "512:0 char variable[]",
            "512:0 char rest[]");
    assertThat(((PointerType) type.members().get(5).type()).target()).isSameAs(type);
    assertThat(type.members().get(2).type().bytes()).isEqualTo(24);
    assertThat(((ArrayType) type.members().get(6).type()).count()).hasValue(0);
    assertThat(source.find(TypeName.plain("int")).orElseThrow().bytes()).isEqualTo(4);
    assertThat(source.find(TypeName.struct("nothing"))).isEmpty();
  }

  @Test
  void readsBitFieldsOfAllVersions() {
    for (var order : List.of(ByteOrder.LITTLE_ENDIAN, ByteOrder.BIG_ENDIAN)) {
      var w = new DwarfWriter(order, 4, 8);
      var root = unit(w, 5, C11);
      var number = integer(root);
      var bits = struct(root, Tag.STRUCTURE_TYPE, "new", 8);
      bits.child(Tag.MEMBER)
          .with(At.NAME, Form.STRP, "a")
          .with(At.TYPE, Form.REF4, number)
          .with(At.BIT_SIZE, Form.DATA1, 3)
          .with(At.DATA_BIT_OFFSET, Form.DATA1, 37);
      var old = unit(w, 2, 0x0c);
      var oldNumber = integer(old);
      var oldBits = struct(old, Tag.STRUCTURE_TYPE, "old", 8);
      oldBits
          .child(Tag.MEMBER)
          .with(At.NAME, Form.STRP, "a")
          .with(At.TYPE, Form.REF4, oldNumber)
          .with(At.BYTE_SIZE, Form.DATA1, 4)
          .with(At.BIT_SIZE, Form.DATA1, 3)
          .with(At.BIT_OFFSET, Form.DATA1, 24)
          .with(At.DATA_MEMBER_LOCATION, Form.BLOCK1, new byte[] {0x23, 4});

      var source = source(order, w);

      assertThat(declarations(struct(source, "new"))).containsExactly("37:3 int a");
      // 4 bytes at offset 4, 24 bits from the most significant one
      var expected = order == ByteOrder.LITTLE_ENDIAN ? 32 + 32 - 24 - 3 : 32 + 24;
      assertThat(declarations(struct(source, "old"))).containsExactly(expected + ":3 int a");
    }
  }

  @Test
  void theSameTypeOfManyUnitsIsOneAndDeclarationsAreTheDefinition() {
    var w = new DwarfWriter();
    for (int i = 0; i < 3; i++) {
      var root = unit(w, 5, C11);
      var number = integer(root);
      var declared = root.child(Tag.STRUCTURE_TYPE).with(At.NAME, Form.STRP, "defined");
      declared.with(At.DECLARATION, Form.FLAG_PRESENT, 1);
      var unknown = root.child(Tag.STRUCTURE_TYPE).with(At.NAME, Form.STRP, "unknown");
      unknown.with(At.DECLARATION, Form.FLAG_PRESENT, 1);
      var shared = struct(root, Tag.STRUCTURE_TYPE, "shared", 16);
      shared.with(At.DECL_LINE, Form.DATA1, 7);
      var to = root.child(Tag.POINTER_TYPE).with(At.TYPE, Form.REF4, declared);
      var nowhere = root.child(Tag.POINTER_TYPE).with(At.TYPE, Form.REF4, unknown);
      member(shared, "to", to, 0);
      member(shared, "nowhere", nowhere, 8);
      var user = struct(root, Tag.STRUCTURE_TYPE, "user" + i, 16);
      member(user, "part", shared, 0);
      if (i == 2) {
        member(struct(root, Tag.STRUCTURE_TYPE, "defined", 4), "x", number, 0);
      }
    }
    var source = source(w);
    var shared = struct(source, "shared");

    for (int i = 0; i < 3; i++) {
      assertThat(struct(source, "user" + i).members().getFirst().type()).isSameAs(shared);
    }
    assertThat(((PointerType) shared.members().get(0).type()).target())
        .isSameAs(struct(source, "defined"));
    assertThat(((PointerType) shared.members().get(1).type()).target())
        .isEqualTo(new OpaqueType("struct unknown"));
    assertThat(source.find(TypeName.struct("unknown"))).contains(new OpaqueType("struct unknown"));
    assertThat(source.stream().map(CType::text))
        .containsExactlyInAnyOrder(
            "int",
            "struct shared",
            "struct user0",
            "struct user1",
            "struct user2",
            "struct defined");
  }

  @Test
  void findsVariablesAndFunctions() {
    var w = new DwarfWriter();
    var root = unit(w, 5, C11);
    var number = integer(root);
    var wide = base(root, "long", 8, 5);
    byte[] at = {0x03, 0x40, 0, 0, (byte) 0x82, -1, -1, -1, -1};
    byte[] elsewhere = {0x03, 0x48, 0, 0, (byte) 0x82, -1, -1, -1, -1};
    root.child(Tag.VARIABLE)
        .with(At.NAME, Form.STRP, "twice")
        .with(At.TYPE, Form.REF4, number)
        .with(At.LOCATION, Form.EXPRLOC, at);
    root.child(Tag.VARIABLE)
        .with(At.NAME, Form.STRP, "twice")
        .with(At.TYPE, Form.REF4, wide)
        .with(At.EXTERNAL, Form.FLAG_PRESENT, 1)
        .with(At.LOCATION, Form.EXPRLOC, elsewhere);
    root.child(Tag.VARIABLE)
        .with(At.NAME, Form.STRP, "elsewhere")
        .with(At.TYPE, Form.REF4, wide)
        .with(At.DECLARATION, Form.FLAG_PRESENT, 1);
    var read = root.child(Tag.SUBPROGRAM).with(At.NAME, Form.STRP, "vfs_read");
    read.with(At.TYPE, Form.REF4, wide).with(At.LOW_PC, Form.ADDR, 0x1000);
    var origin = root.child(Tag.SUBPROGRAM).with(At.NAME, Form.STRP, "split");
    origin.with(At.TYPE, Form.REF4, number).with(At.INLINE, Form.DATA1, 1);
    var parameter = origin.child(Tag.FORMAL_PARAMETER).with(At.NAME, Form.STRP, "count");
    parameter.with(At.TYPE, Form.REF4, wide);
    read.child(Tag.FORMAL_PARAMETER).with(At.NAME, Form.STRP, "pos").with(At.TYPE, Form.REF4, wide);
    read.child(Tag.LEXICAL_BLOCK).child(Tag.VARIABLE);
    var concrete = root.child(Tag.SUBPROGRAM).with(At.ABSTRACT_ORIGIN, Form.REF4, origin);
    concrete.with(At.LOW_PC, Form.ADDR, 0x2000);
    concrete.child(Tag.FORMAL_PARAMETER).with(At.ABSTRACT_ORIGIN, Form.REF4, parameter);

    var source = source(w);

    assertThat(source.ofSymbol("twice").orElseThrow().text()).isEqualTo("long");
    assertThat(source.described("twice"))
        .extracting(d -> d.address().getAsLong())
        .containsExactly(0xffffffff82000048L, 0xffffffff82000040L);
    assertThat(source.ofSymbol("elsewhere").orElseThrow().text()).isEqualTo("long");
    assertThat(source.described("elsewhere").getFirst().address()).isEmpty();
    assertThat(source.ofSymbol("vfs_read").orElseThrow().declare("vfs_read"))
        .isEqualTo("long vfs_read(long pos)");
    for (var described : source.described("split")) {
      assertThat(described.type().declare("split")).isEqualTo("int split(long count)");
    }
    assertThat(source.described("vfs_read").getFirst().address()).hasValue(0x1000);
    assertThat(source.ofSymbol("nothing")).isEmpty();
  }

  @Test
  void signsOfEnumerators() {
    var w = new DwarfWriter();
    var root = unit(w, 5, C11);
    var signed = root.child(Tag.ENUMERATION_TYPE).with(At.NAME, Form.STRP, "s");
    signed.with(At.BYTE_SIZE, Form.DATA1, 4);
    signed.child(Tag.ENUMERATOR).with(At.NAME, Form.STRP, "M").with(At.CONST_VALUE, Form.SDATA, -2);
    var unsigned = root.child(Tag.ENUMERATION_TYPE).with(At.BYTE_SIZE, Form.DATA1, 4);
    unsigned
        .child(Tag.ENUMERATOR)
        .with(At.NAME, Form.STRP, "TOP")
        .with(At.CONST_VALUE, Form.DATA4, 0xffffffffL);

    var source = source(w);
    var s = (EnumType) source.find(new TypeName(TypeName.Kind.ENUM, "s")).orElseThrow();

    assertThat(s.signed()).isTrue();
    assertThat(s.enumerators()).containsExactly(new EnumType.Enumerator("M", -2));
    var top = source.enumeration("TOP").orElseThrow();
    assertThat(top.signed()).isFalse();
    assertThat(top.enumerators()).containsExactly(new EnumType.Enumerator("TOP", 0xffffffffL));
    assertThat(source.enumeration("BOTTOM")).isEmpty();
    assertThat(source.enumerators()).containsOnlyKeys("M", "TOP").containsEntry("TOP", top);
  }

  /** clang has what a function keeps between its calls before its parameters. */
  @Test
  void parametersMayComeBehindStaticVariables() {
    var w = new DwarfWriter();
    var root = unit(w, 5, C11);
    var number = integer(root);
    var work = root.child(Tag.SUBPROGRAM).with(At.NAME, Form.STRP, "work");
    work.with(At.LOW_PC, Form.ADDR, 0x1000).with(At.TYPE, Form.REF4, number);
    work.child(Tag.VARIABLE).with(At.NAME, Form.STRP, "calls").with(At.TYPE, Form.REF4, number);
    work.child(Tag.FORMAL_PARAMETER).with(At.NAME, Form.STRP, "n").with(At.TYPE, Form.REF4, number);
    work.child(Tag.VARIABLE).with(At.NAME, Form.STRP, "local").with(At.TYPE, Form.REF4, number);
    var none = root.child(Tag.SUBPROGRAM).with(At.NAME, Form.STRP, "none");
    none.with(At.LOW_PC, Form.ADDR, 0x2000).child(Tag.LEXICAL_BLOCK);
    none.child(Tag.FORMAL_PARAMETER).with(At.NAME, Form.STRP, "x").with(At.TYPE, Form.REF4, number);

    var source = source(w);

    assertThat(source.ofSymbol("work").orElseThrow().text()).isEqualTo("int (int n)");
    assertThat(source.ofSymbol("none").orElseThrow().text()).isEqualTo("void (void)");
  }

  @Test
  void makesTheTypesOfCpp() {
    var w = new DwarfWriter();
    var root = unit(w, 5, CPP14);
    var number = integer(root);
    var space = root.child(Tag.NAMESPACE).with(At.NAME, Form.STRP, "sched");
    var parent = struct(space, Tag.CLASS_TYPE, "timer_base", 8);
    member(parent, "armed", number, 4);
    var thread = struct(space, Tag.CLASS_TYPE, "thread<int>", 32);
    thread
        .child(Tag.INHERITANCE)
        .with(At.TYPE, Form.REF4, parent)
        .with(At.DATA_MEMBER_LOCATION, Form.DATA1, 16);
    var reference = root.child(Tag.REFERENCE_TYPE).with(At.TYPE, Form.REF4, parent);
    var moved = root.child(Tag.RVALUE_REFERENCE_TYPE).with(At.TYPE, Form.REF4, parent);
    var toMember = root.child(Tag.PTR_TO_MEMBER_TYPE).with(At.TYPE, Form.REF4, number);
    toMember.with(At.CONTAINING_TYPE, Form.REF4, parent);
    member(thread, "r", reference, 0);
    member(thread, "m", moved, 8);
    member(thread, "p", toMember, 24);
    thread
        .child(Tag.VARIABLE)
        .with(At.NAME, Form.STRP, "count")
        .with(At.TYPE, Form.REF4, number)
        .with(At.LINKAGE_NAME, Form.STRP, "_ZN5sched6threadIiE5countE")
        .with(At.DECLARATION, Form.FLAG_PRESENT, 1)
        .with(At.CONST_VALUE, Form.DATA1, 9);
    thread
        .child(Tag.TEMPLATE_TYPE_PARAMETER)
        .with(At.NAME, Form.STRP, "T")
        .with(At.TYPE, Form.REF4, number);
    thread.child(Tag.TYPEDEF).with(At.NAME, Form.STRP, "id_t").with(At.TYPE, Form.REF4, number);

    var source = source(w);
    var type = struct(source, "sched::thread<int>");

    assertThat(type.kind()).isEqualTo(CompositeType.Kind.CLASS);
    assertThat(type.members().getFirst().kind()).isEqualTo(Member.Kind.BASE);
    assertThat(type.members().getFirst().byteOffset()).isEqualTo(16);
    assertThat(declarations(type))
        .containsExactly(
            "128:0 sched::timer_base",
            "0:0 sched::timer_base &r",
            "64:0 sched::timer_base &&m",
            "192:0 int sched::timer_base::* p");
    assertThat(type.statics())
        .singleElement()
        .satisfies(
            s -> {
              assertThat(s.type().declare(s.name())).isEqualTo("int count");
              assertThat(s.linkageName()).contains("_ZN5sched6threadIiE5countE");
              assertThat(s.constant()).hasValue(9);
            });
    assertThat(type.templateArguments())
        .singleElement()
        .satisfies(a -> assertThat(a.type().declare(a.name())).isEqualTo("int T"));
    var nested = source.find(TypeName.plain("sched::thread<int>::id_t")).orElseThrow();
    assertThat(((TypedefType) nested).target().text()).isEqualTo("int");
  }

  /** What the calling convention asks of a type. */
  @Test
  void tellsHowObjectsArePassed() {
    var w = new DwarfWriter();
    var root = unit(w, 5, CPP14);
    var number = integer(root);
    var type = struct(root, Tag.CLASS_TYPE, "Plain", 4);
    type.with(At.CALLING_CONVENTION, Form.DATA1, 5);
    var end = type.child(Tag.SUBPROGRAM).with(At.NAME, Form.STRP, "~Plain");
    end.with(At.DEFAULTED, Form.DATA1, 1).with(At.LINKAGE_NAME, Form.STRP, "_ZN5PlainD4Ev");
    var later = type.child(Tag.SUBPROGRAM).with(At.NAME, Form.STRP, "Plain");
    later.with(At.DEFAULTED, Form.DATA1, 2); // outside of the class
    var none = type.child(Tag.SUBPROGRAM).with(At.NAME, Form.STRP, "none");
    none.with(At.DELETED, Form.FLAG_PRESENT, 1);
    // clang has the template's arguments before the object.
    var made = type.child(Tag.SUBPROGRAM).with(At.NAME, Form.STRP, "made<int>");
    made.child(Tag.TEMPLATE_TYPE_PARAMETER).with(At.TYPE, Form.REF4, number);
    var self = root.child(Tag.POINTER_TYPE).with(At.TYPE, Form.REF4, type);
    var hidden = made.child(Tag.FORMAL_PARAMETER).with(At.TYPE, Form.REF4, self);
    hidden.with(At.ARTIFICIAL, Form.FLAG_PRESENT, 1);
    var copied = struct(root, Tag.CLASS_TYPE, "Copied", 32);
    copied.with(At.CALLING_CONVENTION, Form.DATA1, 4).with(At.ALIGNMENT, Form.DATA1, 16);
    var asked = root.child(Tag.TYPEDEF).with(At.NAME, Form.STRP, "asked");
    asked.with(At.TYPE, Form.REF4, number).with(At.ALIGNMENT, Form.DATA1, 32);
    var holder = struct(root, Tag.STRUCTURE_TYPE, "Holder", 32);
    member(holder, "a", asked, 0);
    var lanes = root.child(Tag.ARRAY_TYPE).with(At.TYPE, Form.REF4, number);
    lanes.with(At.GNU_VECTOR, Form.FLAG_PRESENT, 1);
    lanes.child(Tag.SUBRANGE_TYPE).with(At.UPPER_BOUND, Form.DATA1, 3);
    member(holder, "lanes", lanes, 16);

    var source = source(w);
    var plain = struct(source, "Plain");

    assertThat(plain.passing().byValue()).contains(true);
    assertThat(plain.passing().alignment()).isEmpty();
    assertThat(plain.methods())
        .extracting(CompositeType.Method::body)
        .containsExactly(
            CompositeType.Body.DEFAULTED,
            CompositeType.Body.OWN,
            CompositeType.Body.DELETED,
            CompositeType.Body.OWN);
    assertThat(plain.methods().getFirst().linkageName()).contains("_ZN5PlainD4Ev");
    assertThat(plain.methods().getLast().isStatic()).isFalse();
    assertThat(struct(source, "Copied").passing().byValue()).contains(false);
    assertThat(struct(source, "Copied").passing().alignment()).hasValue(16);
    var told = struct(source, "Holder");
    assertThat(told.passing().byValue()).isEmpty();
    assertThat(told.passing().alignment()).hasValue(32);
    assertThat(told.members().getLast().type())
        .isInstanceOfSatisfying(ArrayType.class, a -> assertThat(a.isVector()).isTrue());
  }

  @Test
  void tellsWhatOnlyCppHas() {
    var w = new DwarfWriter();
    var root = unit(w, 5, CPP14);
    var number = integer(root);
    var space = root.child(Tag.NAMESPACE).with(At.NAME, Form.STRP, "app");
    var base = struct(space, Tag.STRUCTURE_TYPE, "Base", 4);
    member(base, "b", number, 0);
    var type = struct(space, Tag.CLASS_TYPE, "Door", 24);
    type.child(Tag.INHERITANCE)
        .with(At.TYPE, Form.REF4, base)
        .with(At.VIRTUALITY, Form.DATA1, 1)
        .with(At.ACCESSIBILITY, Form.DATA1, 1)
        // DW_OP_dup, deref, lit24, minus, deref, plus
        .with(
            At.DATA_MEMBER_LOCATION, Form.EXPRLOC, new byte[] {0x12, 0x06, 0x48, 0x1c, 0x06, 0x22});
    member(type, "open", number, 8);
    type.child(Tag.VARIABLE).with(At.NAME, Form.STRP, "all").with(At.TYPE, Form.REF4, number);
    var shut = struct(space, Tag.CLASS_TYPE, "Shut", 8);
    shut.child(Tag.INHERITANCE)
        .with(At.TYPE, Form.REF4, base)
        .with(At.VIRTUALITY, Form.DATA1, 1)
        // Computed in a way that is not the compilers'.
        .with(
            At.DATA_MEMBER_LOCATION, Form.EXPRLOC, new byte[] {0x12, 0x06, 0x48, 0x22, 0x06, 0x22});
    var self = root.child(Tag.POINTER_TYPE).with(At.TYPE, Form.REF4, type);
    var method = type.child(Tag.SUBPROGRAM).with(At.NAME, Form.STRP, "knock");
    method.with(At.ACCESSIBILITY, Form.DATA1, 2).with(At.VIRTUALITY, Form.DATA1, 1);
    var parameter = method.child(Tag.FORMAL_PARAMETER).with(At.TYPE, Form.REF4, self);
    method.with(At.OBJECT_POINTER, Form.REF4, parameter);
    // clang tells the object only by the parameter that nobody wrote.
    var close = shut.child(Tag.SUBPROGRAM).with(At.NAME, Form.STRP, "close");
    var hidden = close.child(Tag.FORMAL_PARAMETER).with(At.TYPE, Form.REF4, self);
    hidden.with(At.ARTIFICIAL, Form.FLAG_PRESENT, 1);
    shut.child(Tag.SUBPROGRAM)
        .with(At.NAME, Form.STRP, "count")
        .child(Tag.FORMAL_PARAMETER)
        .with(At.TYPE, Form.REF4, self);
    var colour = space.child(Tag.ENUMERATION_TYPE).with(At.NAME, Form.STRP, "Colour");
    colour.with(At.BYTE_SIZE, Form.DATA1, 4).with(At.ENUM_CLASS, Form.FLAG_PRESENT, 1);
    colour.with(At.TYPE, Form.REF4, number);
    colour
        .child(Tag.ENUMERATOR)
        .with(At.NAME, Form.STRP, "red")
        .with(At.CONST_VALUE, Form.DATA1, 3);

    var source = source(w);
    var door = struct(source, "app::Door");

    assertThat(door.isCxx()).isTrue();
    assertThat(door.text()).isEqualTo("app::Door");
    assertThat(door.virtualBases())
        .singleElement()
        .satisfies(
            b -> {
              assertThat(b.slot()).isEqualTo(-24);
              assertThat(b.access()).isEqualTo(Access.PUBLIC);
              assertThat(b.type().text()).isEqualTo("app::Base");
            });
    assertThat(struct(source, "app::Shut").virtualBases()).isEmpty();
    assertThat(struct(source, "app::Shut").methods())
        .extracting(CompositeType.Method::isStatic)
        .containsExactly(false, true);
    assertThat(door.members())
        .singleElement()
        .satisfies(m -> assertThat(m.access()).isEqualTo(Access.PRIVATE));
    assertThat(door.statics()).singleElement().satisfies(s -> assertThat(s.before()).isEqualTo(1));
    assertThat(door.methods())
        .singleElement()
        .satisfies(
            m -> {
              assertThat(m.access()).isEqualTo(Access.PROTECTED);
              assertThat(m.isVirtual()).isTrue();
              assertThat(m.isStatic()).isFalse();
            });
    var found =
        (EnumType) source.find(new TypeName(TypeName.Kind.ENUM, "app::Colour")).orElseThrow();
    assertThat(found.text(found.enumerators().getFirst())).isEqualTo("app::Colour::red");
    assertThat(source.enumerators()).containsOnlyKeys("app::Colour::red");
    assertThat(source.findTemplate("app::Door<int>")).isEmpty();
  }

  @Test
  void staticVariablesOfFunctionsAreFound() {
    var w = new DwarfWriter();
    var root = unit(w, 5, CPP14);
    var number = integer(root);
    var space = root.child(Tag.NAMESPACE).with(At.NAME, Form.STRP, "app");
    var function = space.child(Tag.SUBPROGRAM).with(At.NAME, Form.STRP, "work");
    function.with(At.LOW_PC, Form.ADDR, 0x1000).with(At.HIGH_PC, Form.DATA4, 0x10);
    var block = function.child(Tag.LEXICAL_BLOCK);
    block
        .child(Tag.VARIABLE)
        .with(At.NAME, Form.STRP, "calls")
        .with(At.TYPE, Form.REF4, number)
        .with(At.LOCATION, Form.EXPRLOC, new byte[] {0x03, 0x40, 0x20, 0, 0, 0, 0, 0, 0});
    block
        .child(Tag.VARIABLE)
        .with(At.NAME, Form.STRP, "local")
        .with(At.TYPE, Form.REF4, number)
        .with(At.LOCATION, Form.EXPRLOC, new byte[] {(byte) 0x91, 0x70});

    var source = source(w);

    for (var name : List.of("app::work::calls", "app::work(int) const::calls")) {
      assertThat(source.fixed(name))
          .as(name)
          .singleElement()
          .satisfies(
              d -> {
                assertThat(d.address()).hasValue(0x2040);
                assertThat(d.type().text()).isEqualTo("int");
              });
    }
    assertThat(source.fixed("app::work::local")).isEmpty();
    assertThat(source.fixed("app::other::calls")).isEmpty();
    assertThat(source.fixed("calls")).isEmpty();
  }

  @Test
  void circlesAndAbsurditiesCostOnlyWhatTheyDescribe() {
    var w = new DwarfWriter();
    var root = unit(w, 5, C11);
    var array = root.child(Tag.ARRAY_TYPE);
    array.with(At.TYPE, Form.REF4, array);
    var alias = root.child(Tag.TYPEDEF).with(At.NAME, Form.STRP, "loop_t");
    alias.with(At.TYPE, Form.REF4, alias);
    root.child(Tag.STRUCTURE_TYPE)
        .with(At.NAME, Form.STRP, "huge")
        .with(At.BYTE_SIZE, Form.DATA8, -1L);
    var loop = struct(root, Tag.STRUCTURE_TYPE, "loop", 4);
    member(loop, "a", array, 0);
    var wrong = struct(root, Tag.STRUCTURE_TYPE, "wrong", 4);
    wrong.child(Tag.MEMBER).with(At.TYPE, Form.REF4, 0x7ffffff);
    var fine = struct(root, Tag.STRUCTURE_TYPE, "fine", 4);
    member(fine, "x", integer(root), 0);
    var function = root.child(Tag.SUBROUTINE_TYPE);
    function.with(At.TYPE, Form.REF4, function);
    root.child(Tag.TYPEDEF)
        .with(At.NAME, Form.STRP, "function_t")
        .with(At.TYPE, Form.REF4, function);

    var source = source(w);

    assertThatExceptionOfType(BadDataException.class)
        .isThrownBy(() -> source.find(TypeName.struct("huge")))
        .withMessageContaining("a.out(.debug_info): at offset 0x")
        .withMessageContaining("0xffffffffffffffff bytes");
    assertThatExceptionOfType(BadDataException.class)
        .isThrownBy(() -> struct(source, "loop").members())
        .withMessageContaining("type contains itself");
    assertThatExceptionOfType(BadDataException.class)
        .isThrownBy(() -> struct(source, "wrong").members())
        .withMessageContaining("0x7ffffff leads outside of its unit");
    assertThat(source.find(TypeName.plain("loop_t")).orElseThrow().bytes()).isZero();
    var returnsItself = source.find(TypeName.plain("function_t")).orElseThrow().resolved();
    assertThat(returnsItself).isInstanceOf(FunctionType.class);
    assertThat(returnsItself.text()).isNotEmpty();
    assertThat(declarations(struct(source, "fine"))).containsExactly("0:0 int x");
  }

  @Test
  void withoutAFileThereAreNoTypes() {
    var source = DwarfTypeSource.whereFound("dwarf", () -> NameLookup.of(Optional::empty));

    assertThat(source.find(TypeName.plain("int"))).isEmpty();
    assertThat(source.ofSymbol("jiffies")).isEmpty();
    assertThat(source.stream()).isEmpty();
  }

  @Test
  void namesAreKeptOnDisk(@TempDir Path folder) {
    var w = new DwarfWriter();
    var root = unit(w, 5, C11);
    member(struct(root, Tag.STRUCTURE_TYPE, "a", 4), "x", integer(root), 0);
    var bytes = w.sections();
    var index = TableIndex.of(new IndexFolder(folder, 1 << 20), "0123abcd");
    var dwarf = Dwarf.open(new Sections(ByteOrder.LITTLE_ENDIAN, bytes));

    var first = index.dwarfNames(dwarf, 1);
    var again = index.dwarfNames(Dwarf.open(new Sections(ByteOrder.LITTLE_ENDIAN, bytes)), 1);

    assertThat(folder.resolve("0123abcd-dwarf.index")).exists();
    assertThat(again.size()).isEqualTo(first.size()).isPositive();
    assertThat(again.find("a").getFirst().die().name()).contains("a");
    var other = new DwarfWriter();
    unit(other, 5, C11);
    var changed = Dwarf.open(new Sections(ByteOrder.LITTLE_ENDIAN, other.sections()));
    assertThat(index.dwarfNames(changed, 1).size()).isZero();
  }
}
