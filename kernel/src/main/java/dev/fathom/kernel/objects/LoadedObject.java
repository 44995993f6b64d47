// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.objects;

import dev.fathom.base.BadDataException;
import dev.fathom.base.ByteSource;
import dev.fathom.base.FathomException;
import dev.fathom.base.MappedFile;
import dev.fathom.base.Range;
import dev.fathom.format.dwarf.CallFrames;
import dev.fathom.format.elf.BuildId;
import dev.fathom.format.elf.Elf;
import dev.fathom.format.elf.ElfFile;
import dev.fathom.format.elf.SectionHeader;
import dev.fathom.model.Memory;
import dev.fathom.model.arch.Architecture;
import dev.fathom.symbols.CfiUnwindSource;
import dev.fathom.symbols.elf.ElfSymbols;
import dev.fathom.symbols.elf.Placement;
import dev.fathom.target.ProcessView.Mapped;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * An ELF object that is loaded into the process: the program, a shared object, the vdso. Its file
 * is read when something in it is first looked up; it counts only if its build-id is the one in
 * memory. Without the file there is what was loaded: the symbols for dynamic linking.
 */
public final class LoadedObject {
  private static final long PAGE = 4096;

  /** How much of an object is copied from memory when there is no file; the vdso has 8 KiB. */
  private static final int MEMORY_LIMIT = 64 << 20;

  /** How much of an object's start is looked at for its build-id. */
  private static final int HEAD = 1 << 16;

  private static final String EH_FRAME = ".eh_frame";
  private static final String EH_FRAME_HDR = ".eh_frame_hdr";
  private static final String DEBUG_FRAME = ".debug_frame";

  private final String name;
  private final String module;
  private final List<Mapped> mappings;
  private final Memory memory;
  private final Function<Mapped, Optional<Path>> files;
  private final Function<LoadedObject, Optional<ElfFile>> debugFile;
  private final Consumer<String> warnings;
  private final Optional<BuildId> buildId;
  private Optional<MappedFile> mapped = Optional.empty();
  private Optional<Path> place = Optional.empty();
  private Optional<ElfFile> file;
  private Optional<ElfSymbols> symbols;
  private List<CfiUnwindSource> frames;

  /**
   * @param mappings those of the object, the one with its ELF header, where that is loaded, first
   * @param program whether it is the program itself, whose symbols need no name before them
   * @param files finds the file behind a mapping
   * @param debugFile finds the file that has the names which a stripped object lost
   */
  LoadedObject(
      List<Mapped> mappings,
      boolean program,
      Memory memory,
      Function<Mapped, Optional<Path>> files,
      Function<LoadedObject, Optional<ElfFile>> debugFile,
      Consumer<String> warnings) {
    this.mappings = List.copyOf(mappings);
    String path = mappings.getFirst().name();
    String last = path.substring(path.lastIndexOf('/') + 1);
    this.name = path.equals("[vdso]") ? "vdso" : last;
    this.module = program ? "" : name;
    this.memory = memory;
    this.files = files;
    this.debugFile = debugFile;
    this.warnings = warnings;
    this.buildId =
        beginsAt(memory, start())
            ? inMemory().flatMap(LoadedObject::buildIdOf)
            : files.apply(mappings.getFirst()).flatMap(this::buildIdOf);
  }

  private static Optional<BuildId> buildIdOf(ElfFile elf) {
    try {
      return elf.buildId();
    } catch (BadDataException _) {
      return Optional.empty(); // Not all of it was looked at, or it has none.
    }
  }

  private Optional<BuildId> buildIdOf(Path file) {
    try (var opened = MappedFile.open(file)) {
      return buildIdOf(ElfFile.read(opened));
    } catch (FathomException e) {
      warnings.accept(e.getMessage());
      return Optional.empty();
    }
  }

  private Optional<ElfFile> inMemory() {
    return copy(HEAD).flatMap(source -> loaded(source));
  }

  private Optional<ElfFile> loaded(ByteSource source) {
    try {
      return Optional.of(ElfFile.readLoaded(source, start()));
    } catch (BadDataException e) {
      warnings.accept(name + ": " + e.getMessage());
      return Optional.empty();
    }
  }

  /** The object's memory from its header on, as far as it can be read. */
  private Optional<ByteSource> copy(int limit) {
    long reach = end() - start();
    long size = Long.compareUnsigned(reach, limit) < 0 ? reach : limit;
    var bytes = new byte[(int) size];
    var segment = MemorySegment.ofArray(bytes);
    int got = 0;
    while (got < size) {
      int more = memory.read(start() + got, segment.asSlice(got));
      if (more == 0) {
        // A hole between segments, or a page that is not there: zeros.
        more = (int) Math.min(PAGE - (start() + got & (PAGE - 1)), size - got);
        if (got == 0) {
          return Optional.empty();
        }
      }
      got += more;
    }
    return Optional.of(ByteSource.of(name + " in memory", bytes));
  }

  public String name() {
    return name;
  }

  /** The path as the process sees it; {@code [vdso]}. */
  public String path() {
    return mappings.getFirst().name();
  }

  /** What {@code module`symbol} has before the tick; empty for the program. */
  public String module() {
    return module;
  }

  public List<Mapped> mappings() {
    return mappings;
  }

  public Optional<BuildId> buildId() {
    return buildId;
  }

  public long start() {
    return mappings.getFirst().range().start();
  }

  public long end() {
    return mappings.getLast().range().end();
  }

  public List<Range> ranges() {
    var ranges = new ArrayList<Range>();
    for (var mapping : mappings) {
      var last = ranges.isEmpty() ? null : ranges.getLast();
      if (last != null && last.end() == mapping.range().start()) {
        ranges.set(ranges.size() - 1, new Range(last.start(), mapping.range().end()));
      } else {
        ranges.add(mapping.range());
      }
    }
    return List.copyOf(ranges);
  }

  public boolean contains(long address) {
    return Long.compareUnsigned(address - start(), end() - start()) < 0;
  }

  /** The object's file, or what is in memory of it. */
  public Optional<ElfFile> file() {
    if (file == null) {
      file = onDisk();
      if (file.isEmpty()) {
        file = copy(MEMORY_LIMIT).flatMap(this::whole);
      }
    }
    return file;
  }

  /** Where its file is on this machine; empty when there is none, or it is of another build. */
  public Optional<Path> onThisMachine() {
    return file().isPresent() ? place : Optional.empty();
  }

  /** The vdso is in memory with all of its file; of others only what is loaded is there. */
  private Optional<ElfFile> whole(ByteSource source) {
    if (path().equals("[vdso]")) {
      try {
        return Optional.of(ElfFile.read(source));
      } catch (BadDataException e) {
        warnings.accept(name + ": " + e.getMessage());
        return Optional.empty();
      }
    }
    return loaded(source);
  }

  private Optional<ElfFile> onDisk() {
    var path = files.apply(mappings.getFirst());
    if (path.isEmpty()) {
      return Optional.empty();
    }
    MappedFile opened = null;
    try {
      opened = MappedFile.open(path.get());
      var elf = ElfFile.read(opened);
      var there = elf.buildId();
      if (buildId.isPresent() && there.isPresent() && !there.equals(buildId)) {
        warnings.accept(
            path()
                + ": the file has build-id "
                + there.get()
                + ", and "
                + buildId.get()
                + " is loaded: another build, which is not used");
        opened.close();
        return Optional.empty();
      }
      mapped = Optional.of(opened);
      place = path;
      return Optional.of(elf);
    } catch (FathomException e) {
      if (opened != null) {
        opened.close();
      }
      warnings.accept(e.getMessage());
      return Optional.empty();
    }
  }

  /** What is added to the file's addresses: that of the segment that the first mapping holds. */
  public OptionalLong bias() {
    if (file().isEmpty()) {
      return OptionalLong.empty();
    }
    var first = mappings.getFirst();
    for (var segment : file().get().programHeaders()) {
      if (segment.type() == Elf.PT_LOAD && (segment.offset() & -PAGE) == first.offset()) {
        return OptionalLong.of(first.range().start() - (segment.vaddr() & -PAGE));
      }
    }
    return OptionalLong.empty();
  }

  public Optional<ElfSymbols> symbols() {
    if (symbols == null) {
      try {
        var bias = bias();
        symbols =
            bias.isPresent()
                ? Optional.of(
                    ElfSymbols.of(withNames(), new Placement.Bias(bias.getAsLong()), module))
                : Optional.empty();
      } catch (BadDataException e) {
        warnings.accept(name + ": no symbols: " + e.getMessage());
        symbols = Optional.empty();
      }
    }
    return symbols;
  }

  /** The object's own file, unless that was stripped of its names and its debug file has them. */
  private ElfFile withNames() {
    var own = file().orElseThrow();
    return own.symtab().isPresent()
        ? own
        : debugFile.apply(this).filter(other -> other.symtab().isPresent()).orElse(own);
  }

  /** Its call frame information, the best first. */
  List<CfiUnwindSource> frames(Architecture architecture) {
    if (frames == null) {
      frames = new ArrayList<>();
      var bias = bias();
      if (bias.isPresent()) {
        try {
          for (var found : callFrames(file().orElseThrow())) {
            frames.add(
                new CfiUnwindSource(
                    module.isEmpty() ? "cfi" : "cfi:" + module,
                    found,
                    architecture,
                    bias.getAsLong()));
          }
        } catch (BadDataException e) {
          warnings.accept(name + ": no unwind information: " + e.getMessage());
        }
      }
    }
    return frames;
  }

  private static List<CallFrames> callFrames(ElfFile elf) {
    var found = new ArrayList<CallFrames>();
    var sections = elf.sections();
    var order = elf.header().order();
    int word = elf.header().is64() ? 8 : 4;
    var eh = sections.named(EH_FRAME);
    var bytes = eh.flatMap(sections::content);
    if (bytes.isPresent()) {
      var frames =
          CallFrames.ofEhFrame(
              bytes.get(),
              order,
              word,
              eh.get().addr(),
              address(sections.named(".text")),
              address(sections.named(".got")));
      var hdr = sections.named(EH_FRAME_HDR);
      var table = hdr.flatMap(sections::content);
      found.add(table.isPresent() ? frames.with(table.get(), hdr.get().addr()) : frames);
    }
    sections
        .named(DEBUG_FRAME)
        .flatMap(sections::content)
        .ifPresent(section -> found.add(CallFrames.ofDebugFrame(section, order, word)));
    return found;
  }

  private static OptionalLong address(Optional<SectionHeader> section) {
    return section.isPresent() ? OptionalLong.of(section.get().addr()) : OptionalLong.empty();
  }

  /** Whether this is the object that these mappings would be. */
  boolean isOf(List<Mapped> others) {
    return mappings.equals(others);
  }

  void close() {
    mapped.ifPresent(MappedFile::close);
  }

  /** What an object takes whose ELF header is at an address; empty where none is. */
  static Optional<Range> extent(Memory memory, long address) {
    var head = new byte[(int) PAGE];
    if (memory.read(address, MemorySegment.ofArray(head)) < head.length) {
      return Optional.empty();
    }
    try {
      long low = Long.MAX_VALUE;
      long high = 0;
      for (var segment :
          ElfFile.readLoaded(ByteSource.of("memory", head), address).programHeaders()) {
        if (segment.type() == Elf.PT_LOAD) {
          low = Math.min(low, segment.vaddr() & -PAGE);
          high = Math.max(high, segment.vaddr() + segment.memsz());
        }
      }
      return low < high && Long.compareUnsigned(address + (high - low), address) > 0
          ? Optional.of(new Range(address, address + (high - low)))
          : Optional.empty();
    } catch (BadDataException _) {
      return Optional.empty(); // The first page of something else.
    }
  }

  /** Whether memory at {@code address} begins as an ELF file does. */
  static boolean beginsAt(Memory memory, long address) {
    var magic = new byte[4];
    return memory.read(address, MemorySegment.ofArray(magic)) == magic.length
        && Arrays.equals(magic, new byte[] {0x7f, 'E', 'L', 'F'});
  }
}
