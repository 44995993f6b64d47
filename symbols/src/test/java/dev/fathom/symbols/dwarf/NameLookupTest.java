// SPDX-License-Identifier: Apache-2.0
package dev.fathom.symbols.dwarf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.fathom.base.BadDataException;
import dev.fathom.base.ByteSource;
import dev.fathom.format.dwarf.At;
import dev.fathom.format.dwarf.Dwarf;
import dev.fathom.format.dwarf.DwarfNames;
import dev.fathom.format.dwarf.DwarfSections;
import dev.fathom.format.dwarf.Form;
import dev.fathom.format.dwarf.LineFiles;
import dev.fathom.format.dwarf.Tag;
import dev.fathom.format.elf.ElfFile;
import dev.fathom.model.arch.x86_64.X86_64;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.CompositeType;
import dev.fathom.model.type.TypeName;
import dev.fathom.symbols.elf.Placement;
import dev.fathom.symbols.index.TableIndex;
import dev.fathom.symbols.source.DwarfSource;
import dev.fathom.testkit.DwarfWriter;
import dev.fathom.testkit.NameTableWriter;
import dev.fathom.testkit.NameTableWriter.Kind;
import dev.fathom.testkit.process.CProgram;
import java.io.IOException;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tables of names that files have of their own, beside what a pass over all units finds. */
final class NameLookupTest {
  private static final int UNITS = 12;
  private static final String[] HEADER = {
    "struct node { struct node *next; struct hidden *far; int value; };",
    "enum colour { RED, GREEN = 5 };",
    "typedef struct node node_t;",
    "extern int shared;",
    "int work(node_t *n); int other(int x);"
  };

  private static final String FIRST =
      String.join("\n", HEADER)
          + """

          static volatile int counter = 1;
          struct stat { int only_here; };
          struct gauge { int mark; };
          struct gauge measured;
          static volatile int gauge = 7;
          enum colour painted = GREEN;
          struct stat about;
          node_t first;
          int work(node_t *n) { static int calls; calls++; return gauge + counter++ + n->value + shared; }
          """;
  private static final String SECOND =
      String.join("\n", HEADER)
          + """

          static volatile int counter = 2;
          struct hidden { long where; };
          struct hidden secret;
          typedef long gauge;
          gauge wide = 4;
          int shared = 3;
          int stat(int x) { return x + 1; }
          int other(int x) { counter += x; return counter + (int) secret.where; }
          int main(void) { node_t n = { 0, 0, 1 }; return work(&n) + other(2) + stat(3); }
          """;

  @TempDir static Path folder;

  private record Parts(String name, Map<String, ByteSource> sections) implements DwarfSections {
    @Override
    public ByteOrder order() {
      return ByteOrder.LITTLE_ENDIAN;
    }

    @Override
    public Optional<ByteSource> find(String section) {
      return Optional.ofNullable(sections.get(section));
    }

    Parts with(String section, byte[] bytes) {
      var all = new LinkedHashMap<>(sections);
      all.put(section, ByteSource.of(name + ":" + section, bytes));
      return new Parts(name, all);
    }
  }

  /** The types of a file, and what was done for them. */
  private static final class Asked {
    private final List<String> problems = new ArrayList<>();
    private int passes;
    private final DwarfTypeSource types;

    Asked(DwarfSections sections) {
      var dwarf = Dwarf.open(sections);
      Consumer<BadDataException> told = e -> problems.add(e.getMessage());
      types =
          DwarfTypeSource.whereFound(
              "dwarf", () -> TableIndex.none().nameLookup(dwarf, () -> pass(dwarf), told));
    }

    private Optional<DwarfNames> pass(Dwarf dwarf) {
      passes++;
      return Optional.of(DwarfNames.build(dwarf, 1));
    }
  }

  /** Twelve units with a variable and a function each; the last one has more. */
  private static final class Made {
    private final DwarfWriter writer = new DwarfWriter();
    private final List<DwarfWriter.Unit> units = new ArrayList<>();
    private final Parts parts;

    Made() {
      for (int i = 0; i < UNITS; i++) {
        var unit = writer.unit(5, Tag.COMPILE_UNIT);
        units.add(unit);
        unit.root().with(At.LANGUAGE, Form.DATA1, 0x0c);
        var number = unit.root().child(Tag.BASE_TYPE).with(At.NAME, Form.STRP, "int");
        number.with(At.BYTE_SIZE, Form.DATA1, 4).with(At.ENCODING, Form.DATA1, 5);
        unit.root()
            .child(Tag.SUBPROGRAM)
            .with(At.NAME, Form.STRP, "function" + i)
            .with(At.EXTERNAL, Form.FLAG, 1)
            .with(At.LOW_PC, Form.ADDR, 0x1000L * i);
        variable(unit.root(), "local", number, 0x100 + i, false);
        var tag = unit.root().child(Tag.STRUCTURE_TYPE).with(At.NAME, Form.STRP, "tag");
        if (i == UNITS - 1) {
          tag.with(At.BYTE_SIZE, Form.DATA1, 24);
          variable(unit.root(), "known", number, 0x900, true);
        } else {
          tag.with(At.DECLARATION, Form.FLAG, 1);
        }
      }
      var sections = new LinkedHashMap<String, ByteSource>();
      assertThat(writer.string("unsaid")).isNotNegative();
      writer
          .sections()
          .forEach((name, bytes) -> sections.put(name, ByteSource.of("made:" + name, bytes)));
      parts = new Parts("made", sections);
    }

    private static void variable(
        DwarfWriter.Entry in, String name, DwarfWriter.Entry type, int at, boolean external) {
      byte[] place = {0x03, (byte) at, (byte) (at >> 8), 0, 0, 0, 0, 0, 0};
      var entry = in.child(Tag.VARIABLE).with(At.NAME, Form.STRP, name);
      entry.with(At.TYPE, Form.REF4, type).with(At.LOCATION, Form.EXPRLOC, place);
      if (external) {
        entry.with(At.EXTERNAL, Form.FLAG_PRESENT, 1);
      }
    }

    NameTableWriter table() {
      var table = new NameTableWriter();
      var read = Dwarf.open(parts).units();
      for (int i = 0; i < UNITS; i++) {
        table.unit(read.get(i).offset(), read.get(i).end() - read.get(i).offset());
        table.name("function" + i, Kind.FUNCTION, i);
      }
      return table;
    }

    Asked with(NameTableWriter table) {
      return new Asked(parts.with(".gdb_index", table.gdbIndex(8)));
    }
  }

  private static Optional<CompositeType> tag(Asked asked) {
    return asked
        .types
        .find(TypeName.struct("tag"))
        .filter(CompositeType.class::isInstance)
        .map(CompositeType.class::cast);
  }

  @Test
  void whatTheTableLeadsToIsFoundWithoutAPassOverAllUnits() {
    var made = new Made();
    var table = made.table().name("known", Kind.VARIABLE, 11).name("tag", Kind.TYPE, 11);
    var asked = made.with(table);

    assertThat(asked.types.ofSymbol("known").map(CType::text)).contains("int");
    assertThat(asked.types.ofLinked("known", 0x900).map(CType::text)).contains("int");
    assertThat(asked.types.fixed("known")).hasSize(1);
    assertThat(asked.types.find(TypeName.plain("known"))).isEmpty();
    assertThat(asked.types.isValue("known")).isTrue();
    assertThat(asked.types.isValue("tag")).isFalse();
    assertThat(tag(asked).orElseThrow().bytes()).isEqualTo(24);
    assertThat(asked.types.ofSymbol("function7")).isPresent();
    assertThat(asked.passes).isZero();
    assertThat(asked.problems).isEmpty();
    assertThat(asked.types.find(TypeName.plain("int"))).isPresent(); // is not in the table
    assertThat(asked.passes).isEqualTo(1);
  }

  @Test
  void aTableThatLiesIsNotBelieved() {
    var made = new Made();
    var table = made.table();
    // Where there is only a declaration, where there is nothing, as another kind, and not at all.
    table.name("tag", Kind.TYPE, 3).name("known", Kind.VARIABLE, 2);
    var asked = made.with(table);
    assertThat(tag(asked).orElseThrow().bytes()).isEqualTo(24);
    assertThat(asked.passes).isEqualTo(1);

    var another = made.with(made.table().name("known", Kind.VARIABLE, 2));
    assertThat(another.types.ofSymbol("known")).isPresent();
    assertThat(another.types.fixed("known").getFirst().address()).hasValue(0x900);

    var swapped = made.with(made.table().name("tag", Kind.VARIABLE, 11));
    assertThat(tag(swapped).orElseThrow().bytes()).isEqualTo(24);

    var unsaid = made.with(made.table().name("unsaid", Kind.VARIABLE, 11));
    assertThat(unsaid.types.ofSymbol("unsaid")).isEmpty();
    assertThat(unsaid.types.find(TypeName.plain("unsaid"))).isEmpty();
    assertThat(unsaid.problems).isEmpty();
  }

  @Test
  void ofVariablesThatManyUnitsHaveTheOneAtTheAddressIsMeant() {
    var made = new Made();
    var asked = made.with(made.table().name("local", Kind.VARIABLE, 4));

    assertThat(asked.types.ofLinked("local", 0x104)).isPresent();
    assertThat(asked.passes).isZero();
    var unit = Dwarf.open(made.parts).units().get(6);
    var source = new Asked(made.parts.with(".gdb_index", made.table().gdbIndex(8)));
    assertThat(source.types.ofUnit(unit, "local").map(d -> d.unit().offset()))
        .contains(unit.offset());
    assertThat(source.types.ofUnit(unit, "known")).isEmpty();
    assertThat(source.passes).isZero();
    // All twelve are known only to a pass over all units.
    assertThat(asked.types.fixed("local")).hasSize(UNITS);
    assertThat(asked.passes).isEqualTo(1);
  }

  @Test
  void aStaticVariableHidesNoTypedefOfAnotherFile() {
    var made = new Made();
    var asked = made.with(made.table().name("local", Kind.VARIABLE, 4));

    assertThat(asked.types.isValue("local")).isFalse();
    assertThat(asked.types.find(TypeName.plain("local"))).isEmpty();
    // Once all units are known, so is that none has a type of that name.
    assertThat(asked.types.isValue("local")).isTrue();
    assertThat(asked.types.isValue("tag")).isFalse();
    assertThat(asked.types.isValue("int")).isFalse();
    assertThat(asked.passes).isEqualTo(1);
  }

  @Test
  void damageInTheTableIsToldOnceAndThePassIsMade() {
    var made = new Made();
    byte[] index = made.table().name("known", Kind.VARIABLE, 11).gdbIndex(8);
    index[index.length - "known".length() - 1 - 4] = 99;
    var asked = new Asked(made.parts.with(".gdb_index", index));

    assertThat(asked.types.ofSymbol("known")).isPresent();
    assertThat(asked.types.ofSymbol("function3")).isPresent();
    assertThat(asked.passes).isEqualTo(1);
    assertThat(asked.problems)
        .singleElement()
        .asString()
        .startsWith("made:.gdb_index: at offset 0x")
        .endsWith("unit 99, but there are 12");
  }

  @Test
  void theTableOfAnotherFileIsToldOnceAndThePassIsMade() {
    var made = new Made();
    var asked = made.with(new NameTableWriter().unit(0, 77).name("known", Kind.VARIABLE, 0));

    assertThat(asked.types.ofSymbol("known")).isPresent();
    assertThat(asked.problems).singleElement().asString().contains("it is of another file");
  }

  /** What gdb wrote for a program of two files that gcc compiled. */
  private static Parts indexed(String option, String form, String name) throws IOException {
    assumeTrue(Files.isExecutable(Path.of("/usr/bin/gdb")), "gdb is not installed");
    var own = Files.createDirectories(folder.resolve(name));
    Files.writeString(own.resolve("second.c"), SECOND);
    var program =
        CProgram.compile(own, "both", FIRST, "-g", "-O1", option, own.resolve("second.c") + "");
    var command = new ArrayList<>(List.of("gdb", "-nx", "-batch", "-ex"));
    command.add("save gdb-index " + (form.equals(".gdb_index") ? "" : "-dwarf-5 ") + own);
    command.add(program.file().toString());
    CProgram.run(own, command);
    var elf = ElfFile.read(ByteSource.of("both", Files.readAllBytes(program.file())));
    var sections = new LinkedHashMap<String, ByteSource>();
    for (var section : elf.sections().all()) {
      if (section.name().startsWith(".debug_")) {
        sections.put(section.name(), elf.sections().relocated(section.name()).orElseThrow());
      }
    }
    var parts = new Parts("both", sections);
    if (form.equals(".gdb_index")) {
      return parts.with(form, Files.readAllBytes(own.resolve("both.gdb-index")));
    }
    var strings = sections.get(".debug_str");
    byte[] more = Files.readAllBytes(own.resolve("both.debug_str"));
    byte[] all = new byte[(int) strings.size() + more.length];
    System.arraycopy(strings.bytes(0, (int) strings.size()), 0, all, 0, (int) strings.size());
    System.arraycopy(more, 0, all, (int) strings.size(), more.length);
    return parts
        .with(form, Files.readAllBytes(own.resolve("both.debug_names")))
        .with(".debug_str", all);
  }

  private static List<String> answers(DwarfTypeSource types) {
    var found = new ArrayList<String>();
    for (var name :
        List.of(
            "node",
            "node_t",
            "colour",
            "stat",
            "hidden",
            "int",
            "counter",
            "shared",
            "first",
            "secret",
            "about",
            "painted",
            "work",
            "other",
            "main",
            "GREEN",
            "no_such",
            "work::calls")) {
      for (var kind : TypeName.Kind.values()) {
        var type = types.find(new TypeName(kind, name));
        found.add(kind + " " + name + " " + type.map(t -> t.text() + t.bytes()).orElse("-"));
      }
      found.add(name + ": " + types.ofSymbol(name).map(CType::text).orElse("-"));
      types.fixed(name).forEach(d -> found.add(name + " at " + d.address() + d.type().text()));
      found.add(name + " in " + types.enumeration(name).map(CType::text).orElse("-"));
    }
    types
        .find(TypeName.struct("node"))
        .filter(CompositeType.class::isInstance)
        .map(CompositeType.class::cast)
        .ifPresent(
            node ->
                node.members()
                    .forEach(m -> found.add(m.type().text() + " " + m.type().resolved().bytes())));
    return found;
  }

  @ParameterizedTest
  @ValueSource(strings = {".gdb_index", ".debug_names"})
  void gdbsTablesChangeNoAnswer(String form) throws IOException {
    for (var option : List.of("-gdwarf-5", "-gdwarf-4", "-fdebug-types-section")) {
      var parts = indexed(option, form, form.substring(1) + option);
      var plain = new LinkedHashMap<>(parts.sections());
      plain.remove(form);
      if (!form.equals(".debug_names") || !option.equals("-fdebug-types-section")) {
        assertThat(Dwarf.open(parts).nameTables().problems()).as(form + option).isEmpty();
        assertThat(Dwarf.open(parts).nameTables().table()).as(form + option).isPresent();
      }
      var whole = answers(new Asked(new Parts("both", plain)).types);

      assertThat(answers(new Asked(parts).types)).as(form + option).isEqualTo(whole);
      // Each question alone, so that no pass that another one needed answers it.
      for (var name :
          List.of("work", "main", "first", "node", "stat", "shared", "counter", "gauge")) {
        var one = new Asked(parts).types;
        var other = new Asked(new Parts("both", plain)).types;
        assertThat(one.ofSymbol(name).map(CType::text))
            .isEqualTo(other.ofSymbol(name).map(CType::text));
        for (var kind : TypeName.Kind.values()) {
          assertThat(new Asked(parts).types.find(new TypeName(kind, name)).map(CType::text))
              .isEqualTo(other.find(new TypeName(kind, name)).map(CType::text));
        }
      }
      var asked = new Asked(parts);
      assertThat(asked.types.ofSymbol("work")).isPresent();
      if (asked.problems.isEmpty()) {
        assertThat(asked.passes).isZero();
      }
    }
  }

  @Test
  void whereThereIsNoOtherTableCodeIsFoundByTheIndexAsFarAsItIsTrue() throws IOException {
    var parts = indexed("-gdwarf-5", ".gdb_index", "code");
    var without = new LinkedHashMap<>(parts.sections());
    without.remove(".debug_aranges");
    var symbols = Dwarf.open(parts).nameTables();
    var ranges = symbols.table().orElseThrow().addresses().orElseThrow().entries();
    assertThat(ranges).hasSizeGreaterThan(1);
    long pc = ranges.getFirst().range().start();

    assertThat(source(new Parts("both", without)).line(pc)).isPresent();

    // The same with the code of all units said to be the last one's.
    byte[] index = parts.find(".gdb_index").orElseThrow().bytes(0, 24);
    assertThat(index[0]).isIn((byte) 7, (byte) 8, (byte) 9);
    var lying = new Parts("both", without).with(".gdb_index", swapped(parts));
    var source = source(lying);
    assertThat(source.line(pc).orElseThrow().path()).endsWith("second.c");
    assertThat(source.problems()).singleElement().asString().contains("table of addresses");
  }

  private static byte[] swapped(Parts parts) {
    var section = parts.find(".gdb_index").orElseThrow();
    byte[] bytes = section.bytes(0, (int) section.size());
    var in = section.cursor(12, ByteOrder.LITTLE_ENDIAN);
    int first = (int) in.u32();
    int end = (int) in.u32();
    for (int at = first; at < end; at += 20) {
      bytes[at + 16] ^= 1;
    }
    return bytes;
  }

  private static DwarfSource source(DwarfSections sections) {
    var dwarf = Dwarf.open(sections);
    return new DwarfSource(
        "dwarf",
        dwarf,
        new DwarfTypeSource("dwarf", () -> DwarfNames.build(dwarf, 1)),
        Optional.empty(),
        X86_64.INSTANCE,
        Placement.asLinked(),
        () -> LineFiles.build(dwarf, 1));
  }
}
