// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.dump;

import dev.fathom.base.BadDataException;
import dev.fathom.base.ByteSource;
import dev.fathom.base.Cell;
import dev.fathom.base.Datum;
import dev.fathom.base.Range;
import dev.fathom.format.elf.Elf;
import dev.fathom.format.elf.ElfFile;
import dev.fathom.format.elf.ElfNotes;
import dev.fathom.format.elf.ProgramHeader;
import dev.fathom.model.arch.Architecture;
import dev.fathom.target.PhysicalMemory;
import dev.fathom.target.VirtualMemory;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Reads an ELF vmcore: one of Linux's {@code /proc/vmcore}, of {@code makedumpfile -E}, or of
 * QEMU's {@code dump-guest-memory}.
 *
 * <p>Where a segment's {@code p_memsz} exceeds its {@code p_filesz} makedumpfile left the rest out.
 * A physical address of all ones means that there is none ({@code /proc/kcore}), and so do zeros in
 * every one of several segments (old {@code /proc/kcore}, cores of processes). A virtual address of
 * zero, or one equal to the physical address, is what QEMU writes without paging: there is none.
 */
final class ElfDump {
  /** The highest physical address of any x86-64 or 64-bit Arm CPU, plus one. */
  private static final long PHYSICAL_LIMIT = 1L << 52;

  private final ByteSource source;
  private final ElfFile file;
  private final List<String> warnings = new ArrayList<>();
  private long storedEnd;

  private ElfDump(ByteSource source) {
    this.source = source;
    this.file = ElfFile.read(source);
  }

  /**
   * @throws BadDataException when it is no dump of a machine that is known here
   */
  static Contents open(ByteSource source) {
    return new ElfDump(source).read();
  }

  private Optional<Architecture> architecture() {
    return Architectures.named(Elf.machineName(file.header().machine()));
  }

  private Contents read() {
    checkHeader();
    if (file.missingProgramHeaders() > 0) {
      warnings.add(
          source.name()
              + ": truncated: "
              + file.missingProgramHeaders()
              + " of "
              + file.header().phnum()
              + " program headers lie past the end of the file");
    }
    var notes = new DumpNotes(architecture().orElseThrow());
    for (ProgramHeader p : file.programHeaders()) {
      if (p.type() == Elf.PT_NOTE) {
        addNotes(notes, p);
      }
    }
    if (notes.xen()) {
      throw new BadDataException(
          source.name(), 0, "dump of a Xen hypervisor, expected one of a Linux kernel");
    }
    boolean hasPhysical = hasPhysicalAddresses();
    checkKernel(notes, hasPhysical);
    Optional<PhysicalMemory> physical = hasPhysical ? Optional.of(physical()) : Optional.empty();
    Optional<VirtualMemory> virtual = virtual(hasPhysical);
    if (storedEnd > source.size()) {
      warnings.add(
          source.name()
              + ": truncated: the file ends at 0x"
              + Long.toHexString(source.size())
              + ", but its segments reach to 0x"
              + Long.toHexString(storedEnd));
    }
    boolean qemu = notes.qemu();
    return new Contents(
        "ELF vmcore",
        physical,
        virtual,
        notes,
        notes.vmcoreinfo(),
        OptionalLong.empty(),
        Optional.empty(),
        () -> facts(qemu),
        warnings);
  }

  private static List<Datum.Field> facts(boolean qemu) {
    String writer = qemu ? "QEMU" : "kdump or makedumpfile";
    return List.of(new Datum.Field("writer", "written by", Cell.text(writer)));
  }

  private void checkHeader() {
    var header = file.header();
    if (!header.is64()) {
      throw bad(4, "32-bit ELF file (" + Elf.machineName(header.machine()) + "), expected 64 bits");
    }
    if (header.order() != ByteOrder.LITTLE_ENDIAN) {
      throw bad(
          5,
          "big-endian ELF file ("
              + Elf.machineName(header.machine())
              + "), expected little-endian");
    }
    if (header.type() != Elf.ET_CORE) {
      String what =
          switch (header.type()) {
            case Elf.ET_EXEC -> "an executable (a vmlinux?)";
            case Elf.ET_DYN -> "a shared object or executable";
            case 1 -> "an object file or kernel module";
            default -> "of type " + header.type();
          };
      throw bad(16, "ELF file is " + what + ", expected a core dump (ET_CORE)");
    }
    if (architecture().isEmpty()) {
      throw bad(
          18,
          "dump of an "
              + Elf.machineName(header.machine())
              + " machine, expected x86_64 or aarch64");
    }
    if (header.phnum() == 0) {
      throw bad(56, "core file without program headers (Xen's xl dump-core?), expected some");
    }
    if (file.programHeaders().isEmpty()) {
      throw bad(
          header.phoff(),
          "file ends at 0x" + Long.toHexString(source.size()) + ", before its program headers");
    }
  }

  private void addNotes(DumpNotes notes, ProgramHeader segment) {
    try {
      ElfNotes.Result result = file.notes(segment);
      notes.add(result.notes());
      if (!result.complete()) {
        warnings.add(
            source.name()
                + ": the notes at offset 0x"
                + Long.toHexString(segment.offset())
                + " end in the middle of one");
      }
    } catch (BadDataException e) {
      warnings.add(e.getMessage());
    }
  }

  private boolean hasPhysicalAddresses() {
    boolean loads = false;
    for (ProgramHeader p : file.programHeaders()) {
      if (p.type() == Elf.PT_LOAD) {
        loads = true;
        if ((p.paddr() != 0 && p.paddr() != -1) || (p.paddr() == 0 && p.vaddr() == 0)) {
          return true;
        }
      }
    }
    return !loads;
  }

  private void checkKernel(DumpNotes notes, boolean hasPhysical) {
    if (hasPhysical || notes.vmcoreinfo().isPresent()) {
      return;
    }
    for (ProgramHeader p : file.programHeaders()) {
      if (p.type() == Elf.PT_LOAD && p.vaddr() < 0 && p.vaddr() >>> 12 != 0xffffffffff600L) {
        return;
      }
    }
    throw bad(16, "core dump of a process, expected one of a kernel");
  }

  private PhysicalMemory physical() {
    var stored = new Extents.Builder();
    var described = new Extents.Builder();
    for (ProgramHeader p : file.programHeaders()) {
      if (p.type() != Elf.PT_LOAD || p.paddr() == -1 || isEmpty(p)) {
        continue;
      }
      if (p.paddr() < 0 || p.paddr() > PHYSICAL_LIMIT - size(p)) {
        warnings.add(
            source.name()
                + ": segment for physical address 0x"
                + Long.toHexString(p.paddr())
                + " left out: no machine has memory there");
        continue;
      }
      add(stored, p, p.paddr());
      described.add(p.paddr(), size(p), p.paddr());
    }
    return new ElfPhysicalMemory(source, stored.build(), described.build());
  }

  private Optional<VirtualMemory> virtual(boolean hasPhysical) {
    var stored = new Extents.Builder();
    var described = new Extents.Builder();
    var segments = new ArrayList<VirtualMemory.Segment>();
    for (ProgramHeader p : file.programHeaders()) {
      boolean ends = p.vaddr() != 0 && (p.vaddr() < 0 || p.vaddr() <= Long.MAX_VALUE - size(p));
      boolean identity = p.vaddr() == p.paddr();
      if (p.type() != Elf.PT_LOAD
          || !ends
          || identity
          || isEmpty(p)
          || (p.vaddr() < 0 && -p.vaddr() < size(p))) {
        continue;
      }
      add(stored, p, p.vaddr());
      described.add(p.vaddr(), size(p), p.vaddr());
      if (hasPhysical && p.paddr() != -1) {
        segments.add(new VirtualMemory.Segment(Range.of(p.vaddr(), size(p)), p.paddr()));
      }
    }
    Extents all = described.build();
    return all.count() == 0
        ? Optional.empty()
        : Optional.of(new ElfVirtualMemory(source, stored.build(), all, segments));
  }

  /** Adds the part of a segment that the file says it has. */
  private void add(Extents.Builder stored, ProgramHeader p, long address) {
    if (p.filesz() > 0 && p.offset() >= 0 && p.offset() <= Long.MAX_VALUE - p.filesz()) {
      stored.add(address, Math.min(p.filesz(), size(p)), p.offset());
      storedEnd = Math.max(storedEnd, p.offset() + p.filesz());
    }
  }

  private static boolean isEmpty(ProgramHeader p) {
    return p.filesz() < 0 || p.memsz() < 0 || size(p) == 0 || size(p) > PHYSICAL_LIMIT;
  }

  /** Some writers leave {@code p_memsz} 0. */
  private static long size(ProgramHeader p) {
    return Math.max(p.memsz(), p.filesz());
  }

  private BadDataException bad(long offset, String what) {
    return new BadDataException(source.name(), offset, what);
  }
}
