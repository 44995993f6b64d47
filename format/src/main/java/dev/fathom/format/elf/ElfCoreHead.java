// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.elf;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/**
 * What a 64-bit little-endian core file begins with: {@code header; program headers; notes}, or,
 * for more than 65534 program headers, {@code header; program headers; section header 0; notes}.
 * The program headers are one PT_NOTE and then the segments, directly behind the header: crash
 * reads them only there.
 */
public final class ElfCoreHead {
  private static final int EHDR = 64;
  private static final int PHDR = 56;
  private static final int SHDR = 64;
  private static final int SH_INFO = 44;

  private ElfCoreHead() {}

  /** The bytes that come before the data for {@code segments} segments and these notes. */
  public static long length(long segments, byte[] notes) {
    return notesAt(segments + 1) + notes.length;
  }

  /**
   * The head.
   *
   * @param machine {@code e_machine}
   * @param segments the PT_LOADs, whose offsets count from the start of the file
   * @param notes a region as {@link ElfNoteWriter} makes it
   */
  public static byte[] of(int machine, List<ProgramHeader> segments, byte[] notes) {
    int count = segments.size() + 1;
    boolean extended = count >= Elf.PN_XNUM;
    int notesAt = Math.toIntExact(notesAt(count));
    ByteBuffer b = ByteBuffer.allocate(notesAt + notes.length).order(ByteOrder.LITTLE_ENDIAN);
    b.put(new byte[] {0x7f, 'E', 'L', 'F', 2, 1, 1}).position(16);
    b.putShort((short) Elf.ET_CORE).putShort((short) machine).putInt(1);
    int shoff = EHDR + count * PHDR;
    b.putLong(0).putLong(EHDR).putLong(extended ? shoff : 0).putInt(0);
    b.putShort((short) EHDR).putShort((short) PHDR);
    b.putShort((short) (extended ? Elf.PN_XNUM : count));
    b.putShort((short) (extended ? SHDR : 0)).putShort((short) (extended ? 1 : 0));
    b.position(EHDR);
    put(b, new ProgramHeader(Elf.PT_NOTE, 0, notesAt, 0, 0, notes.length, notes.length, 4));
    for (ProgramHeader segment : segments) {
      put(b, segment);
    }
    if (extended) {
      b.putInt(shoff + SH_INFO, count);
    }
    b.position(notesAt).put(notes);
    return b.array();
  }

  private static long notesAt(long count) {
    return EHDR + count * PHDR + (count >= Elf.PN_XNUM ? SHDR : 0);
  }

  private static void put(ByteBuffer b, ProgramHeader p) {
    b.putInt(p.type()).putInt(p.flags());
    b.putLong(p.offset()).putLong(p.vaddr()).putLong(p.paddr());
    b.putLong(p.filesz()).putLong(p.memsz()).putLong(p.align());
  }
}
