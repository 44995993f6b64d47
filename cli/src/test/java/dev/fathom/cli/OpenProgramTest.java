// SPDX-License-Identifier: Apache-2.0
package dev.fathom.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fathom.base.BadDataException;
import dev.fathom.base.TextRenderer;
import dev.fathom.command.standard.StandardCommands;
import dev.fathom.kernel.KernelOptions;
import dev.fathom.kernel.Progress;
import dev.fathom.session.Session;
import dev.fathom.testkit.process.CProgram;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Programs that nobody has started, as {@code fathom open FILE} shows them. */
@EnabledOnOs(value = OS.LINUX, architectures = "amd64")
class OpenProgramTest {
  private static final String SOURCE =
      """
      struct item { int number; char name[8]; };
      struct item first = {7, "first"};
      struct item zeroed;
      int add(int a, int b) {
        int sum = a + b;
        return sum;
      }
      int main(void) { zeroed.number = add(first.number, 1); return 0; }
      """;

  /**
   * As a kernel is laid out: in the upper half of the addresses, the file's header in no segment.
   */
  private static final String LAYOUT =
      """
      PHDRS { text PT_LOAD; data PT_LOAD; note PT_NOTE; }
      ENTRY(main)
      SECTIONS {
        . = 0xffffffff81000000;
        .text : { *(.text*) } :text
        .notes : { *(.note.gnu.build-id) } :text :note
        .data 0xffffffff81200000 : { *(.data*) } :data
        .bss : { *(.bss*) } :data
      }
      """;

  @TempDir private Path directory;

  private static String run(Path file, String... lines) {
    var out = new StringWriter();
    var options = new KernelOptions(Optional.empty(), true, Progress.NONE);
    try (var session = Session.open(List.of(file), options)) {
      var service = StandardCommands.over(session);
      for (var line : lines) {
        service.run(line, new TextRenderer(out, out, TextRenderer.Options.PLAIN));
      }
    }
    return out.toString();
  }

  @Test
  void aProgramIsShownAsItIsLinked() {
    var program = CProgram.compile(directory, "items", SOURCE, "-O0", "-g", "-pie");
    assertThat(run(program.file(), "::status", "set print pretty off", "p first", "p zeroed"))
        .contains("debugging program file: ", "program: " + program.file())
        .doesNotContain("pid", "threads")
        .endsWith("$1 = {number = 7, name = \"first\"}\n$2 = {number = 0, name = \"\"}\n");
    long add = program.symbol("add").orElseThrow();
    assertThat(run(program.file(), "info line add"))
        .startsWith("line 4 of ")
        .contains("starts at address 0x" + Long.toHexString(add) + " <add>");
    assertThat(run(program.file(), "x/i add", "whatis add", "list add"))
        .contains("add:  ", "int add(int a, int b);\n", "5\t  int sum = a + b;\n");
  }

  @Test
  void whatNeedsAThreadOrARunningTargetIsRefused() {
    var program = CProgram.compile(directory, "items", SOURCE, "-O0", "-g");
    for (var line : List.of("bt", "info locals")) {
      assertThat(run(program.file(), line)).startsWith("fathom: no thread is selected");
    }
    for (var line : List.of("b add", "c")) {
      assertThat(run(program.file(), line))
          .isEqualTo("fathom: operation not supported by target\n");
    }
    assertThat(run(program.file(), "info registers")).contains("registers are not known");
    assertThat(run(program.file(), "p $rip")).contains("unknown register or variable '$rip'");
    assertThat(run(program.file(), "p nosuch")).startsWith("fathom: unknown symbol 'nosuch'");
  }

  @Test
  void aFileThatIsLaidOutAsAKernelHasItsAddresses() throws IOException {
    var layout = Files.writeString(directory.resolve("layout"), LAYOUT);
    var kernel =
        CProgram.compile(
            directory,
            "kernel",
            SOURCE,
            "-O0",
            "-g",
            "-nostdlib",
            "-static",
            "-ffreestanding",
            "-fno-pie",
            "-no-pie",
            "-mcmodel=kernel",
            "-Wl,--build-id",
            "-Wl,-T," + layout);
    assertThat(run(kernel.file(), "p first.number + zeroed.number", "info line add"))
        .isEqualTo(
            "$1 = 7\nline 4 of \""
                + directory.resolve("kernel.c")
                + "\" starts at address 0xffffffff81000000 <add> and ends at 0xffffffff8100000a"
                + " <add+0xa>.\n");
  }

  /** {@code ::} begins a dcmd or a name of C++, whichever there is. */
  @Test
  void expressionsOfCxxMayBeginWithTheGlobalScope() {
    var source =
        """
        namespace ns { int v = 3; }
        int value = 4;
        unsigned char byte = 200;
        int &reference = value;
        int main() { return value; }
        """;
    var program = CProgram.compileWith("g++", directory, "scopes", source, "-g");
    assertThat(run(program.file(), "p ::value", "p ::ns::v + 1", "p/c byte", "p/c 200"))
        .isEqualTo("$1 = 4\n$2 = 4\n$3 = 200 '\\310'\n$4 = -56 '\\310'\n");
    assertThat(run(program.file(), "p sizeof(int&)", "p sizeof(reference)"))
        .isEqualTo("$1 = 4\n$2 = 4\n");
    assertThat(run(program.file(), "main ::dis")).startsWith("main:  ");
  }

  @Test
  void whatIsNoProgramIsRefused() throws IOException {
    var object =
        CProgram.compile(directory, "object", SOURCE, "-c"); // Its code has no addresses yet.
    assertThatThrownBy(() -> run(object.file()))
        .isInstanceOf(BadDataException.class)
        .hasMessageContaining("object file");
    var program = Files.readAllBytes(CProgram.compile(directory, "whole", SOURCE).file());
    var arm = program.clone();
    arm[18] = 40;
    var file = Files.write(directory.resolve("arm"), arm);
    assertThatThrownBy(() -> run(file))
        .hasMessage(file + ": at offset 0x12: program for arm, expected x86_64 or aarch64");
    var cut = Files.write(directory.resolve("cut"), Arrays.copyOf(program, 64));
    assertThatThrownBy(() -> run(cut)).hasMessageContaining(cut + ": ");
    var big = program.clone();
    big[5] = 2;
    for (int i : new int[] {16, 18}) {
      big[i + 1] = program[i];
      big[i] = program[i + 1];
    }
    var other = Files.write(directory.resolve("big"), big);
    assertThatThrownBy(() -> run(other))
        .hasMessageStartingWith(other + ": at offset 0x5: big-endian");
    var whole = CProgram.compile(directory, "whole", SOURCE, "-g").file();
    var debug = directory.resolve("whole.debug");
    CProgram.run(
        directory, List.of("objcopy", "--only-keep-debug", whole.toString(), debug.toString()));
    assertThatThrownBy(() -> run(debug)).hasMessageContaining("its code is in another file");
  }

  /** The line of both functions is not cut where the second one's size, going around, ends. */
  @Test
  void aSizeThatGoesAroundBoundsNoLine() throws IOException {
    var source = "int one(int a) { return a + 1; } int two(int a) { return a * 2; }\n";
    var program =
        CProgram.compile(
            directory, "line", source + "int main(void) { return two(one(1)); }\n", "-O0", "-g");
    var plain = run(program.file(), "info line two");
    var bytes = ByteBuffer.wrap(Files.readAllBytes(program.file())).order(ByteOrder.LITTLE_ENDIAN);
    long two = program.symbol("two").orElseThrow();
    int patched = 0;
    // An Elf64_Sym: name u32, info, other, section u16, value, size.
    for (int at = 0; at + 24 <= bytes.limit(); at += 8) {
      if (bytes.getLong(at + 8) == two && bytes.get(at + 4) == 0x12) {
        bytes.putLong(at + 16, -8); // into one()
        patched++;
      }
    }
    assertThat(patched).isEqualTo(1);
    Files.write(program.file(), bytes.array());
    var start = plain.substring(0, plain.indexOf(" and ends"));
    assertThat(run(program.file(), "info line two")).startsWith(start + " and ends at 0x");
  }
}
