// SPDX-License-Identifier: Apache-2.0
package dev.fathom.testkit.lab;

import java.util.List;

/**
 * What guest to boot and what to do with it. Two equal recipes over one kernel package give the
 * same dump out of the cache.
 *
 * @param name a short name for people and for the cache's directory
 * @param kernel the kernel's version as packages name it, such as {@code 6.1}
 * @param board the machine
 * @param memoryMiB the guest's memory
 * @param cpus its virtual CPUs
 * @param fiveLevel whether the CPU offers five levels of page tables (LA57)
 * @param kaslr whether the kernel places itself at random
 * @param vmcoreinfo whether the guest hands its VMCOREINFO to QEMU
 * @param sleeps how many processes sleep
 * @param threads how many threads the multi-threaded process has besides its first
 * @param spin whether a process runs in user mode all the time
 * @param fault how the guest panics
 * @param kdump whether a crash kernel dumps the panicked one instead of QEMU
 * @param flavours the dumps that QEMU makes
 */
public record Recipe(
    String name,
    String kernel,
    Board board,
    int memoryMiB,
    int cpus,
    boolean fiveLevel,
    boolean kaslr,
    boolean vmcoreinfo,
    int sleeps,
    int threads,
    boolean spin,
    Fault fault,
    boolean kdump,
    List<Flavour> flavours) {

  public Recipe {
    flavours = List.copyOf(flavours);
    if (kdump && (fault == Fault.NONE || !flavours.isEmpty())) {
      throw new IllegalArgumentException("a crash kernel runs after a fault, and dumps by itself");
    }
    if (board.isArm() && (kdump || fiveLevel || fault.inModule())) {
      throw new IllegalArgumentException("the lab has no such guest for 64-bit Arm");
    }
  }

  /**
   * A healthy guest with 512 MiB, two CPUs, KASLR and VMCOREINFO, five sleeping processes and one
   * with four threads, dumped as ELF.
   */
  public static Recipe healthy(String kernel) {
    return new Recipe(
        "healthy",
        kernel,
        Board.PC,
        512,
        2,
        false,
        true,
        true,
        5,
        3,
        false,
        Fault.NONE,
        false,
        List.of(Flavour.ELF));
  }

  /** The same on another machine. */
  public Recipe on(Board newBoard) {
    return new Recipe(
        name,
        kernel,
        newBoard,
        memoryMiB,
        cpus,
        fiveLevel,
        kaslr,
        vmcoreinfo,
        sleeps,
        threads,
        spin,
        fault,
        kdump,
        flavours);
  }

  /** The same under another name. */
  public Recipe named(String newName) {
    return new Recipe(
        newName,
        kernel,
        board,
        memoryMiB,
        cpus,
        fiveLevel,
        kaslr,
        vmcoreinfo,
        sleeps,
        threads,
        spin,
        fault,
        kdump,
        flavours);
  }

  /** The same with another amount of memory. */
  public Recipe memory(int mebibytes) {
    return new Recipe(
        name,
        kernel,
        board,
        mebibytes,
        cpus,
        fiveLevel,
        kaslr,
        vmcoreinfo,
        sleeps,
        threads,
        spin,
        fault,
        kdump,
        flavours);
  }

  /** The same with another number of virtual CPUs. */
  public Recipe withCpus(int number) {
    return new Recipe(
        name,
        kernel,
        board,
        memoryMiB,
        number,
        fiveLevel,
        kaslr,
        vmcoreinfo,
        sleeps,
        threads,
        spin,
        fault,
        kdump,
        flavours);
  }

  /** The same with five levels of page tables. */
  public Recipe withFiveLevels() {
    return new Recipe(
        name,
        kernel,
        board,
        memoryMiB,
        cpus,
        true,
        kaslr,
        vmcoreinfo,
        sleeps,
        threads,
        spin,
        fault,
        kdump,
        flavours);
  }

  /** The same with the kernel at its link address. */
  public Recipe withoutKaslr() {
    return new Recipe(
        name,
        kernel,
        board,
        memoryMiB,
        cpus,
        fiveLevel,
        false,
        vmcoreinfo,
        sleeps,
        threads,
        spin,
        fault,
        kdump,
        flavours);
  }

  /** The same without VMCOREINFO in the dump. */
  public Recipe withoutVmcoreinfo() {
    return new Recipe(
        name, kernel, board, memoryMiB, cpus, fiveLevel, kaslr, false, sleeps, threads, spin, fault,
        kdump, flavours);
  }

  /** The same with other numbers of sleeping processes and waiting threads. */
  public Recipe tasks(int newSleeps, int newThreads) {
    return new Recipe(
        name,
        kernel,
        board,
        memoryMiB,
        cpus,
        fiveLevel,
        kaslr,
        vmcoreinfo,
        newSleeps,
        newThreads,
        spin,
        fault,
        kdump,
        flavours);
  }

  /** The same with a process that runs in user mode. */
  public Recipe spinning() {
    return new Recipe(
        name,
        kernel,
        board,
        memoryMiB,
        cpus,
        fiveLevel,
        kaslr,
        vmcoreinfo,
        sleeps,
        threads,
        true,
        fault,
        kdump,
        flavours);
  }

  /** The same with a panic at the end. */
  public Recipe fault(Fault newFault) {
    return new Recipe(
        name,
        kernel,
        board,
        memoryMiB,
        cpus,
        fiveLevel,
        kaslr,
        vmcoreinfo,
        sleeps,
        threads,
        spin,
        newFault,
        kdump,
        flavours);
  }

  /** The same with other dumps. */
  public Recipe flavours(Flavour... newFlavours) {
    return new Recipe(
        name,
        kernel,
        board,
        memoryMiB,
        cpus,
        fiveLevel,
        kaslr,
        vmcoreinfo,
        sleeps,
        threads,
        spin,
        fault,
        kdump,
        List.of(newFlavours));
  }

  /** The same dumped by a crash kernel. */
  public Recipe byKdump() {
    return new Recipe(
        name,
        kernel,
        board,
        memoryMiB,
        cpus,
        fiveLevel,
        kaslr,
        vmcoreinfo,
        sleeps,
        threads,
        spin,
        fault,
        true,
        List.of());
  }
}
