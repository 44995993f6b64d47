// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.dump;

import dev.fathom.base.BadDataException;
import dev.fathom.base.ByteSource;
import dev.fathom.base.Cell;
import dev.fathom.base.Datum;
import dev.fathom.base.Range;
import dev.fathom.format.elf.Aarch64PrStatus;
import dev.fathom.format.elf.Elf;
import dev.fathom.format.elf.ElfNote;
import dev.fathom.format.elf.ElfNotes;
import dev.fathom.format.kdump.KdumpFile;
import dev.fathom.format.kdump.KdumpHeader;
import dev.fathom.model.arch.Architecture;
import dev.fathom.model.arch.aarch64.Aarch64;
import dev.fathom.model.arch.x86_64.X86_64;
import java.nio.ByteOrder;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/** Reads one kdump-compressed file, or the files of a split set. */
final class KdumpDump {
  private final List<KdumpFile> parts;
  private final KdumpFile first;
  private final List<String> warnings = new ArrayList<>();

  private KdumpDump(List<KdumpFile> parts) {
    this.parts = parts;
    this.first = parts.get(0);
  }

  /**
   * @param parts files in this format, in any order
   * @throws BadDataException when they are not of one dump
   */
  static Contents open(List<KdumpFile> parts) {
    return new KdumpDump(parts).read();
  }

  private Contents read() {
    KdumpHeader header = first.header();
    checkParts();
    for (KdumpFile part : parts) {
      if (part.truncated()) {
        warnings.add(part.source().name() + ": truncated: the file ends before the pages do");
      }
      if (part.header().incomplete()) {
        warnings.add(
            part.source().name() + ": incomplete: its writer ran out of space and left pages out");
      }
    }
    var notes = new DumpNotes(architecture());
    if (header.notes().isPresent()) {
      addNotes(notes, header.notes().get());
    }
    Optional<byte[]> vmcoreinfo =
        header.vmcoreinfo().isPresent() ? vmcoreinfo(header.vmcoreinfo().get()) : Optional.empty();
    return new Contents(
        format(header),
        Optional.of(new KdumpPhysicalMemory(parts)),
        Optional.empty(),
        notes,
        vmcoreinfo.isPresent() ? vmcoreinfo : notes.vmcoreinfo(),
        header.physBase(),
        header.utsname().release().isEmpty()
            ? Optional.empty()
            : Optional.of(header.utsname().release()),
        new Facts(header, notes.qemu()),
        warnings);
  }

  /**
   * That of the machine. A writer that knows nothing leaves it empty, and QEMU says {@code Unknown}
   * of all but its own: the size of the notes with registers tells then.
   */
  private Architecture architecture() {
    String machine = first.header().utsname().machine();
    return machine.isEmpty() || machine.equals("Unknown")
        ? byNotes()
        : Architectures.named(machine)
            .orElseThrow(
                () ->
                    new BadDataException(
                        first.source().name(),
                        272,
                        "dump of an " + machine + " machine, expected x86_64 or aarch64"));
  }

  private Architecture byNotes() {
    var where = first.header().notes();
    if (where.isPresent()) {
      try {
        long start = where.get().start();
        long length = where.get().length();
        for (ElfNote note :
            ElfNotes.read(first.source(), start, length, 4, ByteOrder.LITTLE_ENDIAN).notes()) {
          if (note.is("CORE", Elf.NT_PRSTATUS)
              && note.descriptor().size() == Aarch64PrStatus.BYTES) {
            return Aarch64.INSTANCE;
          }
        }
      } catch (BadDataException _) {
        return X86_64.INSTANCE; // Said when the notes are read.
      }
    }
    return X86_64.INSTANCE;
  }

  private void checkParts() {
    KdumpHeader header = first.header();
    if (parts.size() > 1) {
      for (KdumpFile part : parts) {
        KdumpHeader other = part.header();
        if (other.splitPfns().isEmpty()) {
          throw new BadDataException(
              part.source().name(), 0, "not part of a split dump, expected one file only");
        }
        if (other.maxMapnr() != header.maxMapnr()
            || other.blockSize() != header.blockSize()
            || !other.utsname().equals(header.utsname())) {
          throw new BadDataException(
              part.source().name(), 0, "part of another dump than " + first.source().name());
        }
      }
    }
    if (header.splitPfns().isPresent()) {
      long at = 0;
      boolean found = true;
      while (found && at < header.maxMapnr()) {
        found = false;
        for (KdumpFile part : parts) {
          if (part.pfns().contains(at)) {
            at = part.pfns().end();
            found = true;
          }
        }
      }
      if (at < header.maxMapnr()) {
        warnings.add(
            first.source().name()
                + ": part of a split dump; the file with the pages from physical address 0x"
                + Long.toHexString(at * header.blockSize())
                + " on was not given");
      }
    }
  }

  private void addNotes(DumpNotes notes, Range where) {
    ByteSource source = first.source();
    try {
      ElfNotes.Result result =
          ElfNotes.read(source, where.start(), where.length(), 4, ByteOrder.LITTLE_ENDIAN);
      notes.add(result.notes());
      if (!result.complete()) {
        warnings.add(
            source.name()
                + ": the notes at offset 0x"
                + Long.toHexString(where.start())
                + " end in the middle of one");
      }
    } catch (BadDataException e) {
      warnings.add(e.getMessage());
    }
  }

  private Optional<byte[]> vmcoreinfo(Range where) {
    ByteSource source = first.source();
    if (where.length() > DumpNotes.MAX_VMCOREINFO || where.end() > source.size()) {
      warnings.add(
          source.name()
              + ": VMCOREINFO of "
              + where.length()
              + " bytes at offset 0x"
              + Long.toHexString(where.start())
              + " lies outside the file or is larger than 1 MiB; not used");
      return Optional.empty();
    }
    return Optional.of(source.bytes(where.start(), (int) where.length()));
  }

  private String format(KdumpHeader header) {
    String name = header.diskdump() ? "diskdump" : "kdump-compressed";
    String parted = parts.size() > 1 ? ", split into " + parts.size() + " files" : "";
    return name + " v" + header.version() + ", " + compression(header.status()) + parted;
  }

  /**
   * The status flags name the compression that the writer was asked for; single pages may differ.
   */
  private static String compression(int status) {
    if ((status & 0x1) != 0) {
      return "zlib";
    }
    if ((status & 0x2) != 0) {
      return "lzo";
    }
    if ((status & 0x4) != 0) {
      return "snappy";
    }
    return (status & 0x20) != 0 ? "zstd" : "uncompressed";
  }

  private record Facts(KdumpHeader header, boolean qemu) implements Supplier<List<Datum.Field>> {
    @Override
    public List<Datum.Field> get() {
      var facts = new ArrayList<Datum.Field>();
      facts.add(field("writer", "written by", qemu ? "QEMU" : "makedumpfile"));
      if (header.dumpLevel().isPresent()) {
        int level = header.dumpLevel().getAsInt();
        facts.add(field("dump_level", "dump level", level + " (" + leftOut(level) + ")"));
      }
      if (header.timestampSeconds() > 0 && header.timestampSeconds() < 1L << 33) {
        var time = Instant.ofEpochSecond(header.timestampSeconds());
        facts.add(field("dump_time", "dump time", time.toString()));
      }
      if (!header.utsname().nodename().isEmpty()) {
        facts.add(field("host", "host", header.utsname().nodename()));
      }
      return facts;
    }

    private static Datum.Field field(String key, String label, String value) {
      return new Datum.Field(key, label, Cell.text(value));
    }
  }

  private static String leftOut(int level) {
    String[] names = {"zero", "cache", "private cache", "user", "free"};
    var text = new StringBuilder();
    for (int i = 0; i < names.length; i++) {
      if ((level & 1 << i) != 0) {
        text.append(text.isEmpty() ? "" : ", ").append(names[i]);
      }
    }
    return text.isEmpty() ? "all pages" : text + " pages left out";
  }
}
