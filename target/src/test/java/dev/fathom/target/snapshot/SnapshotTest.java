// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.snapshot;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fathom.base.Range;
import dev.fathom.base.Readability;
import dev.fathom.model.Registers;
import dev.fathom.model.arch.x86_64.X86_64;
import dev.fathom.target.KernelNotes;
import dev.fathom.target.PhysicalMemory;
import dev.fathom.target.VirtualMemory;
import org.junit.jupiter.api.Test;

class SnapshotTest {
  @Test
  void answersAsADumpDoes() {
    try (var snapshot =
        new Snapshot("test")
            .memory(0x2000, new byte[] {3, 4})
            .memory(0x1000, new byte[] {1, 2})
            .memory(0x1002, new byte[] {9})
            .missing(new Range(0x1800, 0x1900))
            .cpu(Registers.none(X86_64.INSTANCE.registers()).with(X86_64.CR3, 5))
            .cpu(Registers.none(X86_64.INSTANCE.registers()))
            .vmcoreinfo(new byte[] {7})
            .release("6.1")) {
      PhysicalMemory memory = snapshot.find(PhysicalMemory.class).orElseThrow();
      assertThat(memory.bytes(0x1000, 3)).containsExactly(1, 2, 9);
      assertThat(memory.at(0x1003)).isEqualTo(Readability.UNMAPPED);
      assertThat(memory.at(0x1880)).isEqualTo(Readability.NOT_DUMPED);
      assertThat(memory.ranges())
          .containsExactly(
              new Range(0x1000, 0x1003), new Range(0x1800, 0x1900), new Range(0x2000, 0x2002));
      assertThat(snapshot.cpus()).extracting(c -> c.id()).containsExactly(0, 1);
      assertThat(snapshot.cpus().get(0).registers().get(X86_64.CR3)).hasValue(5);
      KernelNotes notes = snapshot.find(KernelNotes.class).orElseThrow();
      assertThat(notes.vmcoreinfo()).hasValue(new byte[] {7});
      assertThat(notes.release()).hasValue("6.1");
      assertThat(notes.physBase()).isEmpty();
      assertThat(snapshot.find(VirtualMemory.class)).isEmpty();
    }
  }
}
