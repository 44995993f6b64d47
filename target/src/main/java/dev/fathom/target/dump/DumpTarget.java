// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.dump;

import dev.fathom.base.ByteSource;
import dev.fathom.base.Cell;
import dev.fathom.base.Datum;
import dev.fathom.base.MappedFile;
import dev.fathom.target.Capability;
import dev.fathom.target.Cpu;
import dev.fathom.target.KernelNotes;
import dev.fathom.target.PhysicalMemory;
import dev.fathom.target.Target;
import dev.fathom.target.TargetInfo;
import dev.fathom.target.VirtualMemory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/** An opened dump. */
final class DumpTarget implements Target {
  private final List<ByteSource> files;
  private final Contents contents;
  private final boolean flattened;
  private final List<Cpu> cpus;
  private final List<String> openingWarnings;

  DumpTarget(
      List<? extends ByteSource> files,
      Contents contents,
      boolean flattened,
      List<String> warnings) {
    this.files = List.copyOf(files);
    this.contents = contents;
    this.openingWarnings = List.copyOf(warnings);
    this.cpus = contents.notes().cpus();
    this.flattened = flattened;
  }

  @Override
  public TargetInfo info() {
    var facts = new ArrayList<>(contents.facts().get());
    long size = 0;
    for (ByteSource file : files) {
      size += file.size();
    }
    facts.add(new Datum.Field("file_bytes", "file size", Cell.decimal(size)));
    String format = (flattened ? "flattened " : "") + contents.format();
    return new TargetInfo(
        "crash dump", files.get(0).name(), format, architecture(), List.copyOf(facts));
  }

  @Override
  public String architecture() {
    return contents.notes().architecture().name();
  }

  @Override
  public List<Path> files() {
    var paths = new ArrayList<Path>();
    for (ByteSource file : files) {
      if (file instanceof MappedFile mapped) {
        paths.add(Path.of(mapped.name()));
      }
    }
    return List.copyOf(paths);
  }

  @Override
  public List<Cpu> cpus() {
    return cpus;
  }

  @Override
  public <C extends Capability> Optional<C> find(Class<C> capability) {
    if (capability == PhysicalMemory.class && contents.physical().isPresent()) {
      return Optional.of(capability.cast(contents.physical().get()));
    }
    if (capability == VirtualMemory.class && contents.virtual().isPresent()) {
      return Optional.of(capability.cast(contents.virtual().get()));
    }
    return capability == KernelNotes.class
        ? Optional.of(capability.cast(new Notes(contents)))
        : Optional.empty();
  }

  /** What was found when the dump was opened, and corrupt pages met since. */
  @Override
  public List<String> warnings() {
    var warnings = new ArrayList<>(openingWarnings);
    warnings.addAll(contents.warnings());
    warnings.addAll(contents.notes().warnings());
    if (contents.physical().isPresent()
        && contents.physical().get() instanceof KdumpPhysicalMemory memory
        && memory.firstCorrupt().isPresent()) {
      warnings.add(
          memory.corruptPages()
              + " corrupt pages met, first "
              + memory.firstCorrupt().get().getMessage());
    }
    return List.copyOf(warnings);
  }

  @Override
  public void close() {
    if (contents.physical().isPresent()
        && contents.physical().get() instanceof KdumpPhysicalMemory memory) {
      memory.close();
    }
    for (ByteSource file : files) {
      if (file instanceof MappedFile mapped) {
        mapped.close();
      }
    }
  }

  private record Notes(Contents contents) implements KernelNotes {
    @Override
    public Optional<byte[]> vmcoreinfo() {
      return contents.vmcoreinfo();
    }

    @Override
    public OptionalLong physBase() {
      return contents.physBase();
    }

    @Override
    public byte[] cpuNotes() {
      return contents.notes().cpuNotes();
    }

    @Override
    public Optional<String> release() {
      return contents.release();
    }
  }
}
