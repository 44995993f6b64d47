// SPDX-License-Identifier: Apache-2.0
package dev.fathom.session;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fathom.base.TargetException;
import dev.fathom.format.dwarf.At;
import dev.fathom.format.dwarf.Form;
import dev.fathom.format.dwarf.Tag;
import dev.fathom.kernel.KernelOptions;
import dev.fathom.kernel.Progress;
import dev.fathom.model.type.TypeSource;
import dev.fathom.testkit.DwarfWriter;
import dev.fathom.testkit.ElfCoreWriter;
import dev.fathom.testkit.ElfWriter;
import dev.fathom.testkit.NameTableWriter;
import dev.fathom.testkit.tiny.TinyLinux;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.function.IntFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A vmlinux given beside the dump, as crash's users do. */
class SessionDebugFilesTest {
  private static final KernelOptions OPTIONS =
      new KernelOptions(Optional.empty(), true, Progress.NONE);

  @TempDir private Path folder;

  private Path vmcore() throws IOException {
    return Files.write(folder.resolve("vmcore"), new TinyLinux().vmcore());
  }

  private Path vmlinux(String id) throws IOException {
    var writer = new ElfWriter().type(2);
    writer.notes(".notes", ElfCoreWriter.noteRegion("GNU", 3, HexFormat.of().parseHex(id)));
    byte[] damaged = new byte[16];
    Arrays.fill(damaged, (byte) 0x7f); // a unit longer than the section
    writer.section(".debug_info", damaged);
    return Files.write(folder.resolve("vmlinux"), writer.build());
  }

  @Test
  void aVmlinuxBesideTheDumpIsItsDebugFile() throws IOException {
    var vmlinux = vmlinux(TinyLinux.BUILD_ID);
    for (var files : List.of(List.of(vmcore(), vmlinux), List.of(vmlinux, vmcore()))) {
      try (var session = Session.open(files, OPTIONS)) {
        var image = session.kernel().images().getFirst();
        var opened = session.debugFiles().open(image).orElseThrow();
        assertThat(opened.path()).isEqualTo(vmlinux);
        assertThat(session.debugFiles().open(image)).contains(opened); // once
      }
    }
  }

  @Test
  void aVmlinuxOfAnotherBuildIsRefused() throws IOException {
    var files = List.of(vmcore(), vmlinux("00112233"));
    assertThatThrownBy(() -> Session.open(files, OPTIONS))
        .isInstanceOf(TargetException.class)
        .hasMessageContaining("is of another build: has build-id 00112233")
        .hasMessageContaining(TinyLinux.BUILD_ID);
  }

  /** A vmlinux that says that {@code init_task} is a structure that the kernel's BTF has not. */
  private Path vmlinuxWithTypes() throws IOException {
    return vmlinuxWithTypes(_ -> Optional.empty());
  }

  /**
   * @param table makes {@code .gdb_index} for a unit of that length, if there is to be one
   */
  private Path vmlinuxWithTypes(IntFunction<Optional<byte[]>> table) throws IOException {
    var dwarf = new DwarfWriter();
    var unit = dwarf.unit(5, Tag.COMPILE_UNIT).root().with(At.LANGUAGE, Form.DATA1, 0x1d);
    var struct =
        unit.child(Tag.STRUCTURE_TYPE)
            .with(At.NAME, Form.STRP, "only_in_dwarf")
            .with(At.BYTE_SIZE, Form.DATA2, 24);
    unit.child(Tag.VARIABLE)
        .with(At.NAME, Form.STRP, "init_task")
        .with(At.TYPE, Form.REF4, struct)
        .with(At.EXTERNAL, Form.FLAG_PRESENT, 1);
    var writer = new ElfWriter().type(2);
    writer.notes(
        ".notes", ElfCoreWriter.noteRegion("GNU", 3, HexFormat.of().parseHex(TinyLinux.BUILD_ID)));
    var sections = dwarf.sections();
    sections.forEach(writer::section);
    table
        .apply(sections.get(".debug_info").length)
        .ifPresent(bytes -> writer.section(".gdb_index", bytes));
    return Files.write(folder.resolve("vmlinux"), writer.build());
  }

  @Test
  void aTableOfNamesInItSavesReadingItAll() throws IOException {
    var index = folder.resolve("index");
    var options = new KernelOptions(Optional.of(index), true, Progress.NONE);
    var file =
        vmlinuxWithTypes(
            length ->
                Optional.of(
                    new NameTableWriter()
                        .unit(0, length)
                        .name("only_in_dwarf", NameTableWriter.Kind.TYPE, 0)
                        .gdbIndex(8)));
    try (var session = Session.open(List.of(vmcore(), file), options)) {
      assertThat(session.kernel().program().types().struct("only_in_dwarf").bytes()).isEqualTo(24);
      assertThat(session.debugFiles().problems()).isEmpty();
      assertThat(names(index)).doesNotExist();
    }
  }

  @Test
  void aTableOfNamesOfAnotherFileIsToldAndNotUsed() throws IOException {
    var index = folder.resolve("index");
    var options = new KernelOptions(Optional.of(index), true, Progress.NONE);
    var file =
        vmlinuxWithTypes(
            length -> Optional.of(new NameTableWriter().unit(0, length + 1).gdbIndex(8)));
    try (var session = Session.open(List.of(vmcore(), file), options)) {
      assertThat(session.kernel().program().types().struct("only_in_dwarf").bytes()).isEqualTo(24);
      assertThat(session.sources().problems())
          .singleElement()
          .asString()
          .contains("not used: ", ".gdb_index", "it is of another file");
      assertThat(names(index)).exists();
    }
  }

  @Test
  void itsTypesJoinTheKernelsBehindBtfAndFirstForVariables() throws IOException {
    var index = folder.resolve("index");
    var options = new KernelOptions(Optional.of(index), true, Progress.NONE);
    for (int i = 0; i < 2; i++) { // the second time with names from the disk
      try (var session = Session.open(List.of(vmcore(), vmlinuxWithTypes()), options)) {
        var types = session.kernel().program().types();
        assertThat(types.sources())
            .extracting(TypeSource::name)
            .startsWith("btf")
            .endsWith("dwarf", "dwarf of modules");
        assertThat(Files.exists(names(index))).isEqualTo(i > 0); // not before it is needed
        assertThat(types.struct("task_struct").bytes()).isGreaterThan(24);
        assertThat(types.struct("only_in_dwarf").bytes()).isEqualTo(24);
        var variable = session.kernel().program().global("init_task");
        assertThat(variable.type()).isEqualTo(types.struct("only_in_dwarf"));
        assertThat(names(index)).exists();
        types.use(types.known().stream().filter(s -> !s.name().startsWith("dwarf")).toList());
        assertThat(session.kernel().program().global("init_task").type())
            .isEqualTo(types.struct("task_struct"));
        assertThat(session.debugFiles().problems()).isEmpty();
      }
    }
  }

  private static Path names(Path index) {
    return index.resolve(TinyLinux.BUILD_ID + "-dwarf.index");
  }

  @Test
  void whatCannotBeReadOfItIsAProblemAndNoType() throws IOException {
    var files = List.of(vmcore(), vmlinux(TinyLinux.BUILD_ID));
    try (var session = Session.open(files, OPTIONS)) {
      var types = session.kernel().program().types();
      assertThat(types.findStruct("only_in_dwarf")).isEmpty();
      assertThat(types.struct("task_struct").members()).isNotEmpty();
      assertThat(session.debugFiles().problems()).isNotEmpty().allMatch(p -> p.contains("vmlinux"));
    }
  }

  @Test
  void withoutAFileThereIsNone() throws IOException {
    try (var session = Session.open(List.of(vmcore()), OPTIONS)) {
      assertThat(session.debugFiles().open(session.kernel().images().getFirst())).isEmpty();
    }
  }
}
