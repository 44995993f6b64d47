// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.dump;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fathom.base.BadDataException;
import dev.fathom.base.ByteSource;
import dev.fathom.base.TargetException;
import dev.fathom.base.UsageException;
import dev.fathom.testkit.ElfCoreWriter;
import dev.fathom.testkit.KdumpWriter;
import dev.fathom.testkit.KdumpWriter.Codec;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ForeignFilesTest {
  private static final String EXPECTED =
      ", expected a Linux crash dump: ELF vmcore, kdump-compressed or flattened";

  @ParameterizedTest
  @CsvSource({
    "PAGEDU64,a Windows crash dump",
    "EMiL,a LiME memory image",
    "QEVM,a QEMU migration stream (savevm)",
    "minidump FreeBSD/amd64,a FreeBSD minidump",
    "MZ,a Windows or EFI program",
    "BZh9,compressed with bzip2; unpack it first"
  })
  void saysWhatAFileIs(String start, String what) {
    byte[] bytes = java.util.Arrays.copyOf(start.getBytes(StandardCharsets.US_ASCII), 4096);
    assertThatThrownBy(() -> open(bytes))
        .hasMessage("file: at offset 0x0: this is " + what + EXPECTED);
  }

  @Test
  void saysThatAKernelImageIsNoDump() {
    var bytes = new byte[4096];
    bytes[0] = 'M';
    bytes[1] = 'Z';
    System.arraycopy(new byte[] {'H', 'd', 'r', 'S'}, 0, bytes, 0x202, 4);
    assertThatThrownBy(() -> open(bytes))
        .hasMessageContaining(
            "file: at offset 0x202: this is a bootable Linux kernel image (bzImage)");
  }

  @Test
  void showsWhatItDoesNotKnow() {
    assertThatThrownBy(() -> open(new byte[] {1, 2, 3}))
        .hasMessage("file: at offset 0x0: unknown signature 0x0102030000000000" + EXPECTED);
    assertThatThrownBy(() -> open(new byte[0]))
        .hasMessage("file: at offset 0x0: empty file" + EXPECTED);
    assertThatThrownBy(() -> open(new byte[] {0x7f, 'E', 'L', 'F', 2}))
        .hasMessage("file: at offset 0x5: file ends inside the ELF header");
    assertThatThrownBy(() -> open(new byte[2000]))
        .hasMessage("file: at offset 0x0: only zeros, perhaps a raw memory image" + EXPECTED);
  }

  @Test
  void refusesElfFilesThatAreNoDumpsOfThisKind() {
    assertThatThrownBy(() -> open(new ElfCoreWriter().bits32().machine(3).build()))
        .hasMessage("file: at offset 0x4: 32-bit ELF file (i386), expected 64 bits");
    assertThatThrownBy(() -> open(new ElfCoreWriter().bigEndian().machine(22).build()))
        .hasMessage("file: at offset 0x5: big-endian ELF file (s390), expected little-endian");
    assertThatThrownBy(() -> open(new ElfCoreWriter().type(2).build()))
        .hasMessage(
            "file: at offset 0x10: ELF file is an executable (a vmlinux?), expected a core dump (ET_CORE)");
    assertThatThrownBy(() -> open(new ElfCoreWriter().machine(243).build()))
        .hasMessage("file: at offset 0x12: dump of an riscv machine, expected x86_64 or aarch64");
  }

  @Test
  void tellsTheCoreOfAProcess() {
    byte[] core =
        new ElfCoreWriter()
            .note("CORE", 1, ElfCoreWriter.prStatus(11, 1))
            .load(0, 0x400000, new byte[16])
            .load(0, 0x7fff00000000L, new byte[16])
            .load(0, 0xffffffffff600000L, new byte[16])
            .build();
    assertThatThrownBy(() -> open(core))
        .hasMessage("file: at offset 0x10: core dump of a process, expected one of a kernel");
  }

  @Test
  void tellsAXenDump() {
    byte[] core =
        new ElfCoreWriter()
            .note("Xen", 0x1000001, new byte[8])
            .load(0x1000, 0, new byte[8])
            .build();
    assertThatThrownBy(() -> open(core)).hasMessageContaining("dump of a Xen hypervisor");
  }

  @Test
  void refusesOtherMachinesInKdumpHeaders() {
    byte[] dump = new KdumpWriter(6).page(1, new byte[4096], Codec.RAW).machine("riscv64").build();
    assertThatThrownBy(() -> open(dump))
        .hasMessage(
            "file: at offset 0x110: dump of an riscv64 machine, expected x86_64 or aarch64");
  }

  @Test
  void namesFilesThatCannotBeOpened(@TempDir Path folder) {
    var provider = new DumpProvider();
    assertThatThrownBy(() -> provider.open(List.of(folder.resolve("none"))))
        .isInstanceOf(TargetException.class)
        .hasMessageContaining("none: no such file");
    assertThatThrownBy(() -> provider.open(List.of(folder)))
        .isInstanceOf(TargetException.class)
        .hasMessageContaining("is a directory");
    assertThatThrownBy(() -> provider.open(List.of())).isInstanceOf(UsageException.class);
  }

  @Test
  void opensFilesReadOnly(@TempDir Path folder) throws IOException {
    Path file = folder.resolve("vmcore");
    byte[] bytes = new ElfCoreWriter().load(0x1000, 0, new byte[] {1, 2}).build();
    Files.write(file, bytes);
    assertThat(file.toFile().setWritable(false)).isTrue();
    try (var target = new DumpProvider().open(List.of(file))) {
      assertThat(target.info().name()).isEqualTo(file.toString());
      assertThat(target.info().format()).isEqualTo("ELF vmcore");
    }
    assertThat(Files.readAllBytes(file)).isEqualTo(bytes);
  }

  @Test
  void refusesASecondFileThatDoesNotBelong() {
    ByteSource elf = ByteSource.of("a", new ElfCoreWriter().load(0, 0, new byte[1]).build());
    assertThatThrownBy(() -> DumpProvider.openSources(List.of(elf, elf)))
        .isInstanceOf(BadDataException.class)
        .hasMessageContaining("second file after an ELF dump");
    ByteSource kdump =
        ByteSource.of("b", new KdumpWriter(6).page(1, new byte[4096], Codec.RAW).build());
    assertThatThrownBy(() -> DumpProvider.openSources(List.of(kdump, kdump)))
        .hasMessageContaining("b: at offset 0x0: not part of a split dump");
    assertThatThrownBy(() -> DumpProvider.openSources(List.of(kdump, elf)))
        .hasMessageContaining("a: at offset 0x0: no kdump signature");
  }

  private static void open(byte[] bytes) {
    DumpProvider.openSources(List.of(ByteSource.of("file", bytes))).close();
  }
}
