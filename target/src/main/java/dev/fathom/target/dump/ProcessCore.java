// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.dump;

import dev.fathom.base.BadDataException;
import dev.fathom.base.ByteSource;
import dev.fathom.base.Cell;
import dev.fathom.base.Datum;
import dev.fathom.base.MappedFile;
import dev.fathom.base.Range;
import dev.fathom.base.Readability;
import dev.fathom.base.UnsupportedException;
import dev.fathom.format.elf.Elf;
import dev.fathom.format.elf.ElfFile;
import dev.fathom.format.elf.ProgramHeader;
import dev.fathom.model.Layout;
import dev.fathom.target.Capability;
import dev.fathom.target.Cpu;
import dev.fathom.target.FloatingRegisters;
import dev.fathom.target.ProcessView;
import dev.fathom.target.RawRegisters;
import dev.fathom.target.Target;
import dev.fathom.target.TargetInfo;
import dev.fathom.target.VirtualMemory;
import dev.fathom.target.local.ExtendedRegisters;
import dev.fathom.target.local.UserRegisters;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * The core file of a process. What the writer left out because it stands in a file, as program text
 * does, is read from that file, unless the file is another one by now: the build-ids are compared.
 */
final class ProcessCore implements Target {
  /** How much of a mapped file's start is looked at for its build-id. */
  private static final int HEAD = 1 << 16;

  private static final long PAGE = 4096;

  /** The page at 0xffffffffff600000, which is of every process. */
  private static final long VSYSCALL = 0xffffffffff600000L >>> 12;

  private final ByteSource core;
  private final Optional<Path> executable;
  private final ElfFile file;
  private final UserRegisters layout;
  private final ProcessNotes notes;
  private final SegmentMemory stored;
  private final List<ProcessView.Mapped> mappings = new ArrayList<>();
  private final List<Optional<ByteSource>> behind = new ArrayList<>();
  private final CoreFiles files;
  private final List<String> warnings = new ArrayList<>();
  private final List<Cpu> cpus = new ArrayList<>();

  private ProcessCore(
      ByteSource core, Optional<Path> executable, ElfFile file, UserRegisters layout) {
    this.core = core;
    this.executable = executable;
    this.file = file;
    this.layout = layout;
    this.notes = new ProcessNotes(layout);
    this.files = new CoreFiles(executable, this::keptBuildId, warnings);
    for (var segment : file.programHeaders()) {
      if (segment.type() == Elf.PT_NOTE) {
        addNotes(segment);
      }
    }
    stored = stored();
    for (var thread : notes.threads()) {
      cpus.add(new Cpu(thread.id, thread.registers, "PRSTATUS"));
    }
    map();
    files.program(program());
  }

  /** The core of a process in {@code core}, or nothing when it is something else. */
  static Optional<ProcessCore> open(ByteSource core, Optional<Path> executable) {
    if (!ElfFile.matches(core)) {
      return Optional.empty();
    }
    var file = ElfFile.read(core);
    if (file.header().type() != Elf.ET_CORE || !file.header().is64()) {
      return Optional.empty();
    }
    boolean process = false;
    for (var segment : file.programHeaders()) {
      process |= segment.type() == Elf.PT_NOTE && isOfProcess(file, segment);
    }
    if (!process && !isCutOff(core, file)) {
      return Optional.empty();
    }
    String machine = Elf.machineName(file.header().machine());
    var layout =
        UserRegisters.of(machine)
            .orElseThrow(
                () ->
                    new BadDataException(
                        core.name(),
                        18,
                        "core of a process on " + machine + ", expected x86_64 or aarch64"));
    var opened = new ProcessCore(core, executable, file, layout);
    if (!process && opened.cpus.isEmpty()) {
      throw new BadDataException(
          core.name(),
          core.size(),
          "the core of a process is cut off in its notes, before the first thread's end");
    }
    return Optional.of(opened);
  }

  /**
   * Whether a file is all that is left of a process's core: it ends before the notes do that tell
   * what it is of, and what it was to hold is memory of user mode.
   */
  private static boolean isCutOff(ByteSource core, ElfFile file) {
    boolean any = false;
    long notes = 0;
    for (var p : file.programHeaders()) {
      if (p.type() == Elf.PT_NOTE && p.filesz() > 0) {
        notes = Math.max(notes, p.offset() + p.filesz());
      } else if (p.type() == Elf.PT_LOAD) {
        boolean user = p.vaddr() > 0 || p.vaddr() >>> 12 == VSYSCALL;
        if (p.paddr() != 0 || !user) {
          return false;
        }
        any = true;
      }
    }
    return any && notes > core.size();
  }

  private static long end(ElfFile file) {
    return file.programHeaders().stream()
        .filter(ProcessCore::makesSense)
        .mapToLong(p -> p.offset() + p.filesz())
        .max()
        .orElse(0);
  }

  private static boolean isOfProcess(ElfFile file, ProgramHeader segment) {
    try {
      return ProcessNotes.areOfProcess(file.notes(segment).notes());
    } catch (BadDataException _) {
      return false; // Whoever reads it as a kernel's dump says what is wrong.
    }
  }

  private void addNotes(ProgramHeader segment) {
    try {
      var result = file.notes(segment);
      notes.add(result.notes());
      if (!result.complete()) {
        warnings.add(
            core.name()
                + ": the notes at offset 0x"
                + Long.toHexString(segment.offset())
                + " end in the middle of one");
      }
    } catch (BadDataException e) {
      warnings.add(e.getMessage());
    }
  }

  // Memory

  /** Whether a header loads something that can be. */
  static boolean makesSense(ProgramHeader p) {
    return p.type() == Elf.PT_LOAD
        && p.memsz() > 0
        && p.filesz() >= 0
        && p.filesz() <= p.memsz()
        && p.offset() >= 0
        && p.offset() <= Long.MAX_VALUE - p.filesz()
        && Long.compareUnsigned(p.vaddr(), -p.memsz()) <= 0;
  }

  private SegmentMemory stored() {
    var inFile = new Extents.Builder();
    var described = new Extents.Builder();
    long end = end(file);
    for (var p : file.programHeaders()) {
      if (makesSense(p)) {
        inFile.add(p.vaddr(), p.filesz(), p.offset());
        described.add(p.vaddr(), p.memsz(), p.vaddr());
      }
    }
    if (end > core.size()) {
      warnings.add(
          core.name()
              + ": truncated: the file ends at 0x"
              + Long.toHexString(core.size())
              + ", but its segments reach to 0x"
              + Long.toHexString(end));
    }
    return new SegmentMemory(core, inFile.build(), described.build());
  }

  /** Joins what the segments and the files' note say. */
  private void map() {
    long vdso = notes.auxiliary().getOrDefault(33L, 0L);
    var sps = new ArrayList<Long>();
    for (var thread : notes.threads()) {
      thread.registers.sp().ifPresent(sps::add);
    }
    for (var p : file.programHeaders()) {
      if (!makesSense(p)) {
        continue;
      }
      var range = Range.of(p.vaddr(), p.memsz());
      var named = fileAt(p.vaddr());
      String name =
          named.isPresent()
              ? named.get().name()
              : p.vaddr() == vdso ? "[vdso]" : isStack(range, sps) ? "[stack]" : "";
      long offset =
          named.isPresent() ? named.get().offset() + (p.vaddr() - named.get().range().start()) : 0;
      mappings.add(new ProcessView.Mapped(range, protection(p.flags()), offset, name));
    }
    for (var mapped : notes.files()) {
      if (stored.described().find(mapped.range().start()) < 0) {
        mappings.add(new ProcessView.Mapped(mapped.range(), "?", mapped.offset(), mapped.name()));
      }
    }
    mappings.sort(
        Comparator.comparing(
            (ProcessView.Mapped one) -> one.range().start(), Long::compareUnsigned));
    for (int i = 0; i < mappings.size(); i++) {
      behind.add(Optional.empty());
    }
  }

  /** The main thread's stack: the highest that holds a stack pointer, as the kernel places it. */
  private static boolean isStack(Range range, List<Long> sps) {
    return range.start() >>> 40 == 0x7f && !sps.isEmpty() && range.contains(sps.getFirst());
  }

  private Optional<ProcessView.Mapped> fileAt(long address) {
    for (var mapped : notes.files()) {
      if (mapped.range().contains(address)) {
        return Optional.of(mapped);
      }
    }
    return Optional.empty();
  }

  /** The access that a segment allows, as {@link ProcessView.Mapped} has it. */
  static String protection(int flags) {
    return ((flags & 4) != 0 ? "r" : "-")
        + ((flags & 2) != 0 ? "w" : "-")
        + ((flags & 1) != 0 ? "x" : "-");
  }

  private int mappingAt(long address) {
    int low = 0;
    int high = mappings.size() - 1;
    while (low <= high) {
      int middle = (low + high) >>> 1;
      if (Long.compareUnsigned(mappings.get(middle).range().start(), address) <= 0) {
        low = middle + 1;
      } else {
        high = middle - 1;
      }
    }
    return high >= 0 && mappings.get(high).range().contains(address) ? high : -1;
  }

  private final class Memory implements VirtualMemory {
    @Override
    public String name() {
      return "process " + notes.pid();
    }

    @Override
    public Layout layout() {
      return Layout.LITTLE_64;
    }

    @Override
    public List<Segment> segments() {
      return List.of();
    }

    @Override
    public int read(long address, MemorySegment into) {
      long done = 0;
      long wanted = Math.min(into.byteSize(), Integer.MAX_VALUE);
      while (done < wanted) {
        int got = stored.read(address + done, into.asSlice(done, wanted - done));
        if (got == 0) {
          got = fromFile(address + done, into.asSlice(done, wanted - done));
        }
        if (got == 0) {
          break;
        }
        done += got;
      }
      return (int) done;
    }

    @Override
    public Readability at(long address) {
      var one = MemorySegment.ofArray(new byte[1]);
      if (read(address, one) == 1) {
        return Readability.READABLE;
      }
      return mappingAt(address) >= 0 ? Readability.NOT_DUMPED : Readability.UNMAPPED;
    }
  }

  /**
   * What a mapped file has there. Pages that the process could write are not taken from the file:
   * it may have written them, and the writer of the core may not have kept them.
   */
  private int fromFile(long address, MemorySegment into) {
    int index = mappingAt(address);
    if (index < 0 || mappings.get(index).protection().contains("w")) {
      return 0;
    }
    var mapped = mappings.get(index);
    if (!mapped.isFile()) {
      return 0;
    }
    if (behind.get(index).isEmpty()) {
      behind.set(index, files.source(mapped.name()));
    }
    var source = behind.get(index);
    long offset = mapped.offset() + (address - mapped.range().start());
    if (source.isEmpty() || offset < 0 || offset >= source.get().size()) {
      return 0;
    }
    long count =
        Math.min(
            Math.min(into.byteSize(), mapped.range().end() - address),
            source.get().size() - offset);
    // Not into what the core itself has, which may differ.
    for (long page = (address & -PAGE) + PAGE; page < address + count; page += PAGE) {
      if (stored.at(page) == Readability.READABLE) {
        count = page - address;
      }
    }
    try {
      source.get().copy(offset, count, into, 0);
    } catch (BadDataException _) {
      return 0; // The file became shorter.
    }
    return (int) count;
  }

  /** The build-id of a mapped file as the core itself has it. */
  private Optional<String> keptBuildId(String name) {
    for (var mapped : mappings) {
      if (mapped.name().equals(name) && mapped.offset() == 0) {
        var head = new byte[HEAD];
        int got = stored.read(mapped.range().start(), MemorySegment.ofArray(head));
        if (got > 0) {
          var source = ByteSource.of(name, MemorySegment.ofArray(head).asSlice(0, got));
          return CoreFiles.buildId(source);
        }
      }
    }
    return Optional.empty();
  }

  /** The program: the file that has the entry point (AT_ENTRY). */
  private Optional<String> program() {
    Long entry = notes.auxiliary().get(9L);
    if (entry != null) {
      int index = mappingAt(entry);
      if (index >= 0 && mappings.get(index).isFile()) {
        return Optional.of(mappings.get(index).name());
      }
    }
    for (var mapped : mappings) {
      if (mapped.isFile()) {
        return Optional.of(mapped.name());
      }
    }
    return Optional.empty();
  }

  // Target

  @Override
  public TargetInfo info() {
    var facts = new ArrayList<Datum.Field>();
    facts.add(new Datum.Field("pid", "pid", Cell.decimal(notes.pid())));
    program().ifPresent(it -> facts.add(new Datum.Field("program", "program", Cell.text(it))));
    facts.add(new Datum.Field("threads", "threads", Cell.decimal(cpus.size())));
    facts.add(new Datum.Field("file_bytes", "file size", Cell.decimal(core.size())));
    return new TargetInfo(
        "core file", core.name(), "ELF core of a process", architecture(), List.copyOf(facts));
  }

  @Override
  public String architecture() {
    return layout.architecture().name();
  }

  @Override
  public List<Path> files() {
    var files = new ArrayList<Path>();
    if (core instanceof MappedFile mapped) {
      files.add(Path.of(mapped.name()));
    }
    executable.ifPresent(files::add);
    return List.copyOf(files);
  }

  @Override
  public List<Cpu> cpus() {
    return List.copyOf(cpus);
  }

  @Override
  public <C extends Capability> Optional<C> find(Class<C> capability) {
    if (capability == VirtualMemory.class) {
      return Optional.of(capability.cast(new Memory()));
    }
    if (notes.haveExtended()
        && (capability == RawRegisters.class || capability == FloatingRegisters.class)) {
      return Optional.of(capability.cast(new Extended()));
    }
    return capability == ProcessView.class
        ? Optional.of(capability.cast(new View()))
        : Optional.empty();
  }

  @Override
  public List<String> warnings() {
    var all = new ArrayList<>(warnings);
    all.addAll(notes.warnings());
    return List.copyOf(all);
  }

  @Override
  public void close() {
    files.close();
    if (core instanceof MappedFile mapped) {
      mapped.close();
    }
  }

  /** What a thread's notes tell of its registers beyond the general ones. */
  private final class Extended implements RawRegisters, FloatingRegisters {
    private ExtendedRegisters of(int cpu) {
      return notes.threads().stream()
          .filter(thread -> thread.id == cpu)
          .findFirst()
          .flatMap(ProcessNotes.CoreThread::extended)
          .map(ExtendedRegisters::new)
          .orElseThrow(
              () ->
                  new UnsupportedException(
                      core.name() + ": no vector registers of thread " + cpu + " are in it"));
    }

    @Override
    public List<Raw> registers(int cpu) {
      return of(cpu).all();
    }

    @Override
    public byte[] vector(int cpu, int number) {
      return of(cpu).vector(number);
    }

    @Override
    public void setVector(int cpu, int number, byte[] bytes) {
      throw new UnsupportedException(core.name() + ": a core is not changed");
    }

    @Override
    public byte[] floating(int cpu, int number) {
      return of(cpu).floating(number);
    }
  }

  private final class View implements ProcessView {
    @Override
    public Optional<byte[]> signalInfo(int thread) {
      return notes.threads().stream()
          .filter(one -> one.id == thread)
          .findFirst()
          .flatMap(ProcessNotes.CoreThread::info);
    }

    @Override
    public long process() {
      return notes.pid();
    }

    @Override
    public OptionalLong parent() {
      return notes.parent();
    }

    @Override
    public String name() {
      return notes.name();
    }

    @Override
    public Optional<String> program() {
      return ProcessCore.this.program();
    }

    @Override
    public List<String> arguments() {
      return notes.arguments();
    }

    @Override
    public List<Mapped> mappings() {
      return List.copyOf(mappings);
    }

    @Override
    public List<ThreadState> threads() {
      var found = new ArrayList<ThreadState>();
      for (var thread : notes.threads()) {
        Optional<SignalState> signal = thread.info().map(SignalState::of);
        // The kernel notes the signal of the first thread with every thread.
        if (found.isEmpty() && signal.isEmpty() && thread.signal != 0) {
          signal =
              Optional.of(
                  new SignalState(thread.signal, 0, OptionalLong.empty(), OptionalLong.empty()));
        }
        // Names of threads are not in cores.
        found.add(
            new ThreadState(
                thread.id,
                thread.id == notes.pid() ? notes.name() : "",
                found.isEmpty() ? notes.state() : '?',
                OptionalInt.empty(),
                signal));
      }
      return List.copyOf(found);
    }

    @Override
    public Map<Long, Long> auxiliary() {
      return notes.auxiliary();
    }

    @Override
    public Optional<Path> file(Mapped mapping) {
      return mapping.isFile() ? files.path(mapping.name()) : Optional.empty();
    }
  }
}
