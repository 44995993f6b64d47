// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.dwarf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.fathom.base.BadDataException;
import dev.fathom.base.Range;
import dev.fathom.testkit.DwarfWriter;
import dev.fathom.testkit.Fuzz;
import dev.fathom.testkit.NameTableWriter;
import dev.fathom.testkit.NameTableWriter.Kind;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

final class NameTablesTest {
  private static final byte[] PLACE = {0x03, 0, 0x10, 0, 0, 0, 0, 0, 0};
  private static final int UNITS = 5;

  /** Five units with a function each and one variable, and a type unit. */
  private static final class File {
    private final DwarfWriter writer;
    private final ByteOrder order;
    private final List<DwarfWriter.Unit> units = new ArrayList<>();
    private final Map<String, byte[]> sections;
    private final List<Unit> read;

    File(int version, int offsetSize, ByteOrder order) {
      this.order = order;
      writer = new DwarfWriter(order, offsetSize, 8);
      for (int i = 0; i < UNITS; i++) {
        var unit = writer.unit(version, Tag.COMPILE_UNIT);
        units.add(unit);
        unit.root().with(At.LANGUAGE, Form.DATA1, 0x0c);
        unit.root()
            .child(Tag.SUBPROGRAM)
            .with(At.NAME, Form.STRP, "function" + i)
            .with(At.EXTERNAL, Form.FLAG, 1)
            .with(At.LOW_PC, Form.ADDR, 0x1000L * i);
        unit.root()
            .child(Tag.VARIABLE)
            .with(At.NAME, Form.STRP, "Variable")
            .with(At.LOCATION, Form.BLOCK1, PLACE);
      }
      if (version >= 4) {
        var type = DwarfWriter.entry(Tag.STRUCTURE_TYPE);
        type.with(At.NAME, Form.STRP, "far").with(At.BYTE_SIZE, Form.DATA1, 8);
        writer.typeUnit(version, 0x1234567890L, type).root().add(type);
      }
      for (var name : List.of("function9", "node", "elsewhere", "far", "main", "kMain")) {
        assertThat(writer.string(name)).isNotNegative();
      }
      sections = writer.sections();
      read = Dwarf.open(new TestSections("a", order, sections)).units();
    }

    /** A table that says what is true. */
    NameTableWriter table() {
      var table = new NameTableWriter();
      for (int i = 0; i < UNITS; i++) {
        var unit = read.get(i);
        table.unit(unit.offset(), unit.end() - unit.offset());
        table.name("function" + i, Kind.FUNCTION, i).name("Variable", Kind.VARIABLE, i);
        table.code(0x1000L * i, 0x1000L * i + 0x100, i);
      }
      if (read.size() > UNITS) {
        table.typeUnit(read.get(UNITS).offset(), 0, 0x1234567890L).name("far", Kind.TYPE, UNITS);
      }
      return table.name("node", Kind.TYPE, 1).name("node", Kind.TYPE, 3);
    }

    Dwarf with(String section, byte[] bytes) {
      return Dwarf.open(new TestSections("a", order, sections).with(section, bytes));
    }

    byte[] names(NameTableWriter table, int buckets) {
      return table.debugNames(writer, order, read.getFirst().offsetSize(), buckets);
    }
  }

  private static List<Long> at(List<Unit> units) {
    return units.stream().map(Unit::offset).toList();
  }

  private static File file() {
    return new File(5, 4, ByteOrder.LITTLE_ENDIAN);
  }

  private static NameTable used(Dwarf dwarf) {
    assertThat(dwarf.nameTables().problems()).isEmpty();
    return dwarf.nameTables().table().orElseThrow();
  }

  private static void answersWhatItSays(Dwarf dwarf) {
    var table = used(dwarf);
    var units = dwarf.units();
    for (int i = 0; i < UNITS; i++) {
      var listed = table.find("function" + i);
      assertThat(at(listed.values())).containsExactly(units.get(i).offset());
      assertThat(listed.types()).isEmpty();
    }
    assertThat(at(table.find("Variable").values()))
        .containsExactlyElementsOf(at(units.subList(0, UNITS)));
    assertThat(at(table.find("node").types()))
        .containsExactly(units.get(1).offset(), units.get(3).offset());
    assertThat(at(table.find("node").values())).isEmpty();
    assertThat(at(table.find("variable").values())).isEmpty(); // of the same hash
    assertThat(at(table.find("no such").values())).isEmpty();
    assertThat(at(table.find("").values())).isEmpty();
    if (units.size() > UNITS) {
      assertThat(at(table.find("far").types())).containsExactly(units.get(UNITS).offset());
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {7, 8, 9})
  void gdbIndexLeadsToTheUnitsOfANameAndOfAnAddress(int version) {
    var file = file();

    var dwarf = file.with(".gdb_index", file.table().gdbIndex(version));

    answersWhatItSays(dwarf);
    assertThat(used(dwarf).addresses().orElseThrow().entries())
        .contains(new AddressRanges.Entry(Range.of(0x3000, 0x100), file.read.get(3).offset()))
        .hasSize(UNITS);
  }

  @ParameterizedTest
  @MethodSource("dev.fathom.format.dwarf.DwarfTest#encodings")
  void debugNamesLeadToTheUnitsOfAName(int version, int offsetSize, ByteOrder order) {
    var file = new File(version, offsetSize, order);
    var table = new File(version, offsetSize, order).table();
    if (version == 4) {
      return; // .debug_types has no place in it
    }
    for (int buckets : new int[] {0, 1, 3, 64}) {
      answersWhatItSays(file.with(".debug_names", file.names(table, buckets)));
    }
  }

  @Test
  void gdbIndexKnowsTypeUnitsOfDwarf4() {
    var file = new File(4, 4, ByteOrder.BIG_ENDIAN);

    answersWhatItSays(file.with(".gdb_index", file.table().gdbIndex(8)));
  }

  @Test
  void indexesOfSeveralObjectsStandOneBehindTheOther() {
    var file = file();
    var out = new DwarfWriter.Bytes(file.order);
    for (int i = 0; i < UNITS; i++) {
      var unit = file.read.get(i);
      var one = new NameTableWriter().unit(unit.offset(), unit.end() - unit.offset());
      one.name("function" + i, Kind.FUNCTION, 0).name("Variable", Kind.VARIABLE, 0);
      out.bytes(file.names(one, 2));
    }

    var table = used(file.with(".debug_names", out.toByteArray()));

    assertThat(at(table.find("Variable").values()))
        .containsExactlyElementsOf(at(file.read.subList(0, UNITS)));
    assertThat(at(table.find("function4").values())).containsExactly(file.read.get(4).offset());
  }

  @Test
  void namesOfCxxAreFoundWithAndWithoutTheirScopes() {
    var file = file();
    var table = file.table().name("main", Kind.VARIABLE, 2).name("kMain", Kind.VARIABLE, 4);
    var bare = used(file.with(".debug_names", file.names(table, 8)));

    assertThat(at(bare.find("app::inner<int(*)(a::b)>::main").values()))
        .containsExactly(file.read.get(2).offset());
    assertThat(at(bare.find("app::Main").values())).isEmpty();
  }

  @Test
  void kindsThatAreNotKnownMayBeBoth() {
    var file = file();
    byte[] index = file.table().name("main", Kind.TYPE, 2).gdbIndex(8);
    // The vector of the last name is the last but one thing in the pool.
    int at = index.length - "main".length() - 1 - 1;
    assertThat(index[at]).isEqualTo((byte) 0x10);
    index[at] = 0;

    var listed = used(file.with(".gdb_index", index)).find("main");

    assertThat(at(listed.types())).containsExactly(file.read.get(2).offset());
    assertThat(at(listed.values())).containsExactly(file.read.get(2).offset());
  }

  private static void refused(Dwarf dwarf, String section, String why) {
    assertThat(dwarf.nameTables().table()).isEmpty();
    assertThat(dwarf.nameTables().problems())
        .singleElement()
        .satisfies(
            problem -> {
              assertThat(problem.source()).isEqualTo("a:" + section);
              assertThat(problem.getMessage()).contains(why);
            });
  }

  @ParameterizedTest
  @CsvSource({
    "another file's, the index is of another file, it is of another file",
    "one unit less, does not have the unit at 0x, does not have the unit at 0x",
    "a function less, does not say that 'function2' is in the unit, does not say that 'function2'",
    "a function elsewhere, does not say that 'function3' is, does not say that 'function3' is",
  })
  void aTableThatIsNotOfThisFileIsNotUsed(String what, String ofNames, String ofGdb) {
    var file = file();
    var table = new NameTableWriter();
    for (int i = 0; i < (what.equals("one unit less") ? 4 : UNITS); i++) {
      var unit = file.read.get(i);
      long shift = what.equals("another file's") && i == 3 ? 2 : 0;
      table.unit(unit.offset() + shift, unit.end() - unit.offset());
      if (what.equals("a function elsewhere") && i == 3) {
        table.name("function3", Kind.FUNCTION, 2).name("function3", Kind.TYPE, 3);
      } else if (!what.equals("a function less") || i != 2) {
        table.name("function" + i, Kind.FUNCTION, i);
      }
    }

    refused(file.with(".gdb_index", table.gdbIndex(8)), ".gdb_index", ofGdb);
    refused(file.with(".debug_names", file.names(table, 4)), ".debug_names", ofNames);
  }

  @Test
  void anotherTableIsUsedInsteadOfABadOne() {
    var file = file();
    byte[] names = file.names(file.table(), 4);
    var sections =
        new TestSections("a", file.order, file.sections)
            .with(".debug_names", Arrays.copyOf(names, names.length - 1))
            .with(".gdb_index", file.table().gdbIndex(7));

    var tables = Dwarf.open(sections).nameTables();

    assertThat(tables.table().orElseThrow()).isInstanceOf(GdbIndex.class);
    assertThat(tables.problems()).hasSize(1);
  }

  @Test
  void whatIsTruncatedIsNotUsed() {
    var file = file();
    byte[] gdb = file.table().gdbIndex(8);
    byte[] names = file.names(file.table(), 4);

    refused(file.with(".gdb_index", Arrays.copyOf(gdb, 60)), ".gdb_index", "area");
    refused(file.with(".gdb_index", Arrays.copyOf(gdb, 3)), ".gdb_index", "needs 4 bytes");
    refused(
        file.with(".debug_names", Arrays.copyOf(names, 200)), ".debug_names", "index of names of");
    for (int length = 1; length < gdb.length; length += 3) {
      lookUp(file.with(".gdb_index", Arrays.copyOf(gdb, length)));
    }
    for (int length = 1; length < names.length; length += 3) {
      lookUp(file.with(".debug_names", Arrays.copyOf(names, length)));
    }
  }

  @Test
  void versionsOfOtherKindsAreNotUsed() {
    var file = file();

    refused(file.with(".gdb_index", file.table().gdbIndex(6)), ".gdb_index", "version 6");
    refused(file.with(".gdb_index", file.table().gdbIndex(10)), ".gdb_index", "version 10");
  }

  @Test
  void aUnitWithoutNamesNeedNotBeListed() {
    var w = new DwarfWriter();
    w.unit(5, Tag.COMPILE_UNIT).root().with(At.NAME, Form.STRP, "entry.S");
    var sections = w.sections();
    var table = new NameTableWriter();

    var dwarf =
        Dwarf.open(
            new TestSections("a", ByteOrder.LITTLE_ENDIAN, sections)
                .with(".debug_names", table.debugNames(w, ByteOrder.LITTLE_ENDIAN, 4, 0)));

    assertThat(used(dwarf).find("entry").values()).isEmpty();
  }

  @Test
  void damageIsFoundWhereTheNameIs() {
    var file = file();
    byte[] index = file.table().name("main", Kind.TYPE, 2).gdbIndex(8);
    int at = index.length - "main".length() - 1 - 4;
    index[at] = 77;

    var table = used(file.with(".gdb_index", index));

    assertThatExceptionOfType(BadDataException.class)
        .isThrownBy(() -> table.find("main"))
        .withMessageContaining("unit 77, but there are 6");
    assertThat(at(table.find("node").types())).hasSize(2);
  }

  @Test
  void entriesOfOneNameAreBounded() {
    var file = file();
    var table = file.table();
    for (int i = 0; i < (1 << 20) + 2; i++) {
      table.name("main", Kind.VARIABLE, 0);
    }
    var used = used(file.with(".debug_names", file.names(table, 1)));

    assertThatExceptionOfType(BadDataException.class)
        .isThrownBy(() -> used.find("main"))
        .withMessageContaining("entries");
  }

  @Test
  void entriesOfOneNameAreBoundedOverAllIndexes() {
    var file = file();
    var out = new DwarfWriter.Bytes(file.order);
    for (int i = 0; i < UNITS; i++) {
      var unit = file.read.get(i);
      var one = new NameTableWriter().unit(unit.offset(), unit.end() - unit.offset());
      one.name("function" + i, Kind.FUNCTION, 0);
      for (int entry = 0; entry < (1 << 20) / 4; entry++) {
        one.name("main", Kind.VARIABLE, 0);
      }
      out.bytes(file.names(one, 1));
    }
    var used = used(file.with(".debug_names", out.toByteArray()));

    assertThatExceptionOfType(BadDataException.class)
        .isThrownBy(() -> used.find("main"))
        .withMessageContaining("more than 1048576 entries of one name");
    assertThat(at(used.find("function4").values())).containsExactly(file.read.get(4).offset());
  }

  /** Reads a table as far as a program would. */
  private static void lookUp(Dwarf dwarf) {
    var tables = dwarf.nameTables();
    for (var problem : tables.problems()) {
      assertThat(problem.source()).startsWith("a:");
    }
    if (tables.table().isEmpty()) {
      return;
    }
    for (var name : List.of("function0", "function3", "Variable", "node", "far", "none", "")) {
      attempt(
          () -> {
            var listed = tables.table().get().find(name);
            assertThat(dwarf.units()).containsAll(listed.types()).containsAll(listed.values());
          });
    }
    attempt(
        () -> tables.table().get().addresses().ifPresent(a -> assertThat(a.entries()).isNotNull()));
  }

  private static void attempt(Runnable read) {
    try {
      read.run();
    } catch (BadDataException e) {
      assertThat(e.source()).startsWith("a:");
    }
  }

  @Test
  void damagedTablesLeadToUnitsOfTheFileOrToNone() {
    var file = file();
    var all = new LinkedHashMap<String, byte[]>();
    all.put(".gdb_index", file.table().gdbIndex(9));
    all.put(".debug_names", file.names(file.table(), 4));
    all.forEach(
        (section, bytes) -> Fuzz.run(bytes, 400, damaged -> lookUp(file.with(section, damaged))));
  }
}
