// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.process;

import dev.fathom.base.Cell;
import dev.fathom.base.Datum;
import dev.fathom.base.LookupException;
import dev.fathom.base.TargetException;
import dev.fathom.base.UnsupportedException;
import dev.fathom.format.elf.ElfFile;
import dev.fathom.kernel.Kernel;
import dev.fathom.kernel.KernelCpu;
import dev.fathom.kernel.LogEntry;
import dev.fathom.kernel.Mapping;
import dev.fathom.kernel.ProcessFiles;
import dev.fathom.kernel.Task;
import dev.fathom.kernel.Walker;
import dev.fathom.kernel.objects.LoadedObject;
import dev.fathom.kernel.objects.LoadedObjects;
import dev.fathom.kernel.objects.ObjectTypes;
import dev.fathom.kernel.objects.ThreadStorage;
import dev.fathom.model.AddressSpace;
import dev.fathom.model.Image;
import dev.fathom.model.Program;
import dev.fathom.model.Registers;
import dev.fathom.model.Value;
import dev.fathom.model.arch.Architecture;
import dev.fathom.model.type.OpaqueType;
import dev.fathom.model.type.TypeSystem;
import dev.fathom.model.unwind.Backtrace;
import dev.fathom.model.unwind.Unwinder;
import dev.fathom.target.Cpu;
import dev.fathom.target.FloatingRegisters;
import dev.fathom.target.Live;
import dev.fathom.target.ProcessView;
import dev.fathom.target.ProcessView.SignalState;
import dev.fathom.target.ProcessView.ThreadState;
import dev.fathom.target.SignalNames;
import dev.fathom.target.Target;
import dev.fathom.target.VirtualMemory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * A process of Linux. Its tasks are its threads: what stands for one is its id, since the structure
 * that describes it is in the kernel below, out of sight.
 */
final class ProcessKernel implements Kernel {
  private static final OpaqueType THREAD = new OpaqueType("thread");

  private static final int MOST_WARNINGS = 1000;

  private final Target target;
  private final ProcessView view;
  private final LoadedObjects objects;
  private final ProcessProgram program;
  private final ProcessStacks stacks;
  private final List<String> warnings = new ArrayList<>();
  private final Map<Long, Long> born;

  /**
   * @param index the folder of the on-disk index; empty to do without
   */
  ProcessKernel(
      Target target,
      ProcessView view,
      VirtualMemory memory,
      Architecture architecture,
      Optional<Path> index) {
    this.target = target;
    this.view = view;
    var space = new ProcessSpace(memory);
    this.objects = new LoadedObjects(view, space, architecture, this::warn);
    var live = target.find(Live.class);
    this.program =
        new ProcessProgram(
            architecture,
            space,
            new ProcessSpace.Nothing(memory.layout()),
            objects,
            new TypeSystem(memory.layout().wordBytes()),
            new ThreadStorage(objects, space, architecture),
            () -> live.isPresent() ? live.get().epoch() : 0);
    program.types().add(new ObjectTypes(objects, index, this::warn));
    this.stacks = new ProcessStacks(objects, space, architecture);
    this.born = view.auxiliary();
  }

  @Override
  public String os() {
    return "Linux process";
  }

  @Override
  public boolean isProcess() {
    return true;
  }

  @Override
  public Program program() {
    return program;
  }

  @Override
  public List<Datum.Field> facts() {
    var facts = new ArrayList<Datum.Field>();
    if (view.isStarted()) {
      facts.add(new Datum.Field("pid", "pid", Cell.decimal(view.process())));
    }
    facts.add(new Datum.Field("name", "name", Cell.text(view.name())));
    view.program().ifPresent(it -> facts.add(new Datum.Field("program", "program", Cell.text(it))));
    if (!view.arguments().isEmpty()) {
      facts.add(
          new Datum.Field("arguments", "arguments", Cell.text(String.join(" ", view.arguments()))));
    }
    view.parent().ifPresent(it -> facts.add(new Datum.Field("ppid", "parent", Cell.decimal(it))));
    if (view.isStarted()) {
      facts.add(new Datum.Field("threads", "threads", Cell.decimal(view.threads().size())));
    }
    facts.add(new Datum.Field("objects", "objects", Cell.decimal(objects.all().size())));
    signalled()
        .ifPresent(
            thread ->
                facts.add(
                    new Datum.Field(
                        "signal", "signal", Cell.text(text(thread.signal().orElseThrow())))));
    return facts;
  }

  /** The thread that a signal stopped or ended. */
  private Optional<ThreadState> signalled() {
    return view.threads().stream().filter(thread -> thread.signal().isPresent()).findFirst();
  }

  private String text(SignalState signal) {
    var text = new StringBuilder(SignalNames.text(signal.number()));
    if (signal.address().isPresent()) {
      text.append(" at 0x").append(Long.toHexString(signal.address().getAsLong()));
    }
    if (signal.sender().isPresent() && signal.sender().getAsLong() > 0) {
      text.append(" sent by process ").append(signal.sender().getAsLong());
    }
    return text.toString();
  }

  /** Objects that come again and again have no more to say. */
  private void warn(String text) {
    if (warnings.size() < MOST_WARNINGS && !warnings.contains(text)) {
      warnings.add(text);
    }
  }

  @Override
  public List<String> warnings() {
    return List.copyOf(warnings);
  }

  @Override
  public List<Image> images() {
    return objects.all().stream().map(ProcessKernel::image).toList();
  }

  @Override
  public Optional<Image> imageAt(long address) {
    return objects.containing(address).map(ProcessKernel::image);
  }

  private static Image image(LoadedObject object) {
    return new Image(
        object.name(),
        object.ranges(),
        object.buildId().map(Object::toString),
        OptionalLong.empty());
  }

  @Override
  public void debugFiles(Function<Image, Optional<ElfFile>> files) {
    objects.debugFiles(object -> files.apply(image(object)));
  }

  @Override
  public Optional<Path> file(Image image) {
    return objects.all().stream()
        .filter(object -> object.ranges().equals(image.ranges()))
        .findFirst()
        .flatMap(LoadedObject::onThisMachine);
  }

  @Override
  public List<Walker> walkers() {
    return List.of(new Threads());
  }

  /** {@code ::walk thread}. */
  private final class Threads implements Walker {
    @Override
    public String name() {
      return "thread";
    }

    @Override
    public String description() {
      return "every thread of the process";
    }

    @Override
    public Start start() {
      return Start.NONE;
    }

    @Override
    public String yields() {
      return THREAD.text();
    }

    @Override
    public Stream<Value> walk(Program of, Optional<Value> start, Notes notes) {
      return tasks(notes).map(Task::object);
    }
  }

  @Override
  public Stream<Task> tasks(Walker.Notes notes) {
    return view.threads().stream().map(this::task);
  }

  private Task task(ThreadState thread) {
    return new Task(
        new Value.Ref(program, THREAD, thread.id()),
        OptionalLong.of(thread.id()),
        OptionalLong.of(view.process()),
        view.parent(),
        thread.name(),
        thread.state(),
        thread.cpu(),
        false,
        false);
  }

  /** What stands for a thread is its id. */
  @Override
  public Task task(long address) {
    return taskOfId(address)
        .orElseThrow(() -> new LookupException("thread", Long.toString(address)));
  }

  @Override
  public Optional<Task> taskOfId(long id) {
    return (int) id == id ? view.thread((int) id).map(this::task) : Optional.empty();
  }

  @Override
  public List<KernelCpu> cpus() {
    return List.of();
  }

  @Override
  public Optional<Task> running(Cpu cpu) {
    return taskOfId(cpu.id());
  }

  @Override
  public Optional<Registers> registersOf(Task task) {
    int thread = (int) task.object().address();
    return target
        .cpu(thread)
        .map(Cpu::registers)
        .filter(registers -> registers.pc().isPresent())
        .map(
            registers ->
                target
                    .find(FloatingRegisters.class)
                    .map(told -> registers.withVectors(number -> vector(told, thread, number)))
                    .orElse(registers));
  }

  private static Optional<byte[]> vector(FloatingRegisters told, int thread, int number) {
    try {
      return Optional.of(told.vector(thread, number));
    } catch (TargetException | UnsupportedException _) {
      return Optional.empty(); // It runs by now, or never told.
    }
  }

  @Override
  public Backtrace stack(Task task) {
    var registers = registersOf(task);
    return registers.isPresent()
        ? stack(registers.get())
        : Backtrace.none("it runs, and its registers are not known: stop the process");
  }

  @Override
  public Backtrace stack(Registers from) {
    var trace =
        new Unwinder(program.memory(), List.of(objects), stacks, Unwinder.MAX_FRAMES)
            .backtrace(from, true);
    // What is beyond the outermost frame is nobody's.
    return new Backtrace(trace.frames(), trace.end(), trace.why(), Optional.empty());
  }

  @Override
  public Stream<LogEntry> log(Walker.Notes notes) {
    notes.note("a process has no log of its own");
    return Stream.empty();
  }

  @Override
  public List<Datum.Field> panic() {
    var thread = signalled();
    if (thread.isEmpty()) {
      return List.of();
    }
    var facts = new ArrayList<Datum.Field>();
    facts.add(
        new Datum.Field(
            "message",
            "message",
            Cell.text("signal " + text(thread.get().signal().orElseThrow()))));
    facts.add(new Datum.Field("tid", "tid", Cell.decimal(thread.get().id())));
    facts.add(new Datum.Field("name", "name", Cell.text(thread.get().name())));
    var registers = target.cpu((int) thread.get().id()).map(Cpu::registers);
    if (registers.isPresent() && registers.get().pc().isPresent()) {
      facts.add(
          new Datum.Field("pc", "pc", Cell.text(objects.text(registers.get().pc().getAsLong()))));
    }
    return facts;
  }

  @Override
  public Optional<Task> initialTask() {
    var threads = view.threads();
    return signalled()
        .or(() -> threads.isEmpty() ? Optional.empty() : Optional.of(threads.getFirst()))
        .map(this::task);
  }

  @Override
  public Optional<ProcessFiles> files() {
    return Optional.of(new ViewedFiles(view));
  }

  @Override
  public List<Mapping> mappings() {
    var all = new ArrayList<Mapping>();
    for (var mapping : objects.mappings()) {
      all.add(new Mapping(mapping.range(), mapping.protection(), mapping.name()));
    }
    return all;
  }

  @Override
  public List<Mapping> mappings(Task task, Walker.Notes notes) {
    return mappings();
  }

  @Override
  public Optional<AddressSpace> userSpace(Task task) {
    return Optional.of(program.memory());
  }

  @Override
  public List<String> whatis(long address) {
    var lines = new ArrayList<String>();
    String hex = Long.toHexString(address);
    var located = objects.at(address);
    var object = objects.containing(address);
    located.ifPresent(
        at ->
            lines.add(hex + " is " + at.text() + object.map(it -> ", in " + it.path()).orElse("")));
    for (var cpu : target.cpus()) {
      var sp = cpu.registers().sp();
      var stack = sp.isPresent() ? stacks.containing(sp.getAsLong()) : Optional.<Object>empty();
      if (sp.isPresent()
          && stack.isPresent()
          && stack.equals(stacks.containing(address))
          && Long.compareUnsigned(address, sp.getAsLong()) >= 0) {
        lines.add(
            hex
                + " is 0x"
                + Long.toHexString(address - sp.getAsLong())
                + " above the stack pointer of thread "
                + cpu.id());
      }
    }
    objects
        .mappingAt(address)
        .ifPresent(
            mapping ->
                lines.add(
                    hex
                        + " is in "
                        + (mapping.name().isEmpty() ? "anonymous memory" : mapping.name())
                        + " ("
                        + mapping.protection()
                        + ", "
                        + Long.toHexString(mapping.range().start())
                        + "+0x"
                        + Long.toHexString(address - mapping.range().start())
                        + ")"));
    return lines;
  }

  @Override
  public Map<String, String> memberAliases() {
    return Map.of();
  }

  @Override
  public void refresh() {
    objects.forget();
  }

  /**
   * Another program has another auxiliary vector: it holds an address chosen at random. A process
   * that has ended has none, and is no other program.
   */
  @Override
  public boolean present() {
    var now = view.auxiliary();
    return now.isEmpty() || now.equals(born);
  }
}
