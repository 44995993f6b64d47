// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.elf;

import dev.fathom.base.BadDataException;
import dev.fathom.base.ByteSource;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/**
 * The frame of an ELF file, read when it is opened: {@code e_ident, rest of the header; program
 * headers at e_phoff}. The bytes of segments stay where they are.
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

  /** More than QEMU writes even with paging; 150 MB of records. */
  private static final int MAX_PROGRAM_HEADERS = 1 << 21;

  private final ByteSource source;
  private final ElfHeader header;
  private final List<ProgramHeader> programHeaders;

  private ElfFile(ByteSource source, ElfHeader header, List<ProgramHeader> programHeaders) {
    this.source = source;
    this.header = header;
    this.programHeaders = programHeaders;
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
    if (!matches(source)) {
      throw new BadDataException(source.name(), 0, "no ELF magic, expected 7f 45 4c 46");
    }
    ElfHeader header = readHeader(source);
    return new ElfFile(source, header, readProgramHeaders(source, header));
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
        half(b, halves + 8));
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
