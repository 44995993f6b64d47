// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.elf;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fathom.base.ByteSource;
import java.util.ArrayList;
import java.util.OptionalLong;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ElfCoreHeadTest {
  @ParameterizedTest
  @ValueSource(ints = {0, 3, 65533, 65534, 70000})
  void isReadBack(int count) {
    var segments = new ArrayList<ProgramHeader>();
    for (int i = 0; i < count; i++) {
      segments.add(new ProgramHeader(Elf.PT_LOAD, 6, i * 4096L, i, i * 8192L, 4096, 8192, 0));
    }
    var registers = new long[PrStatus.Reg.values().length];
    for (int i = 0; i < registers.length; i++) {
      registers[i] = 1000L + i;
    }
    var gpr = new long[QemuCpuState.Reg.values().length];
    gpr[QemuCpuState.Reg.RIP.ordinal()] = 77;
    var segs = new QemuCpuState.Segment[QemuCpuState.Seg.values().length];
    for (int i = 0; i < segs.length; i++) {
      segs[i] = new QemuCpuState.Segment(i, i + 1, i + 2, i + 3);
    }
    byte[] state =
        QemuCpuState.encode(gpr, segs, new long[] {10, 0, 12, 13, 14}, OptionalLong.of(99));
    byte[] notes =
        new ElfNoteWriter()
            .add("CORE", Elf.NT_PRSTATUS, PrStatus.encode(5, registers))
            .add("VMCOREINFO", 0, (byte) 'x')
            .add("QEMU", 0, state)
            .bytes();
    byte[] head = ElfCoreHead.of(Elf.EM_X86_64, segments, notes);
    assertThat(head).hasSize((int) ElfCoreHead.length(count, notes));

    var file = ElfFile.read(ByteSource.of("head", head));
    assertThat(file.header().type()).isEqualTo(Elf.ET_CORE);
    assertThat(file.header().machine()).isEqualTo(Elf.EM_X86_64);
    assertThat(file.header().phoff()).isEqualTo(64);
    assertThat(file.missingProgramHeaders()).isZero();
    assertThat(file.programHeaders()).hasSize(count + 1);
    assertThat(file.programHeaders().subList(1, count + 1)).isEqualTo(segments);
    var read = file.notes(file.programHeaders().getFirst());
    assertThat(read.complete()).isTrue();
    assertThat(read.notes())
        .extracting(ElfNote::name)
        .containsExactly("CORE", "VMCOREINFO", "QEMU");
    var status = PrStatus.decode(read.notes().get(0));
    assertThat(status.pid()).isEqualTo(5);
    assertThat(status.get(PrStatus.Reg.GS)).isEqualTo(1026);
    assertThat(read.notes().get(1).descriptor().bytes(0, 1)).containsExactly('x');
    var back = QemuCpuState.decode(read.notes().get(2));
    assertThat(back.get(QemuCpuState.Reg.RIP)).isEqualTo(77);
    assertThat(back.segment(QemuCpuState.Seg.IDT)).isEqualTo(segs[9]);
    assertThat(back.cr(3)).isEqualTo(13);
    assertThat(back.kernelGsBase()).hasValue(99);
  }
}
