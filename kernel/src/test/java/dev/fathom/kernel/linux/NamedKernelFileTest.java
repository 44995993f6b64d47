// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fathom.base.TargetException;
import dev.fathom.format.vmcoreinfo.Vmcoreinfo;
import dev.fathom.kernel.Kernel;
import dev.fathom.kernel.KernelOptions;
import dev.fathom.kernel.Progress;
import dev.fathom.symbols.debugfile.DebugFileSettings;
import dev.fathom.symbols.debugfile.DebugFiles;
import dev.fathom.symbols.debugfile.DownloadProgress;
import dev.fathom.target.Target;
import dev.fathom.testkit.ElfWriter;
import dev.fathom.testkit.Fuzz;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A kernel behind a slow stub with virtual memory alone, whose own file the user named. */
class NamedKernelFileTest {
  /** How far KASLR moved the image. */
  private static final long SLIDE = SyntheticKernel.IMAGE - 0xffff_ffff_8100_0000L;

  private static final int TABLES = 0x20_0000;
  private static final int TABLES_END = 0x30_0000;
  private static final int NOTES = 0x1f_ff00;
  private static final long ADDRESS = 0x000f_ffff_ffff_f000L;

  @TempDir private Path folder;

  private final byte[] note =
      ByteBuffer.allocate(36)
          .order(ByteOrder.LITTLE_ENDIAN)
          .putInt(4)
          .putInt(20)
          .putInt(3)
          .put("GNU\0".getBytes(StandardCharsets.US_ASCII))
          .array();

  private SyntheticKernel kernel(int levels) {
    Arrays.fill(note, 16, 36, (byte) 0xab);
    var kernel = SyntheticKernel.moved(levels, 0x740000000L);
    kernel.put(SyntheticKernel.IMAGE + NOTES, notes(SLIDE));
    return kernel;
  }

  /** The entry of Xen's guests, which KASLR moves in older kernels, and then the build-id. */
  private byte[] notes(long slide) {
    return ByteBuffer.allocate(24 + note.length)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putInt(4)
        .putInt(8)
        .putInt(1)
        .put("Xen\0".getBytes(StandardCharsets.US_ASCII))
        .putLong(0xffff_ffff_8100_0040L + slide)
        .put(note)
        .array();
  }

  /** As the linker made it: KASLR has not moved the one address in the tables. */
  private byte[] file(SyntheticKernel kernel) {
    var info = Vmcoreinfo.parse("test", kernel.vmcoreinfo);
    int start = (int) SyntheticKernel.IMAGE_PHYSICAL + TABLES;
    var tables = Arrays.copyOfRange(kernel.ram.bytes(), start, start + TABLES_END - TABLES);
    int base = (int) (offset(info, "kallsyms_relative_base") - TABLES);
    var words = ByteBuffer.wrap(tables).order(ByteOrder.LITTLE_ENDIAN);
    words.putLong(base, words.getLong(base) - SLIDE);
    var elf = new ElfWriter();
    elf.section(
        new ElfWriter.Section(
            ".notes", 7, 2, SyntheticKernel.IMAGE + NOTES - SLIDE, notes(0), 0, 0, 0, 4, 0));
    int section =
        elf.loaded(".rodata", SyntheticKernel.IMAGE + TABLES - SLIDE, false, tables.clone());
    long root = kernel.tables.root();
    var ram = ByteBuffer.wrap(kernel.ram.bytes()).order(ByteOrder.LITTLE_ENDIAN);
    long next = ram.getLong((int) root + 4088) & ADDRESS;
    if (kernel.levels == 5) {
      elf.object("level4_kernel_pgt", section, linked(next), 4096);
      next = ram.getLong((int) next + 4088) & ADDRESS;
    }
    elf.object("level3_kernel_pgt", section, linked(next), 4096);
    for (var name : List.of("_text", "init_top_pgt", "page_offset_base")) {
      elf.object(name, section, kernel.symbols.get(name) - SLIDE, 8);
    }
    for (var name :
        List.of(
            "kallsyms_names",
            "kallsyms_num_syms",
            "kallsyms_token_table",
            "kallsyms_token_index",
            "kallsyms_offsets",
            "kallsyms_relative_base")) {
      elf.object(name, section, info.symbol(name).orElseThrow() - SLIDE, 8);
    }
    return elf.build();
  }

  private static long linked(long physical) {
    return physical - SyntheticKernel.IMAGE_PHYSICAL + SyntheticKernel.IMAGE - SLIDE;
  }

  private static long offset(Vmcoreinfo info, String symbol) {
    return info.symbol(symbol).orElseThrow() - SyntheticKernel.IMAGE;
  }

  private Optional<Kernel> open(Target target, byte[] file) {
    var path = folder.resolve("vmlinux");
    try {
      Files.write(path, file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    var files =
        new DebugFiles(DebugFileSettings.none().withFiles(List.of(path)), DownloadProgress.none());
    var options = new KernelOptions(Optional.empty(), true, Progress.NONE, files);
    return new LinuxProvider().attach(target, options);
  }

  /** Memory has neither BTF nor kallsyms any more, but for what KASLR changed. */
  @ParameterizedTest
  @ValueSource(ints = {4, 5})
  void itsTablesAreReadInItsFile(int levels) {
    var synthetic = kernel(levels);
    var file = file(synthetic);
    var info = Vmcoreinfo.parse("test", synthetic.vmcoreinfo);
    var empty = new byte[TABLES_END - TABLES];
    for (var kept : List.of("kallsyms_relative_base", "kallsyms_num_syms")) {
      int at = (int) offset(info, kept);
      System.arraycopy(
          synthetic.ram.bytes(), (int) SyntheticKernel.IMAGE_PHYSICAL + at, empty, at - TABLES, 8);
    }
    synthetic.put(SyntheticKernel.IMAGE + TABLES, empty);
    var target = synthetic.virtualOnly(true);
    var bare = SyntheticKernel.open(target, true).orElseThrow();
    assertThat(bare.program().symbols().first("init_task")).isEmpty();

    var kernel = open(target, file).orElseThrow();
    assertThat(kernel.warnings()).isEmpty();
    assertThat(kernel.tasks(_ -> {}).count()).isEqualTo(6);
    assertThat(kernel.program().symbols().first("init_task").orElseThrow().address())
        .isEqualTo(synthetic.symbols.get("init_task"));
  }

  @Test
  void theFileOfAnotherBuildIsRefused() {
    var synthetic = kernel(4);
    var file = file(synthetic);
    synthetic.put(SyntheticKernel.IMAGE + NOTES + 44, new byte[8]);
    assertThatThrownBy(() -> open(synthetic.virtualOnly(true), file))
        .isInstanceOf(TargetException.class)
        .hasMessageContaining("vmlinux: is of another build: has build-id " + "ab".repeat(20));
  }

  /** What memory has of the same is as good. */
  @Test
  void damagedTablesInTheFileAreReadInMemory() {
    var synthetic = kernel(4);
    var info = Vmcoreinfo.parse("test", synthetic.vmcoreinfo);
    var file = file(synthetic);
    int tokens = (int) offset(info, "kallsyms_token_index");
    int names = (int) offset(info, "kallsyms_names");
    long at = indexOf(file, synthetic, names);
    Arrays.fill(file, (int) at, (int) at + tokens - names, (byte) 0xff);
    var kernel = open(synthetic.virtualOnly(true), file).orElseThrow();
    assertThat(kernel.program().symbols().first("init_task")).isPresent();
    assertThat(kernel.warnings())
        .anyMatch(warning -> warning.startsWith("the kernel's file is not used for its symbols"));
  }

  /** Where the file has what is at an offset in the image. */
  private static int indexOf(byte[] file, SyntheticKernel kernel, int offset) {
    int from = (int) SyntheticKernel.IMAGE_PHYSICAL + offset;
    var wanted = Arrays.copyOfRange(kernel.ram.bytes(), from, from + 256);
    for (int i = 0; i < file.length - wanted.length; i++) {
      if (Arrays.equals(file, i, i + wanted.length, wanted, 0, wanted.length)) {
        return i;
      }
    }
    throw new AssertionError("not in the file");
  }

  @Test
  void aFileThatIsNoKernelsIsPassedOver() {
    var synthetic = kernel(4);
    var elf = new ElfWriter();
    elf.notes(".note.gnu.build-id", note);
    elf.function("main", elf.loaded(".text", 0x2000, true, new byte[16]), 0x2000, 16);
    var kernel = open(synthetic.virtualOnly(true), elf.build()).orElseThrow();
    assertThat(kernel.tasks(_ -> {}).count()).isEqualTo(6);
  }

  @Test
  void damagedFiles() {
    var synthetic = kernel(4);
    var target = synthetic.virtualOnly(true);
    Fuzz.run(
        file(synthetic),
        60,
        damaged -> {
          try {
            open(target, damaged).ifPresent(kernel -> kernel.tasks(_ -> {}).forEach(_ -> {}));
          } catch (TargetException e) {
            assertThat(e).hasMessageContaining("another build");
          }
        });
  }
}
