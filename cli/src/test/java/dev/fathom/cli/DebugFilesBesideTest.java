// SPDX-License-Identifier: Apache-2.0
package dev.fathom.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fathom.base.ByteSource;
import dev.fathom.base.TextRenderer;
import dev.fathom.command.CommandService;
import dev.fathom.command.standard.StandardCommands;
import dev.fathom.format.elf.ElfFile;
import dev.fathom.kernel.KernelOptions;
import dev.fathom.kernel.Progress;
import dev.fathom.session.Session;
import dev.fathom.symbols.debugfile.DebugFileSettings;
import dev.fathom.symbols.debugfile.DebugFiles;
import dev.fathom.symbols.debugfile.DownloadProgress;
import dev.fathom.target.AttachOptions;
import dev.fathom.testkit.process.CProgram;
import dev.fathom.testkit.process.Subject;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Debug files that lie beside the program of a process that runs. */
@EnabledOnOs(value = OS.LINUX, architectures = "amd64")
@Timeout(60)
class DebugFilesBesideTest {
  private static final String SOURCE =
      """
      #include <stdio.h>
      #include <unistd.h>
      enum colour { RED, GREEN = 5 } shade = GREEN;
      int main(void) {
        puts("ready");
        fflush(stdout);
        for (;;) {
          usleep(1000);
        }
      }
      """;

  @TempDir private Path directory;

  private String shade(CProgram program) {
    return told(program, DebugFileSettings.none(), "p shade");
  }

  /** What is printed, and then what the user is told beside it. */
  private String told(CProgram program, DebugFileSettings settings, String... lines) {
    var options =
        new KernelOptions(
            Optional.of(directory.resolve("index")),
            true,
            Progress.NONE,
            new DebugFiles(settings, DownloadProgress.none()));
    try (var subject = Subject.start(List.of(program.file().toString()))) {
      assertThat(subject.line()).isEqualTo("ready");
      try (var session = Session.attach("pid:" + subject.pid(), AttachOptions.DEFAULT, options)) {
        var told = new StringBuilder();
        var warnings = new Warnings(session, text -> told.append("! ").append(text).append('\n'));
        warnings.show();
        var service = StandardCommands.over(session);
        for (var line : lines) {
          told.append(run(service, line));
          warnings.show();
        }
        return told.toString();
      }
    }
  }

  private static void move(Path from, Path to) throws IOException {
    Files.move(from, to);
  }

  /** Its own file has not even the names. */
  @Test
  void namesThatAStrippedProgramLostAreThoseOfItsDebugFile() throws Exception {
    var source = SOURCE.replace("int main", "static int hidden[2] = {3, 4};\nint main");
    var program = CProgram.compile(directory, "bare", source, "-g");
    var file = program.file().toString();
    for (var command :
        List.of(
            List.of("objcopy", "--only-keep-debug", file, file + ".debug"),
            List.of("strip", file),
            List.of("objcopy", "--add-gnu-debuglink=" + file + ".debug", file))) {
      var run = new ProcessBuilder(command).directory(directory.toFile()).inheritIO().start();
      assertThat(run.waitFor()).as("%s", command).isZero();
    }
    assertThat(told(program, DebugFileSettings.none(), "p hidden[1]", "info symbol hidden"))
        .contains("$1 = 4\n", "hidden\n");
    Files.delete(Path.of(file + ".debug"));
    assertThat(told(program, DebugFileSettings.none(), "p hidden[1]")).doesNotContain("= 4");
  }

  /** An answer without the file is none for ever: the file may come, and it may change. */
  @Test
  void aSplitUnitsFileThatIsMissing() throws IOException {
    var program = CProgram.compile(directory, "late", SOURCE, "-g", "-gsplit-dwarf");
    var dwo = directory.resolve("late.dwo");
    var away = directory.resolve("away");
    move(dwo, away);
    var none = DebugFileSettings.none();
    String missing =
        "! late: 1 .dwo file of 1 not found, whose types and variables are unknown: " + dwo;
    for (int i = 0; i < 2; i++) { // the second time with the index
      assertThat(told(program, none, "p shade", "p shade", "::debugfiles -v"))
          .containsOnlyOnce(missing)
          .contains(dwo + ": not there");
    }
    move(away, dwo);
    assertThat(told(program, none, "p shade", "::debugfiles -v"))
        .startsWith("$1 = GREEN\n")
        .contains(dwo + ": found");
    move(dwo, away);
    assertThat(told(program, none, "p shade")).contains(missing);
    var elsewhere = Files.createDirectory(directory.resolve("elsewhere"));
    CProgram.compile(
        elsewhere, "late", SOURCE.replace("GREEN = 5", "GREEN = 6"), "-g", "-gsplit-dwarf");
    move(elsewhere.resolve("late.dwo"), dwo);
    assertThat(told(program, none, "p shade")).contains("! ", "the file is of another build");
  }

  /** A file that has symbols only is no debug file as long as there is a better one. */
  @Test
  void aProgramWithSymbolsOnlyHasItsDebugFileElsewhere() {
    var program = CProgram.compile(directory, "bare", SOURCE, "-g");
    String file = program.file().toString();
    CProgram.run(directory, List.of("objcopy", "--only-keep-debug", file, "bare.debug"));
    CProgram.run(directory, List.of("strip", "--strip-debug", file));
    var debug = directory.resolve("bare.debug");
    assertThat(told(program, given(debug), "p shade")).isEqualTo("$1 = GREEN\n");
    assertThat(told(program, DebugFileSettings.none(), "::debugfiles -v"))
        .contains(file + ": has symbols, but no debug information");
    var other = CProgram.compile(directory, "other", SOURCE.replace('5', '6'), "-g");
    assertThat(told(program, given(other.file()), "p 1"))
        .startsWith("! " + other.file() + ": is used for nothing that is loaded now: has build-id ")
        .contains(", bare has ")
        .endsWith("\n$1 = 1\n");
  }

  private static final String TYPES =
      SOURCE
          + """
          struct inner { int a, b; };
          struct item { struct inner in[2]; enum colour colour; struct item *next; };
          typedef struct item item_t;
          item_t item = { { { 1, 2 }, { 3, 4 } }, GREEN, &item };
          """;

  /** Types that have units of their own, in files that were split off. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "gcc -gdwarf-4",
        "gcc -gdwarf-5",
        "clang -gdwarf-4",
        "clang -gdwarf-5",
        "gcc -gdwarf-4 dwp",
        "clang -gdwarf-5 llvm-dwp"
      })
  void typeUnitsOfSplitFiles(String how) {
    var words = how.split(" ");
    var program =
        CProgram.compileWith(
            words[0],
            directory,
            "typed",
            TYPES,
            words[1],
            "-gsplit-dwarf",
            "-fdebug-types-section");
    if (words.length > 2) {
      CProgram.run(directory, List.of("sh", "-c", words[2] + " -o typed.dwp *.dwo && rm *.dwo"));
    }
    for (int i = 0; i < 2; i++) { // the second time with the index
      assertThat(
              told(
                  program,
                  DebugFileSettings.none(),
                  "ptype struct inner",
                  "p item.next->in[1]",
                  "p item.next->colour",
                  "p sizeof(item_t)",
                  "p (enum colour)5"))
          .isEqualTo(
              """
              type = struct inner {
                  int a;
                  int b;
              }
              $1 = {
                a = 3,
                b = 4
              }
              $2 = GREEN
              $3 = 32
              $4 = GREEN
              """);
    }
  }

  private static DebugFileSettings given(Path file) {
    return DebugFileSettings.none().withFiles(List.of(file));
  }

  /** What damage costs is told once, when it first costs something, and it costs nothing else. */
  @Test
  void damagedDebugInformation() throws IOException {
    var program = CProgram.compile(directory, "hurt", SOURCE, "-g");
    byte[] whole = Files.readAllBytes(program.file());
    for (var name : List.of(".debug_info", ".debug_abbrev", ".debug_line")) {
      byte[] damaged = whole.clone();
      var section =
          ElfFile.read(ByteSource.of("whole", whole)).sections().named(name).orElseThrow();
      int from = (int) section.offset() + (name.equals(".debug_info") ? 0x2e : 4);
      Arrays.fill(damaged, from, (int) (section.offset() + section.size()), (byte) 0x7f);
      var hurt = directory.resolve("hurt" + name);
      Files.write(hurt, damaged);
      assertThat(hurt.toFile().setExecutable(true)).isTrue();
      assertThat(
              told(
                  new CProgram(hurt),
                  DebugFileSettings.none(),
                  "p shade",
                  "p shade",
                  "info line main"))
          .as(name)
          .containsOnlyOnce("! " + hurt + "(" + (name.equals(".debug_line") ? name : ".debug_"));
    }
  }

  /** {@code .gnu_debuglink} names a file in the program's own folder. */
  @Test
  void theFileThatALinkNames() {
    var program = CProgram.compile(directory, "linked", SOURCE, "-g", "-Wl,--build-id=none");
    String file = program.file().toString();
    CProgram.run(directory, List.of("objcopy", "--only-keep-debug", file, "linked.debug"));
    CProgram.run(directory, List.of("strip", "--strip-debug", file));
    CProgram.run(directory, List.of("objcopy", "--add-gnu-debuglink=linked.debug", file));
    assertThat(shade(program)).isEqualTo("$1 = GREEN\n");
  }

  /** Split DWARF of one file with the program's name. */
  @Test
  void thePackageOfSplitUnits() {
    var program = CProgram.compile(directory, "split", SOURCE, "-gdwarf-4", "-gsplit-dwarf");
    CProgram.run(directory, List.of("sh", "-c", "dwp -o split.dwp *.dwo && rm *.dwo"));
    assertThat(shade(program)).isEqualTo("$1 = GREEN\n");
  }

  private static String run(CommandService service, String line) {
    var out = new StringWriter();
    service.run(line, new TextRenderer(out, out, TextRenderer.Options.PLAIN));
    return out.toString();
  }
}
