// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.monitor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fathom.base.FathomException;
import dev.fathom.base.Range;
import dev.fathom.base.TargetException;
import dev.fathom.target.monitor.RamLayout.Ram;
import dev.fathom.testkit.Fuzz;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class RamLayoutTest {
  static final String MTREE =
      """
      FlatView #0
       AS "I/O", root: io
       Root memory region: io
        0000000000000000-0000000000000007 (prio 0, i/o): dma-chan
        0000000000001000-0000000000001fff (prio 0, ram): not.system.memory

      FlatView #1
       AS "i440FX", root: bus master container
       Root memory region: (none)
        No rendered FlatView

      FlatView #2
       AS "memory", root: system
       AS "cpu-memory-0", root: system
       Root memory region: system
        0000000000000000-00000000000bffff (prio 0, ram): pc.ram
        00000000000c0000-00000000000c0fff (prio 0, rom): pc.ram @00000000000c0000
        0000000000100000-00000000bfffffff (prio 0, ram): pc.ram @0000000000100000 KVM
        00000000fd000000-00000000fdffffff (prio 1, ramd): 0000:00:02.0 BAR 0 mmaps[0]
        00000000fec00000-00000000fec00fff (prio 0, i/o): ioapic
        00000000ffc00000-00000000fff7ffff (prio 0, romd): system.flash1
        00000000fffc0000-00000000ffffffff (prio 0, rom): pc.bios
        0000000100000000-00000001ffffffff (prio 0, ram): my ram @00000000c0000000

      FlatView #3
       AS "cpu-smm-0", root: memory
       Root memory region: memory
        0000000000000000-00000000ffffffff (prio 0, ram): other

      """;

  @Test
  void takesTheMemoryOfTheSystemsAddressSpaceOnly() {
    RamLayout layout = RamLayout.parse(MTREE);

    assertThat(layout.memory())
        .containsExactly(
            new Ram(0, 0xbffff, "pc.ram", 0),
            new Ram(0xc0000, 0xc0fff, "pc.ram", 0xc0000),
            new Ram(0x100000, 0xbfffffffL, "pc.ram", 0x100000),
            new Ram(0xffc00000L, 0xfff7ffffL, "system.flash1", 0),
            new Ram(0xfffc0000L, 0xffffffffL, "pc.bios", 0),
            new Ram(0x100000000L, 0x1ffffffffL, "my ram", 0xc0000000L));
    assertThat(layout.ranges())
        .containsExactly(
            new Range(0, 0xc1000),
            new Range(0x100000, 0xc0000000L),
            new Range(0xffc00000L, 0xfff80000L),
            new Range(0xfffc0000L, 0x200000000L));
  }

  @Test
  void doesNotMindTheLineEndsOfTheStub() {
    assertThat(RamLayout.parse(MTREE.replace("\n", "\r\n"))).isEqualTo(RamLayout.parse(MTREE));
  }

  @Test
  void refusesWhatIsNoLayout() {
    assertThatThrownBy(() -> RamLayout.parse("unknown command: 'info mtree'\n"))
        .isInstanceOf(TargetException.class)
        .hasMessage("QEMU tells of no memory in \"info mtree -f\"");
    String head = "FlatView #0\n AS \"memory\", root: system\n";
    assertThatThrownBy(
            () ->
                RamLayout.parse(
                    head
                        + "  0000000000001000-0000000000001fff (prio 0, ram): a\n"
                        + "  0000000000001800-0000000000002fff (prio 0, ram): b\n"))
        .hasMessageContaining("memory ranges out of order");
    assertThatThrownBy(
            () -> RamLayout.parse(head + "  00000000000010zz-0000000000001fff (prio 0, ram): a\n"))
        .hasMessageContaining("not a range of memory");
    assertThatThrownBy(() -> RamLayout.parse(head + "  1000-0fff (prio 0, ram): a\n"))
        .hasMessageContaining("memory ranges out of order");
  }

  @Test
  void survivesAnything() {
    byte[] seed = MTREE.getBytes(StandardCharsets.US_ASCII);
    Fuzz.run(
        seed,
        2000,
        bytes -> {
          try {
            assertThat(RamLayout.parse(new String(bytes, StandardCharsets.ISO_8859_1)).memory())
                .isNotEmpty();
          } catch (FathomException e) {
            assertThat(e).hasMessageContaining("QEMU");
          }
        });
  }
}
