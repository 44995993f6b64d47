// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.dwarf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fathom.base.BadDataException;
import dev.fathom.base.ByteSource;
import dev.fathom.testkit.Fuzz;
import dev.fathom.testkit.LineProgramWriter;
import java.io.IOException;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LineProgramTest {
  private static LineProgram program(byte[] line, byte[] strings) {
    return new LineProgram(
        ByteSource.of(".debug_line", line),
        0,
        ByteOrder.LITTLE_ENDIAN,
        8,
        new LineProgram.Strings(
            ByteSource.of(".debug_line_str", strings), ByteSource.of(".debug_str", strings)));
  }

  private static LineProgramWriter writer(int version) {
    return new LineProgramWriter(version)
        .directory("/src")
        .directory("include")
        .file("main.c", 0)
        .file("list.h", 1);
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 4, 5})
  void readsEveryVersion(int version) {
    var writer = writer(version);
    int first = version == 5 ? 0 : 1;
    writer.setAddress(0xffff_ffff_8100_0000L).file(first).line(10).copy();
    writer.special(4, 2).negateStmt().column(7).advancePc(0x20).file(first + 1).line(-2).copy();
    writer.constAddPc().fixedAdvancePc(0x100).copy().advancePc(1).endSequence();
    var program = program(writer.line(), writer.strings());
    assertThat(program.version()).isEqualTo(version);
    var table = program.run();
    assertThat(table.size()).isEqualTo(5);
    long base = 0xffff_ffff_8100_0000L;
    assertThat(table.address(0)).isEqualTo(base);
    assertThat(table.line(0)).isEqualTo(11);
    assertThat(table.address(1)).isEqualTo(base + 4);
    assertThat(table.line(1)).isEqualTo(13);
    assertThat(table.isStmt(1)).isTrue();
    assertThat(table.address(2)).isEqualTo(base + 0x24);
    assertThat(table.line(2)).isEqualTo(11);
    assertThat(table.column(2)).isEqualTo(7);
    assertThat(table.isStmt(2)).isFalse();
    assertThat(program.path(table.file(1), "/src")).contains("/src/main.c");
    assertThat(program.path(table.file(2), "/src")).contains("/src/include/list.h");
    assertThat(table.endSequence(4)).isTrue();
    // 17 = (255 - 13) / 14
    assertThat(table.address(3)).isEqualTo(base + 0x24 + 17 + 0x100);
    assertThat(table.rowAt(base - 1)).isEmpty();
    assertThat(table.rowAt(base + 3)).hasValue(0);
    assertThat(table.rowAt(base + 4)).hasValue(1);
    assertThat(table.rowAt(base + 0x24 + 17 + 0x100)).hasValue(3);
    assertThat(table.rowAt(base + 0x24 + 17 + 0x101)).isEmpty();
    assertThat(table.end(1)).isEqualTo(base + 0x24);
  }

  @Test
  void theDigestOfAFile() {
    byte[] md5 = new byte[16];
    md5[3] = 7;
    var writer = new LineProgramWriter(5).directory("/src").digest(md5).file("a.c", 0);
    var file = program(writer.line(), writer.strings()).files().getFirst();
    assertThat(file.name()).isEqualTo("a.c");
    assertThat(file.md5().orElseThrow()).isEqualTo(md5);
  }

  @Test
  void whatIsWrongIsNamed() {
    var writer = writer(5);
    byte[] line = writer.endSequence().line();
    line[4] = 6;
    assertThatThrownBy(() -> program(line, writer.strings()))
        .isInstanceOf(BadDataException.class)
        .hasMessage(".debug_line: at offset 0x4: line program version 6, expected 2 to 5");
    byte[] cut = writer(4).raw(0, 200, 1).line();
    assertThatThrownBy(() -> program(cut, new byte[0]).run())
        .hasMessageContaining("extended instruction of 200 bytes");
  }

  @Test
  void damagedProgramsAreReadOrRefused() {
    for (int version : new int[] {3, 5}) {
      var writer = writer(version);
      writer.setAddress(0x1000).line(10).copy().special(4, 2).advancePc(0x20).endSequence();
      Fuzz.run(
          writer.line(),
          3000,
          bytes -> {
            var program = program(bytes, writer.strings());
            var table = program.run();
            for (int row = 0; row < table.size(); row++) {
              assertThat(program.path(table.file(row), "/x")).isNotNull();
              assertThat(table.rowAt(table.address(row))).isNotNull();
              assertThat(Long.toHexString(table.end(row))).isNotEmpty();
            }
          });
    }
  }

  private static final String SOURCE =
      """
      #include <stdio.h>
      static inline int sq(int x) { int y = x * x; return y + 1; }
      int other(int n) { return n > 3 ? sq(n) : sq(n + 1); }
      int main(int argc, char **argv) {
        int s = 0;
        for (int i = 0; i < argc; i++)
          s += sq(i);
        printf("%d %d\\n", s, other(argc));
        return s;
      }
      """;

  /** All rows of programs that the machine's compilers made are those that readelf prints. */
  @ParameterizedTest
  @ValueSource(strings = {"gcc", "clang"})
  void agreesWithReadelf(String compiler, @TempDir Path folder) throws IOException {
    if (!Files.isExecutable(Path.of("/usr/bin", compiler))) {
      return; // One compiler is enough; gcc comes with what builds this.
    }
    var source = Files.writeString(folder.resolve("lines.c"), SOURCE);
    for (int version = 2; version <= 5; version++) {
      for (var level : List.of("-O0", "-O2")) {
        var binary = folder.resolve("lines" + version + level);
        Sections.run(
            compiler,
            "-g",
            "-gdwarf-" + version,
            level,
            source.toString(),
            "-o",
            binary.toString());
        compare(binary, version + level);
      }
    }
  }

  private static void compare(Path binary, String what) throws IOException {
    var sections = Sections.of(binary).orElseThrow();
    var line = sections.bytes(".debug_line");
    var strings =
        new LineProgram.Strings(sections.bytes(".debug_line_str"), sections.bytes(".debug_str"));
    var found = new ArrayList<String>();
    long offset = 0;
    while (offset < line.size()) {
      var program = new LineProgram(line, offset, ByteOrder.LITTLE_ENDIAN, 8, strings);
      var table = program.run();
      for (int row = 0; row < table.size(); row++) {
        var name = program.path(table.file(row), "").orElse("?");
        found.add(
            name.substring(name.lastIndexOf('/') + 1)
                + " "
                + (table.endSequence(row) ? "-" : table.line(row))
                + " 0x"
                + Long.toHexString(table.address(row))
                + (table.isStmt(row) && !table.endSequence(row) ? " x" : ""));
      }
      offset += 4 + line.cursor(offset, ByteOrder.LITTLE_ENDIAN).u32();
    }
    var expected = new ArrayList<String>();
    for (var text : Sections.run("readelf", "-W", "--debug-dump=decodedline", binary.toString())) {
      var words = text.trim().split("\\s+");
      if (words.length >= 3 && words[2].matches("0x[0-9a-f]+|0")) {
        boolean end = words[1].equals("-");
        boolean stmt = words[words.length - 1].equals("x") && !end;
        // The folder stands before the names that clang writes.
        var name = words[0].substring(words[0].lastIndexOf('/') + 1);
        expected.add(name + " " + words[1] + " " + words[2] + (stmt ? " x" : ""));
      }
    }
    assertThat(found).as(what).isNotEmpty().containsExactlyElementsOf(expected);
  }

  @Test
  void pathsOfFilesThatAreNotThere() {
    var program = program(writer(4).line(), new byte[0]);
    assertThat(program.path(0, "/src")).isEmpty();
    assertThat(program.path(99, "/src")).isEmpty();
    assertThat(program.path(2, "")).contains("include/list.h");
  }
}
