// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.elf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fathom.base.BadDataException;
import dev.fathom.base.ByteSource;
import dev.fathom.testkit.ElfCoreWriter;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ElfFileTest {
  private static final byte[] TEXT = "OSRELEASE=6.1\n".getBytes(StandardCharsets.US_ASCII);

  @ParameterizedTest
  @CsvSource({"false,false", "false,true", "true,false", "true,true"})
  void readsBothClassesAndByteOrders(boolean narrow, boolean big) {
    var writer =
        new ElfCoreWriter()
            .load(0x1000, 0xc0001000L, new byte[] {1, 2, 3}, 0x1000)
            .load(0x8000, 0, new byte[] {4})
            .note("VMCOREINFO", 0, TEXT);
    if (narrow) {
      writer.bits32().machine(Elf.EM_386);
    }
    if (big) {
      writer.bigEndian();
    }
    var file = ElfFile.read(ByteSource.of("core", writer.build()));

    assertThat(file.header().is64()).isEqualTo(!narrow);
    assertThat(file.header().order())
        .isEqualTo(big ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN);
    assertThat(file.header().type()).isEqualTo(Elf.ET_CORE);
    assertThat(Elf.machineName(file.header().machine())).isEqualTo(narrow ? "i386" : "x86_64");
    assertThat(file.programHeaders()).hasSize(3);
    var load = file.programHeaders().get(1);
    assertThat(load.type()).isEqualTo(Elf.PT_LOAD);
    assertThat(load.paddr()).isEqualTo(0x1000);
    assertThat(load.vaddr()).isEqualTo(0xc0001000L);
    assertThat(load.filesz()).isEqualTo(3);
    assertThat(load.memsz()).isEqualTo(0x1000);
    assertThat(file.source().bytes(load.offset(), 3)).containsExactly(1, 2, 3);
    var notes = file.notes(file.programHeaders().get(0));
    assertThat(notes.complete()).isTrue();
    assertThat(notes.notes()).hasSize(1);
    assertThat(notes.notes().get(0).is("VMCOREINFO", 0)).isTrue();
    assertThat(notes.notes().get(0).descriptor().bytes(0, TEXT.length)).isEqualTo(TEXT);
  }

  @Test
  void takesTheNumberOfProgramHeadersFromSectionZero() {
    byte[] bytes = new ElfCoreWriter().extendedNumbering().load(0x1000, 0, new byte[8]).build();
    var file = ElfFile.read(ByteSource.of("core", bytes));
    assertThat(file.header().phnum()).isEqualTo(2);
    assertThat(file.programHeaders()).hasSize(2);
    assertThat(file.programHeaders().get(1).paddr()).isEqualTo(0x1000);
  }

  @Test
  void readsMoreThan65535ProgramHeaders() {
    var writer = new ElfCoreWriter();
    for (int i = 0; i < 70_000; i++) {
      writer.load(i * 0x2000L, 0, new byte[] {(byte) i});
    }
    var file = ElfFile.read(ByteSource.of("core", writer.build()));
    assertThat(file.programHeaders()).hasSize(70_001);
    assertThat(file.missingProgramHeaders()).isZero();
    assertThat(file.programHeaders().get(70_000).paddr()).isEqualTo(69_999 * 0x2000L);
  }

  @Test
  void countsProgramHeadersBeyondTheEnd() {
    var writer = new ElfCoreWriter();
    for (int i = 0; i < 10; i++) {
      writer.load(i * 0x2000L, 0, new byte[1]);
    }
    byte[] cut = Arrays.copyOf(writer.build(), 64 + 4 * 56 + 20);
    var file = ElfFile.read(ByteSource.of("core", cut));
    assertThat(file.programHeaders()).hasSize(4);
    assertThat(file.missingProgramHeaders()).isEqualTo(7);
  }

  @Test
  void namesSourceOffsetAndExpectation() {
    byte[] bytes = new ElfCoreWriter().build();
    bytes[4] = 9;
    assertThatThrownBy(() -> ElfFile.read(ByteSource.of("core", bytes)))
        .hasMessage("core: at offset 0x4: ELF class 9, expected 1 (32 bits) or 2 (64 bits)");
  }

  @Test
  void readsNotesPaddedToEight() {
    byte[] bytes =
        new ElfCoreWriter()
            .noteAlign(8)
            .note("A", 1, new byte[] {1, 2, 3, 4})
            .note("VMCOREINFO", 0, TEXT)
            .note("CORE", 1, new byte[] {9})
            .build();
    var file = ElfFile.read(ByteSource.of("core", bytes));
    var notes = file.notes(file.programHeaders().get(0)).notes();
    assertThat(notes).extracting(ElfNote::name).containsExactly("A", "VMCOREINFO", "CORE");
    assertThat(notes.get(2).descriptor().bytes(0, 1)).containsExactly(9);
  }

  @Test
  void fallsBackToFourWhenAlignmentEightIsUntrue() {
    byte[] region =
        concat(
            ElfCoreWriter.noteRegion("ABCD", 1, (byte) 7),
            ElfCoreWriter.noteRegion("CORE", 1, TEXT));
    var notes =
        ElfNotes.read(ByteSource.of("n", region), 0, region.length, 8, ByteOrder.LITTLE_ENDIAN);
    assertThat(notes.complete()).isTrue();
    assertThat(notes.notes()).extracting(ElfNote::name).containsExactly("ABCD", "CORE");
  }

  @Test
  void skipsZerosBetweenNotes() {
    byte[] region =
        concat(
            ElfCoreWriter.noteRegion("CORE", 1, (byte) 7),
            concat(new byte[20], ElfCoreWriter.noteRegion("QEMU", 0, TEXT)));
    var notes =
        ElfNotes.read(ByteSource.of("n", region), 0, region.length, 4, ByteOrder.LITTLE_ENDIAN);
    assertThat(notes.notes()).extracting(ElfNote::name).containsExactly("CORE", "QEMU");
  }

  @Test
  void keepsTheNotesBeforeACut() {
    byte[] region =
        concat(
            ElfCoreWriter.noteRegion("CORE", 1, (byte) 7),
            ElfCoreWriter.noteRegion("QEMU", 0, TEXT));
    var notes =
        ElfNotes.read(
            ByteSource.of("n", Arrays.copyOf(region, region.length - 4)),
            0,
            region.length,
            4,
            ByteOrder.LITTLE_ENDIAN);
    assertThat(notes.complete()).isFalse();
    assertThat(notes.notes()).extracting(ElfNote::name).containsExactly("CORE");
  }

  @Test
  void decodesPrStatus() {
    var registers = new long[27];
    for (int i = 0; i < 27; i++) {
      registers[i] = 0xffffffff81000000L + i;
    }
    var status = PrStatus.decode(onlyNote("CORE", 1, ElfCoreWriter.prStatus(11, 4711, registers)));
    assertThat(status.signal()).isEqualTo(11);
    assertThat(status.pid()).isEqualTo(4711);
    assertThat(status.get(PrStatus.Reg.R15)).isEqualTo(0xffffffff81000000L);
    assertThat(status.get(PrStatus.Reg.RIP)).isEqualTo(0xffffffff81000010L);
    assertThat(status.get(PrStatus.Reg.RSP)).isEqualTo(0xffffffff81000013L);
    assertThat(status.get(PrStatus.Reg.GS)).isEqualTo(0xffffffff8100001aL);
  }

  @Test
  void refusesAShortPrStatus() {
    var note = onlyNote("CORE", 1, new byte[335]);
    assertThatThrownBy(() -> PrStatus.decode(note))
        .isInstanceOf(BadDataException.class)
        .hasMessageContaining("NT_PRSTATUS of 335 bytes, expected 336");
  }

  @Test
  void decodesQemuCpuState() {
    var state = QemuCpuState.decode(onlyNote("QEMU", 0, ElfCoreWriter.qemuCpuState(1000, true)));
    assertThat(state.get(QemuCpuState.Reg.RAX)).isEqualTo(1000);
    assertThat(state.get(QemuCpuState.Reg.RIP)).isEqualTo(1016);
    assertThat(state.get(QemuCpuState.Reg.RFLAGS)).isEqualTo(1017);
    assertThat(state.segment(QemuCpuState.Seg.CS))
        .isEqualTo(new QemuCpuState.Segment(0, 0x1000, 0, 1000 + 0x100));
    assertThat(state.segment(QemuCpuState.Seg.IDT))
        .isEqualTo(new QemuCpuState.Segment(72, 0x1009, 0, 1000 + 0x109));
    assertThat(state.cr(3)).isEqualTo(1000 + 0x203);
    assertThat(state.kernelGsBase()).hasValue(1000 + 0x300);
  }

  @Test
  void olderQemuHasNoKernelGsBase() {
    var state = QemuCpuState.decode(onlyNote("QEMU", 0, ElfCoreWriter.qemuCpuState(5, false)));
    assertThat(state.cr(4)).isEqualTo(5 + 0x204);
    assertThat(state.kernelGsBase()).isEmpty();
  }

  @Test
  void refusesOtherQemuVersions() {
    byte[] descriptor = ElfCoreWriter.qemuCpuState(5, true);
    descriptor[0] = 2;
    var note = onlyNote("QEMU", 0, descriptor);
    assertThatThrownBy(() -> QemuCpuState.decode(note))
        .hasMessageContaining("version 2, expected 1");
  }

  /** Cut at every byte, and every byte changed: a result or a BadDataException, nothing else. */
  @Test
  void survivesCorruptFiles() {
    long seed = Long.getLong("fathom.fuzz.seed", 20261120L);
    var random = new Random(seed);
    byte[] good =
        new ElfCoreWriter()
            .extendedNumbering()
            .noteAlign(8)
            .load(0x1000, 0xffffffff81000000L, new byte[64], 0x1000)
            .note("CORE", 1, ElfCoreWriter.prStatus(1, 2, 3, 4))
            .note("QEMU", 0, ElfCoreWriter.qemuCpuState(9, true))
            .note("VMCOREINFO", 0, TEXT)
            .build();
    for (int i = 0; i < good.length; i++) {
      use(Arrays.copyOf(good, i), seed);
      byte[] flipped = good.clone();
      flipped[i] ^= (byte) (1 << random.nextInt(8));
      use(flipped, seed);
      flipped[i] = (byte) 0xff;
      use(flipped, seed);
    }
    for (int i = 0; i < 20_000; i++) {
      byte[] wild = good.clone();
      for (int n = 1 + random.nextInt(6); n > 0; n--) {
        wild[random.nextInt(n % 2 == 0 ? 300 : wild.length)] = (byte) random.nextInt();
      }
      use(wild, seed);
    }
  }

  private static void use(byte[] bytes, long seed) {
    try {
      var file = ElfFile.read(ByteSource.of("fuzz", bytes));
      for (ProgramHeader p : file.programHeaders()) {
        for (ElfNote note : file.notes(p).notes()) {
          if (note.is("CORE", Elf.NT_PRSTATUS)) {
            PrStatus.decode(note);
          } else if (note.is("QEMU", 0)) {
            QemuCpuState.decode(note);
          }
        }
      }
    } catch (BadDataException e) {
      assertThat(e.source()).isEqualTo("fuzz");
    } catch (RuntimeException e) {
      throw new AssertionError(
          "seed " + seed + ", " + java.util.HexFormat.of().formatHex(bytes), e);
    }
  }

  private static ElfNote onlyNote(String name, int type, byte[] descriptor) {
    byte[] region = ElfCoreWriter.noteRegion(name, type, descriptor);
    List<ElfNote> notes =
        ElfNotes.read(ByteSource.of("n", region), 0, region.length, 4, ByteOrder.LITTLE_ENDIAN)
            .notes();
    assertThat(notes).hasSize(1);
    return notes.get(0);
  }

  private static byte[] concat(byte[] a, byte[] b) {
    byte[] both = Arrays.copyOf(a, a.length + b.length);
    System.arraycopy(b, 0, both, a.length, b.length);
    return both;
  }
}
