// SPDX-License-Identifier: Apache-2.0
package dev.fathom.testkit.lab;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fathom.base.BadDataException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class FaultModuleTest {
  @Test
  void learnsTheKernelsLayoutFromANeighbour() {
    ElfSections module =
        new ElfSections("fault", FaultModule.write(Fault.NULL_IN_MODULE, "dummy", neighbour()));

    assertThat(module.modinfo("vermagic")).contains("6.0 SMP");
    assertThat(module.modinfo("name")).contains("fathom_fault");
    assertThat(module.section("__versions")).contains(new byte[] {1, 2, 3});
    byte[] thisModule = module.section(".gnu.linkonce.this_module").orElseThrow();
    assertThat(thisModule).hasSize(256);
    assertThat(new String(thisModule, 24, 13, StandardCharsets.US_ASCII))
        .isEqualTo("fathom_fault\0");
    ByteBuffer relocation =
        ByteBuffer.wrap(module.section(".rela.gnu.linkonce.this_module").orElseThrow())
            .order(ByteOrder.LITTLE_ENDIAN);
    assertThat(relocation.getLong(0)).as("where init is").isEqualTo(0x98);
    assertThat(relocation.getInt(8)).as("R_X86_64_64").isEqualTo(1);
  }

  @Test
  void hasUnwindRowsForEveryFunction() {
    ElfSections module =
        new ElfSections("fault", FaultModule.write(Fault.STACK_OVERFLOW, "dummy", neighbour()));

    byte[] rows = module.section(".orc_unwind").orElseThrow();
    byte[] places = module.section(".rela.orc_unwind_ip").orElseThrow();
    assertThat(rows).hasSizeGreaterThan(6 * 15);
    assertThat(places.length / 24).isEqualTo(rows.length / 6);
    // The neighbour's flags for a call frame: base SP, type 2
    assertThat(Arrays.copyOf(rows, 6)).containsExactly(8, 0, 0, 0, 5, 2);
  }

  @Test
  void needsNoVersionsWhereTheNeighbourMayLackOne() {
    ElfSections module =
        new ElfSections("fault", FaultModule.write(Fault.NULL_IN_INTERRUPT, "dummy", neighbour()));

    assertThat(module.section("__versions")).isEmpty();
    assertThat(new String(module.section(".strtab").orElseThrow(), StandardCharsets.US_ASCII))
        .contains("irq_work_queue");
  }

  @Test
  void refusesANeighbourThatTeachesNothing() {
    ElfObject empty = new ElfObject();
    empty.section(".text", ElfObject.ALLOC, 1, new byte[1]);

    assertThatThrownBy(() -> FaultModule.write(Fault.NULL_IN_MODULE, "dummy", empty.write()))
        .isInstanceOf(BadDataException.class)
        .hasMessageStartingWith("dummy");
  }

  private static byte[] neighbour() {
    byte[] thisModule = new byte[256];
    System.arraycopy("dummy".getBytes(StandardCharsets.US_ASCII), 0, thisModule, 24, 5);
    ElfObject neighbour = new ElfObject();
    neighbour.section(".text", ElfObject.ALLOC | ElfObject.EXECUTE, 16, new byte[32]);
    neighbour.section(".gnu.linkonce.this_module", ElfObject.ALLOC, 64, thisModule);
    neighbour.section(
        ".modinfo",
        ElfObject.ALLOC,
        1,
        "license=GPL\0vermagic=6.0 SMP\0depends=\0".getBytes(StandardCharsets.US_ASCII));
    neighbour.section("__versions", ElfObject.ALLOC, 1, new byte[] {1, 2, 3});
    neighbour.section(
        ".orc_unwind", ElfObject.ALLOC, 1, new byte[] {0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 5, 2});
    neighbour.symbol("cleanup_module", ".text", 16, 16, true);
    neighbour.symbol("init_module", ".text", 0, 16, true);
    neighbour.relocate(
        ".gnu.linkonce.this_module", new FaultModule.Relocation(0xa0, 1, "cleanup_module", 0));
    neighbour.relocate(
        ".gnu.linkonce.this_module", new FaultModule.Relocation(0x98, 1, "init_module", 0));
    return neighbour.write();
  }
}
