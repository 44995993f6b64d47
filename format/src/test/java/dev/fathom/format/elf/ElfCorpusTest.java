// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.elf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.fathom.base.ByteSource;
import dev.fathom.base.MappedFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * The ELF files of this machine, a few of each run's choice, beside what readelf says about them.
 * {@code -Dfathom.fuzz.seed=SEED} chooses the same again, {@code -Dfathom.fuzz.rounds=N} more.
 */
class ElfCorpusTest {
  private static final int FILES = 40;
  private static final long LARGEST = 64L << 20;
  private static final Path READELF = Path.of("/usr/bin/readelf");

  @Test
  void sectionsSymbolsAndIdsAreReadelfs() throws IOException, InterruptedException {
    assumeTrue(Files.isExecutable(READELF), "readelf is not installed");
    long seed = Long.getLong("fathom.fuzz.seed", System.nanoTime());
    var files = candidates();
    Collections.shuffle(files, new Random(seed));
    int compared = 0;
    int wanted = FILES * Integer.getInteger("fathom.fuzz.rounds", 1);
    for (var path : files) {
      if (compared == wanted) {
        break;
      }
      try (var mapped = MappedFile.open(path)) {
        if (ElfFile.matches(mapped)) {
          compare(path, mapped, "seed " + seed + ", " + path);
          compared++;
        }
      }
    }
    assertThat(compared).as("ELF files on this machine").isGreaterThan(10);
  }

  private static List<Path> candidates() throws IOException {
    var files = new ArrayList<Path>();
    for (var root : List.of("/usr/bin", "/usr/sbin", "/usr/lib", "/usr/libexec")) {
      if (Files.isDirectory(Path.of(root))) {
        try (Stream<Path> walk = Files.walk(Path.of(root), 4)) {
          walk.filter(ElfCorpusTest::isCandidate).forEach(files::add);
        }
      }
    }
    Collections.sort(files);
    return files;
  }

  private static boolean isCandidate(Path path) {
    var name = path.getFileName().toString();
    try {
      return Files.isRegularFile(path)
          && Files.isReadable(path)
          && (Files.isExecutable(path) || name.contains(".so") || name.endsWith(".o"))
          && Files.size(path) < LARGEST;
    } catch (IOException e) {
      return false; // gone between listing and looking
    }
  }

  private static void compare(Path path, ByteSource source, String what)
      throws IOException, InterruptedException {
    var file = ElfFile.read(source);
    var lines = run("readelf", "-SsnW", path.toString());
    assertThat(sections(file)).as(what).containsExactlyElementsOf(sectionsOf(lines));
    var symbols = new ArrayList<String>();
    file.dynsym().ifPresent(table -> symbols.addAll(symbols(table, file.header().is64())));
    file.symtab().ifPresent(table -> symbols.addAll(symbols(table, file.header().is64())));
    assertThat(symbols).as(what).containsExactlyElementsOf(symbolsOf(lines));
    var ids =
        lines.stream()
            .filter(l -> l.contains("Build ID: "))
            .map(l -> l.substring(l.indexOf("Build ID: ")))
            .toList();
    assertThat(file.buildId().map(id -> "Build ID: " + id).stream().toList())
        .as(what)
        .isEqualTo(ids.stream().limit(1).toList());
  }

  private static List<String> run(String... command) throws IOException, InterruptedException {
    var builder = new ProcessBuilder(command);
    builder.environment().put("LC_ALL", "C.UTF-8");
    var process = builder.redirectError(ProcessBuilder.Redirect.DISCARD).start();
    try (var out = process.inputReader(java.nio.charset.StandardCharsets.UTF_8)) {
      var lines = out.lines().toList();
      process.waitFor();
      return lines;
    }
  }

  /** {@code [ 1] .name TYPE addr off size es flg lk inf al}, without the type and flags. */
  private static List<String> sectionsOf(List<String> lines) {
    return lines.stream()
        .filter(line -> line.matches("  \\[ *\\d+].*") && !line.contains("] Name"))
        .map(ElfCorpusTest::section)
        .toList();
  }

  private static final Pattern SECTION =
      Pattern.compile(
          "  \\[ *(\\d+)\\].* ([0-9a-f]{8}|[0-9a-f]{16}) ([0-9a-f]{6,}) ([0-9a-f]{6,})"
              + " ([0-9a-f]{2,}) +[A-Za-z]* +(\\d+) +(\\d+) +(\\d+)");

  private static String section(String line) {
    var m = SECTION.matcher(line);
    assertThat(m.matches()).as(line).isTrue();
    return String.join(
        " ",
        m.group(1),
        m.group(2),
        m.group(3),
        m.group(4),
        m.group(5),
        m.group(6),
        m.group(7),
        m.group(8));
  }

  private static List<String> sections(ElfFile file) {
    int width = file.header().is64() ? 16 : 8;
    return file.sections().all().stream()
        .map(
            s ->
                String.join(
                    " ",
                    Integer.toString(s.index()),
                    hex(s.addr(), width),
                    hex(s.offset(), 6),
                    hex(s.size(), 6),
                    hex(s.entsize(), 2),
                    Integer.toString(s.link()),
                    Integer.toString(s.info()),
                    Long.toString(s.align())))
        .toList();
  }

  private static String hex(long value, int width) {
    var digits = Long.toHexString(value);
    return "0".repeat(Math.max(0, width - digits.length())) + digits;
  }

  private static final String[] TYPES = {
    "NOTYPE", "OBJECT", "FUNC", "SECTION", "FILE", "COMMON", "TLS", "", "", "", "IFUNC"
  };

  /** {@code 12: 0000000000001139 22 FUNC GLOBAL DEFAULT 14 main}, without versions. */
  private static List<String> symbolsOf(List<String> lines) {
    return lines.stream()
        .filter(line -> line.matches(" *\\d+: [0-9a-f]{8,16} .*"))
        .map(
            line -> {
              // What readelf says when the file does not name GNU's ABI.
              var words = line.strip().replace("<OS specific>: 10", "UNIQUE").split(" +");
              long size =
                  words[2].startsWith("0x")
                      ? Long.parseUnsignedLong(words[2].substring(2), 16)
                      : Long.parseLong(words[2]);
              // Other bits of st_other are shown in brackets before the section.
              int section = words[6].startsWith("[") ? line.indexOf(']') : -1;
              var ndx = section < 0 ? words[6] : line.substring(section + 1).strip().split(" +")[0];
              var name = words[3].equals("SECTION") || words.length < 8 ? "" : name(words);
              return String.join(
                  " ", words[0], words[1], Long.toString(size), words[3], words[4], ndx, name);
            })
        .toList();
  }

  private static String name(String[] words) {
    var name = words[words.length - 1];
    if (name.startsWith("(") && words.length > 8) {
      name = words[words.length - 2];
    }
    return unversioned(name);
  }

  private static String unversioned(String name) {
    int at = name.indexOf('@');
    return at < 0 ? name : name.substring(0, at);
  }

  private static String unversioned(ElfSymtab table, int symbol) {
    var words = table.name(symbol).split(" ");
    return unversioned(words[words.length - 1]);
  }

  private static List<String> symbols(ElfSymtab table, boolean is64) {
    var lines = new ArrayList<String>();
    for (int i = 0; i < table.count(); i++) {
      int type = table.type(i);
      int section = table.shndx(i);
      lines.add(
          String.join(
              " ",
              i + ":",
              hex(table.value(i), is64 ? 16 : 8),
              Long.toString(table.size(i)),
              TYPES[type],
              switch (table.binding(i)) {
                case Elf.STB_LOCAL -> "LOCAL";
                case Elf.STB_GLOBAL -> "GLOBAL";
                case Elf.STB_WEAK -> "WEAK";
                case Elf.STB_GNU_UNIQUE -> "UNIQUE";
                default -> "?";
              },
              section == Elf.SHN_UNDEF
                  ? "UND"
                  : section == Elf.SHN_ABS
                      ? "ABS"
                      : section == Elf.SHN_COMMON ? "COM" : Integer.toString(section),
              type == Elf.STT_SECTION || !table.isNamed(i) ? "" : unversioned(table, i)));
    }
    return lines;
  }
}
