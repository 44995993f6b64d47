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
import dev.fathom.kernel.linux.data.Block;
import dev.fathom.kernel.linux.data.Layouts;
import dev.fathom.model.AddressSpace;
import dev.fathom.model.Image;
import dev.fathom.model.Program;
import dev.fathom.model.Registers;
import dev.fathom.model.Value;
import dev.fathom.model.arch.x86_64.X86_64;
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
    return saved(reader().raw(address).savedStackPointer());
  }

  /**
   * The registers that {@code __switch_to_asm} pushed: {@code struct inactive_task_frame}
   * (arch/x86/include/asm/switch_to.h) since 4.9.
   */
  private Optional<Registers> saved(long stackPointer) {
    try {
      int bytes = layouts.size("inactive_task_frame").orElse(56);
      var frame = Block.read(program.memory(), stackPointer, bytes);
      return Optional.of(
          Registers.none(X86_64.INSTANCE.registers())
              .with(X86_64.R15, frame.u64(0))
              .with(X86_64.R14, frame.u64(8))
              .with(X86_64.R13, frame.u64(16))
              .with(X86_64.R12, frame.u64(24))
              .with(X86_64.RBX, frame.u64(bytes - 24))
              .with(X86_64.RBP, frame.u64(bytes - 16))
              .with(X86_64.RIP, frame.u64(bytes - 8))
              .with(X86_64.RSP, stackPointer + bytes));
    } catch (FaultException _) {
      return Optional.empty();
    }
  }

  @Override
  public Backtrace stack(Task task) {
    return Backtrace.none("stacks are not walked yet");
  }

  @Override
  public Backtrace stack(Registers from) {
    return Backtrace.none("stacks are not walked yet");
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
