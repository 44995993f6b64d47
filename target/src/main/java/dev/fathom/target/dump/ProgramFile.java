// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.dump;

import dev.fathom.base.BadDataException;
import dev.fathom.base.Cell;
import dev.fathom.base.Datum;
import dev.fathom.base.MappedFile;
import dev.fathom.base.Range;
import dev.fathom.base.Readability;
import dev.fathom.format.elf.Elf;
import dev.fathom.format.elf.ElfFile;
import dev.fathom.model.Layout;
import dev.fathom.target.Capability;
import dev.fathom.target.Cpu;
import dev.fathom.target.ProcessView;
import dev.fathom.target.Target;
import dev.fathom.target.TargetInfo;
import dev.fathom.target.VirtualMemory;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * A program, library or kernel that nobody has started: its file laid out as its program headers
 * say, at the addresses that it was linked for (ELF gABI, "Program Loading"). Nothing is relocated,
 * nothing runs.
 */
final class ProgramFile implements Target {
  private static final long AT_ENTRY = 9;

  private final MappedFile source;
  private final Path path;
  private final ElfFile file;
  private final SegmentMemory stored;
  private final List<ProcessView.Mapped> mappings = new ArrayList<>();

  private ProgramFile(MappedFile source, ElfFile file) {
    this.source = source;
    this.path = Path.of(source.name()).toAbsolutePath().normalize();
    this.file = file;
    var inFile = new Extents.Builder();
    var described = new Extents.Builder();
    boolean kernel = false;
    for (var p : file.programHeaders()) {
      kernel |= ProcessCore.makesSense(p) && p.vaddr() < 0;
    }
    for (var p : file.programHeaders()) {
      // A kernel's per-CPU variables are linked at 0, where they never are.
      boolean template = kernel && p.vaddr() == 0;
      if (ProcessCore.makesSense(p) && !template) {
        inFile.add(p.vaddr(), p.filesz(), p.offset());
        described.add(p.vaddr(), p.memsz(), p.vaddr());
        mappings.add(
            new ProcessView.Mapped(
                Range.of(p.vaddr(), p.memsz()),
                ProcessCore.protection(p.flags()),
                p.offset(),
                path.toString()));
      }
    }
    mappings.sort(Comparator.comparing(mapped -> mapped.range().start(), Long::compareUnsigned));
    this.stored = new SegmentMemory(source, inFile.build(), described.build());
  }

  /** The program in a file, or nothing when it is something else. */
  static Optional<ProgramFile> open(MappedFile source) {
    if (!ElfFile.matches(source)) {
      return Optional.empty();
    }
    var file = ElfFile.read(source);
    int type = file.header().type();
    if ((type != Elf.ET_EXEC && type != Elf.ET_DYN) || !file.header().is64()) {
      return Optional.empty();
    }
    if (file.header().order() != ByteOrder.LITTLE_ENDIAN) {
      throw new BadDataException(source.name(), 5, "big-endian program, expected little-endian");
    }
    var machine = Elf.machineName(file.header().machine());
    if (Architectures.named(machine).isEmpty()) {
      throw new BadDataException(
          source.name(), 18, "program for " + machine + ", expected x86_64 or aarch64");
    }
    for (var section : file.sections().all()) {
      long code = Elf.SHF_ALLOC | Elf.SHF_EXECINSTR;
      if (section.type() == Elf.SHT_NOBITS && (section.flags() & code) == code) {
        throw new BadDataException(
            source.name(),
            0,
            "its code is in another file, whose debug file this is: open that one");
      }
    }
    var opened = new ProgramFile(source, file);
    if (opened.mappings.isEmpty()) {
      throw new BadDataException(
          source.name(),
          0,
          "has no program headers that load anything, so that no addresses exist");
    }
    return Optional.of(opened);
  }

  /** What was not initialised is zero, as the loader would have it. */
  private final class Memory implements VirtualMemory {
    @Override
    public String name() {
      return source.name();
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
        long at = address + done;
        int got = stored.read(at, into.asSlice(done, wanted - done));
        if (got == 0 && stored.at(at) == Readability.NOT_DUMPED) {
          got = (int) Math.min(rest(at), wanted - done);
          into.asSlice(done, got).fill((byte) 0);
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
      var known = stored.at(address);
      return known == Readability.NOT_DUMPED ? Readability.READABLE : known;
    }
  }

  /** How many bytes its segment has from an address on. */
  private long rest(long address) {
    return mappings.stream()
        .filter(mapped -> mapped.range().contains(address))
        .mapToLong(mapped -> mapped.range().end() - address)
        .findFirst()
        .orElseThrow();
  }

  @Override
  public TargetInfo info() {
    return new TargetInfo(
        "program file",
        source.name(),
        "ELF program",
        architecture(),
        List.of(new Datum.Field("file_bytes", "file size", Cell.decimal(source.size()))));
  }

  @Override
  public String architecture() {
    return Elf.machineName(file.header().machine());
  }

  @Override
  public List<Path> files() {
    return List.of(path);
  }

  @Override
  public List<Cpu> cpus() {
    return List.of();
  }

  @Override
  public <C extends Capability> Optional<C> find(Class<C> capability) {
    if (capability == VirtualMemory.class) {
      return Optional.of(capability.cast(new Memory()));
    }
    return capability == ProcessView.class
        ? Optional.of(capability.cast(new View()))
        : Optional.empty();
  }

  @Override
  public List<String> warnings() {
    return List.of();
  }

  @Override
  public void close() {
    source.close();
  }

  /** The process that it would be. */
  private final class View implements ProcessView {
    @Override
    public boolean isStarted() {
      return false;
    }

    @Override
    public long process() {
      return 0;
    }

    @Override
    public OptionalLong parent() {
      return OptionalLong.empty();
    }

    @Override
    public String name() {
      return path.getFileName().toString();
    }

    @Override
    public Optional<String> program() {
      return Optional.of(path.toString());
    }

    @Override
    public List<String> arguments() {
      return List.of();
    }

    @Override
    public List<Mapped> mappings() {
      return List.copyOf(mappings);
    }

    @Override
    public List<ThreadState> threads() {
      return List.of();
    }

    @Override
    public Map<Long, Long> auxiliary() {
      return Map.of(AT_ENTRY, file.header().entry());
    }

    @Override
    public Optional<Path> file(Mapped mapping) {
      return Optional.of(path);
    }
  }
}
