// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux;

import dev.fathom.base.Cell;
import dev.fathom.base.Datum;
import dev.fathom.base.FathomException;
import dev.fathom.base.FaultException;
import dev.fathom.base.Range;
import dev.fathom.format.elf.ElfFile;
import dev.fathom.kernel.KernelOptions;
import dev.fathom.kernel.Mapping;
import dev.fathom.kernel.linux.boot.KernelPlace;
import dev.fathom.kernel.linux.boot.UmlMemory;
import dev.fathom.kernel.linux.data.Layouts;
import dev.fathom.kernel.linux.data.TaskProbe;
import dev.fathom.kernel.linux.stack.LinuxStacks;
import dev.fathom.kernel.objects.LoadedObject;
import dev.fathom.kernel.objects.LoadedObjects;
import dev.fathom.model.Memory;
import dev.fathom.model.Register;
import dev.fathom.model.Registers;
import dev.fathom.model.SymbolTable;
import dev.fathom.model.arch.Architecture;
import dev.fathom.model.arch.x86_64.X86_64;
import dev.fathom.model.type.TypeSource;
import dev.fathom.model.unwind.UnwindSource;
import dev.fathom.symbols.AddedSymbols;
import dev.fathom.target.PhysicalMemory;
import dev.fathom.target.ProcessView;
import dev.fathom.target.SignalControl;
import dev.fathom.target.Target;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Supplier;

/**
 * A User Mode Linux: Linux whose machine is a process of another Linux. Its CPU is the process's
 * thread; interrupts and page faults are signals; its processes run in other processes of the host,
 * which it traces.
 */
final class UmlMachine implements Machine {
  /**
   * Signals that are its interrupts and page faults, or come from its helpers: SIGBUS, SIGUSR1,
   * SIGSEGV, SIGUSR2, SIGALRM, SIGCHLD, SIGVTALRM, SIGWINCH, SIGIO (arch/um/os-Linux/signal.c).
   */
  private static final List<Integer> OWN_SIGNALS = List.of(7, 10, 11, 12, 14, 17, 26, 28, 29);

  /** How often tasks are looked for: while they run, lists change under the one who reads. */
  private static final int ATTEMPTS = 8;

  private final ProcessView view;
  private final UmlMemory memory;
  private final KernelPlace place;
  private final LoadedObjects objects;

  /**
   * @param objects the program and the libraries that it is linked with
   */
  UmlMachine(ProcessView view, KernelPlace place, UmlMemory memory, LoadedObjects objects) {
    this.view = view;
    this.place = place;
    this.memory = memory;
    this.objects = objects;
  }

  /** Lets the signals go by that this kernel lives on. */
  static void passSignals(SignalControl signals) {
    OWN_SIGNALS.forEach(signal -> signals.pass(signal, true));
  }

  @Override
  public SymbolTable withOwnTable(SymbolTable listed) {
    var program = program();
    if (program.isEmpty()
        || program.get().file().flatMap(ElfFile::symtab).isEmpty()
        || program.get().symbols().isEmpty()) {
      return listed;
    }
    return new AddedSymbols(listed, program.get().symbols().get().stream().toList());
  }

  private Optional<LoadedObject> program() {
    return objects.all().stream().filter(object -> object.module().isEmpty()).findFirst();
  }

  @Override
  public Optional<Path> file() {
    return program().flatMap(LoadedObject::onThisMachine);
  }

  @Override
  public Architecture architecture() {
    return X86_64.INSTANCE;
  }

  @Override
  public Optional<KernelPlace> find(Target target, PhysicalMemory physical, KernelOptions options) {
    return Optional.of(place);
  }

  @Override
  public Regions regions(
      KernelPlace where, LinuxProgram program, Layouts layouts, PhysicalMemory physical) {
    return new UmlRegions(where, program, layouts, memory, host());
  }

  /** The mappings that have nothing to do with the kernel's memory. */
  private List<Mapping> host() {
    long end = memory.base() + memory.size();
    var found = new ArrayList<Mapping>();
    String own = "";
    for (var mapping : view.mappings()) {
      boolean inside =
          Long.compareUnsigned(mapping.range().start() - memory.base(), memory.size()) < 0;
      if (inside && mapping.isFile() && mapping.range().end() == end) {
        own = mapping.name();
      }
      // What is mapped of the file of physical memory is vmalloc space.
      if (!inside && !(mapping.isFile() && mapping.name().equals(own))) {
        found.add(new Mapping(mapping.range(), mapping.protection(), "host: " + mapping.name()));
      }
    }
    return found;
  }

  /** Where code is outside of the image: modules, and the libraries of the process. */
  private List<Range> code() {
    var found = new ArrayList<Range>();
    for (var mapping : view.mappings()) {
      if (mapping.protection().contains("x") && !place.image().contains(mapping.range().start())) {
        found.add(mapping.range());
      }
    }
    return found;
  }

  @Override
  public LinuxStacks stacks(
      LinuxProgram program,
      KernelPlace where,
      Supplier<List<Long>> perCpuBases,
      UnwindSource tables) {
    return LinuxStacks.uml(program, where.image(), code(), List.of(objects));
  }

  @Override
  public List<Register> perCpuBases() {
    return List.of();
  }

  /**
   * The task whose stack the CPU is on: stacks are aligned to their size, and the lowest word of
   * one is {@code thread_info.task} (arch/um/include/asm/thread_info.h, before 6.13).
   */
  @Override
  public OptionalLong currentTask(Registers registers) {
    var sp = registers.sp();
    if (sp.isEmpty()) {
      return OptionalLong.empty();
    }
    for (long size : new long[] {LinuxStacks.UML_THREAD_SIZE, 2 * LinuxStacks.UML_THREAD_SIZE}) {
      long base = sp.getAsLong() & -size;
      if (Long.compareUnsigned(base - memory.base(), memory.size()) < 0) {
        try {
          long task = place.space().u64(base);
          if (Long.compareUnsigned(task - memory.base(), memory.size()) < 0
              && (task & 7) == 0
              && pointsBack(task, base)) {
            return OptionalLong.of(task);
          }
        } catch (FaultException _) {
          continue; // No stack of a task's.
        }
      }
    }
    return OptionalLong.empty();
  }

  /** Whether a {@code task_struct} begins here: its first words are its state and its stack. */
  private boolean pointsBack(long task, long stack) {
    for (int word = 0; word < 8; word++) {
      if (place.space().u64(task + 8L * word) == stack) {
        return true;
      }
    }
    return false;
  }

  @Override
  public Optional<Boolean> inCharge(Registers registers, KernelPlace where, Memory physical) {
    return Optional.empty();
  }

  @Override
  public Optional<TypeSource> typesWithoutBtf(LinuxProgram program) {
    var init = program.address("init_task");
    if (init.isEmpty()) {
      return Optional.empty();
    }
    for (int attempt = 1; ; attempt++) {
      try {
        return Optional.of(probe(init.getAsLong()));
      } catch (FathomException e) {
        if (attempt == ATTEMPTS) {
          throw e;
        }
      }
    }
  }

  private TaskProbe probe(long init) {
    var mmu = place.space().mmu();
    return TaskProbe.of(
        place.space(), init, address -> mmu.physical(address).isPresent(), this::isCode);
  }

  private boolean isCode(long address) {
    for (var mapping : view.mappings()) {
      if (mapping.range().contains(address)) {
        return mapping.protection().contains("x") && place.image().contains(address);
      }
    }
    return false;
  }

  @Override
  public String placeLine() {
    return "RIP: 0033:";
  }

  @Override
  public List<Datum.Field> facts(KernelPlace where, LinuxProgram program) {
    var facts = new ArrayList<Datum.Field>();
    facts.add(new Datum.Field("host_pid", "process of the host", Cell.decimal(view.process())));
    view.program().ifPresent(it -> facts.add(new Datum.Field("program", "program", Cell.text(it))));
    facts.add(new Datum.Field("physmem", "physical memory at", Cell.hex(memory.base())));
    return facts;
  }
}
