// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux;

import dev.fathom.base.Cell;
import dev.fathom.base.Datum;
import dev.fathom.base.FathomException;
import dev.fathom.base.FaultException;
import dev.fathom.kernel.ImagePlace;
import dev.fathom.kernel.Kernel;
import dev.fathom.kernel.KernelCpu;
import dev.fathom.kernel.LogEntry;
import dev.fathom.kernel.Mapping;
import dev.fathom.kernel.MemoryUse;
import dev.fathom.kernel.Occupant;
import dev.fathom.kernel.PageClasses;
import dev.fathom.kernel.ProcessFiles;
import dev.fathom.kernel.Task;
import dev.fathom.kernel.Walker;
import dev.fathom.kernel.linux.boot.KernelPlace;
import dev.fathom.kernel.linux.data.Layouts;
import dev.fathom.kernel.linux.log.KernelLog;
import dev.fathom.kernel.linux.stack.LinuxStacks;
import dev.fathom.model.AddressSpace;
import dev.fathom.model.Image;
import dev.fathom.model.Program;
import dev.fathom.model.Registers;
import dev.fathom.model.Value;
import dev.fathom.model.type.TypeSource;
import dev.fathom.model.unwind.Backtrace;
import dev.fathom.model.unwind.UnwindSource;
import dev.fathom.target.Cpu;
import dev.fathom.target.Live;
import dev.fathom.target.PhysicalMemory;
import dev.fathom.target.Target;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Spliterator;
import java.util.Spliterators;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/** A Linux kernel. */
final class LinuxKernel implements Kernel {
  /** How warnings about types begin. */
  static final String NO_BTF = "this kernel has no BTF";

  /** How often a list that changed under the walk is begun again. */
  private static final int ATTEMPTS = 4;

  private final Target target;
  private final PhysicalMemory physical;
  private final KernelPlace place;
  private final LinuxProgram program;
  private final Layouts layouts;
  private final Bootstrap.ModuleTables modules;
  private final Optional<ModuleTypes> moduleTypes;
  private final List<String> warnings;
  private final OrcSources orc;
  private final Optional<Live> live;
  private final Optional<Presence> presence;

  /** Whether it is known without another look that the kernel runs. */
  private boolean seenRunning;

  private TaskReader reader;
  private TaskDetails details;
  private ProcessSize sizes;
  private ProcessFiles files;
  private Cpus cpus;
  private OnCpu onCpu;
  private LinuxStacks stacks;
  private CrashFacts crash;
  private boolean bare;
  private Image proper;
  private List<Image> images;

  LinuxKernel(
      Target target,
      PhysicalMemory physical,
      KernelPlace place,
      LinuxProgram program,
      Layouts layouts,
      KernelTables tables,
      Bootstrap.ModuleTables modules,
      Optional<ModuleTypes> moduleTypes,
      boolean bare,
      List<String> warnings) {
    this.target = target;
    this.physical = physical;
    this.place = place;
    this.program = program;
    this.layouts = layouts;
    this.modules = modules;
    this.moduleTypes = moduleTypes;
    this.bare = bare;
    this.warnings = warnings;
    this.orc = new OrcSources(place, program, tables, modules, warnings);
    this.live = target.find(Live.class);
    this.presence = live.map(_ -> new Presence(program, place, physical));
    this.seenRunning = place.wasRunning();
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
      cpus = new Cpus(program, program.perCpu(), layouts, target.cpus());
    }
    return cpus;
  }

  @Override
  public void refresh() {
    seenRunning = false;
    place.space().mmu().forget();
    modules.forget();
    images = null;
    moduleTypes.ifPresent(ModuleTypes::forget);
    orc.forget();
    program.forget();
    reader = null;
    details = null;
    sizes = null;
    files = null;
    cpus = null;
    onCpu = null;
    stacks = null;
    crash = null;
  }

  @Override
  public void ran() {
    place.space().mmu().forget();
    cpus = null;
    if (reader != null) {
      reader.forget();
    }
  }

  @Override
  public boolean present() {
    return seenRunning || presence.isEmpty() || presence.get().holds(target.cpus());
  }

  @Override
  public Optional<Task> running(Cpu cpu) {
    var task = taskOn(cpu);
    return task.isPresent() ? Optional.of(running(task.getAsLong())) : Optional.empty();
  }

  private OptionalLong taskOn(Cpu cpu) {
    if (onCpu == null) {
      onCpu = new OnCpu(program, program.perCpu(), layouts);
    }
    var number = onCpu.number(cpu.registers());
    var task = onCpu.task(number.orElse(cpu.id()));
    return task.isPresent() ? task : program.machine().currentTask(cpu.registers());
  }

  private Task running(long address) {
    return reader().raw(address).task(true);
  }

  @Override
  public Optional<Occupant> occupant(Cpu cpu) {
    var task = taskOn(cpu);
    try {
      return task.isPresent()
          ? Optional.of(new Occupant(task.getAsLong(), reader().stackOf(task.getAsLong())))
          : Optional.empty();
    } catch (FaultException _) {
      return Optional.empty(); // Nothing is there that could be a thread.
    }
  }

  @Override
  public Task running(Occupant occupant) {
    return running(occupant.thread());
  }

  @Override
  public List<Datum.Field> facts() {
    return new SystemFacts(place, program, layouts, cpuStates()).list(() -> crash().message());
  }

  private CrashFacts crash() {
    if (crash == null) {
      crash = CrashFacts.of(program, logEntries(warnings::add));
    }
    return crash;
  }

  @Override
  public List<String> warnings() {
    return List.copyOf(warnings);
  }

  @Override
  public List<Image> images() {
    if (images == null) {
      images = List.copyOf(list());
    }
    return images;
  }

  private List<Image> list() {
    var images = new ArrayList<Image>();
    images.add(proper());
    for (var module : modules.loaded()) {
      images.add(
          new Image(
              module.name(),
              module.ranges(),
              BuildIds.ofModule(program, layouts, module),
              OptionalLong.of(module.address())));
    }
    return images;
  }

  @Override
  public Optional<Image> image() {
    return Optional.of(proper());
  }

  private Image proper() {
    if (proper == null) {
      proper =
          new Image(
              "vmlinux",
              List.of(place.image()),
              BuildIds.ofKernel(place, program),
              OptionalLong.empty());
    }
    return proper;
  }

  @Override
  public Optional<Path> file(Image image) {
    return image.equals(proper()) ? program.machine().file() : Optional.empty();
  }

  @Override
  public Optional<String> release() {
    try {
      return Optional.of(
          new SystemFacts(place, program, layouts, cpuStates()).uts(SystemFacts.Uts.RELEASE));
    } catch (FathomException _) {
      return Optional.empty(); // Whoever lists the facts is told why.
    }
  }

  @Override
  public boolean hasTypes() {
    return !bare;
  }

  /** {@inheritDoc} What was found out of some by a probe is not asked any more. */
  @Override
  public void describe(TypeSource described) {
    var own = layouts.types();
    var probed = own.sources();
    own.add(described);
    own.use(List.of(described));
    program
        .types()
        .use(program.types().sources().stream().filter(s -> !probed.contains(s)).toList());
    warnings.removeIf(warning -> warning.startsWith(NO_BTF) || warning.startsWith("no types: "));
    warnings.add(NO_BTF + ": types are those of its debug file");
    bare = false;
    refresh();
  }

  @Override
  public List<Datum.Field> details(Image image) {
    return List.of(new Datum.Field("refs", "refs", references(image)));
  }

  /**
   * How many use a module. {@code module.refcnt} has one more since 3.19 (MODULE_REF_BASE,
   * kernel/module/main.c), which is taken away when the module is about to go.
   */
  private Cell references(Image image) {
    if (image.object().isEmpty()) {
      return new Cell.Absent("the kernel proper is not counted");
    }
    var count = layouts.find("module", "refcnt.counter");
    if (count.isEmpty()) {
      return new Cell.Absent("no such member in this kernel");
    }
    try {
      return Cell.decimal(count.get().at(program.memory(), image.object().getAsLong()) - 1);
    } catch (FaultException e) {
      return new Cell.Absent(e.reason().text());
    }
  }

  @Override
  public List<Walker> walkers() {
    return Walkers.of(program, layouts, this, userMemory());
  }

  private UserMemory userMemory() {
    return new UserMemory(place, program, layouts);
  }

  /** Every thread, as {@link #tasks} has them. */
  Iterator<Task> taskIterator(Walker.Notes notes) {
    return new Tasks(program, reader(), cpuStates(), layouts, notes);
  }

  /** The run queues of all CPUs. */
  List<Value> queues() {
    var found = new ArrayList<Value>();
    for (int cpu : cpuStates().perCpu().possible()) {
      queue(cpu).ifPresent(found::add);
    }
    return found;
  }

  /**
   * {@inheritDoc} While the target runs, the lists change under the walk: one that ran into
   * something wrong is begun again, a few times.
   */
  @Override
  public Stream<Task> tasks(Walker.Notes notes) {
    if (live.isPresent() && live.get().state() == Live.State.RUNNING) {
      return tasksOfRunning(notes);
    }
    return StreamSupport.stream(
        Spliterators.spliteratorUnknownSize(
            taskIterator(notes), Spliterator.ORDERED | Spliterator.NONNULL),
        false);
  }

  private Stream<Task> tasksOfRunning(Walker.Notes notes) {
    var found = new ArrayList<Task>();
    var remarks = new ArrayList<String>();
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
      found.clear();
      remarks.clear();
      taskIterator(remarks::add).forEachRemaining(found::add);
      if (remarks.isEmpty()) {
        return found.stream();
      }
    }
    remarks.forEach(notes::note);
    notes.note("the tasks changed while they were listed: stop the target for a consistent list");
    return found.stream();
  }

  @Override
  public Task task(long address) {
    return reader().raw(address).task(cpuStates().isRunning(address));
  }

  @Override
  public Optional<Task> taskOfId(long id) {
    return tasks(_ -> {}).filter(t -> t.hasId(id)).findFirst();
  }

  @Override
  public List<Datum.Field> details(Task task) {
    if (details == null) {
      details = new TaskDetails(program, layouts);
    }
    return details.of(task);
  }

  @Override
  public Optional<MemoryUse> memoryUse(Task task) {
    if (sizes == null) {
      sizes = new ProcessSize(program, layouts, cpuStates().perCpu(), reader());
    }
    return sizes.of(task);
  }

  @Override
  public List<KernelCpu> cpus() {
    var found = new ArrayList<KernelCpu>();
    var states = cpuStates();
    for (int cpu : states.perCpu().possible()) {
      var current = states.current(cpu);
      found.add(
          new KernelCpu(cpu, queue(cpu), states.registers(cpu), taskAt(current), cpuFacts(cpu)));
    }
    return found;
  }

  private List<Datum.Field> cpuFacts(int cpu) {
    boolean online = cpuStates().perCpu().isOnline(cpu);
    return List.of(
        new Datum.Field("online", "on", Cell.text(online ? "yes" : "no")),
        new Datum.Field("nr_running", "nrun", queueNumber(cpu, "nr_running")),
        new Datum.Field("nr_switches", "switches", queueNumber(cpu, "nr_switches")));
  }

  private Cell queueNumber(int cpu, String member) {
    var queue = cpuStates().perCpu().address("runqueues", cpu);
    var field = layouts.find("rq", member);
    if (queue.isEmpty() || field.isEmpty()) {
      return new Cell.Absent("no such member in this kernel");
    }
    try {
      return Cell.unsigned(field.get().at(program.memory(), queue.getAsLong()));
    } catch (FaultException e) {
      return Cell.unreadable(e.getMessage());
    }
  }

  private Optional<Value> queue(int cpu) {
    var address = cpuStates().perCpu().address("runqueues", cpu);
    var type = program.types().findStruct("rq");
    return address.isPresent() && type.isPresent()
        ? Optional.of(new Value.Ref(program, type.get(), address.getAsLong()))
        : Optional.empty();
  }

  @Override
  public OptionalLong perCpu(long offset, int cpu) {
    var base = cpuStates().perCpu().offset(cpu);
    return base.isPresent() ? OptionalLong.of(base.getAsLong() + offset) : base;
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
      stacks = program.machine().stacks(program, place, this::perCpuBases, orc);
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
  public void supplement(UnwindSource frames) {
    orc.supplement(frames);
  }

  @Override
  public Map<String, Long> sections(Image image) {
    return image.object().isPresent()
        ? ModuleSections.of(program, layouts, image.object().getAsLong())
        : Map.of();
  }

  @Override
  public Backtrace stack(Registers from) {
    return stacks().from(from);
  }

  @Override
  public Stream<LogEntry> log(Walker.Notes notes) {
    return StreamSupport.stream(
        Spliterators.spliteratorUnknownSize(
            logEntries(notes), Spliterator.ORDERED | Spliterator.NONNULL),
        false);
  }

  private Iterator<LogEntry> logEntries(Walker.Notes notes) {
    return KernelLog.read(
        program.memory(), program.ownSymbols(), program.types(), place.vmcoreinfo(), notes);
  }

  @Override
  public List<Datum.Field> panic() {
    return crash().list(crashedTask());
  }

  private Optional<Task> crashedTask() {
    var cpu = crash().panicCpu();
    var task = cpu.isPresent() ? cpuStates().current(cpu.getAsInt()) : OptionalLong.empty();
    return taskAt(task);
  }

  /** The task at an address; empty without one, and where the kernel's types are not known. */
  private Optional<Task> taskAt(OptionalLong address) {
    return address.isPresent() && layouts.types().findStruct("task_struct").isPresent()
        ? Optional.of(task(address.getAsLong()))
        : Optional.empty();
  }

  /** The task that panicked; else one that runs, rather not an idle one. */
  @Override
  public Optional<Task> initialTask() {
    var crashed = crashedTask();
    if (crashed.isPresent()) {
      return crashed;
    }
    Task idle = null;
    for (int cpu : cpuStates().perCpu().possible()) {
      var current = taskAt(cpuStates().current(cpu));
      if (current.isPresent()) {
        if (!current.get().isIdle()) {
          return current;
        }
        idle = idle == null ? current.get() : idle;
      }
    }
    return Optional.ofNullable(idle);
  }

  private Regions regions() {
    return program.machine().regions(place, program, layouts, physical);
  }

  @Override
  public List<Mapping> mappings() {
    return regions().list(modules.loaded());
  }

  @Override
  public List<Mapping> mappings(Task task, Walker.Notes notes) {
    return userMemory().mappings(task.object().address(), notes);
  }

  @Override
  public Optional<AddressSpace> userSpace(Task task) {
    return userMemory().space(task.object().address());
  }

  @Override
  public List<String> whatis(long address) {
    return new Whatis(program, layouts, regions(), cpuStates().perCpu(), modules.loaded())
        .of(address, taskIterator(_ -> {}));
  }

  /** {@inheritDoc} Absent where the types of file systems are not known. */
  @Override
  public Optional<ProcessFiles> files() {
    if (files == null && layouts.find("mount", "mnt_parent").isPresent()) {
      files = new LinuxFiles(program.memory(), layouts, userMemory());
    }
    return Optional.ofNullable(files);
  }

  @Override
  public Optional<PageClasses> pageClasses() {
    return Optional.of(
        PageUses.of(program, layouts, regions(), place.vmcoreinfo(), taskIterator(_ -> {})));
  }

  @Override
  public Optional<byte[]> dumpNotes() {
    return new OwnVmcoreinfo(place, program, layouts).text();
  }

  @Override
  public Optional<ImagePlace> imagePlace() {
    var regions = regions();
    return Optional.of(
        new ImagePlace(
            place.image(),
            place.imagePhysical(),
            regions.directMap().start() - regions.physicalBase()));
  }

  /**
   * Old and new names of members that users type and scripts contain, each usable where the kernel
   * has the other.
   */
  @Override
  public Map<String, String> memberAliases() {
    return Map.ofEntries(
        // 5.14
        Map.entry("task_struct.state", "__state"),
        Map.entry("task_struct.__state", "state"),
        // 5.16
        Map.entry("task_struct.cpu", "thread_info.cpu"),
        // 4.5
        Map.entry("module.module_core", "core_layout.base"),
        Map.entry("module.core_size", "core_layout.size"),
        // 4.17 and 4.20
        Map.entry("address_space.page_tree", "i_pages"),
        Map.entry("radix_tree_root.rnode", "xa_head"),
        // 3.19
        Map.entry("file.f_dentry", "f_path.dentry"),
        Map.entry("file.f_vfsmnt", "f_path.mnt"),
        // 6.6 and 6.7
        Map.entry("inode.i_ctime", "__i_ctime"),
        Map.entry("inode.i_mtime", "__i_mtime"),
        Map.entry("inode.i_atime", "__i_atime"));
  }
}
