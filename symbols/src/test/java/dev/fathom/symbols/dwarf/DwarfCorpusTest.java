// SPDX-License-Identifier: Apache-2.0
package dev.fathom.symbols.dwarf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.fathom.base.ByteSource;
import dev.fathom.format.dwarf.At;
import dev.fathom.format.dwarf.Die;
import dev.fathom.format.dwarf.Dwarf;
import dev.fathom.format.dwarf.DwarfNames;
import dev.fathom.format.dwarf.DwarfSections;
import dev.fathom.format.dwarf.Tag;
import dev.fathom.format.elf.ElfFile;
import dev.fathom.model.type.CompositeType;
import dev.fathom.model.type.EnumType;
import dev.fathom.model.type.TypeName;
import dev.fathom.model.type.TypeSource;
import java.io.IOException;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What gcc writes, compiled when the test runs, beside what readelf says about it. */
final class DwarfCorpusTest {
  private static final String SOURCE =
      """
      enum color { RED = -1, GREEN, BLUE = 0x7fffffff };
      typedef unsigned long word;
      struct node { struct node *next, *prev; };
      union any { long l; char c[sizeof(long)]; };
      struct all {
        const char *text;
        enum color color;
        unsigned low : 3, middle : 14, high : 15;
        word big : 40;
        union any any;
        union { int inner; short half; };
        int matrix[2][3][4];
        int (*call)(const struct node *, ...);
        struct undefined *nowhere;
        struct node node;
        _Bool flag;
        double ratio;
        char rest[];
      };
      extern int elsewhere;
      struct all global = { .text = "x" };
      static word counters[7];
      static inline int helper(int deep) { static int calls; return deep + ++calls; }
      int entry(struct all *from, word count, ...) {
        int local = helper(elsewhere);
        for (word i = 0; i < count; i++) { char buffer[count + 1]; local += buffer[i % 2]; }
        return local + (int) counters[from->low];
      }
      """;

  @TempDir private Path folder;

  private record Sections(Path path, ElfFile elf) implements DwarfSections {
    @Override
    public String name() {
      return path.toString();
    }

    @Override
    public ByteOrder order() {
      return elf.header().order();
    }

    @Override
    public Optional<ByteSource> find(String section) {
      return elf.sections().relocated(section);
    }

    @Override
    public Optional<DwarfSections> split(String dwo, String directory, long id) {
      var other = path.resolveSibling(Path.of(dwo).getFileName());
      return Optional.of(new Sections(other, ElfFile.read(bytesOf(other))));
    }

    private static ByteSource bytesOf(Path file) {
      try {
        return ByteSource.of(file.toString(), Files.readAllBytes(file));
      } catch (IOException e) {
        throw new AssertionError(e);
      }
    }
  }

  private Path compile(String options) throws IOException, InterruptedException {
    assumeTrue(Files.isExecutable(Path.of("/usr/bin/gcc")), "gcc is not installed");
    assumeTrue(Files.isExecutable(Path.of("/usr/bin/readelf")), "readelf is not installed");
    Files.writeString(folder.resolve("all.c"), SOURCE);
    var command = new ArrayList<>(List.of("gcc", "-O1", "-fPIC", "all.c", "-o", "all.o"));
    command.addAll(List.of(options.split(" ")));
    run(command);
    return folder.resolve("all.o");
  }

  private static Dwarf open(Path object) {
    return Dwarf.open(new Sections(object, ElfFile.read(Sections.bytesOf(object))));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "-c -gdwarf-2 -gstrict-dwarf",
        "-shared -nostdlib -gdwarf-3",
        "-c -gdwarf-4",
        "-shared -nostdlib -gdwarf-4 -fdebug-types-section",
        "-c -gdwarf-5",
        "-shared -nostdlib -gdwarf-5 -fdebug-types-section",
        "-c -gdwarf-5 -gdwarf64",
        "-c -gdwarf-5 -gz=zlib"
      })
  void entriesAreReadelfs(String options) throws IOException, InterruptedException {
    var object = compile(options);
    var dwarf = open(object);

    assertThat(ours(dwarf))
        .containsExactlyInAnyOrderElementsOf(theirs(object))
        .hasSizeGreaterThan(50);
    assertThat(dwarf.problems()).isEmpty();
    check(dwarf);
  }

  @ParameterizedTest
  @ValueSource(strings = {"-c -gdwarf-4 -gsplit-dwarf", "-c -gdwarf-5 -gsplit-dwarf"})
  void splitEntriesAreReadelfs(String options) throws IOException, InterruptedException {
    var object = compile(options);
    var dwarf = open(object);
    var split = dwarf.units().getFirst().split().orElseThrow();

    // Without names: readelf before 2.41 looks those with an index up in the wrong place.
    assertThat(ours(split.dwarf()).stream().map(DwarfCorpusTest::withoutName))
        .containsExactlyElementsOf(
            theirs(folder.resolve("all.dwo")).stream().map(DwarfCorpusTest::withoutName).toList());
    check(dwarf);
  }

  private static String withoutName(String line) {
    return line.replaceFirst(" = .*", "");
  }

  /** The types are C's, whatever the version. */
  private static void check(Dwarf dwarf) {
    var names = DwarfNames.build(dwarf, 1);
    assertThat(names.problems()).isEmpty();
    var source = new DwarfTypeSource("dwarf", () -> names);
    assertThat(source.typeNames().map(TypeSource.Named::text))
        .contains("struct all", "union any", "enum color", "word", "unsigned int")
        .doesNotContain("struct undefined")
        .containsExactlyInAnyOrderElementsOf(
            source.stream()
                .flatMap(t -> TypeSource.Named.of(t).stream())
                .map(n -> n.text())
                .toList());
    var all = (CompositeType) source.find(TypeName.struct("all")).orElseThrow();
    var fields = new HashMap<String, String>();
    for (var member : all.members()) {
      fields.put(member.name(), member.type().declare(member.name()) + ":" + member.bitSize());
    }
    assertThat(fields)
        .containsEntry("text", "const char *text:0")
        .containsEntry("middle", "unsigned int middle:14")
        .containsEntry("matrix", "int matrix[2][3][4]:0")
        .containsEntry("call", "int (*call)(const struct node *, ...):0")
        .containsEntry("nowhere", "struct undefined *nowhere:0")
        .containsEntry("rest", "char rest[]:0");
    long start = all.members().get(2).bitOffset();
    assertThat(all.members().subList(2, 5))
        .extracting(m -> m.bitOffset() - start)
        .containsExactly(0L, 3L, 17L);
    assertThat(start).isEqualTo(8L * (8 + 4));
    var color = (EnumType) source.find(new TypeName(TypeName.Kind.ENUM, "color")).orElseThrow();
    assertThat(color.enumerators())
        .containsExactly(
            new EnumType.Enumerator("RED", -1),
            new EnumType.Enumerator("GREEN", 0),
            new EnumType.Enumerator("BLUE", 0x7fffffff));
    assertThat(source.ofSymbol("entry").orElseThrow().declare("entry"))
        .isEqualTo("int entry(struct all *from, word count, ...)");
    assertThat(source.ofSymbol("counters").orElseThrow().declare("counters"))
        .isEqualTo("word counters[7]");
    assertThat(source.ofSymbol("global").orElseThrow()).isSameAs(all);
    assertThat(source.ofSymbol("elsewhere").orElseThrow().text()).isEqualTo("int");
  }

  @Test
  void filesWithoutDebugInformationHaveNoUnits() throws IOException, InterruptedException {
    assertThat(open(compile("-c -g0")).units()).isEmpty();
  }

  static final Map<Integer, String> TAGS = names(Tag.class);
  static final Map<Integer, String> ATTRIBUTES = names(At.class);

  private static Map<Integer, String> names(Class<?> constants) {
    var found = new HashMap<Integer, String>();
    for (var field : constants.getFields()) {
      try {
        found.put(field.getInt(null), field.getName().toLowerCase(Locale.ROOT));
      } catch (IllegalAccessException e) {
        throw new AssertionError(e);
      }
    }
    return found;
  }

  /** Every entry as a line: where, how deep, its tag, attributes and name. */
  private static List<String> ours(Dwarf dwarf) {
    var lines = new ArrayList<String>();
    for (var unit : dwarf.units()) {
      add(unit.root(), 0, lines);
    }
    return lines;
  }

  private static void add(Die die, int depth, List<String> lines) {
    var line = new StringBuilder();
    line.append(Long.toHexString(die.offset())).append(' ').append(depth).append(' ');
    line.append(TAGS.getOrDefault(die.tag(), "?"));
    for (int i = 0; i < die.size(); i++) {
      line.append(' ').append(ATTRIBUTES.getOrDefault(die.attributeName(i), "?"));
    }
    die.name().ifPresent(name -> line.append(" = ").append(name));
    lines.add(line.toString());
    for (var child = die.firstChild(); child.isPresent(); child = child.get().next()) {
      add(child.get(), depth + 1, lines);
    }
  }

  private static final Pattern ENTRY =
      Pattern.compile(" <([0-9a-f]+)><([0-9a-f]+)>: Abbrev Number: [0-9]+ \\(DW_TAG_(\\w+)\\).*");
  private static final Pattern ATTRIBUTE =
      Pattern.compile("    <[0-9a-f]+> +DW_AT_(\\w+) *: ?(.*)");

  /** How versions of binutils say where a name stands. */
  private static final Pattern PLACE =
      Pattern.compile(
          "^\\((?:indirect|indexed|alt|string|strp|line_strp)[^)]*\\)(?: \\(offset: [^)]*\\))?:?"
              + " ?");

  private List<String> theirs(Path object) throws IOException, InterruptedException {
    var lines = new ArrayList<String>();
    var line = new StringBuilder();
    var name = "";
    for (var text : run(List.of("readelf", "-wi", "-W", object.toString()))) {
      var entry = ENTRY.matcher(text);
      var attribute = ATTRIBUTE.matcher(text);
      if (entry.matches()) {
        finish(line, name, lines);
        name = "";
        line.append(entry.group(2)).append(' ').append(Integer.parseInt(entry.group(1)));
        line.append(' ').append(known(TAGS, entry.group(3)));
      } else if (attribute.matches()) {
        line.append(' ').append(known(ATTRIBUTES, attribute.group(1)));
        if (attribute.group(1).equals("name")) {
          name = " = " + PLACE.matcher(attribute.group(2)).replaceFirst("").strip();
        }
      }
    }
    finish(line, name, lines);
    return lines;
  }

  private static void finish(StringBuilder line, String name, List<String> lines) {
    if (!line.isEmpty()) {
      lines.add(line + name);
      line.setLength(0);
    }
  }

  private static String known(Map<Integer, String> names, String name) {
    var lower = name.toLowerCase(Locale.ROOT);
    return names.containsValue(lower) ? lower : "?";
  }

  private List<String> run(List<String> command) throws IOException, InterruptedException {
    var builder = new ProcessBuilder(command).directory(folder.toFile()).redirectErrorStream(true);
    builder.environment().put("LC_ALL", "C");
    var process = builder.start();
    var output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(output).isZero();
    return output.lines().toList();
  }
}
