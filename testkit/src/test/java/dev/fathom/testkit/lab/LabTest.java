// SPDX-License-Identifier: Apache-2.0
package dev.fathom.testkit.lab;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Boots real guests. */
@Tag("lab")
class LabTest {
  private static final Lab LAB = Lab.open();

  @ParameterizedTest
  @FieldSource("dev.fathom.testkit.lab.LabRecipes#KERNELS")
  void healthyGuestTellsWhatItIs(String version) throws Exception {
    LabDump dump = LAB.dump(LabRecipes.healthy(version));

    assertThat(Files.size(dump.dump())).isGreaterThan(512L << 20);
    assertThat(Files.readAllBytes(dump.dump(Flavour.KDUMP_ZLIB).orElseThrow()))
        .startsWith("makedumpfile".getBytes(StandardCharsets.US_ASCII));
    GuestFacts facts = dump.facts();
    assertThat(facts.release()).startsWith(version + ".").isEqualTo(LAB.kernel(version).release());
    assertThat(facts.tasks()).extracting(GuestFacts.Task::name).contains("init", "kthreadd");
    assertThat(facts.tasks()).filteredOn(task -> task.name().equals("sleep")).hasSize(7);
    assertThat(facts.tasks())
        .filteredOn(task -> task.name().equals("lab-thread") && !task.leader())
        .hasSize(3);
    assertThat(facts.modules()).extracting(GuestFacts.Module::name).contains("virtio_blk", "tun");
    assertThat(facts.sections()).extracting(GuestFacts.Section::name).contains(".text");
    assertThat(facts.symbol("init_task")).isPresent();
    assertThat(facts.buildId()).hasValueSatisfying(id -> assertThat(id).hasSize(40));
    assertThat(facts.mapped()).contains(1);
    assertThat(facts.mappings(1)).isNotEmpty();
    assertThat(facts.memory()).extracting(GuestFacts.Resource::name).contains("Kernel code");
    assertThat(facts.log().getFirst()).contains("Linux version " + facts.release());
    assertThat(facts.stacks().get(2)).anyMatch(line -> line.startsWith("kthreadd+0x"));
  }

  static List<Recipe> faults() {
    return LabRecipes.byQemu().stream().filter(recipe -> recipe.fault() != Fault.NONE).toList();
  }

  @ParameterizedTest
  @MethodSource("faults")
  void faultPanicsTheGuest(Recipe recipe) {
    LabDump dump = LAB.dump(recipe);

    assertThat(dump.console())
        .contains(
            switch (recipe.fault()) {
              case NONE -> throw new AssertionError("not asked for");
              case SYSRQ, SYSRQ_IN_INTERRUPT -> "Kernel panic - not syncing: sysrq triggered crash";
              case NULL_IN_MODULE -> "RIP: 0010:fathom_fault_leaf+0x";
              case NULL_IN_INTERRUPT -> "Kernel panic - not syncing: Fatal exception in interrupt";
              case STACK_OVERFLOW -> "fathom_fault_overflow+0x";
            });
  }

  @ParameterizedTest
  @FieldSource("dev.fathom.testkit.lab.LabRecipes#KERNELS")
  void crashKernelWritesEveryFlavour(String version) throws Exception {
    LabDump dump = LAB.dump(LabRecipes.kdump(version));

    assertThat(dump.kdumps())
        .containsExactly(
            "elf-d31",
            "flat-elf-d31",
            "flat-lzo-d31",
            "lzo-d0",
            "lzo-d31",
            "raw-d31",
            "split.0",
            "split.1",
            "split.2",
            "vmcore",
            "zlib-d31");
    assertThat(Files.size(dump.kdump("lzo-d0"))).isGreaterThan(Files.size(dump.kdump("lzo-d31")));
    assertThat(dump.facts().tasks()).isNotEmpty();
  }
}
