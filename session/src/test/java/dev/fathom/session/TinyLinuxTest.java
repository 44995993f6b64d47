// SPDX-License-Identifier: Apache-2.0
package dev.fathom.session;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fathom.base.TargetException;
import dev.fathom.kernel.KernelOptions;
import dev.fathom.kernel.LogEntry;
import dev.fathom.kernel.Progress;
import dev.fathom.model.unwind.Backtrace;
import dev.fathom.testkit.ElfCoreWriter;
import dev.fathom.testkit.process.CProgram;
import dev.fathom.testkit.tiny.TinyLinux;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The made-up kernel, whose every answer is known, opened as a user's dump is. */
class TinyLinuxTest {
  @TempDir private Path folder;

  private Session open(TinyLinux tiny, boolean trust) throws IOException {
    var file = Files.write(folder.resolve("vmcore"), tiny.vmcore());
    return Session.open(List.of(file), new KernelOptions(Optional.empty(), trust, Progress.NONE));
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void everyTaskIsFoundWithAndWithoutVmcoreinfo(boolean withVmcoreinfo) throws IOException {
    var tiny = withVmcoreinfo ? new TinyLinux() : new TinyLinux().withoutVmcoreinfo();
    try (var session = open(tiny, true)) {
      var notes = new ArrayList<String>();
      var found = session.kernel().tasks(notes::add).toList();
      assertThat(notes).isEmpty();
      assertThat(session.kernel().warnings()).isEmpty();
      assertThat(found).hasSameSizeAs(tiny.tasks());
      for (var expected : tiny.tasks()) {
        assertThat(found)
            .as(expected.toString())
            .anySatisfy(
                t -> {
                  assertThat(t.object().address()).isEqualTo(expected.address());
                  assertThat(t.id()).hasValue(expected.pid());
                  assertThat(t.process()).hasValue(expected.tgid());
                  assertThat(t.parent()).hasValue(expected.parent());
                  assertThat(t.name()).isEqualTo(expected.name());
                  assertThat(t.state()).isEqualTo(expected.state());
                });
      }
    }
  }

  @Test
  void everyStackIsWalkedToItsEnd() throws IOException {
    var tiny = new TinyLinux();
    try (var session = open(tiny, true)) {
      var symbols = session.kernel().program().symbols();
      for (var expected : tiny.tasks()) {
        var trace = session.kernel().stack(session.kernel().task(expected.address()));
        var names =
            trace.frames().stream()
                .map(f -> symbols.at(f.lookup()).orElseThrow().symbol().name())
                .toList();
        assertThat(names).as(expected.toString()).isEqualTo(expected.stack());
        if (!expected.stack().isEmpty()) {
          assertThat(trace.end()).as(expected.toString()).isEqualTo(Backtrace.End.COMPLETE);
        }
      }
    }
  }

  @Test
  void logModulesAndSymbols() throws IOException {
    var tiny = new TinyLinux();
    try (var session = open(tiny, true)) {
      var kernel = session.kernel();
      assertThat(kernel.log(_ -> {}).map(LogEntry::text)).isEqualTo(tiny.log());
      assertThat(kernel.images()).extracting(i -> i.name()).containsExactly("vmlinux", "tiny_mod");
      var symbols = kernel.program().symbols();
      assertThat(symbols.first("panic").orElseThrow().address()).isEqualTo(tiny.address("panic"));
      assertThat(symbols.text(tiny.address("panic") + 0x50)).isEqualTo("panic+0x50");
      assertThat(symbols.first("tiny_work").orElseThrow().qualified())
          .isEqualTo("tiny_mod`tiny_work");
      assertThat(kernel.program().global("init_task").member("comm").string(16))
          .isEqualTo("swapper/0");
    }
  }

  /** What lists the modules asks for a type, and what has the types of modules lists them. */
  @Test
  void withoutTypesTheErrorNamesTheMissingOne() throws IOException {
    var dump = new TinyLinux().vmcore();
    assertThat(spoilBtf(dump)).isEqualTo(1);
    var file = Files.write(folder.resolve("vmcore"), dump);
    try (var session =
        Session.open(List.of(file), new KernelOptions(Optional.empty(), true, Progress.NONE))) {
      var kernel = session.kernel();
      assertThat(kernel.images()).extracting(i -> i.name()).containsExactly("vmlinux");
      assertThat(kernel.release()).hasValue(TinyLinux.RELEASE);
      assertThatThrownBy(() -> kernel.tasks(_ -> {}).toList())
          .hasMessageContaining("unknown type 'struct task_struct'");
    }
  }

  /** A kernel without BTF is described by its debug file: here by what gcc makes of its types. */
  @Test
  void withoutBtfTypesAreThoseOfTheDebugFile() throws IOException {
    var tiny = new TinyLinux();
    var dump = tiny.vmcore();
    assertThat(spoilBtf(dump)).isEqualTo(1);
    var vmcore = Files.write(folder.resolve("vmcore"), dump);
    var vmlinux =
        CProgram.compile(
                folder,
                "vmlinux",
                tiny.types(),
                "-g",
                "-shared",
                "-nostdlib",
                "-fno-eliminate-unused-debug-types",
                "-Wl,--build-id=0x" + TinyLinux.BUILD_ID)
            .file();
    var options = new KernelOptions(Optional.empty(), true, Progress.NONE);
    try (var session = Session.open(List.of(vmcore, vmlinux), options)) {
      var kernel = session.kernel();
      assertThat(kernel.tasks(_ -> {}).map(task -> task.name() + " " + task.idText()).toList())
          .containsExactlyInAnyOrderElementsOf(
              tiny.tasks().stream().map(task -> task.name() + " " + task.pid()).toList());
      assertThat(kernel.images()).extracting(i -> i.name()).containsExactly("vmlinux", "tiny_mod");
      assertThat(kernel.log(_ -> {}).map(LogEntry::text)).isEqualTo(tiny.log());
      for (var expected : tiny.tasks()) {
        var trace = kernel.stack(kernel.task(expected.address()));
        assertThat(
                trace.frames().stream()
                    .map(
                        f ->
                            kernel
                                .program()
                                .symbols()
                                .at(f.lookup())
                                .orElseThrow()
                                .symbol()
                                .name()))
            .as(expected.toString())
            .isEqualTo(expected.stack());
      }
      assertThat(kernel.program().global("init_task").member("comm").string(16))
          .isEqualTo("swapper/0");
      assertThat(kernel.warnings())
          .anyMatch(warning -> warning.contains("no BTF") && warning.contains("debug file"))
          .noneMatch(warning -> warning.contains("cannot be listed"));
    }
  }

  /** Overwrites the magic number and version of BTF (linux/btf.h). */
  private static int spoilBtf(byte[] dump) {
    int found = 0;
    for (int at = 0; at + 4 <= dump.length; at++) {
      if (dump[at] == (byte) 0x9f && dump[at + 1] == (byte) 0xeb && dump[at + 2] == 1) {
        dump[at] = 0;
        found++;
      }
    }
    return found;
  }

  @Test
  @Timeout(60)
  void aRangeTooLongForAnyMachineIsNotSearchedToItsEnd() throws IOException {
    var core = new ElfCoreWriter().load(0, 0, new byte[4096], 1L << 50).build();
    var file = Files.write(folder.resolve("vmcore"), core);
    var options = new KernelOptions(Optional.empty(), true, Progress.NONE);
    assertThatThrownBy(() -> Session.open(List.of(file), options))
        .isInstanceOf(TargetException.class)
        .hasMessageContaining("no known kernel");
  }
}
