// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.snapshot;

import dev.fathom.base.Range;
import dev.fathom.base.Readability;
import dev.fathom.model.HeapMemory;
import dev.fathom.model.Layout;
import dev.fathom.model.Registers;
import dev.fathom.target.Capability;
import dev.fathom.target.Cpu;
import dev.fathom.target.KernelNotes;
import dev.fathom.target.PhysicalMemory;
import dev.fathom.target.Target;
import dev.fathom.target.TargetInfo;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/** An x86-64 machine whose memory, registers and notes are given one by one. */
public final class Snapshot implements Target {
  private final String name;
  private final Ram ram = new Ram();
  private final List<Cpu> cpus = new ArrayList<>();
  private Optional<byte[]> vmcoreinfo = Optional.empty();
  private OptionalLong physBase = OptionalLong.empty();
  private Optional<String> release = Optional.empty();

  public Snapshot(String name) {
    this.name = name;
  }

  /** Adds memory at a physical address; the array is not copied. Bytes already there stay. */
  public Snapshot memory(long address, byte[] bytes) {
    ram.memory.put(address, bytes);
    ram.present.add(Range.of(address, bytes.length));
    return this;
  }

  /** Adds memory that the machine has and the snapshot lacks: it reads as NOT_DUMPED. */
  public Snapshot missing(Range range) {
    ram.missing.add(range);
    return this;
  }

  /** Adds the next CPU. */
  public Snapshot cpu(Registers registers) {
    cpus.add(new Cpu(cpus.size(), registers, "snapshot"));
    return this;
  }

  public Snapshot vmcoreinfo(byte[] text) {
    vmcoreinfo = Optional.of(text.clone());
    return this;
  }

  public Snapshot physBase(long address) {
    physBase = OptionalLong.of(address);
    return this;
  }

  public Snapshot release(String kernelRelease) {
    release = Optional.of(kernelRelease);
    return this;
  }

  @Override
  public TargetInfo info() {
    return new TargetInfo("snapshot", name, "memory", "x86_64", List.of());
  }

  @Override
  public List<Cpu> cpus() {
    return List.copyOf(cpus);
  }

  @Override
  public <C extends Capability> Optional<C> find(Class<C> capability) {
    if (capability == PhysicalMemory.class) {
      return Optional.of(capability.cast(ram));
    }
    return capability == KernelNotes.class
        ? Optional.of(capability.cast(new Notes(vmcoreinfo, physBase, release)))
        : Optional.empty();
  }

  @Override
  public List<String> warnings() {
    return List.of();
  }

  @Override
  public void close() {}

  private record Notes(Optional<byte[]> vmcoreinfo, OptionalLong physBase, Optional<String> release)
      implements KernelNotes {}

  private static final class Ram implements PhysicalMemory {
    private final HeapMemory memory = new HeapMemory("physical", Layout.LITTLE_64);
    private final List<Range> present = new ArrayList<>();
    private final List<Range> missing = new ArrayList<>();

    @Override
    public String name() {
      return memory.name();
    }

    @Override
    public Layout layout() {
      return memory.layout();
    }

    @Override
    public int read(long address, MemorySegment into) {
      return memory.read(address, into);
    }

    @Override
    public Readability at(long address) {
      Readability readability = memory.at(address);
      if (readability != Readability.READABLE) {
        for (Range range : missing) {
          if (range.contains(address)) {
            return Readability.NOT_DUMPED;
          }
        }
      }
      return readability;
    }

    @Override
    public List<Range> ranges() {
      var all = new ArrayList<>(present);
      all.addAll(missing);
      all.sort(Comparator.comparing(Range::start, Long::compareUnsigned));
      var joined = new ArrayList<Range>();
      for (Range range : all) {
        Range last = joined.isEmpty() ? range : joined.removeLast();
        if (Long.compareUnsigned(range.start(), last.end()) <= 0) {
          boolean longer = Long.compareUnsigned(range.end(), last.end()) > 0;
          joined.add(new Range(last.start(), longer ? range.end() : last.end()));
        } else {
          joined.add(last);
          joined.add(range);
        }
      }
      return List.copyOf(joined);
    }
  }
}
