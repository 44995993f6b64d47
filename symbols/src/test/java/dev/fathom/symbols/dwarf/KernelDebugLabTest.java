// SPDX-License-Identifier: Apache-2.0
package dev.fathom.symbols.dwarf;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fathom.base.ByteSource;
import dev.fathom.format.dwarf.At;
import dev.fathom.format.dwarf.Die;
import dev.fathom.format.dwarf.Dwarf;
import dev.fathom.format.dwarf.DwarfNames;
import dev.fathom.format.dwarf.DwarfSections;
import dev.fathom.format.dwarf.LineFiles;
import dev.fathom.format.dwarf.Unit;
import dev.fathom.format.elf.ElfFile;
import dev.fathom.model.arch.x86_64.X86_64;
import dev.fathom.model.source.Variable;
import dev.fathom.model.type.CompositeType;
import dev.fathom.model.type.Member;
import dev.fathom.model.type.TypeName;
import dev.fathom.symbols.elf.Placement;
import dev.fathom.symbols.source.DwarfSource;
import dev.fathom.testkit.lab.Lab;
import dev.fathom.testkit.process.CProgram;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.foreign.Arena;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Samples of the debug information of Debian's 6.1 kernel and of one of its modules: entries beside
 * readelf's, types, variables, functions and lines beside gdb's. Other samples in each run; the
 * seed of a run that failed repeats them.
 */
@org.junit.jupiter.api.Tag("lab")
@Timeout(1200)
final class KernelDebugLabTest {
  private static final int UNITS = 6;
  private static final int TYPES = 60;
  private static final int VARIABLES = 60;
  private static final int PLACES = 80;

  /** Attributes whose value is compared as a number. */
  private static final Set<String> NUMBERS =
      Set.of(
          "byte_size",
          "bit_size",
          "data_bit_offset",
          "data_member_location",
          "decl_line",
          "decl_column",
          "low_pc",
          "type",
          "abstract_origin",
          "specification",
          "upper_bound",
          "call_line");

  @TempDir static Path folder;
  private static final long SEED = Long.getLong("fathom.fuzz.seed", System.nanoTime());
  private static final Arena ARENA = Arena.ofShared();
  private static Path vmlinux;
  private static Path module;

  private record Sections(String name, ElfFile elf) implements DwarfSections {
    @Override
    public ByteOrder order() {
      return elf.header().order();
    }

    @Override
    public Optional<ByteSource> find(String section) {
      return elf.sections().relocated(section);
    }
  }

  @BeforeAll
  static void find() {
    var lab = Lab.open();
    vmlinux = lab.crash("6.1").vmlinux();
    module = lab.modulesDebug("6.1", List.of("virtio_blk", "virtio_ring")).getFirst();
  }

  @AfterAll
  static void close() {
    ARENA.close();
  }

  private static Dwarf open(Path file) throws IOException {
    try (var channel = FileChannel.open(file)) {
      var mapped = channel.map(FileChannel.MapMode.READ_ONLY, 0, Files.size(file), ARENA);
      var name = file.getFileName().toString();
      return Dwarf.open(new Sections(name, ElfFile.read(ByteSource.of(name, mapped))));
    }
  }

  private static <T> List<T> sample(List<T> all, int count, Random random) {
    var picked = new ArrayList<T>();
    var seen = new HashSet<Integer>();
    while (seen.size() < Math.min(count, all.size())) {
      int index = random.nextInt(all.size());
      if (seen.add(index)) {
        picked.add(all.get(index));
      }
    }
    return picked;
  }

  // Entries

  @Test
  void entriesAreReadelfs() throws IOException, InterruptedException {
    var random = new Random(SEED);
    for (var file : List.of(vmlinux, module)) {
      for (var unit : sample(open(file).units(), UNITS, random)) {
        var ours = new ArrayList<String>();
        add(unit.root(), 0, file.equals(vmlinux), ours);
        var theirs = theirs(file, unit);
        var what = "%s, unit 0x%x, seed %d".formatted(file.getFileName(), unit.offset(), SEED);
        for (int i = 0; i < Math.min(ours.size(), theirs.size()); i++) {
          assertThat(ours.get(i)).as(what).isEqualTo(theirs.get(i));
        }
        assertThat(ours).as(what).hasSameSizeAs(theirs).isNotEmpty();
      }
    }
  }

  /**
   * @param linked whether addresses are those of a linked file, and not each section's own
   */
  private static void add(Die die, int depth, boolean linked, List<String> lines) {
    var line = new StringBuilder();
    line.append(Long.toHexString(die.offset())).append(' ').append(depth).append(' ');
    line.append(DwarfCorpusTest.TAGS.getOrDefault(die.tag(), "?"));
    for (int i = 0; i < die.size(); i++) {
      var name = DwarfCorpusTest.ATTRIBUTES.getOrDefault(die.attributeName(i), "?");
      line.append(' ').append(name);
      if (NUMBERS.contains(name) && (linked || !name.equals("low_pc"))) {
        line.append(number(die, die.attributeName(i)));
      }
    }
    die.name().ifPresent(name -> line.append(" = ").append(name));
    lines.add(line.toString());
    for (var child = die.firstChild(); child.isPresent(); child = child.get().next()) {
      add(child.get(), depth + 1, linked, lines);
    }
  }

  /** In hexadecimal; nothing for what is an expression or has no number that readelf prints. */
  private static String number(Die die, int attribute) {
    if (attribute == At.LOW_PC) {
      return ":" + Long.toHexString(die.address(attribute).orElseThrow());
    }
    var value = die.attribute(attribute).orElseThrow();
    if (value.isBlock()) {
      return "";
    }
    return ":"
        + Long.toHexString(
            value.isConstant()
                ? die.number(attribute).orElseThrow()
                : die.reference(attribute).orElseThrow().offset());
  }

  private static final Pattern ENTRY =
      Pattern.compile(" <([0-9a-f]+)><([0-9a-f]+)>: Abbrev Number: [0-9]+ \\(DW_TAG_(\\w+)\\).*");
  private static final Pattern ATTRIBUTE =
      Pattern.compile("    <[0-9a-f]+> +DW_AT_(\\w+) *: ?(.*)");
  private static final Pattern PLACE =
      Pattern.compile(
          "^\\((?:indirect|indexed|alt|string|strp|line_strp)[^)]*\\)(?: \\(offset: [^)]*\\))?:?"
              + " ?");
  private static final Pattern NUMBER =
      Pattern.compile("(?:<0x([0-9a-f]+)>|0x([0-9a-f]+)|(-?[0-9]+))(?:\\s.*)?");

  private static String known(Map<Integer, String> names, String name) {
    var lower = name.toLowerCase(Locale.ROOT);
    return names.containsValue(lower) ? lower : "?";
  }

  /** What readelf says of a unit; it is stopped at the next one. */
  private static List<String> theirs(Path file, Unit unit) throws IOException {
    var builder =
        new ProcessBuilder(
            "readelf",
            "--debug-dump=info",
            "--dwarf-start=" + unit.root().offset(),
            file.toString());
    builder.environment().put("LC_ALL", "C");
    var process = builder.redirectError(ProcessBuilder.Redirect.DISCARD).start();
    var lines = new ArrayList<String>();
    var line = new StringBuilder();
    var name = "";
    try (var said =
        new BufferedReader(
            new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
      for (var text = said.readLine(); text != null; text = said.readLine()) {
        var entry = ENTRY.matcher(text);
        var attribute = ATTRIBUTE.matcher(text);
        if (entry.matches()) {
          long at = Long.parseLong(entry.group(2), 16);
          finish(line, name, lines);
          name = "";
          if (at >= unit.end()) {
            break;
          }
          line.append(entry.group(2)).append(' ').append(Integer.parseInt(entry.group(1)));
          line.append(' ').append(known(DwarfCorpusTest.TAGS, entry.group(3)));
        } else if (attribute.matches() && !line.isEmpty()) {
          var own = known(DwarfCorpusTest.ATTRIBUTES, attribute.group(1));
          line.append(' ').append(own);
          var number = NUMBER.matcher(attribute.group(2));
          if (NUMBERS.contains(own)
              && (file.equals(vmlinux) || !own.equals("low_pc"))
              && number.matches()) {
            line.append(':').append(hex(number.group(1), number.group(2), number.group(3)));
          }
          if (own.equals("name")) {
            name = " = " + PLACE.matcher(attribute.group(2)).replaceFirst("").strip();
          }
        }
      }
      finish(line, name, lines);
    } finally {
      process.destroy();
    }
    return lines;
  }

  private static String hex(String reference, String hexadecimal, String decimal) {
    var digits = reference != null ? reference : hexadecimal;
    return Long.toHexString(
        digits != null ? Long.parseUnsignedLong(digits, 16) : Long.parseLong(decimal));
  }

  private static void finish(StringBuilder line, String name, List<String> lines) {
    if (!line.isEmpty()) {
      lines.add(line + name);
      line.setLength(0);
    }
  }

  // Types, variables and code

  /** gdb's answers to questions of one line each; an answer is one line. */
  private static List<String> gdb(Path file, List<String> questions) throws IOException {
    var asked = folder.resolve("asked");
    var said = folder.resolve("said");
    var script = folder.resolve("script.py");
    Files.write(asked, questions);
    Files.writeString(
        script,
        """
        import gdb
        def struct(name):
            type = gdb.lookup_type(name)
            fields = ['%%s@%%d:%%d+%%d' %% (f.name or '', f.bitpos, f.bitsize, f.type.sizeof)
                      for f in type.fields()]
            return '%%d %%s' %% (type.sizeof, ' '.join(fields))
        def variable(name):
            symbol = gdb.lookup_global_symbol(name) or gdb.lookup_static_symbol(name)
            return '%%x %%d' %% (int(symbol.value().address), symbol.type.sizeof)
        def place(pc):
            block, kept, dropped = gdb.block_for_pc(int(pc, 16)), set(), set()
            while block is not None and not block.is_static and not block.is_global:
                for s in block:
                    if s.is_variable or s.is_argument or s.is_constant:
                        # Statics of blocks that are gone are told of as well.
                        gone = (gdb.SYMBOL_LOC_OPTIMIZED_OUT, gdb.SYMBOL_LOC_STATIC)
                        gone = s.is_constant or s.addr_class in gone
                        (dropped if gone else kept).add(s.name)
                block = block.superblock
            found = gdb.find_pc_line(int(pc, 16))
            line = found.symtab.filename.split('/')[-1] + ':' + str(found.line)
            return ' '.join([line, ','.join(sorted(kept)), ','.join(sorted(dropped))])
        with open('%s') as asked, open('%s', 'w') as said:
            for line in asked:
                what, name = line.rstrip('\\n').split(' ', 1)
                try:
                    said.write({'s': struct, 'v': variable, 'p': place}[what](name) + '\\n')
                except Exception as e:
                    said.write('error ' + str(e).replace('\\n', ' ') + '\\n')
        """
            .formatted(asked, said));
    CProgram.run(
        folder,
        List.of(
            "gdb",
            "-batch",
            "-nx",
            "-iex",
            "set debuginfod enabled off",
            file.toString(),
            "-ex",
            "source " + script));
    var answers = Files.readAllLines(said);
    assertThat(answers).hasSameSizeAs(questions);
    return answers;
  }

  private static String layout(CompositeType type) {
    return type.bytes()
        + " "
        + type.members().stream().map(KernelDebugLabTest::field).collect(Collectors.joining(" "));
  }

  private static String field(Member m) {
    return m.name() + "@" + m.bitOffset() + ":" + m.bitSize() + "+" + m.type().bytes();
  }

  /** Of a file's structures those whose name means one thing, so that gdb means the same. */
  private static List<String> structures(DwarfNames names, DwarfTypeSource types) {
    var unique = new TreeSet<String>();
    types
        .typeNames()
        .map(n -> n.name())
        .filter(n -> n.kind() == TypeName.Kind.STRUCT)
        .map(TypeName::name)
        .filter(
            name ->
                names.find(name).stream()
                        .filter(e -> e.kind() == DwarfNames.Kind.STRUCT && !e.isDeclaration())
                        .count()
                    == 1)
        .forEach(unique::add);
    return List.copyOf(unique);
  }

  @Test
  void typesAreGdbs() throws IOException {
    var random = new Random(SEED);
    for (var file : List.of(vmlinux, module)) {
      var names = DwarfNames.build(open(file), 2);
      assertThat(names.problems()).isEmpty();
      var types = new DwarfTypeSource("dwarf", () -> names);
      var picked = sample(structures(names, types), TYPES, random);
      var ours =
          picked.stream()
              .map(n -> n + ": " + layout((CompositeType) types.find(TypeName.struct(n)).get()))
              .toList();
      var said = gdb(file, picked.stream().map(n -> "s struct " + n).toList());
      var theirs = new ArrayList<String>();
      for (int i = 0; i < picked.size(); i++) {
        theirs.add(picked.get(i) + ": " + said.get(i));
      }
      assertThat(ours).as("%s, seed %d", file.getFileName(), SEED).isEqualTo(theirs);
    }
  }

  @Test
  void variablesAreGdbs() throws IOException {
    var random = new Random(SEED);
    var names = DwarfNames.build(open(vmlinux), 2);
    var types = new DwarfTypeSource("dwarf", () -> names);
    var known =
        names
            .defined(Set.of(DwarfNames.Kind.VARIABLE))
            .filter(DwarfNames.Entry::isExternal)
            .flatMap(e -> types.nameOf(e.die()).stream())
            .distinct()
            .filter(n -> !types.fixed(n).isEmpty())
            .toList();
    var picked = sample(known, VARIABLES, random);
    var ours = new ArrayList<String>();
    for (var name : picked) {
      var variable = types.fixed(name).getFirst();
      long address = variable.address().orElseThrow();
      ours.add(name + ": " + Long.toHexString(address) + " " + variable.type().bytes());
    }
    var said = gdb(vmlinux, picked.stream().map(n -> "v " + n).toList());
    var theirs = new ArrayList<String>();
    for (int i = 0; i < picked.size(); i++) {
      // gdb may have found a declaration without bounds: extern struct thing things[];
      theirs.add(
          picked.get(i)
              + ": "
              + (said.get(i).endsWith(" 0")
                  ? said.get(i).replaceFirst(" 0$", ours.get(i).replaceFirst(".* ", " "))
                  : said.get(i)));
    }
    assertThat(ours).as("seed %d", SEED).isEqualTo(theirs);
  }

  /** What a place in the code is, as we have it. */
  private record Place(long pc, List<String> chain, Set<String> variables) {}

  /** Lines and functions that were inlined beside addr2line's, variables in scope beside gdb's. */
  @Test
  void codeIsAddr2linesAndGdbs() throws IOException {
    var random = new Random(SEED);
    var dwarf = open(vmlinux);
    var names = DwarfNames.build(dwarf, 2);
    var types = new DwarfTypeSource("dwarf", () -> names);
    var source =
        new DwarfSource(
            "dwarf",
            dwarf,
            types,
            Optional.empty(),
            X86_64.INSTANCE,
            Placement.asLinked(),
            () -> LineFiles.build(dwarf, 1));
    var functions = names.defined(Set.of(DwarfNames.Kind.FUNCTION)).toList();
    var places = new ArrayList<Place>();
    while (places.size() < PLACES) {
      var die = functions.get(random.nextInt(functions.size())).die();
      var start = die.address(At.LOW_PC);
      long size = die.number(At.HIGH_PC).orElse(0);
      if (start.isPresent() && size > 0) {
        places.add(place(source, start.getAsLong() + random.nextLong(size)));
      }
    }
    assertThat(source.problems()).isEmpty();
    var command = new ArrayList<>(List.of("addr2line", "-a", "-i", "-f", "-e", vmlinux.toString()));
    places.forEach(place -> command.add(Long.toHexString(place.pc())));
    var said = CProgram.run(folder, command).split("(?m)^0x", -1);
    var scopes = gdb(vmlinux, places.stream().map(p -> "p " + Long.toHexString(p.pc())).toList());
    for (int i = 0; i < places.size(); i++) {
      var place = places.get(i);
      var what = "0x%x, seed %d".formatted(place.pc(), SEED);
      var theirs =
          said[i + 1].lines().skip(1).map(l -> l.replaceAll(" \\(discriminator.*", "")).toList();
      var scope = scopes.get(i).split(" ", 3);
      assertThat(numbers(place.chain())).as(what).isEqualTo(numbers(theirs));
      // binutils 2.40 names the unit's own file for some lines of headers, where gdb does not.
      boolean confused = theirs.get(1).matches(".*\\.c:\\d+");
      assertThat(place.chain().get(1))
          .as(what)
          .satisfiesAnyOf(
              line -> assertThat(line).isEqualTo(theirs.get(1)),
              line -> assertThat(line).endsWith("/" + scope[0]),
              line -> assertThat(confused && line.matches(".*\\.h:\\d+")).isTrue());
      var kept = Set.of(scope[1].isEmpty() ? new String[0] : scope[1].split(","));
      var all = new HashSet<>(kept);
      all.addAll(List.of(scope[2].split(",")));
      var missed = new TreeSet<>(kept);
      missed.removeAll(place.variables());
      assertThat(missed).as("missed at " + what).isEmpty();
      var invented = new TreeSet<>(place.variables());
      invented.removeAll(all);
      assertThat(invented).as("invented at " + what).isEmpty();
    }
  }

  private static List<String> numbers(List<String> chain) {
    return chain.stream().map(text -> text.replaceFirst(".*:", "")).toList();
  }

  private static Place place(DwarfSource source, long pc) {
    var chain = new ArrayList<String>();
    var variables = new TreeSet<String>();
    for (var activation : source.activations(pc)) {
      chain.add(activation.function());
      chain.add(activation.line().map(line -> line.text()).orElse("??:?"));
      activation.parameters().stream().map(Variable::name).forEach(variables::add);
      activation.locals().stream().map(Variable::name).forEach(variables::add);
    }
    return new Place(pc, chain, variables);
  }
}
