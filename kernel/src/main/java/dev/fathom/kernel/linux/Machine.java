// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux;

import dev.fathom.base.Datum;
import dev.fathom.kernel.KernelOptions;
import dev.fathom.kernel.linux.boot.KernelPlace;
import dev.fathom.kernel.linux.data.Layouts;
import dev.fathom.kernel.linux.stack.LinuxStacks;
import dev.fathom.model.Memory;
import dev.fathom.model.Register;
import dev.fathom.model.Registers;
import dev.fathom.model.SymbolTable;
import dev.fathom.model.arch.Architecture;
import dev.fathom.model.type.TypeSource;
import dev.fathom.model.unwind.UnwindSource;
import dev.fathom.target.PhysicalMemory;
import dev.fathom.target.Target;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Supplier;

/** What of a Linux kernel is particular to one architecture of CPU. */
interface Machine {
  Architecture architecture();

  /** The kernel in {@code target}; empty when there is none that can be proved. */
  Optional<KernelPlace> find(Target target, PhysicalMemory physical, KernelOptions options);

  /** The kernel's half of the address space. */
  Regions regions(
      KernelPlace place, LinuxProgram program, Layouts layouts, PhysicalMemory physical);

  /**
   * The kernel's stacks.
   *
   * @param perCpuBases what is added to per-CPU offsets, for each CPU; asked when first needed
   * @param tables the kernel's unwind tables, for machines that have any
   */
  LinuxStacks stacks(
      LinuxProgram program,
      KernelPlace place,
      Supplier<List<Long>> perCpuBases,
      UnwindSource tables);

  /** The registers of which one may hold what is added to per-CPU addresses on that CPU. */
  List<Register> perCpuBases();

  /** The task of the CPU with these registers, where they tell. */
  OptionalLong currentTask(Registers registers);

  /**
   * Whether a CPU with these registers runs under the kernel at {@code place}; empty when the
   * registers do not tell.
   */
  Optional<Boolean> inCharge(Registers registers, KernelPlace place, Memory physical);

  /**
   * The kernel's symbols with those of its file, where the machine has it at hand.
   *
   * @param listed those that the kernel itself lists
   */
  default SymbolTable withOwnTable(SymbolTable listed) {
    return listed;
  }

  /** The file that the kernel was loaded from, where it is on this machine. */
  default Optional<Path> file() {
    return Optional.empty();
  }

  /**
   * The types of a kernel that carries none, where this machine has another way to them.
   *
   * @throws dev.fathom.base.LookupException naming what was not found
   */
  default Optional<TypeSource> typesWithoutBtf(LinuxProgram program) {
    return Optional.empty();
  }

  /** How the line of an oops that names the place begins. */
  String placeLine();

  /** Where KASLR put the kernel and how it maps memory, for {@code ::status}. */
  List<Datum.Field> facts(KernelPlace place, LinuxProgram program);
}
