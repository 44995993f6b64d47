// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux;

import dev.fathom.base.Datum;
import dev.fathom.base.FaultException;
import dev.fathom.base.Range;
import dev.fathom.kernel.Kernel;
import dev.fathom.kernel.KernelCpu;
import dev.fathom.kernel.LogEntry;
import dev.fathom.kernel.Mapping;
import dev.fathom.kernel.Task;
import dev.fathom.kernel.Walker;
import dev.fathom.kernel.linux.boot.KernelPlace;
import dev.fathom.kernel.linux.data.Layouts;
import dev.fathom.kernel.linux.stack.LinuxStacks;
import dev.fathom.model.AddressSpace;
import dev.fathom.model.Image;
import dev.fathom.model.Program;
import dev.fathom.model.Registers;
import dev.fathom.model.Value;
import dev.fathom.model.arch.x86_64.X86FlowDecoder;
import dev.fathom.model.unwind.Backtrace;
import dev.fathom.target.Target;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Spliterator;
import java.util.Spliterators;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/** Linux on x86-64. */
final class LinuxKernel implements Kernel {
  private final Target target;
  private final KernelPlace place;
  private final LinuxProgram program;
  private final Layouts layouts;
  private final Bootstrap.ModuleTables modules;
  private final List<String> warnings;
  private TaskReader reader;
  private Cpus cpus;
  private LinuxStacks stacks;

  LinuxKernel(
      Target target,
      KernelPlace place,
      LinuxProgram program,
      Layouts layouts,
      Bootstrap.ModuleTables modules,
      List<String> warnings) {
    this.target = target;
    this.place = place;
    this.program = program;
    this.layouts = layouts;
    this.modules = modules;
    this.warnings = warnings;
  }

  @Override
  public String os() {
    return "Linux";
  }

  @Override
  public Program program() {
    return program;
  }

  private TaskReader reader() {
    if (reader == null) {
      reader = new TaskReader(program, layouts);
    }
    return reader;
  }

  private Cpus cpuStates() {
    if (cpus == null) {
      cpus = new Cpus(program, PerCpu.of(program), layouts, target.cpus());
    }
    return cpus;
  }

  @Override
  public List<Datum.Field> facts() {
    return List.of();
  }

  @Override
  public List<String> warnings() {
    return List.copyOf(warnings);
  }

  @Override
  public List<Image> images() {
    var images = new ArrayList<Image>();
    images.add(
        new Image("vmlinux", List.of(place.image()), Optional.empty(), OptionalLong.empty()));
    for (var module : modules.loaded()) {
      images.add(
          new Image(
              module.name(), module.ranges(), Optional.empty(), OptionalLong.of(module.address())));
    }
    return images;
  }

  @Override
  public List<Walker> walkers() {
    return List.of();
  }

  @Override
  public Stream<Task> tasks(Walker.Notes notes) {
    var tasks = new Tasks(program, reader(), cpuStates(), layouts, notes);
    return StreamSupport.stream(
        Spliterators.spliteratorUnknownSize(tasks, Spliterator.ORDERED | Spliterator.NONNULL),
        false);
  }

  @Override
  public Task task(long address) {
    return reader().raw(address).task(cpuStates().isRunning(address));
  }

  @Override
  public Optional<Task> taskOfId(long id) {
    return tasks(_ -> {}).filter(t -> t.id() == id).findFirst();
  }

  @Override
  public List<KernelCpu> cpus() {
    var found = new ArrayList<KernelCpu>();
    var states = cpuStates();
    for (int cpu : states.perCpu().possible()) {
      var current = states.current(cpu);
      found.add(
          new KernelCpu(
              cpu,
              queue(cpu),
              states.registers(cpu),
              current.isPresent() ? Optional.of(task(current.getAsLong())) : Optional.empty(),
              List.of()));
    }
    return found;
  }

  private Optional<Value> queue(int cpu) {
    var address = cpuStates().perCpu().address("runqueues", cpu);
    var type = program.types().findStruct("rq");
    return address.isPresent() && type.isPresent()
        ? Optional.of(new Value.Ref(program, type.get(), address.getAsLong()))
        : Optional.empty();
  }

  @Override
  public Optional<Registers> registersOf(Task task) {
    long address = task.object().address();
    var cpu = cpuStates().cpuOf(address);
    if (cpu.isPresent()) {
      return cpuStates().registers(cpu.get());
    }
    try {
      return stacks().saved(address);
    } catch (FaultException _) {
      return Optional.empty(); // The page with them is missing: they are not known.
    }
  }

  private LinuxStacks stacks() {
    if (stacks == null) {
      var orc = new OrcSources(place, program, modules, warnings);
      stacks =
          new LinuxStacks(
              program, place.image(), new X86FlowDecoder(), this::perCpuBases, List.of(orc));
    }
    return stacks;
  }

  private List<Long> perCpuBases() {
    var bases = new ArrayList<Long>();
    var perCpu = cpuStates().perCpu();
    for (int cpu : perCpu.possible()) {
      var base = perCpu.offset(cpu);
      if (base.isPresent()) {
        bases.add(base.getAsLong());
      }
    }
    return bases;
  }

  @Override
  public Backtrace stack(Task task) {
    long address = task.object().address();
    var cpu = cpuStates().cpuOf(address);
    if (cpu.isEmpty()) {
      return stacks().sleeping(address);
    }
    var registers = cpuStates().registers(cpu.get());
    return registers.isPresent()
        ? stacks().running(address, registers.get())
        : Backtrace.none("runs on CPU " + cpu.get() + ", whose registers are not known");
  }

  @Override
  public Backtrace stack(Registers from) {
    return stacks().from(from);
  }

  @Override
  public Stream<LogEntry> log(Walker.Notes notes) {
    return Stream.empty();
  }

  @Override
  public List<Datum.Field> panic() {
    return List.of();
  }

  @Override
  public Optional<Task> initialTask() {
    return Optional.empty();
  }

  @Override
  public List<Mapping> mappings() {
    return List.of(new Mapping(new Range(0, 0), "", ""));
  }

  @Override
  public List<Mapping> mappings(Task task, Walker.Notes notes) {
    return List.of();
  }

  @Override
  public Optional<AddressSpace> userSpace(Task task) {
    return Optional.empty();
  }

  @Override
  public List<String> whatis(long address) {
    return List.of();
  }

  @Override
  public Map<String, String> memberAliases() {
    return Map.of();
  }
}
