// SPDX-License-Identifier: Apache-2.0
package dev.fathom.symbols.index;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fathom.base.BadDataException;
import dev.fathom.format.dwarf.Dwarf;
import dev.fathom.format.dwarf.LineFiles;
import dev.fathom.format.dwarf.Unit;
import dev.fathom.symbols.debugfile.DebugFile;
import dev.fathom.symbols.debugfile.DebugFileSettings;
import dev.fathom.symbols.debugfile.DebugFiles;
import dev.fathom.symbols.debugfile.DownloadProgress;
import dev.fathom.testkit.process.CProgram;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Which units have code of a file, of a program that gcc made of three. */
@EnabledOnOs(OS.LINUX)
class LineFilesTest {
  @TempDir private Path folder;
  private DebugFile file;
  private Dwarf dwarf;

  @BeforeEach
  void compile() throws IOException {
    Files.createDirectory(folder.resolve("include"));
    Files.writeString(
        folder.resolve("include/shared.h"), "static inline int twice(int a) { return a * 2; }\n");
    Files.writeString(
        folder.resolve("one.c"),
        "#include \"include/shared.h\"\nint one(int a) { return twice(a); }\n");
    // Includes the header and has no code of it.
    Files.writeString(
        folder.resolve("two.c"), "#include \"include/shared.h\"\nint two(int a) { return a; }\n");
    var program =
        CProgram.compile(
            folder,
            "main",
            "#include \"include/shared.h\"\nint main(int c, char **v) { return twice(c); }\n",
            "-O0",
            "-g",
            folder.resolve("one.c").toString(),
            folder.resolve("two.c").toString());
    file =
        DebugFile.open(
            program.file(), new DebugFiles(DebugFileSettings.none(), DownloadProgress.none()));
    dwarf = Dwarf.open(file);
  }

  @AfterEach
  void close() {
    file.close();
  }

  private static List<String> units(LineFiles files, String name) {
    return files.units(name).stream()
        .map(unit -> unit.name().orElseThrow())
        .map(path -> path.substring(path.lastIndexOf('/') + 1))
        .sorted()
        .toList();
  }

  private static void check(LineFiles files) {
    assertThat(units(files, "include/shared.h")).containsExactly("main.c", "one.c");
    assertThat(units(files, "shared.h")).containsExactly("main.c", "one.c");
    assertThat(units(files, "two.c")).containsExactly("two.c");
    assertThat(units(files, "three.c")).isEmpty();
  }

  @Test
  void unitsWithCodeOfAHeaderAreFound() {
    check(LineFiles.build(dwarf, 2));
  }

  @Test
  void itIsKeptOnDisk() {
    var id = file.elf().buildId().orElseThrow().hex();
    var index = TableIndex.of(folder.resolve("index"), id);
    check(index.lineFiles(dwarf, 2));
    assertThat(folder.resolve("index")).isDirectoryContaining("glob:**-lines*");
    check(TableIndex.of(folder.resolve("index"), id).lineFiles(dwarf, 2));
  }

  /** Arrays of another file lead nowhere, or to a unit; never to another failure. */
  @Test
  void arraysOfAnotherFileAreNoDanger() {
    long seed = Long.getLong("fathom.fuzz.seed", System.nanoTime());
    var random = new Random(seed);
    var arrays = LineFiles.build(dwarf, 1).arrays();
    for (int round = 0; round < 500; round++) {
      var damaged = new int[][] {arrays[0].clone(), arrays[1].clone(), arrays[2].clone()};
      var one = damaged[random.nextInt(3)];
      one[random.nextInt(one.length)] = random.nextInt();
      var files = LineFiles.of(dwarf, damaged).orElseThrow();
      try {
        files.units("shared.h").forEach(Unit::name);
      } catch (BadDataException e) {
        assertThat(e.getMessage()).as("seed %d", seed).doesNotContain("\n");
      } catch (RuntimeException e) {
        throw new AssertionError("seed " + seed + ", round " + round, e);
      }
    }
    assertThat(LineFiles.of(dwarf, new int[][] {arrays[0], arrays[1]})).isEmpty();
  }
}
