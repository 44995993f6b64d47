// SPDX-License-Identifier: Apache-2.0
package dev.fathom.testkit.lab;

import java.util.List;

/** The guests that the tests look at; each test takes those that it needs. */
public final class LabRecipes {
  /** Debian's kernels that the lab runs in every way, oldest first; 5.10 runs in one guest. */
  public static final List<String> KERNELS = List.of("6.1", "6.12");

  private LabRecipes() {}

  /** All guests that QEMU dumps, but for the one with many tasks. */
  public static List<Recipe> byQemu() {
    Recipe old = Recipe.healthy("6.1");
    Recipe recent = Recipe.healthy("6.12");
    return List.of(
        Recipe.healthy("5.10"),
        healthy("6.1"),
        old.named("novmcoreinfo").withoutVmcoreinfo(),
        old.named("nokaslr").withoutKaslr().spinning(),
        old.named("la57").withFiveLevels(),
        old.named("sysrq").fault(Fault.SYSRQ),
        old.named("sysrq-irq").fault(Fault.SYSRQ_IN_INTERRUPT),
        old.named("null").fault(Fault.NULL_IN_MODULE),
        old.named("null-irq").fault(Fault.NULL_IN_INTERRUPT),
        old.named("overflow").fault(Fault.STACK_OVERFLOW),
        healthy("6.12"),
        recent.named("nokaslr-novmcoreinfo").withoutKaslr().withoutVmcoreinfo(),
        recent.named("la57-novmcoreinfo").withFiveLevels().withoutVmcoreinfo(),
        recent.named("null-irq").fault(Fault.NULL_IN_INTERRUPT),
        recent.named("overflow").fault(Fault.STACK_OVERFLOW));
  }

  /** Guests that are 64-bit Arm machines, dumped by QEMU. */
  public static List<Recipe> arm() {
    Recipe old = Recipe.healthy("6.1").on(Board.ARM);
    Recipe recent = Recipe.healthy("6.12").on(Board.ARM);
    return List.of(
        recent.flavours(Flavour.ELF, Flavour.KDUMP_ZLIB),
        recent.named("nokaslr").on(Board.ARM_A57).withoutKaslr().spinning(),
        recent.named("novmcoreinfo").withoutVmcoreinfo(),
        recent.named("a57-novmcoreinfo").on(Board.ARM_A57).withoutVmcoreinfo(),
        recent.named("sysrq").fault(Fault.SYSRQ),
        old,
        old.named("a57-novmcoreinfo").on(Board.ARM_A57).withoutVmcoreinfo());
  }

  /** A healthy guest in every flavour of dump that QEMU writes. */
  public static Recipe healthy(String kernel) {
    return Recipe.healthy(kernel).flavours(Flavour.values());
  }

  /** A guest dumped by its crash kernel in every flavour. */
  public static Recipe kdump(String kernel) {
    return Recipe.healthy(kernel).named("kdump").fault(Fault.NULL_IN_MODULE).byKdump();
  }

  /** A guest with 5,000 tasks. */
  public static Recipe manyTasks(String kernel) {
    return Recipe.healthy(kernel).named("tasks").memory(1024).tasks(1200, 3740);
  }
}
