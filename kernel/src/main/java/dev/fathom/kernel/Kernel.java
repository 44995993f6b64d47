// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel;

import dev.fathom.base.Datum;
import dev.fathom.format.elf.ElfFile;
import dev.fathom.model.AddressSpace;
import dev.fathom.model.Image;
import dev.fathom.model.Program;
import dev.fathom.model.Registers;
import dev.fathom.model.type.TypeSource;
import dev.fathom.model.unwind.Backtrace;
import dev.fathom.model.unwind.UnwindSource;
import dev.fathom.target.Cpu;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Function;
import java.util.stream.Stream;

/** An operating system found in a target. Used by one thread. */
public interface Kernel {
  /** {@code Linux}. */
  String os();

  /** Whether this is no kernel but one process, whose tasks are its threads. */
  default boolean isProcess() {
    return false;
  }

  Program program();

  /**
   * Release, version, machine, host, uptime, panic message, ...: for {@code ::status} and {@code
   * sys}, in order.
   */
  List<Datum.Field> facts();

  /** What could not be found or had to be guessed, for the user. */
  List<String> warnings();

  /** The kernel proper first, then its modules. */
  List<Image> images();

  /** The first of {@link #images}, found without reading what the kernel keeps of its modules. */
  default Optional<Image> image() {
    return images().stream().findFirst();
  }

  /** The one of {@link #images} that an address is in. */
  default Optional<Image> imageAt(long address) {
    return images().stream()
        .filter(image -> image.ranges().stream().anyMatch(range -> range.contains(address)))
        .findFirst();
  }

  /**
   * The file that an image was loaded from, where it is on this machine and of the same build: a
   * process's program or library.
   */
  default Optional<Path> file(Image image) {
    return Optional.empty();
  }

  /**
   * The release that its debug files are filed under, such as {@code 6.1.0-57-cloud-amd64}; empty
   * where it has none or it cannot be read.
   */
  default Optional<String> release() {
    return Optional.empty();
  }

  /** The collections known by name. */
  List<Walker> walkers();

  /**
   * Every thread, idle threads first, then in the order of the kernel's list, each process's
   * threads together.
   */
  Stream<Task> tasks(Walker.Notes notes);

  /** The task described by the structure at {@code address}. */
  Task task(long address);

  Optional<Task> taskOfId(long id);

  /**
   * More about a task, for the columns of {@code ::ps} and the like: the same keys in the same
   * order for every task, such as {@code pgid sid uid flags}. A value that cannot be read is {@link
   * dev.fathom.base.Cell.Absent}.
   */
  default List<Datum.Field> details(Task task) {
    return List.of();
  }

  /** How much user memory a task's process has; empty where it has none or it cannot be read. */
  default Optional<MemoryUse> memoryUse(Task task) {
    return Optional.empty();
  }

  /**
   * More about an image, for the columns of {@code ::modinfo}: the same keys in the same order for
   * every image, such as {@code refs}. A value that cannot be read is {@link
   * dev.fathom.base.Cell.Absent}.
   */
  default List<Datum.Field> details(Image image) {
    return List.of();
  }

  List<KernelCpu> cpus();

  /**
   * The thread that is on {@code cpu}: read now, without what else the kernel keeps of its CPUs,
   * for decisions at a breakpoint. Empty where it cannot be told.
   */
  default Optional<Task> running(Cpu cpu) {
    return Optional.empty();
  }

  /**
   * The same with as few reads as can be, for one who copies the memory of a moment. Empty also
   * where the kernel does not tell threads so.
   */
  default Optional<Occupant> occupant(Cpu cpu) {
    return Optional.empty();
  }

  /** What {@link #running} gives of a CPU that had {@code occupant} on it. */
  default Task running(Occupant occupant) {
    return task(occupant.thread());
  }

  /** The registers of a task: of the CPU it runs on, or those saved when it was switched out. */
  Optional<Registers> registersOf(Task task);

  Backtrace stack(Task task);

  /** A stack walked from given registers, as {@code ::stack} with an address and {@code $c} do. */
  Backtrace stack(Registers from);

  /**
   * Uses unwind rules from debug information beside the kernel's own: for registers of callers that
   * those do not tell, and where there are none.
   */
  default void supplement(UnwindSource frames) {}

  /**
   * Whether the kernel itself says what its structures are like (Linux: BTF); where it does not,
   * {@link #describe} tells it.
   */
  default boolean hasTypes() {
    return true;
  }

  /** Tells a kernel without types of its own what its structures are like. */
  default void describe(TypeSource types) {}

  /**
   * Tells where names come from of an image whose own file was stripped of them.
   *
   * @param files the debug file of an image; asked when a symbol of it is first looked for
   */
  default void debugFiles(Function<Image, Optional<ElfFile>> files) {}

  /** Where each section of a module is, by its name; empty where the kernel does not keep that. */
  default Map<String, Long> sections(Image image) {
    return Map.of();
  }

  /** The kernel's log, oldest first. */
  Stream<LogEntry> log(Walker.Notes notes);

  /**
   * Facts of the panic or oops, empty when the kernel did not crash: message, cpu, task, pc,
   * registers.
   */
  List<Datum.Field> panic();

  /** The task that panicked, or else the one that {@code ::stack} should show first. */
  Optional<Task> initialTask();

  /** The regions of the kernel's virtual address space. */
  List<Mapping> mappings();

  /** The user mappings of a task. */
  List<Mapping> mappings(Task task, Walker.Notes notes);

  /** The user address space of a task; empty for a kernel thread. */
  Optional<AddressSpace> userSpace(Task task);

  /** What an address is, best first: {@code ffff… is vfs_read+0x10, in vmlinux's text segment}. */
  List<String> whatis(long address);

  /** What processes have to do with files, where that can be told. */
  default Optional<ProcessFiles> files() {
    return Optional.empty();
  }

  /**
   * Other spellings of members: {@code task_struct.state} for kernels that call it {@code __state}.
   */
  Map<String, String> memberAliases();

  /** The address that an offset in the per-CPU area has on a CPU; empty for no such CPU. */
  default OptionalLong perCpu(long offset, int cpu) {
    return OptionalLong.empty();
  }

  /**
   * What each page of physical memory is used for; empty when that is not known of this kernel.
   *
   * @throws dev.fathom.base.FathomException when the kernel's records of it do not make sense
   */
  default Optional<PageClasses> pageClasses() {
    return Optional.empty();
  }

  /**
   * The text that tells readers of dumps about this kernel (Linux: VMCOREINFO): its own, else put
   * together from what is known; empty for kernels that have no such thing.
   */
  default Optional<byte[]> dumpNotes() {
    return Optional.empty();
  }

  /** Where the kernel's image is in memory; empty when that is not known. */
  default Optional<ImagePlace> imagePlace() {
    return Optional.empty();
  }

  /**
   * Forgets what can have changed since: for a live target that ran or was written to. Symbols,
   * types and unwind tables of the kernel proper stay; modules, CPUs, tasks, translations and the
   * log are read again. Values given out before keep their addresses.
   */
  default void refresh() {}

  /**
   * Forgets translations of addresses and what belongs to threads, for a live target that ran for a
   * moment between two stops: so much of {@link #refresh} as conditions of breakpoints and stores
   * to a thread's stack need, and cheap enough for each stop.
   */
  default void ran() {
    refresh();
  }

  /**
   * Whether this is still the kernel that was found: false once the machine was reset or another
   * kernel was started on it.
   */
  default boolean present() {
    return true;
  }
}
