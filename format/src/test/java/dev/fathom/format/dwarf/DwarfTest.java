// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.dwarf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.fathom.base.BadDataException;
import dev.fathom.testkit.DwarfWriter;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

final class DwarfTest {
  static Stream<Arguments> encodings() {
    return Stream.of(2, 3, 4, 5)
        .flatMap(
            version ->
                Stream.of(4, 8)
                    .flatMap(
                        offsetSize ->
                            Stream.of(ByteOrder.LITTLE_ENDIAN, ByteOrder.BIG_ENDIAN)
                                .map(order -> Arguments.of(version, offsetSize, order))));
  }

  private static Dwarf open(ByteOrder order, DwarfWriter w) {
    return Dwarf.open(new TestSections("a.out", order, w.sections()));
  }

  private static Dwarf open(DwarfWriter w) {
    return open(ByteOrder.LITTLE_ENDIAN, w);
  }

  @ParameterizedTest
  @MethodSource("encodings")
  void readsEntriesOfAllVersionsSizesAndOrders(int version, int offsetSize, ByteOrder order) {
    var w = new DwarfWriter(order, offsetSize, 8);
    var root = w.unit(version, Tag.COMPILE_UNIT).root();
    root.with(At.NAME, Form.STRP, "a.c").with(At.LOW_PC, Form.ADDR, 0xffffffff81000000L);
    var type = DwarfWriter.entry(Tag.BASE_TYPE);
    root.child(Tag.VARIABLE)
        .with(At.NAME, Form.STRING, "jiffies")
        .with(At.TYPE, Form.REF4, type)
        .with(At.EXTERNAL, Form.FLAG, 1);
    root.add(type).with(At.NAME, Form.STRING, "long").with(At.BYTE_SIZE, Form.DATA1, 8);
    w.unit(version, Tag.COMPILE_UNIT).root().with(At.NAME, Form.STRING, "b.c");

    var dwarf = open(order, w);

    assertThat(dwarf.problems()).isEmpty();
    assertThat(dwarf.units()).extracting(u -> u.name().orElseThrow()).containsExactly("a.c", "b.c");
    var unit = dwarf.units().getFirst();
    assertThat(unit.encoding()).isEqualTo(new Encoding(order, version, offsetSize, 8));
    assertThat(unit.baseAddress()).hasValue(0xffffffff81000000L);
    var variable = unit.root().firstChild().orElseThrow();
    assertThat(variable.tag()).isEqualTo(Tag.VARIABLE);
    assertThat(variable.flag(At.EXTERNAL)).isTrue();
    assertThat(variable.flag(At.DECLARATION)).isFalse();
    var of = variable.reference(At.TYPE).orElseThrow();
    assertThat(of.name()).contains("long");
    assertThat(of.number(At.BYTE_SIZE)).hasValue(8);
    assertThat(variable.next()).contains(of);
    assertThat(of.next()).isEmpty();
    assertThat(dwarf.die(of.offset())).isEqualTo(of);
  }

  @Test
  void readsEveryForm() {
    var w = new DwarfWriter();
    var unit = w.unit(5, Tag.COMPILE_UNIT);
    var root = unit.root();
    root.with(At.STR_OFFSETS_BASE, Form.SEC_OFFSET, 8).with(At.ADDR_BASE, Form.SEC_OFFSET, 8);
    var target = DwarfWriter.entry(Tag.BASE_TYPE);
    byte[] block = {1, 2, 3};
    var die = root.child(Tag.VARIABLE);
    die.with(1, Form.ADDR, -1L)
        .with(2, Form.BLOCK1, block)
        .with(3, Form.BLOCK2, block)
        .with(4, Form.BLOCK4, block)
        .with(5, Form.BLOCK, block)
        .with(6, Form.EXPRLOC, block)
        .with(7, Form.DATA1, 0xff)
        .with(8, Form.DATA2, 0xffff)
        .with(9, Form.DATA4, 0xffffffffL)
        .with(10, Form.DATA8, -1L)
        .with(11, Form.DATA16, new byte[16])
        .with(12, Form.SDATA, -5)
        .with(13, Form.UDATA, -5L)
        .with(14, Form.IMPLICIT_CONST, -7)
        .with(15, Form.FLAG, 1)
        .with(16, Form.FLAG_PRESENT, 1)
        .with(17, Form.STRING, "in place")
        .with(18, Form.STRP, "in .debug_str")
        .with(19, Form.LINE_STRP, "in .debug_line_str")
        .with(20, Form.STRX, "x")
        .with(21, Form.STRX1, "x1")
        .with(22, Form.STRX2, "x2")
        .with(23, Form.STRX3, "x3")
        .with(24, Form.STRX4, "x4")
        .with(25, Form.GNU_STR_INDEX, "gnu")
        .with(26, Form.ADDRX, w.address(0x1000))
        .with(27, Form.ADDRX1, w.address(0x1001))
        .with(28, Form.ADDRX2, w.address(0x1002))
        .with(29, Form.ADDRX3, w.address(0x1003))
        .with(30, Form.ADDRX4, w.address(0x1004))
        .with(31, Form.GNU_ADDR_INDEX, w.address(0x1005))
        .with(32, Form.REF1, target)
        .with(33, Form.REF2, target)
        .with(34, Form.REF4, target)
        .with(35, Form.REF8, target)
        .with(36, Form.REF_UDATA, target)
        .with(37, Form.REF_ADDR, target)
        .with(38, Form.REF_SIG8, 0x1234)
        .with(39, Form.SEC_OFFSET, 0x77)
        .with(40, Form.LOCLISTX, 3)
        .with(41, Form.RNGLISTX, 300)
        .with(42, Form.INDIRECT, new Object[] {Form.UDATA, 42});
    root.add(target).with(At.NAME, Form.STRING, "target");
    var signed = DwarfWriter.entry(Tag.STRUCTURE_TYPE).with(At.NAME, Form.STRING, "signed");
    w.typeUnit(5, 0x1234, signed).root().add(signed);

    var dwarf = open(w);
    var u = dwarf.units().getFirst();
    var read = u.root().firstChild().orElseThrow();

    assertThat(read.address(1)).hasValue(-1);
    for (int name = 2; name <= 6; name++) {
      assertThat(read.block(name).orElseThrow().bytes(0, 3)).containsExactly(1, 2, 3);
      assertThat(read.number(name)).isEmpty();
    }
    assertThat(read.number(7)).hasValue(0xff);
    assertThat(read.attribute(7).orElseThrow().signed()).isEqualTo(-1);
    assertThat(read.number(8)).hasValue(0xffff);
    assertThat(read.number(9)).hasValue(0xffffffffL);
    assertThat(read.number(10)).hasValue(-1);
    assertThat(read.block(11).orElseThrow().size()).isEqualTo(16);
    assertThat(read.number(12)).hasValue(-5);
    assertThat(read.number(13)).hasValue(-5);
    assertThat(read.number(14)).hasValue(-7);
    assertThat(read.flag(15)).isTrue();
    assertThat(read.flag(16)).isTrue();
    assertThat(Stream.of(17, 18, 19, 20, 21, 22, 23, 24).map(n -> read.string(n).orElseThrow()))
        .containsExactly(
            "in place", "in .debug_str", "in .debug_line_str", "x", "x1", "x2", "x3", "x4");
    assertThat(read.string(25)).contains("gnu");
    for (int i = 0; i < 6; i++) {
      assertThat(read.address(26 + i)).hasValue(0x1000 + i);
    }
    for (int name = 32; name <= 37; name++) {
      assertThat(read.reference(name).orElseThrow().name()).contains("target");
    }
    assertThat(read.reference(38).orElseThrow().name()).contains("signed");
    assertThat(read.attribute(39).orElseThrow().value()).isEqualTo(0x77);
    assertThat(read.attribute(40).orElseThrow().value()).isEqualTo(3);
    assertThat(read.attribute(41).orElseThrow().value()).isEqualTo(300);
    assertThat(read.number(42)).hasValue(42);
    assertThat(read.next().orElseThrow().name()).contains("target");
  }

  @Test
  void skipsChildrenWithAndWithoutSiblingAttributes() {
    var w = new DwarfWriter();
    var root = w.unit(4, Tag.COMPILE_UNIT).root();
    var first = root.child(Tag.STRUCTURE_TYPE).with(At.NAME, Form.STRING, "plain");
    first.child(Tag.STRUCTURE_TYPE).with(At.NAME, Form.STRING, "inner").child(Tag.MEMBER);
    first.child(Tag.MEMBER).with(At.NAME, Form.BLOCK1, new byte[] {0, 0, 0});
    var last = DwarfWriter.entry(Tag.BASE_TYPE).with(At.NAME, Form.STRING, "last");
    var second = root.child(Tag.STRUCTURE_TYPE).with(At.SIBLING, Form.REF4, last);
    second.child(Tag.MEMBER);
    root.add(last);

    var children = open(w).units().getFirst().root().children();

    assertThat(children).extracting(Die::tag).containsExactly(0x13, 0x13, 0x24);
    assertThat(children.get(2).name()).contains("last");
    assertThat(children.getFirst().children()).hasSize(2);
  }

  @Test
  void findsTypeUnitsOfVersion4() {
    var w = new DwarfWriter();
    var type = DwarfWriter.entry(Tag.STRUCTURE_TYPE).with(At.NAME, Form.STRING, "list_head");
    w.typeUnit(4, 0x1122334455667788L, type).root().add(type);
    var root = w.unit(4, Tag.COMPILE_UNIT).root();
    root.child(Tag.TYPEDEF).with(At.TYPE, Form.REF_SIG8, 0x1122334455667788L);
    root.child(Tag.TYPEDEF).with(At.TYPE, Form.REF_SIG8, 0x99);

    var dwarf = open(w);
    var typedefs = dwarf.units().getFirst().root().children();

    assertThat(dwarf.units()).hasSize(2);
    assertThat(typedefs.get(0).reference(At.TYPE).orElseThrow().name()).contains("list_head");
    assertThatExceptionOfType(BadDataException.class)
        .isThrownBy(() -> typedefs.get(1).reference(At.TYPE))
        .withMessageContaining(".debug_info")
        .withMessageContaining("no type unit has the signature 0x99");
  }

  @Test
  void readsFromTheSupplementaryFile() {
    var other = new DwarfWriter();
    var base = other.unit(4, Tag.PARTIAL_UNIT).root().child(Tag.BASE_TYPE);
    base.with(At.NAME, Form.STRP, "int");
    long text = other.string("shared");
    var sup = other.sections();
    var w = new DwarfWriter();
    w.unit(4, Tag.COMPILE_UNIT)
        .root()
        .with(At.NAME, Form.GNU_STRP_ALT, text)
        .with(At.TYPE, Form.GNU_REF_ALT, base.offset())
        .with(At.IMPORT, Form.REF_SUP4, base.offset())
        .with(At.PRODUCER, Form.STRP_SUP, text);
    var order = ByteOrder.LITTLE_ENDIAN;
    var file = new TestSections("a", order, w.sections());

    var root =
        Dwarf.open(file.withSupplementary(new TestSections("b", order, sup)))
            .units()
            .getFirst()
            .root();

    assertThat(root.name()).contains("shared");
    assertThat(root.string(At.PRODUCER)).contains("shared");
    assertThat(root.reference(At.TYPE).orElseThrow().name()).contains("int");
    assertThat(root.reference(At.IMPORT).orElseThrow().name()).contains("int");
    var alone = Dwarf.open(new TestSections("a", order, w.sections())).units().getFirst().root();
    assertThatExceptionOfType(BadDataException.class)
        .isThrownBy(alone::name)
        .withMessageContaining("supplementary file, which is not there");
  }

  @Test
  void leadsFromSkeletonsToSplitUnits() {
    for (int version : List.of(4, 5)) {
      var main = new DwarfWriter();
      var skeleton = main.unit(version, 4, version == 5 ? Tag.SKELETON_UNIT : Tag.COMPILE_UNIT);
      skeleton.withId(0xabcd).root().with(At.LOW_PC, Form.ADDR, 0x4000);
      boolean five = version == 5;
      skeleton.root().with(five ? At.DWO_NAME : At.GNU_DWO_NAME, Form.STRING, "a.dwo");
      skeleton.root().with(five ? At.ADDR_BASE : At.GNU_ADDR_BASE, Form.SEC_OFFSET, 8);
      if (!five) {
        skeleton.root().with(At.GNU_DWO_ID, Form.DATA8, 0xabcd);
      }
      var index = main.address(0x4010);
      var dwo = new DwarfWriter();
      var split = dwo.unit(version, 5, Tag.COMPILE_UNIT).withId(0xabcd).root();
      if (!five) {
        split.with(At.GNU_DWO_ID, Form.DATA8, 0xabcd);
      }
      split.with(At.NAME, Form.STRX1, "a.c").with(At.ENTRY_PC, Form.ADDRX1, index);
      var dwoSections = dwo.sections();
      if (!five) { // before version 5 the table has no header
        var offsets = dwoSections.get(".debug_str_offsets");
        dwoSections.put(".debug_str_offsets", Arrays.copyOfRange(offsets, 8, offsets.length));
      }
      var order = ByteOrder.LITTLE_ENDIAN;
      var file = new TestSections("a.dwo", order, dwoSections, ".dwo");

      var dwarf =
          Dwarf.open(new TestSections("a.out", order, main.sections()).withSplit("a.dwo", file));
      var unit = dwarf.units().getFirst().split().orElseThrow();

      assertThat(unit.name()).contains("a.c");
      assertThat(unit.baseAddress()).hasValue(0x4000);
      assertThat(unit.root().address(At.ENTRY_PC)).hasValue(0x4010);
      assertThat(unit.skeleton()).contains(dwarf.units().getFirst());
      var none = Dwarf.open(new TestSections("a.out", order, main.sections()));
      assertThat(none.units().getFirst().split()).isEmpty();
    }
  }

  @Test
  void refusesSplitUnitsOfAnotherBuild() {
    var main = new DwarfWriter();
    main.unit(5, 4, Tag.SKELETON_UNIT)
        .withId(0xabcd)
        .root()
        .with(At.DWO_NAME, Form.STRING, "a.dwo");
    var dwo = new DwarfWriter();
    dwo.unit(5, 5, Tag.COMPILE_UNIT).withId(0xbad);
    var order = ByteOrder.LITTLE_ENDIAN;
    var dwarf =
        Dwarf.open(
            new TestSections("a.out", order, main.sections())
                .withSplit("a.dwo", new TestSections("a.dwo", order, dwo.sections(), ".dwo")));

    assertThatExceptionOfType(BadDataException.class)
        .isThrownBy(() -> dwarf.units().getFirst().split())
        .withMessageContaining("a.dwo")
        .withMessageContaining("no unit has the id 0xabcd");
  }

  @Test
  void aDamagedUnitCostsOnlyItself() {
    var w = new DwarfWriter();
    w.unit(4, Tag.COMPILE_UNIT).root().with(At.NAME, Form.STRING, "a.c");
    w.unit(9, Tag.COMPILE_UNIT).root().with(At.NAME, Form.STRING, "b.c");
    w.unit(4, Tag.COMPILE_UNIT).root().with(At.NAME, Form.STRING, "c.c");

    var dwarf = open(w);

    assertThat(dwarf.units()).extracting(u -> u.name().orElseThrow()).containsExactly("a.c", "c.c");
    assertThat(dwarf.problems())
        .singleElement()
        .satisfies(
            e ->
                assertThat(e)
                    .hasMessageContaining("a.out:.debug_info")
                    .hasMessageContaining("DWARF version 9, expected 2 to 5"));
  }

  @Test
  void errorsNameSectionOffsetAndValue() {
    var w = new DwarfWriter();
    var root = w.unit(4, Tag.COMPILE_UNIT).root();
    root.with(1, Form.STRP, 0x123456)
        .with(2, Form.REF4, 0x7fffffff)
        .with(3, Form.REF_ADDR, 0x7fffffff)
        .with(4, Form.ADDRX, 5)
        .with(5, Form.STRX, 6)
        .with(6, Form.UDATA, 1);
    w.string("x");
    var die = open(w).units().getFirst().root();

    assertThatExceptionOfType(BadDataException.class)
        .isThrownBy(() -> die.string(1))
        .withMessageContaining(".debug_str: at offset 0x123456");
    assertThatExceptionOfType(BadDataException.class)
        .isThrownBy(() -> die.reference(2))
        .withMessageContaining("0x7fffffff leads outside of its unit");
    assertThatExceptionOfType(BadDataException.class)
        .isThrownBy(() -> die.reference(3))
        .withMessageContaining(".debug_info: at offset 0x7fffffff");
    assertThatExceptionOfType(BadDataException.class)
        .isThrownBy(() -> die.address(4))
        .withMessageContaining("needs .debug_addr");
    assertThatExceptionOfType(BadDataException.class)
        .isThrownBy(() -> die.string(5))
        .withMessageContaining("needs .debug_str_offsets");
    assertThatExceptionOfType(BadDataException.class)
        .isThrownBy(() -> die.string(6))
        .withMessageContaining("is no string");
  }

  @Test
  void originsThatLeadInACircleEnd() {
    var w = new DwarfWriter();
    var root = w.unit(4, Tag.COMPILE_UNIT).root();
    var a = root.child(Tag.SUBPROGRAM);
    var b = root.child(Tag.SUBPROGRAM);
    a.with(At.ABSTRACT_ORIGIN, Form.REF4, b);
    b.with(At.SPECIFICATION, Form.REF4, a);
    var die = open(w).units().getFirst().root().firstChild().orElseThrow();

    assertThatExceptionOfType(BadDataException.class)
        .isThrownBy(() -> die.owner(At.NAME))
        .withMessageContaining("abstract origins lead through more than");
  }

  @Test
  void findsPackagedUnits() {
    var order = ByteOrder.LITTLE_ENDIAN;
    var main = new DwarfWriter();
    for (long id : List.of(0x100000001L, 0x200000002L)) {
      var root = main.unit(5, 4, Tag.SKELETON_UNIT).withId(id).root();
      root.with(At.DWO_NAME, Form.STRING, "x.dwo");
    }
    var dwp = new DwarfWriter();
    var first = dwp.unit(5, 5, Tag.COMPILE_UNIT).withId(0x100000001L);
    first.root().with(At.NAME, Form.STRING, "1.c");
    var second = dwp.unit(5, 5, Tag.COMPILE_UNIT).withId(0x200000002L);
    second.root().with(At.NAME, Form.STRING, "2.c");
    var sections = dwp.sections();
    var index = new DwarfWriter.Bytes(order);
    index.number(2, 5).number(2, 0).number(4, 1).number(4, 2).number(4, 4);
    index.number(8, 0).number(8, 0x100000001L).number(8, 0x200000002L).number(8, 0);
    index.number(4, 0).number(4, 1).number(4, 2).number(4, 0);
    index.number(4, 1).number(4, first.offset()).number(4, second.offset());
    index.number(4, 20).number(4, 20);
    var packaged = new TestSections("a.dwp", order, sections, ".dwo");
    packaged.with(".debug_cu_index", index.toByteArray());

    var dwarf = Dwarf.open(new TestSections("a", order, main.sections()).withPackage(packaged));

    assertThat(dwarf.units())
        .extracting(u -> u.split().flatMap(Unit::name).orElseThrow())
        .containsExactly("1.c", "2.c");
  }
}
