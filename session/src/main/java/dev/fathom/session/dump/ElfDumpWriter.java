// SPDX-License-Identifier: Apache-2.0
package dev.fathom.session.dump;

import dev.fathom.base.ByteSource;
import dev.fathom.base.TargetException;
import dev.fathom.format.elf.Elf;
import dev.fathom.format.elf.ElfCoreHead;
import dev.fathom.format.elf.ElfFile;
import dev.fathom.format.elf.ProgramHeader;
import dev.fathom.kernel.ImagePlace;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Writes an ELF vmcore as {@code /proc/vmcore} is one: first the kernel's image at its virtual
 * addresses, then all of memory at those of the direct map, over the same bytes of the file. Pages
 * that are left out are memory of a segment without bytes in the file; pages of zeros are holes of
 * the file.
 *
 * <p>All segments are known before the first page is written, so that who makes this has looked at
 * every page before.
 */
final class ElfDumpWriter implements DumpWriter {
  /** Segments over the same bytes as others: read, execute. */
  private static final int ALIAS = 5;

  private static final int DIRECT = 6;

  /** As many as readers take. */
  private static final int MAX_SEGMENTS = 1 << 21;

  private final Output output;
  private final byte[] fingerprint;
  private final PageSet wanted;
  private final long existing;
  private final Tally tally;
  private final long dataStart;
  private final long end;
  private long next;

  /**
   * What stands at {@code dataAt} in the file; pages are written in order, one behind the other.
   */
  private long dataAt;

  private ElfDumpWriter(Output output, PageSet wanted, long existing, Checkpoint from) {
    this.output = output;
    this.existing = existing;
    this.fingerprint = from.fingerprint();
    this.wanted = wanted;
    this.tally = Tally.of(from.counts());
    this.dataStart = from.tables()[2];
    this.next = from.next();
    this.dataAt = from.data();
    this.end = dataAt + wanted.count(next) * Selection.PAGE;
  }

  /** Begins a file. */
  static ElfDumpWriter begin(
      Output output, Machine machine, Selection selection, Tally sifted, byte[] fingerprint) {
    byte[] notes = machine.notes();
    var segments = new ArrayList<ProgramHeader>();
    direct(segments, machine, selection);
    var aliases = aliases(segments, machine.image());
    aliases.addAll(segments);
    if (aliases.size() > MAX_SEGMENTS) {
      throw new TargetException(
          aliases.size() + " segments are more than ELF files have; --format kdump holds any dump");
    }
    long head = ElfCoreHead.length(aliases.size(), notes) + Checkpoint.BYTES;
    long data = (head + Selection.PAGE - 1) / Selection.PAGE * Selection.PAGE;
    var placed = new ArrayList<ProgramHeader>();
    for (ProgramHeader p : aliases) {
      placed.add(
          new ProgramHeader(
              p.type(),
              p.flags(),
              p.offset() + data,
              p.vaddr(),
              p.paddr(),
              p.filesz(),
              p.memsz(),
              p.align()));
    }
    var start =
        new Checkpoint(
            fingerprint,
            0,
            selection.wanted().limit(),
            new long[] {0, 0, data},
            0,
            data,
            0,
            sifted.counts(0));
    var made = new ElfDumpWriter(output, selection.wanted(), selection.existing().count(0), start);
    made.tally.excluded.putAll(selection.excluded());
    output.write(0, ElfCoreHead.of(Elf.EM_X86_64, placed, notes));
    return made;
  }

  /** Where an unfinished file has its checkpoint; empty when it is no such file. */
  static Optional<Checkpoint> checkpoint(ByteSource part) {
    if (!ElfFile.matches(part)) {
      return Optional.empty();
    }
    long data = Long.MAX_VALUE;
    for (ProgramHeader p : ElfFile.read(part).programHeaders()) {
      if (p.type() == Elf.PT_LOAD && p.filesz() > 0) {
        data = Math.min(data, p.offset());
      }
    }
    long at = data - Checkpoint.BYTES;
    return at > 0 && data <= part.size()
        ? Checkpoint.read(part.bytes(at, Checkpoint.BYTES))
        : Optional.empty();
  }

  /** Goes on with a file. */
  static ElfDumpWriter resume(FileOutput output, ByteSource part, Checkpoint from) {
    var wanted = new PageSet(from.limit());
    long existing = 0;
    for (ProgramHeader p : ElfFile.read(part).programHeaders()) {
      if (p.type() == Elf.PT_LOAD && p.flags() == DIRECT) {
        wanted.set(p.paddr() >>> Selection.SHIFT, (p.paddr() + p.filesz()) >>> Selection.SHIFT);
        existing += p.memsz() >>> Selection.SHIFT;
      }
    }
    return new ElfDumpWriter(output, wanted, existing, from);
  }

  /** The segments of memory, their offsets counted from the start of the data. */
  private static void direct(List<ProgramHeader> segments, Machine machine, Selection selection) {
    PageSet wanted = selection.wanted();
    PageSet existing = selection.existing();
    long offset = 0;
    long page = existing.next(0);
    while (page < existing.limit()) {
      long stored = page;
      while (stored < wanted.limit() && wanted.get(stored)) {
        stored++;
      }
      long last = stored;
      while (last < existing.limit() && existing.get(last) && !wanted.get(last)) {
        last++;
      }
      long physical = page << Selection.SHIFT;
      long virtual = machine.image().isPresent() ? machine.image().get().directMap() + physical : 0;
      long bytes = (stored - page) << Selection.SHIFT;
      long memory = (last - page) << Selection.SHIFT;
      segments.add(
          new ProgramHeader(Elf.PT_LOAD, DIRECT, offset, virtual, physical, bytes, memory, 0));
      offset += bytes;
      page = existing.next(last);
    }
  }

  /** The kernel's image once more, at its own addresses. */
  private static List<ProgramHeader> aliases(
      List<ProgramHeader> segments, Optional<ImagePlace> place) {
    var aliases = new ArrayList<ProgramHeader>();
    if (place.isEmpty()) {
      return aliases;
    }
    long start = place.get().physical();
    long end = start + place.get().image().length();
    for (ProgramHeader p : segments) {
      long from = Math.max(p.paddr(), start);
      long to = Math.min(p.paddr() + p.filesz(), end);
      if (from < to) {
        aliases.add(
            new ProgramHeader(
                Elf.PT_LOAD,
                ALIAS,
                p.offset() + from - p.paddr(),
                place.get().image().start() + from - start,
                from,
                to - from,
                to - from,
                0));
      }
    }
    return aliases;
  }

  @Override
  public PageSet wanted() {
    return wanted;
  }

  @Override
  public long existing() {
    return existing;
  }

  @Override
  public long next() {
    return next;
  }

  @Override
  public Tally tally() {
    return tally;
  }

  /** A page that has become unreadable since it was looked at is zeros, and counted. */
  @Override
  public void accept(Batch batch) {
    int from = 0;
    int packed = 0;
    for (int i = 0; i <= batch.count; i++) {
      boolean stored = i < batch.count && batch.fates[i] == Batch.Fate.STORED;
      if (stored) {
        continue;
      }
      int bytes = (i - from) * Selection.PAGE;
      output.write(dataAt, batch.packed, packed, bytes);
      packed += bytes;
      dataAt += bytes;
      tally.stored += i - from;
      from = i + 1;
      if (i < batch.count) {
        dataAt += Selection.PAGE;
        if (batch.fates[i] == Batch.Fate.ZERO) {
          tally.zero++;
          tally.stored++;
        } else {
          tally.unreadable++;
        }
      }
    }
    next = batch.pages[batch.count - 1] + 1;
  }

  @Override
  public void checkpoint() {
    output.sync();
    var now =
        new Checkpoint(
            fingerprint,
            next,
            wanted.limit(),
            new long[] {0, 0, dataStart},
            0,
            dataAt,
            0,
            tally.counts(tally.bytes + output.written()));
    output.write(dataStart - Checkpoint.BYTES, now.bytes());
  }

  @Override
  public long finish() {
    output.write(dataStart - Checkpoint.BYTES, new byte[Checkpoint.BYTES]);
    return end;
  }
}
