// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.elf;

import dev.fathom.base.BadDataException;
import dev.fathom.base.ByteSource;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * The frame of an ELF file, read when it is opened: {@code e_ident, rest of the header; program
 * headers at e_phoff}. The bytes of segments stay where they are; section headers are read when
 * they are first asked for. May be used by several threads.
 *
 * <p>Program headers that lie beyond the end of a truncated file are missing from {@link
 * #programHeaders()}; {@link #missingProgramHeaders()} counts them.
 */
public final class ElfFile {
  private static final int IDENT = 16;
  private static final int EHDR64 = 64;
  private static final int EHDR32 = 52;
  private static final int PHDR64 = 56;
  private static final int PHDR32 = 32;

  /** Section header 0's sh_info: u32 at 44 (64 bits) or 28 (32 bits). */
  private static final int SH_INFO64 = 44;

  private static final int SH_INFO32 = 28;
  private static final int CHUNK = 1 << 20;

  /** Where a build-id is looked for: no more than this of a segment of notes. */
  private static final long NOTES = 1 << 20;

  /** More than QEMU writes even with paging; 150 MB of records. */
  private static final int MAX_PROGRAM_HEADERS = 1 << 21;

  private final ByteSource source;
  private final ElfHeader header;
  private final List<ProgramHeader> programHeaders;

  /** Of a file as it stands in memory, each segment at its address: where the source starts. */
  private final OptionalLong loadedAt;

  private ElfSections sections;

  private ElfFile(
      ByteSource source,
      ElfHeader header,
      List<ProgramHeader> programHeaders,
      OptionalLong loadedAt) {
    this.source = source;
    this.header = header;
    this.programHeaders = programHeaders;
    this.loadedAt = loadedAt;
  }

  /** Whether the source starts as ELF does. */
  public static boolean matches(ByteSource source) {
    if (source.size() < 4) {
      return false;
    }
    byte[] ident = source.bytes(0, 4);
    return ident[0] == 0x7f && ident[1] == 'E' && ident[2] == 'L' && ident[3] == 'F';
  }

  /**
   * Reads the frame.
   *
   * @throws BadDataException when the header is not ELF's or does not make sense
   */
  public static ElfFile read(ByteSource source) {
    return read(source, OptionalLong.empty());
  }

  /**
   * Reads the frame of a file that was loaded: the source is the memory of a process from where the
   * ELF header stands to the end of the last segment. What no segment loads, such as section
   * headers and {@code .symtab}, is not there, so this file has no sections.
   *
   * @param address where in that memory the source starts
   * @throws BadDataException when the header is not ELF's or does not make sense
   */
  public static ElfFile readLoaded(ByteSource source, long address) {
    return read(source, OptionalLong.of(address));
  }

  private static ElfFile read(ByteSource source, OptionalLong loadedAt) {
    if (!matches(source)) {
      throw new BadDataException(source.name(), 0, "no ELF magic, expected 7f 45 4c 46");
    }
    ElfHeader header = readHeader(source);
    return new ElfFile(source, header, readProgramHeaders(source, header), loadedAt);
  }

  public ByteSource source() {
    return source;
  }

  public ElfHeader header() {
    return header;
  }

  /** The program headers in file order, as far as the file holds them. */
  public List<ProgramHeader> programHeaders() {
    return programHeaders;
  }

  /** How many program headers lie beyond the end of the file. */
  public long missingProgramHeaders() {
    return header.phnum() - programHeaders.size();
  }

  /** The notes of one PT_NOTE segment; see {@link ElfNotes#read}. */
  public ElfNotes.Result notes(ProgramHeader segment) {
    return ElfNotes.read(
        source, segment.offset(), segment.filesz(), segment.align(), header.order());
  }

  /**
   * The section headers; none of a file that has only program headers.
   *
   * @throws BadDataException when they do not lie in the file
   */
  public synchronized ElfSections sections() {
    if (sections == null) {
      sections = isLoaded() ? ElfSections.none(this) : ElfSections.read(this);
    }
    return sections;
  }

  /** The full symbol table, {@code .symtab}; absent in stripped files. */
  public Optional<ElfSymtab> symtab() {
    return sections().symbolTable(Elf.SHT_SYMTAB);
  }

  /**
   * The symbols for dynamic linking, {@code .dynsym}; without section headers the dynamic segment
   * leads to them.
   */
  public Optional<ElfSymtab> dynsym() {
    var section = sections().symbolTable(Elf.SHT_DYNSYM);
    return section.isPresent() ? section : dynamic().flatMap(ElfDynamic::symbols);
  }

  /** The dynamic segment; absent in static executables, relocatable files and cores. */
  public Optional<ElfDynamic> dynamic() {
    for (var segment : programHeaders) {
      if (segment.type() == Elf.PT_DYNAMIC) {
        return ElfDynamic.read(this, segment);
      }
    }
    return Optional.empty();
  }

  /** The program interpreter that PT_INTERP names, usually the dynamic linker. */
  public Optional<String> interpreter() {
    for (var segment : programHeaders) {
      if (segment.type() == Elf.PT_INTERP) {
        return bytesOf(segment).map(bytes -> bytes.cursor(0, header.order()).cString(4096));
      }
    }
    return Optional.empty();
  }

  /** The GNU build-id, from a segment of notes or, in files without segments, from a section. */
  public Optional<BuildId> buildId() {
    for (var segment : programHeaders) {
      if (segment.type() == Elf.PT_NOTE) {
        var found =
            bytesOf(segment)
                .flatMap(bytes -> buildId(bytes, Math.min(bytes.size(), NOTES), segment.align()));
        if (found.isPresent()) {
          return found;
        }
      }
    }
    for (var section : sections().all()) {
      if (section.type() == Elf.SHT_NOTE) {
        var found =
            sections()
                .raw(section)
                .flatMap(bytes -> buildId(bytes, Math.min(bytes.size(), NOTES), section.align()));
        if (found.isPresent()) {
          return found;
        }
      }
    }
    return Optional.empty();
  }

  private Optional<BuildId> buildId(ByteSource bytes, long size, long align) {
    for (var note : ElfNotes.read(bytes, 0, size, align, header.order()).notes()) {
      if (note.is("GNU", Elf.NT_GNU_BUILD_ID)) {
        return BuildId.of(note.descriptor());
      }
    }
    return Optional.empty();
  }

  /**
   * The bytes of a segment as far as the source has them; absent when it has none (the segment of a
   * file whose content was moved to another file, or cut off).
   */
  public Optional<ByteSource> bytesOf(ProgramHeader segment) {
    long at = isLoaded() ? segment.vaddr() - base() : segment.offset();
    long size = segment.filesz();
    if (at < 0 || size <= 0 || at >= source.size()) {
      return Optional.empty();
    }
    return Optional.of(source.part(at, Math.min(size, source.size() - at)));
  }

  /**
   * Where the byte at a virtual address (as the file numbers them) stands in the source; absent
   * when no segment has it.
   */
  public OptionalLong offsetOf(long vaddr) {
    for (var segment : programHeaders) {
      long within = vaddr - segment.vaddr();
      if (segment.type() == Elf.PT_LOAD && Long.compareUnsigned(within, segment.filesz()) < 0) {
        long at = isLoaded() ? vaddr - base() : segment.offset() + within;
        return at >= 0 && at < source.size() ? OptionalLong.of(at) : OptionalLong.empty();
      }
    }
    return OptionalLong.empty();
  }

  /**
   * The virtual address, as the file numbers them, at which its ELF header is loaded: that of the
   * segment with the start of the file. 0 without such a segment.
   */
  public long base() {
    for (var segment : programHeaders) {
      if (segment.type() == Elf.PT_LOAD) {
        return segment.vaddr() - segment.offset();
      }
    }
    return 0;
  }

  private boolean isLoaded() {
    return loadedAt.isPresent();
  }

  /** What was added to the file's addresses when it was loaded; absent for a file. */
  OptionalLong bias() {
    return isLoaded() ? OptionalLong.of(loadedAt.getAsLong() - base()) : loadedAt;
  }

  private static ElfHeader readHeader(ByteSource source) {
    if (source.size() < IDENT) {
      throw new BadDataException(source.name(), source.size(), "file ends inside the ELF header");
    }
    byte[] ident = source.bytes(0, IDENT);
    boolean is64 =
        switch (ident[4]) {
          case 1 -> false;
          case 2 -> true;
          default ->
              throw new BadDataException(
                  source.name(),
                  4,
                  "ELF class " + (ident[4] & 0xff) + ", expected 1 (32 bits) or 2 (64 bits)");
        };
    ByteOrder order =
        switch (ident[5]) {
          case 1 -> ByteOrder.LITTLE_ENDIAN;
          case 2 -> ByteOrder.BIG_ENDIAN;
          default ->
              throw new BadDataException(
                  source.name(),
                  5,
                  "ELF data encoding "
                      + (ident[5] & 0xff)
                      + ", expected 1 (little) or 2 (big endian)");
        };
    int size = is64 ? EHDR64 : EHDR32;
    if (source.size() < size) {
      throw new BadDataException(
          source.name(),
          source.size(),
          "file ends inside the ELF header, which has " + size + " bytes");
    }
    ByteBuffer b = ByteBuffer.wrap(source.bytes(0, size)).order(order);
    // The words after e_entry, e_phoff, e_shoff and e_flags are halfwords, at the same distances in
    // both classes.
    int halves = is64 ? 52 : 40;
    long phoff = is64 ? b.getLong(32) : Integer.toUnsignedLong(b.getInt(28));
    long shoff = is64 ? b.getLong(40) : Integer.toUnsignedLong(b.getInt(32));
    int phentsize = half(b, halves + 2);
    int phnum = half(b, halves + 4);
    int shentsize = half(b, halves + 6);
    long realPhnum = phnum;
    if (phnum == Elf.PN_XNUM && shoff != 0) {
      int infoAt = is64 ? SH_INFO64 : SH_INFO32;
      if (shoff < 0 || shoff > source.size() - infoAt - 4) {
        throw new BadDataException(
            source.name(),
            is64 ? 40 : 32,
            "section header 0 at 0x"
                + Long.toHexString(shoff)
                + " holds the number of program headers (PN_XNUM), but the"
                + " file ends at 0x"
                + Long.toHexString(source.size()));
      }
      realPhnum =
          Integer.toUnsignedLong(
              ByteBuffer.wrap(source.bytes(shoff + infoAt, 4)).order(order).getInt(0));
    }
    if (realPhnum > MAX_PROGRAM_HEADERS) {
      throw new BadDataException(
          source.name(),
          halves + 4,
          realPhnum + " program headers, expected at most " + MAX_PROGRAM_HEADERS);
    }
    int phdr = is64 ? PHDR64 : PHDR32;
    if (realPhnum > 0 && phentsize < phdr) {
      throw new BadDataException(
          source.name(), halves + 2, "e_phentsize is " + phentsize + ", expected at least " + phdr);
    }
    return new ElfHeader(
        is64,
        order,
        half(b, 16),
        half(b, 18),
        is64 ? b.getLong(24) : Integer.toUnsignedLong(b.getInt(24)),
        phoff,
        shoff,
        b.getInt(halves - 4),
        phentsize,
        realPhnum,
        shentsize,
        half(b, halves + 8),
        half(b, halves + 10));
  }

  private static List<ProgramHeader> readProgramHeaders(ByteSource source, ElfHeader header) {
    long offset = header.phoff();
    int entry = header.phentsize();
    if (header.phnum() == 0 || offset < 0 || offset >= source.size()) {
      return List.of();
    }
    long count = Math.min(header.phnum(), (source.size() - offset) / entry);
    var list = new ArrayList<ProgramHeader>((int) Math.min(count, 4096));
    int perChunk = Math.max(1, CHUNK / entry);
    for (long done = 0; done < count; ) {
      int now = (int) Math.min(perChunk, count - done);
      ByteBuffer b =
          ByteBuffer.wrap(source.bytes(offset + done * entry, now * entry)).order(header.order());
      for (int i = 0; i < now; i++) {
        list.add(header.is64() ? programHeader64(b, i * entry) : programHeader32(b, i * entry));
      }
      done += now;
    }
    return list;
  }

  private static ProgramHeader programHeader64(ByteBuffer b, int at) {
    return new ProgramHeader(
        b.getInt(at),
        b.getInt(at + 4),
        b.getLong(at + 8),
        b.getLong(at + 16),
        b.getLong(at + 24),
        b.getLong(at + 32),
        b.getLong(at + 40),
        b.getLong(at + 48));
  }

  private static ProgramHeader programHeader32(ByteBuffer b, int at) {
    return new ProgramHeader(
        b.getInt(at),
        b.getInt(at + 24),
        Integer.toUnsignedLong(b.getInt(at + 4)),
        Integer.toUnsignedLong(b.getInt(at + 8)),
        Integer.toUnsignedLong(b.getInt(at + 12)),
        Integer.toUnsignedLong(b.getInt(at + 16)),
        Integer.toUnsignedLong(b.getInt(at + 20)),
        Integer.toUnsignedLong(b.getInt(at + 28)));
  }

  private static int half(ByteBuffer b, int at) {
    return b.getShort(at) & 0xffff;
  }
}
