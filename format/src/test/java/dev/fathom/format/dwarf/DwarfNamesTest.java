// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.dwarf;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fathom.testkit.DwarfWriter;
import dev.fathom.testkit.Fuzz;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

final class DwarfNamesTest {
  private static DwarfNames names(DwarfWriter w) {
    return names(ByteOrder.LITTLE_ENDIAN, w.sections());
  }

  private static DwarfNames names(ByteOrder order, Map<String, byte[]> sections) {
    return DwarfNames.build(Dwarf.open(new TestSections("a", order, sections)), 2);
  }

  private static List<String> kinds(DwarfNames names, String name) {
    return names.find(name).stream().map(e -> e.kind() + (e.isDeclaration() ? "?" : "")).toList();
  }

  private static DwarfWriter.Entry cUnit(DwarfWriter w, int version) {
    return w.unit(version, Tag.COMPILE_UNIT).root().with(At.LANGUAGE, Form.DATA1, 0x0c);
  }

  private static DwarfWriter.Entry cppUnit(DwarfWriter w) {
    return w.unit(5, Tag.COMPILE_UNIT).root().with(At.LANGUAGE, Form.DATA1, 0x21);
  }

  @ParameterizedTest
  @MethodSource("dev.fathom.format.dwarf.DwarfTest#encodings")
  void findsWhatHasAName(int version, int offsetSize, ByteOrder order) {
    var w = new DwarfWriter(order, offsetSize, 8);
    var root = cUnit(w, version);
    byte[] at = {0x03, 0, 0, 0, 0, 0, 0, 0, 0};
    root.child(Tag.BASE_TYPE).with(At.NAME, Form.STRING, "int").with(At.BYTE_SIZE, Form.DATA1, 4);
    root.child(Tag.TYPEDEF).with(At.NAME, Form.STRP, "pid_t").with(At.DECL_LINE, Form.DATA2, 300);
    var struct = root.child(Tag.STRUCTURE_TYPE).with(At.NAME, Form.STRP, "page");
    struct.with(At.BYTE_SIZE, Form.UDATA, 64).child(Tag.MEMBER).with(At.NAME, Form.STRING, "flags");
    root.child(Tag.UNION_TYPE).with(At.NAME, Form.STRP, "sigval");
    var plain = root.child(Tag.ENUMERATION_TYPE).with(At.NAME, Form.STRP, "pid_type");
    plain.child(Tag.ENUMERATOR).with(At.NAME, Form.STRP, "PIDTYPE_PID");
    var anonymous = root.child(Tag.ENUMERATION_TYPE);
    anonymous.child(Tag.ENUMERATOR).with(At.NAME, Form.STRP, "HZ");
    root.child(Tag.VARIABLE)
        .with(At.NAME, Form.STRP, "init_task")
        .with(At.LOCATION, Form.BLOCK1, at);
    root.child(Tag.VARIABLE)
        .with(At.NAME, Form.STRP, "jiffies")
        .with(At.DECLARATION, Form.FLAG, 1)
        .with(At.EXTERNAL, Form.FLAG, 1);
    var function = root.child(Tag.SUBPROGRAM).with(At.NAME, Form.STRP, "vfs_read");
    function.with(At.LOW_PC, Form.ADDR, 0x1000);
    function
        .child(Tag.VARIABLE)
        .with(At.NAME, Form.STRP, "local")
        .with(At.LOCATION, Form.BLOCK1, at);
    root.child(Tag.SUBPROGRAM).with(At.NAME, Form.STRP, "only_declared");

    var names = names(order, w.sections());

    assertThat(names.problems()).isEmpty();
    assertThat(kinds(names, "int")).containsExactly("BASE");
    assertThat(kinds(names, "pid_t")).containsExactly("TYPEDEF");
    assertThat(kinds(names, "page")).containsExactly("STRUCT");
    assertThat(kinds(names, "sigval")).containsExactly("UNION");
    assertThat(kinds(names, "pid_type")).containsExactly("ENUM");
    assertThat(kinds(names, "PIDTYPE_PID")).containsExactly("ENUMERATOR");
    assertThat(names.find("HZ").getFirst().die().offset()).isEqualTo(anonymous.offset());
    assertThat(kinds(names, "init_task")).containsExactly("VARIABLE");
    assertThat(kinds(names, "jiffies")).containsExactly("VARIABLE?");
    assertThat(names.find("jiffies").getFirst().isExternal()).isTrue();
    assertThat(kinds(names, "vfs_read")).containsExactly("FUNCTION");
    assertThat(kinds(names, "local")).isEmpty();
    assertThat(kinds(names, "flags")).isEmpty();
    assertThat(kinds(names, "only_declared")).isEmpty();
    assertThat(names.find("page").getFirst().die().offset()).isEqualTo(struct.offset());
  }

  @Test
  void listsOnceWhatManyUnitsSayAndAllThatDiffer() {
    var w = new DwarfWriter();
    for (int i = 0; i < 200; i++) {
      var root = cUnit(w, 5);
      struct(root, "list_head", 16, 178);
      struct(root, "private", 8 + i % 2, 20);
    }

    var names = names(w);

    assertThat(names.find("list_head")).hasSize(1);
    assertThat(names.find("private")).hasSize(2);
    var units = names.dwarf().units();
    assertThat(names.find("private"))
        .extracting(e -> e.die().unit().offset())
        .containsExactly(units.get(0).offset(), units.get(1).offset());
  }

  private static void struct(DwarfWriter.Entry in, String name, int size, int line) {
    in.child(Tag.STRUCTURE_TYPE)
        .with(At.NAME, Form.STRP, name)
        .with(At.BYTE_SIZE, Form.DATA1, size)
        .with(At.DECL_LINE, Form.DATA1, line);
  }

  @Test
  void namesAreQualifiedInLanguagesThatHaveScopes() {
    var w = new DwarfWriter();
    var root = cppUnit(w);
    var space = root.child(Tag.NAMESPACE).with(At.NAME, Form.STRP, "sched");
    var thread = space.child(Tag.CLASS_TYPE).with(At.NAME, Form.STRP, "thread");
    thread.child(Tag.STRUCTURE_TYPE).with(At.NAME, Form.STRP, "attr");
    var member = thread.child(Tag.SUBPROGRAM).with(At.NAME, Form.STRP, "wake");
    member.with(At.DECLARATION, Form.FLAG_PRESENT, 1);
    space.child(Tag.CLASS_TYPE).with(At.NAME, Form.STRP, "map<int, std::less<int> >");
    root.child(Tag.NAMESPACE).child(Tag.STRUCTURE_TYPE).with(At.NAME, Form.STRP, "hidden");
    root.child(Tag.SUBPROGRAM)
        .with(At.SPECIFICATION, Form.REF4, member)
        .with(At.LOW_PC, Form.ADDR, 0x1000);

    var names = names(w);

    assertThat(kinds(names, "sched::thread")).containsExactly("STRUCT");
    assertThat(kinds(names, "thread")).isEmpty();
    assertThat(kinds(names, "sched::thread::attr")).containsExactly("STRUCT");
    assertThat(kinds(names, "sched::map<int,std::less<int>>")).containsExactly("STRUCT");
    assertThat(kinds(names, "hidden")).containsExactly("STRUCT");
    assertThat(kinds(names, "sched::thread::wake")).containsExactly("FUNCTION");
  }

  @Test
  void definitionsTakeTheNameOfWhatTheyComplete() {
    var w = new DwarfWriter();
    var root = cUnit(w, 5);
    var declared = root.child(Tag.VARIABLE).with(At.NAME, Form.STRP, "jiffies_64");
    declared.with(At.EXTERNAL, Form.FLAG_PRESENT, 1).with(At.DECLARATION, Form.FLAG_PRESENT, 1);
    root.child(Tag.VARIABLE)
        .with(At.SPECIFICATION, Form.REF4, declared)
        .with(At.LOCATION, Form.EXPRLOC, new byte[] {0x03, 1, 0, 0, 0, 0, 0, 0, 0});
    var other = cUnit(w, 5);
    var inline = other.child(Tag.SUBPROGRAM).with(At.NAME, Form.STRP, "get_page");
    inline.with(At.INLINE, Form.DATA1, 1);
    var last = cUnit(w, 5);
    last.child(Tag.SUBPROGRAM)
        .with(At.ABSTRACT_ORIGIN, Form.REF_ADDR, inline)
        .with(At.LOW_PC, Form.ADDR, 0x2000);

    var names = names(w);

    assertThat(kinds(names, "jiffies_64")).containsExactlyInAnyOrder("VARIABLE?", "VARIABLE");
    assertThat(names.find("jiffies_64")).allMatch(DwarfNames.Entry::isExternal);
    assertThat(kinds(names, "get_page")).containsExactly("FUNCTION", "FUNCTION");
  }

  /** As clang has static members, and methods of classes that it comes to late. */
  @Test
  void definitionsTakeTheNameOfWhatIsDeclaredBehindThem() {
    var w = new DwarfWriter();
    var space = cppUnit(w).child(Tag.NAMESPACE).with(At.NAME, Form.STRP, "geo");
    var variable = space.child(Tag.VARIABLE);
    var function = space.child(Tag.SUBPROGRAM).with(At.LOW_PC, Form.ADDR, 0x1000);
    var point = space.child(Tag.STRUCTURE_TYPE).with(At.NAME, Form.STRP, "Point");
    var made = point.child(Tag.MEMBER).with(At.NAME, Form.STRP, "made");
    made.with(At.EXTERNAL, Form.FLAG_PRESENT, 1).with(At.DECLARATION, Form.FLAG_PRESENT, 1);
    var move = point.child(Tag.SUBPROGRAM).with(At.NAME, Form.STRP, "move");
    move.with(At.DECLARATION, Form.FLAG_PRESENT, 1);
    variable
        .with(At.SPECIFICATION, Form.REF4, made)
        .with(At.LOCATION, Form.EXPRLOC, new byte[] {0x03, 1, 0, 0, 0, 0, 0, 0, 0});
    function.with(At.SPECIFICATION, Form.REF4, move);

    var names = names(w);

    assertThat(kinds(names, "geo::Point::made")).containsExactly("VARIABLE");
    assertThat(names.find("geo::Point::made").getFirst().isExternal()).isTrue();
    assertThat(names.find("geo::Point::made").getFirst().die().offset())
        .isEqualTo(variable.offset());
    assertThat(kinds(names, "geo::Point::move")).containsExactly("FUNCTION");
    assertThat(kinds(names, "geo::made")).isEmpty();
    assertThat(names.problems()).isEmpty();
  }

  /** An index means another address in each unit. */
  @Test
  void placesByIndexAreNotTheSameInTwoUnits() {
    var w = new DwarfWriter();
    for (int i = 0; i < 3; i++) {
      var root = cUnit(w, 5);
      for (int operation : new int[] {0xa1, 0xfb, 0x03}) {
        root.child(Tag.VARIABLE)
            .with(At.NAME, Form.STRP, "counter" + operation)
            .with(At.LOCATION, Form.EXPRLOC, new byte[] {(byte) operation, 0});
      }
      for (int form : new int[] {Form.ADDRX, Form.ADDRX1, Form.ADDRX4, Form.RNGLISTX}) {
        root.child(Tag.SUBPROGRAM)
            .with(At.NAME, Form.STRP, "helper" + form)
            .with(form == Form.RNGLISTX ? At.RANGES : At.LOW_PC, form, 0);
      }
    }

    var names = names(w);

    for (var name : List.of("counter161", "counter251", "helper27", "helper41", "helper35")) {
      assertThat(kinds(names, name)).as(name).hasSize(3);
    }
    assertThat(kinds(names, "counter3")).hasSize(1);
  }

  @Test
  void includesSplitUnitsAndTheSupplementaryFile() {
    var main = new DwarfWriter();
    var skeleton = main.unit(5, 4, Tag.SKELETON_UNIT).withId(7).root();
    skeleton.with(At.DWO_NAME, Form.STRING, "a.dwo");
    var dwo = new DwarfWriter();
    var split = dwo.unit(5, 5, Tag.COMPILE_UNIT).withId(7).root();
    split.with(At.LANGUAGE, Form.DATA1, 0x0c);
    split.child(Tag.STRUCTURE_TYPE).with(At.NAME, Form.STRX1, "in_dwo");
    var sup = new DwarfWriter();
    var partial = sup.unit(4, Tag.PARTIAL_UNIT).root().with(At.LANGUAGE, Form.DATA1, 0x0c);
    partial.child(Tag.STRUCTURE_TYPE).with(At.NAME, Form.STRP, "in_supplementary");
    var order = ByteOrder.LITTLE_ENDIAN;
    var sections =
        new TestSections("a", order, main.sections())
            .withSplit("a.dwo", new TestSections("a.dwo", order, dwo.sections(), ".dwo"))
            .withSupplementary(new TestSections("sup", order, sup.sections()));

    var built = DwarfNames.build(Dwarf.open(sections), 1);
    var loaded = DwarfNames.of(Dwarf.open(sections), built.arrays()).orElseThrow();

    for (var names : List.of(built, loaded)) {
      assertThat(names.find("in_dwo").getFirst().die().name()).contains("in_dwo");
      assertThat(names.find("in_supplementary").getFirst().die().name())
          .contains("in_supplementary");
    }
  }

  @Test
  void aDamagedUnitSpoilsOnlyWhatComesAfterTheDamage() {
    var w = new DwarfWriter();
    var bad = cUnit(w, 5);
    struct(bad, "before", 8, 1);
    bad.child(Tag.STRUCTURE_TYPE).with(At.SIBLING, Form.REF4, 2).child(Tag.MEMBER);
    struct(bad, "after", 8, 1);
    struct(cUnit(w, 5), "other", 8, 1);

    var names = names(w);

    assertThat(kinds(names, "before")).hasSize(1);
    assertThat(kinds(names, "after")).isEmpty();
    assertThat(kinds(names, "other")).hasSize(1);
    assertThat(names.problems())
        .singleElement()
        .satisfies(
            e ->
                assertThat(e)
                    .hasMessageContaining("a:.debug_info")
                    .hasMessageContaining("is not behind the entry"));
  }

  @Test
  void whatDoesNotFitIsNoIndex() {
    var dwarf = Dwarf.open(new TestSections("a", ByteOrder.LITTLE_ENDIAN, Map.of()));

    assertThat(DwarfNames.of(dwarf, new int[][] {{1}, {}, {}, {}})).isEmpty();
    assertThat(DwarfNames.of(dwarf, new int[][] {{}, {1}, {}, {}})).isEmpty();
    assertThat(DwarfNames.of(dwarf, new int[][] {{}})).isEmpty();
  }

  /** The sections stand one behind the other in one array, so that all are damaged in turn. */
  @Test
  void damagedSectionsAreSaidToBeSo() {
    for (int version : List.of(2, 4, 5)) {
      var w = new DwarfWriter();
      var root = version == 5 ? cppUnit(w) : cUnit(w, version);
      var type = root.child(Tag.STRUCTURE_TYPE).with(At.NAME, Form.STRP, "page");
      type.child(Tag.MEMBER).with(At.NAME, Form.STRING, "x").with(At.TYPE, Form.REF4, type);
      var enumeration = root.child(Tag.ENUMERATION_TYPE).with(At.NAME, Form.STRP, "e");
      enumeration
          .child(Tag.ENUMERATOR)
          .with(At.NAME, Form.STRP, "E")
          .with(At.CONST_VALUE, Form.SDATA, -1);
      var declared = root.child(Tag.SUBPROGRAM).with(At.NAME, Form.STRP, "f");
      root.child(Tag.SUBPROGRAM)
          .with(At.SPECIFICATION, Form.REF4, declared)
          .with(At.LOW_PC, Form.ADDR, 1);
      var signed = DwarfWriter.entry(Tag.STRUCTURE_TYPE).with(At.NAME, Form.STRP, "signed");
      w.typeUnit(version == 5 ? 5 : 4, 0x77, signed).root().add(signed);
      var sections = w.sections();
      var lengths = new ArrayList<Map.Entry<String, Integer>>();
      var all = new DwarfWriter.Bytes(ByteOrder.LITTLE_ENDIAN);
      sections.forEach(
          (name, bytes) -> {
            lengths.add(Map.entry(name, bytes.length));
            all.bytes(bytes);
          });
      Fuzz.run(
          all.toByteArray(),
          1500,
          damaged -> {
            var parts = new HashMap<String, byte[]>();
            int at = 0;
            for (var part : lengths) {
              int end = Math.min(damaged.length, at + part.getValue());
              parts.put(part.getKey(), Arrays.copyOfRange(damaged, Math.min(at, end), end));
              at = end;
            }
            readAll(names(ByteOrder.LITTLE_ENDIAN, parts));
          });
    }
  }

  private static void readAll(DwarfNames names) {
    for (int i = 0; i < names.size(); i++) {
      assertThat(names.get(i).die().offset()).isPositive();
    }
    for (var unit : names.dwarf().units()) {
      walk(unit.root(), 0);
    }
  }

  private static void walk(Die die, int depth) {
    for (int i = 0; i < die.size(); i++) {
      assertThat(die.value(i)).isNotNull();
    }
    for (var child = die.firstChild(); child.isPresent() && depth < 50; ) {
      walk(child.get(), depth + 1);
      child = child.get().next();
    }
  }
}
