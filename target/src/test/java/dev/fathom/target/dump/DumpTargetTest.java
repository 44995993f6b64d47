// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.dump;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fathom.base.ByteSource;
import dev.fathom.base.FaultException;
import dev.fathom.base.Range;
import dev.fathom.base.Readability;
import dev.fathom.format.elf.Elf;
import dev.fathom.format.elf.ElfNote;
import dev.fathom.model.Registers;
import dev.fathom.model.arch.aarch64.Aarch64;
import dev.fathom.model.arch.x86_64.X86_64;
import dev.fathom.target.KernelNotes;
import dev.fathom.target.PhysicalMemory;
import dev.fathom.target.Target;
import dev.fathom.target.VirtualMemory;
import dev.fathom.target.local.UserRegisters;
import dev.fathom.testkit.ElfCoreWriter;
import dev.fathom.testkit.FlattenedWriter;
import dev.fathom.testkit.KdumpWriter;
import dev.fathom.testkit.KdumpWriter.Codec;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class DumpTargetTest {
  private static final int PAGE = 4096;
  private static final byte[] TEXT = "OSRELEASE=6.1\n".getBytes(StandardCharsets.US_ASCII);

  @Test
  void readsElfByPhysicalAddress() {
    Target target =
        open(
            new ElfCoreWriter()
                .load(0x10_0000, 0, page(1))
                .load(0x10_1000, 0, page(2))
                .load(0x20_0000, 0, page(3), 0x3000)
                .load(0x1000, 0, page(4))
                .note("VMCOREINFO", 0, TEXT)
                .build());
    PhysicalMemory memory = physical(target);

    assertThat(memory.bytes(0x10_0ff8, 16))
        .isEqualTo(Arrays.copyOf(joined(tail(page(1), 8), page(2)), 16));
    assertThat(memory.bytes(0x1000, PAGE)).isEqualTo(page(4));
    assertThat(memory.read(0x10_1ffe, MemorySegment.ofArray(new byte[10]))).isEqualTo(2);
    assertThat(memory.at(0x20_0fff)).isEqualTo(Readability.READABLE);
    assertThat(memory.at(0x20_1000)).isEqualTo(Readability.NOT_DUMPED);
    assertThat(memory.at(0x20_3000)).isEqualTo(Readability.UNMAPPED);
    assertThat(memory.at(-1)).isEqualTo(Readability.UNMAPPED);
    assertThat(memory.ranges())
        .containsExactly(
            new Range(0x1000, 0x2000),
            new Range(0x10_0000, 0x10_2000),
            new Range(0x20_0000, 0x20_3000));
    assertThatThrownBy(() -> memory.bytes(0x20_0ff0, 32))
        .isInstanceOf(FaultException.class)
        .hasMessage("cannot read physical address 0x201000: page not in the dump");
    assertThat(notes(target).vmcoreinfo()).hasValue(TEXT);
    assertThat(target.find(VirtualMemory.class)).isEmpty();
    assertThat(target.warnings()).isEmpty();
    assertThat(target.info().architecture()).isEqualTo("x86_64");
  }

  @Test
  void keepsTheVirtualAddressesOfProcVmcore() {
    Target target =
        open(
            new ElfCoreWriter()
                .load(0x1000, 0xffffffff81000000L, page(1))
                .load(0x1000, 0xffff888000001000L, page(1))
                .load(0x5000, 0xffff888000005000L, page(2), 0x2000)
                .load(-1, 0xffffc90000000000L, page(3))
                .build());
    assertThat(physical(target).bytes(0x1000, PAGE)).isEqualTo(page(1));
    assertThat(physical(target).ranges())
        .containsExactly(new Range(0x1000, 0x2000), new Range(0x5000, 0x7000));
    VirtualMemory virtual = target.find(VirtualMemory.class).orElseThrow();
    assertThat(virtual.segments())
        .containsExactly(
            new VirtualMemory.Segment(Range.of(0xffffffff81000000L, PAGE), 0x1000),
            new VirtualMemory.Segment(Range.of(0xffff888000001000L, PAGE), 0x1000),
            new VirtualMemory.Segment(Range.of(0xffff888000005000L, 0x2000), 0x5000));
    assertThat(virtual.bytes(0xffffffff81000000L, PAGE)).isEqualTo(page(1));
    assertThat(virtual.bytes(0xffffc90000000000L, PAGE)).isEqualTo(page(3));
    assertThat(virtual.at(0xffff888000006000L)).isEqualTo(Readability.NOT_DUMPED);
  }

  @Test
  void aDumpWithoutPhysicalAddressesHasVirtualMemoryOnly() {
    Target target =
        open(
            new ElfCoreWriter()
                .load(0, 0xffffffff81000000L, page(1))
                .load(0, 0xffff888000001000L, page(2))
                .build());
    assertThat(target.find(PhysicalMemory.class)).isEmpty();
    assertThat(target.find(VirtualMemory.class).orElseThrow().bytes(0xffff888000001000L, PAGE))
        .isEqualTo(page(2));
  }

  @Test
  void aSegmentAtPhysicalZeroIsMemory() {
    Target target = open(new ElfCoreWriter().load(0, 0, page(1)).build());
    assertThat(physical(target).bytes(0, PAGE)).isEqualTo(page(1));
  }

  /** QEMU without paging writes identical addresses for memory above the first block. */
  @Test
  void identicalAddressesAreNotVirtual() {
    Target target =
        open(
            new ElfCoreWriter()
                .load(0, 0, page(1))
                .load(0xfffc0000L, 0xfffc0000L, page(2))
                .build());
    assertThat(target.find(VirtualMemory.class)).isEmpty();
    assertThat(physical(target).bytes(0xfffc0000L, PAGE)).isEqualTo(page(2));
  }

  @Test
  void findsItsWayAmong70000Segments() {
    var writer = new ElfCoreWriter();
    var numbers = new ArrayList<Integer>();
    for (int i = 0; i < 70_000; i++) {
      numbers.add(i);
    }
    Collections.shuffle(numbers, new Random(1));
    for (int i : numbers) {
      writer.load(i * 0x2000L, 0, new byte[] {(byte) i, (byte) (i >> 8), (byte) (i >> 16)});
    }
    PhysicalMemory memory = physical(open(writer.build()));
    for (int i = 0; i < 70_000; i += 7) {
      assertThat(memory.unsigned(i * 0x2000L + 1, 2)).isEqualTo(i >> 8);
      assertThat(memory.at(i * 0x2000L + 3)).isEqualTo(Readability.UNMAPPED);
    }
    assertThat(memory.ranges()).hasSize(70_000);
  }

  @Test
  void aTruncatedElfDumpSaysSoAndKeepsWhatItHas() {
    byte[] whole = new ElfCoreWriter().load(0x1000, 0, page(1)).load(0x8000, 0, page(2)).build();
    Target target = open(Arrays.copyOf(whole, whole.length - 100));
    assertThat(target.warnings())
        .containsExactly(
            "dump: truncated: the file ends at 0x"
                + Long.toHexString(whole.length - 100)
                + ", but its segments reach to 0x"
                + Long.toHexString(whole.length));
    PhysicalMemory memory = physical(target);
    assertThat(memory.bytes(0x1000, PAGE)).isEqualTo(page(1));
    assertThat(memory.read(0x8000, MemorySegment.ofArray(new byte[PAGE]))).isEqualTo(PAGE - 100);
    assertThat(memory.at(0x8000 + PAGE - 101)).isEqualTo(Readability.READABLE);
    assertThat(memory.at(0x8000 + PAGE - 100)).isEqualTo(Readability.ERROR);
  }

  @Test
  void takesRegistersFromPrStatus() {
    var registers = new long[27];
    for (int i = 0; i < 27; i++) {
      registers[i] = 100L + i;
    }
    Target target =
        open(
            new ElfCoreWriter()
                .load(0x1000, 0, page(1))
                .note("CORE", 1, ElfCoreWriter.prStatus(0, 4711, registers))
                .note("CORE", 1, ElfCoreWriter.prStatus(0, 0, 7))
                .build());
    assertThat(target.cpus()).hasSize(2);
    var cpu = target.cpus().get(0);
    assertThat(cpu.id()).isZero();
    assertThat(cpu.source()).isEqualTo("PRSTATUS");
    Registers r = cpu.registers();
    assertThat(r.get(X86_64.R15)).hasValue(100);
    assertThat(r.get(X86_64.RAX)).hasValue(110);
    assertThat(r.get(X86_64.ORIG_RAX)).hasValue(115);
    assertThat(r.get(X86_64.RIP)).hasValue(116);
    assertThat(r.get(X86_64.CS)).hasValue(117);
    assertThat(r.get(X86_64.RFLAGS)).hasValue(118);
    assertThat(r.get(X86_64.RSP)).hasValue(119);
    assertThat(r.get(X86_64.SS)).hasValue(120);
    assertThat(r.get(X86_64.GS)).hasValue(126);
    assertThat(r.get(X86_64.GS_BASE)).as("Linux states the user's base there").isEmpty();
    assertThat(r.get(X86_64.CR3)).isEmpty();
    assertThat(target.cpus().get(1).id()).isEqualTo(1);
    assertThat(target.cpus().get(1).registers().get(X86_64.R15)).hasValue(7);
  }

  /** A note follows the thread that it is of. */
  @Test
  void takesTheThreadPointersOfAnArmProcess() {
    var writer =
        new ElfCoreWriter()
            .machine(183)
            .load(0x4000_0000L, 0, page(1))
            .note("CORE", 1, ElfCoreWriter.aarch64PrStatus(4711, new long[34]))
            .note("LINUX", 0x401, new byte[] {0x10, 0x20, 0, 0, 0, 0, 0, 0})
            .note("CORE", 6, new byte[16])
            .note("CORE", 1, ElfCoreWriter.aarch64PrStatus(4712, new long[34]))
            .note("LINUX", 0x401, new byte[] {0x30});
    var target =
        ProcessCore.open(ByteSource.of("core", writer.build()), Optional.empty()).orElseThrow();
    assertThat(target.cpus())
        .extracting(cpu -> cpu.registers().get(Aarch64.TPIDR_EL0))
        .containsExactly(OptionalLong.of(0x2010), OptionalLong.empty());
    assertThat(target.warnings())
        .anyMatch(warning -> warning.contains("note of type 0x401 has 1 bytes, expected 8 to"));
  }

  @Test
  void takesRegistersOfArm() {
    var values = new long[34];
    for (int i = 0; i < values.length; i++) {
      values[i] = 100L + i;
    }
    var writer =
        new ElfCoreWriter()
            .machine(183)
            .load(0x4000_0000L, 0, page(1))
            .note("CORE", 1, ElfCoreWriter.aarch64PrStatus(4711, values))
            .note("CORE", 1, ElfCoreWriter.aarch64PrStatus(1, 7));
    Target target = open(writer.build());
    assertThat(target.architecture()).isEqualTo("aarch64");
    assertThat(target.cpus()).extracting(c -> c.id()).containsExactly(0, 1);
    assertThat(target.cpus()).extracting(c -> c.source()).containsOnly("PRSTATUS");
    Registers r = target.cpus().get(0).registers();
    assertThat(r.get(Aarch64.x(0))).hasValue(100);
    assertThat(r.get(Aarch64.LR)).hasValue(130);
    assertThat(r.sp()).hasValue(131);
    assertThat(r.pc()).hasValue(132);
    assertThat(r.get(Aarch64.PSTATE)).hasValue(133);
    assertThat(r.get(Aarch64.TTBR1_EL1)).isEmpty();
    // QEMU writes floating-point registers, and the vCPU's number plus one.
    Target qemus = open(writer.note("CORE", 2, new byte[528]).build());
    assertThat(qemus.cpus()).extracting(c -> c.id()).containsExactly(4710, 0);
    assertThat(qemus.cpus()).extracting(c -> c.source()).containsOnly("QEMU");
  }

  @Test
  void leavesOutShortRegistersOfArm() {
    Target target =
        open(
            new ElfCoreWriter()
                .machine(183)
                .load(0x4000_0000L, 0, page(1))
                .note("CORE", 1, new byte[336])
                .build());
    assertThat(target.cpus()).isEmpty();
    assertThat(target.warnings().get(0)).contains("NT_PRSTATUS of 336 bytes, expected 392");
  }

  @Test
  void takesTheMachineFromKdumpHeaders() {
    byte[] notes = ElfCoreWriter.noteRegion("CORE", 1, ElfCoreWriter.aarch64PrStatus(9, 5));
    Target target =
        open(
            new KdumpWriter(6).machine("aarch64").page(1, page(1), Codec.RAW).notes(notes).build());
    assertThat(target.architecture()).isEqualTo("aarch64");
    assertThat(target.cpus().get(0).registers().get(Aarch64.x(0))).hasValue(5);
    // QEMU does not name the machine.
    for (String unknown : new String[] {"Unknown", ""}) {
      var writer = new KdumpWriter(6).machine(unknown).page(1, page(1), Codec.RAW);
      assertThat(open(writer.build()).architecture()).isEqualTo("x86_64");
      assertThat(open(writer.notes(notes).build()).architecture()).isEqualTo("aarch64");
    }
  }

  @Test
  void takesRegistersFromQemusNotes() {
    Target target =
        open(
            new ElfCoreWriter()
                .load(0x1000, 0, page(1))
                .note("CORE", 1, ElfCoreWriter.prStatus(0, 1))
                .note("CORE", 1, ElfCoreWriter.prStatus(0, 4))
                .note("QEMU", 0, ElfCoreWriter.qemuCpuState(1000, true))
                .note("QEMU", 0, ElfCoreWriter.qemuCpuState(5000, false))
                .build());
    assertThat(target.cpus()).extracting(c -> c.id()).containsExactly(0, 3);
    assertThat(target.cpus()).extracting(c -> c.source()).containsOnly("QEMU");
    Registers r = target.cpus().get(0).registers();
    assertThat(r.get(X86_64.RAX)).hasValue(1000);
    assertThat(r.get(X86_64.RSP)).hasValue(1006);
    assertThat(r.pc()).hasValue(1016);
    assertThat(r.get(X86_64.CS)).hasValue(0);
    assertThat(r.get(X86_64.SS)).hasValue(5 * 8);
    assertThat(r.get(X86_64.FS_BASE)).hasValue(1000 + 0x103);
    assertThat(r.get(X86_64.GS_BASE)).hasValue(1000 + 0x104);
    assertThat(r.get(X86_64.GDT_BASE)).hasValue(1000 + 0x108);
    assertThat(r.get(X86_64.IDT_BASE)).hasValue(1000 + 0x109);
    assertThat(r.get(X86_64.IDT_LIMIT)).hasValue(0x1009);
    assertThat(r.get(X86_64.CR3)).hasValue(1000 + 0x203);
    assertThat(r.get(X86_64.CR4)).hasValue(1000 + 0x204);
    assertThat(r.get(X86_64.KERNEL_GS_BASE)).hasValue(1000 + 0x300);
    assertThat(r.get(X86_64.ORIG_RAX)).as("QEMU states 0").isEmpty();
    assertThat(target.cpus().get(1).registers().get(X86_64.KERNEL_GS_BASE)).isEmpty();
  }

  @Test
  void aNoteThatCannotBeDecodedIsAWarning() {
    Target target =
        open(
            new ElfCoreWriter()
                .load(0x1000, 0, page(1))
                .note("CORE", 1, new byte[10])
                .note("CORE", 1, ElfCoreWriter.prStatus(0, 0, 7))
                .build());
    assertThat(target.cpus()).hasSize(1);
    assertThat(target.warnings()).hasSize(1);
    assertThat(target.warnings().get(0)).contains("NT_PRSTATUS of 10 bytes, expected 336");
  }

  @ParameterizedTest
  @EnumSource
  void readsKdumpPagesOfEveryCompression(Codec codec) {
    var writer = new KdumpWriter(6).excluded(40).vmcoreinfo(TEXT).physBase(0x3000000);
    for (long pfn = 1; pfn < 30; pfn++) {
      writer.page(pfn, pfn % 5 == 0 ? noise(pfn) : page((int) pfn), codec);
    }
    Target target = open(writer.build());
    PhysicalMemory memory = physical(target);
    for (int round = 0; round < 2; round++) {
      for (int pfn = 1; pfn < 30; pfn++) {
        assertThat(memory.bytes(pfn * (long) PAGE, PAGE))
            .isEqualTo(pfn % 5 == 0 ? noise(pfn) : page(pfn));
      }
    }
    assertThat(memory.bytes(2 * PAGE - 3, 6))
        .isEqualTo(joined(tail(page(1), 3), Arrays.copyOf(page(2), 3)));
    assertThat(memory.at(40 * PAGE)).isEqualTo(Readability.NOT_DUMPED);
    assertThat(memory.at(35 * PAGE)).isEqualTo(Readability.UNMAPPED);
    assertThat(memory.at(41 * PAGE)).isEqualTo(Readability.UNMAPPED);
    assertThat(memory.at(-1)).isEqualTo(Readability.UNMAPPED);
    assertThat(memory.read(29 * PAGE + 10, MemorySegment.ofArray(new byte[3 * PAGE])))
        .isEqualTo(PAGE - 10);
    String name =
        codec == Codec.RAW ? "uncompressed" : codec.name().toLowerCase(java.util.Locale.ROOT);
    assertThat(target.info().format()).isEqualTo("kdump-compressed v6, " + name);
    assertThat(notes(target).vmcoreinfo()).hasValue(TEXT);
    assertThat(notes(target).physBase()).hasValue(0x3000000);
    assertThat(notes(target).release()).hasValue("6.1.0-test");
    assertThat(target.warnings()).isEmpty();
    assertThat(target.info().facts())
        .extracting(f -> f.key())
        .contains("dump_level", "dump_time", "host");
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3, 4, 5, 6})
  void readsEveryKdumpVersion(int version) {
    Target target =
        open(
            new KdumpWriter(version)
                .page(3, page(3), Codec.LZO)
                .vmcoreinfo(TEXT)
                .notes(
                    joined(
                        ElfCoreWriter.noteRegion("CORE", 1, ElfCoreWriter.prStatus(0, 9, 5)),
                        ElfCoreWriter.noteRegion("VMCOREINFO", 0, TEXT)))
                .build());
    assertThat(physical(target).bytes(3 * PAGE, PAGE)).isEqualTo(page(3));
    assertThat(notes(target).vmcoreinfo().isPresent()).isEqualTo(version >= 3);
    assertThat(target.cpus()).hasSize(version >= 4 ? 1 : 0);
  }

  @Test
  void takesVmcoreinfoFromTheNotesWhenTheHeaderHasNone() {
    Target target =
        open(
            new KdumpWriter(6)
                .page(3, page(3), Codec.LZO)
                .notes(ElfCoreWriter.noteRegion("VMCOREINFO", 0, TEXT))
                .build());
    assertThat(notes(target).vmcoreinfo()).hasValue(TEXT);
  }

  @Test
  void largePagesAreReadWhole() {
    byte[] big = new byte[65536];
    new Random(1).nextBytes(big);
    Target target = open(new KdumpWriter(6).blockSize(65536).page(2, big, Codec.ZSTD).build());
    assertThat(physical(target).bytes(2 * 65536, 65536)).isEqualTo(big);
    assertThat(physical(target).ranges()).containsExactly(new Range(2 * 65536, 3 * 65536));
  }

  @Test
  void rangesJoinWhatIsClose() {
    Target target =
        open(
            new KdumpWriter(6)
                .page(1, page(1), Codec.LZO)
                .excluded(2)
                .page(100, page(1), Codec.LZO)
                .page(1000, page(1), Codec.LZO)
                .excluded(1001)
                .maxMapnr(5000)
                .build());
    assertThat(physical(target).ranges())
        .containsExactly(new Range(0x1000, 101 * PAGE), new Range(1000 * PAGE, 1002 * PAGE));
  }

  @Test
  void aCorruptPageIsAnErrorAndIsReported() {
    byte[] bytes =
        new KdumpWriter(6).page(1, page(1), Codec.LZO).page(2, page(2), Codec.LZO).build();
    bytes[bytes.length - 1] = 5;
    Target target = open(bytes);
    PhysicalMemory memory = physical(target);
    assertThat(memory.bytes(PAGE, PAGE)).isEqualTo(page(1));
    assertThat(memory.at(2 * PAGE)).isEqualTo(Readability.ERROR);
    assertThatThrownBy(() -> memory.bytes(2 * PAGE + 5, 1))
        .hasMessage("cannot read physical address 0x2005: read error");
    assertThat(memory.bytes(PAGE, PAGE)).isEqualTo(page(1));
    assertThat(target.warnings()).hasSize(1);
    assertThat(target.warnings().get(0))
        .startsWith("1 corrupt pages met, first dump: at offset 0x")
        .contains("LZO block");
  }

  @Test
  void anUnknownCompressionIsNamed() {
    byte[] bytes = new KdumpWriter(6).page(1, page(1), Codec.LZO).build();
    bytes[4 * PAGE + 12] = 0x40;
    Target target = open(bytes);
    assertThat(physical(target).at(PAGE)).isEqualTo(Readability.ERROR);
    assertThat(target.warnings().get(0))
        .isEqualTo(
            "1 corrupt pages met, first dump: at offset 0x400c: page flags 0x40, expected 0, 1, 2,"
                + " 4 or 0x20");
  }

  @Test
  void anIncompleteDumpHasPagesThatWereNotDumped() {
    Target target =
        open(new KdumpWriter(6).incomplete().page(1, page(1), Codec.LZO).unwritten(2).build());
    assertThat(physical(target).at(2 * PAGE)).isEqualTo(Readability.NOT_DUMPED);
    assertThat(physical(target).bytes(PAGE, PAGE)).isEqualTo(page(1));
    assertThat(target.warnings())
        .containsExactly("dump: incomplete: its writer ran out of space and left pages out");
  }

  @Test
  void aTruncatedKdumpSaysSoAndKeepsWhatItHas() {
    var writer = new KdumpWriter(6);
    for (int pfn = 1; pfn < 20; pfn++) {
      writer.page(pfn, noise(pfn), Codec.LZO);
    }
    byte[] whole = writer.build();
    Target target = open(Arrays.copyOf(whole, whole.length - 3 * PAGE));
    assertThat(target.warnings())
        .containsExactly("dump: truncated: the file ends before the pages do");
    PhysicalMemory memory = physical(target);
    assertThat(memory.bytes(16 * PAGE, PAGE)).isEqualTo(noise(16));
    assertThat(memory.at(17 * PAGE)).isEqualTo(Readability.ERROR);
    assertThat(memory.at(20 * PAGE)).isEqualTo(Readability.UNMAPPED);
  }

  @Test
  void readsASplitSetInAnyOrder() {
    var sources = new ArrayList<ByteSource>();
    for (int part = 0; part < 3; part++) {
      var writer = new KdumpWriter(6).maxMapnr(90);
      for (int pfn = 0; pfn < 90; pfn++) {
        writer.page(pfn, page(pfn), Codec.SNAPPY);
      }
      sources.add(ByteSource.of("part" + part, writer.split(part * 30L, part * 30L + 30).build()));
    }
    Collections.reverse(sources);
    Target whole = DumpProvider.openSources(sources);
    for (int pfn = 0; pfn < 90; pfn++) {
      assertThat(physical(whole).bytes(pfn * (long) PAGE, PAGE)).isEqualTo(page(pfn));
    }
    assertThat(whole.warnings()).isEmpty();
    assertThat(whole.info().format()).isEqualTo("kdump-compressed v6, snappy, split into 3 files");

    Target partly = DumpProvider.openSources(List.of(sources.get(2), sources.get(0)));
    assertThat(partly.warnings())
        .containsExactly(
            "part0: part of a split dump; the file with the pages from physical address 0x1e000 on"
                + " was not given");
    assertThat(physical(partly).at(29 * PAGE)).isEqualTo(Readability.READABLE);
    assertThat(physical(partly).at(30 * PAGE)).isEqualTo(Readability.NOT_DUMPED);
    assertThat(physical(partly).at(60 * PAGE)).isEqualTo(Readability.READABLE);
  }

  @Test
  void partsOfDifferentDumpsDoNotMix() {
    byte[] a = new KdumpWriter(6).page(1, page(1), Codec.LZO).split(0, 1).build();
    byte[] b = new KdumpWriter(6).page(1, page(1), Codec.LZO).split(1, 2).release("other").build();
    assertThatThrownBy(
            () -> DumpProvider.openSources(List.of(ByteSource.of("a", a), ByteSource.of("b", b))))
        .hasMessage("b: at offset 0x0: part of another dump than a");
  }

  @ParameterizedTest
  @CsvSource({"true", "false"})
  void readsFlattenedDumpsInPlace(boolean elf) {
    byte[] image =
        elf
            ? new ElfCoreWriter().load(PAGE, 0, page(1)).load(2 * PAGE, 0, page(2)).build()
            : new KdumpWriter(6).page(1, page(1), Codec.ZLIB).page(2, page(2), Codec.RAW).build();
    byte[] flat = FlattenedWriter.flatten(image, 600, new Random(7));
    Target target = open(flat);
    assertThat(physical(target).bytes(PAGE, PAGE)).isEqualTo(page(1));
    assertThat(physical(target).bytes(2 * PAGE, PAGE)).isEqualTo(page(2));
    assertThat(target.info().format())
        .isEqualTo(elf ? "flattened ELF vmcore" : "flattened kdump-compressed v6, zlib");
    assertThat(target.warnings()).isEmpty();

    Target cut = open(Arrays.copyOf(flat, flat.length - 16));
    assertThat(cut.warnings())
        .containsExactly(
            "dump: truncated: the flattened stream has no end mark, it stops at 0x"
                + Long.toHexString(flat.length - 16));
    assertThat(physical(cut).bytes(PAGE, PAGE)).isEqualTo(page(1));
  }

  /** The JVM reports this by an InternalError, as it does a disk that fails. */
  @ParameterizedTest
  @CsvSource({"true", "false"})
  void aFileThatBecomesShorterIsAnError(boolean elf, @TempDir Path folder) throws IOException {
    byte[] image =
        elf
            ? new ElfCoreWriter().load(PAGE, 0, joined(noise(1), new byte[1 << 20])).build()
            : new KdumpWriter(6)
                .page(1, noise(1), Codec.RAW)
                .page(200, noise(2), Codec.RAW)
                .build();
    Path file = folder.resolve("vmcore");
    Files.write(file, image);
    try (var target = new DumpProvider().open(List.of(file))) {
      PhysicalMemory memory = physical(target);
      assertThat(memory.at(200 * PAGE)).isEqualTo(Readability.READABLE);
    }
    try (var target = new DumpProvider().open(List.of(file));
        var channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      PhysicalMemory memory = physical(target);
      channel.truncate(PAGE);
      assertThat(memory.at(200 * PAGE)).isEqualTo(Readability.ERROR);
      assertThatThrownBy(() -> memory.bytes(200 * PAGE, 8)).isInstanceOf(FaultException.class);
    }
  }

  private static Target open(byte[] bytes) {
    return DumpProvider.openSources(List.of(ByteSource.of("dump", bytes)));
  }

  private static PhysicalMemory physical(Target target) {
    return target.find(PhysicalMemory.class).orElseThrow();
  }

  private static KernelNotes notes(Target target) {
    return target.find(KernelNotes.class).orElseThrow();
  }

  /** A page that compresses well and differs from all others. */
  private static byte[] page(int number) {
    var page = new byte[PAGE];
    for (int i = 0; i < PAGE; i += 16) {
      page[i] = (byte) number;
      page[i + 5] = (byte) (i >> 8);
    }
    return page;
  }

  /** A page that does not compress. */
  private static byte[] noise(long number) {
    var page = new byte[PAGE];
    new Random(number).nextBytes(page);
    return page;
  }

  private static byte[] joined(byte[] a, byte[] b) {
    byte[] both = Arrays.copyOf(a, a.length + b.length);
    System.arraycopy(b, 0, both, a.length, b.length);
    return both;
  }

  private static byte[] tail(byte[] bytes, int count) {
    return Arrays.copyOfRange(bytes, bytes.length - count, bytes.length);
  }

  /** There may be very many threads, each with tens of kilobytes that nobody asks for. */
  @Test
  void longNotesOfThreadsAreReadWhenTheyAreAskedFor() {
    var reads = new ArrayList<String>();
    var notes = new ProcessNotes(UserRegisters.of("x86_64").orElseThrow());
    notes.add(
        List.of(
            note(reads, Elf.NT_PRSTATUS, ElfCoreWriter.prStatus(11, 4711)),
            note(reads, 0x5349_4749, new byte[1 << 16]),
            note(reads, 2, new byte[512])));
    assertThat(notes.warnings()).isEmpty();
    assertThat(reads).containsExactly("1");
    var thread = notes.threads().getFirst();
    assertThat(thread.info().orElseThrow()).hasSize(1 << 16);
    assertThat(thread.extended().orElseThrow()).hasSize(512);
    assertThat(reads).containsExactly("1", "1397311305", "2");
  }

  private static ElfNote note(List<String> reads, int type, byte[] bytes) {
    var source = ByteSource.of("core", bytes);
    var counted =
        new ByteSource() {
          @Override
          public String name() {
            return source.name();
          }

          @Override
          public long size() {
            return source.size();
          }

          @Override
          public MemorySegment slice(long offset, long length) {
            reads.add(Integer.toString(type));
            return source.slice(offset, length);
          }
        };
    return new ElfNote("CORE", type, 0, counted);
  }
}
