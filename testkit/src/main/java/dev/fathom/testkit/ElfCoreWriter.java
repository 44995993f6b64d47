// SPDX-License-Identifier: Apache-2.0
package dev.fathom.testkit;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * Writes ELF core files: header, program headers, one segment of notes, then the segments' bytes.
 */
public final class ElfCoreWriter {
  private static final int PT_LOAD = 1;
  private static final int PT_NOTE = 4;
  private static final int PN_XNUM = 0xffff;

  private record Load(long paddr, long vaddr, byte[] bytes, long memsz) {}

  private record Note(String name, int type, byte[] descriptor) {}

  private final List<Load> loads = new ArrayList<>();
  private final List<Note> notes = new ArrayList<>();
  private boolean is64 = true;
  private ByteOrder order = ByteOrder.LITTLE_ENDIAN;
  private int machine = 62;
  private int type = 4;
  private boolean extended;
  private int noteAlign;

  /** A segment whose bytes are all in the file. */
  public ElfCoreWriter load(long paddr, long vaddr, byte[] bytes) {
    return load(paddr, vaddr, bytes, bytes.length);
  }

  /**
   * A segment of which only the first {@code bytes.length} of {@code memsz} bytes are in the file.
   */
  public ElfCoreWriter load(long paddr, long vaddr, byte[] bytes, long memsz) {
    loads.add(new Load(paddr, vaddr, bytes, memsz));
    return this;
  }

  public ElfCoreWriter note(String name, int noteType, byte[] descriptor) {
    notes.add(new Note(name, noteType, descriptor));
    return this;
  }

  public ElfCoreWriter bits32() {
    is64 = false;
    return this;
  }

  public ElfCoreWriter bigEndian() {
    order = ByteOrder.BIG_ENDIAN;
    return this;
  }

  /** {@code e_machine}; x86-64 unless said otherwise. */
  public ElfCoreWriter machine(int number) {
    machine = number;
    return this;
  }

  /** {@code e_type}; ET_CORE unless said otherwise. */
  public ElfCoreWriter type(int number) {
    type = number;
    return this;
  }

  /** Writes the number of program headers into section header 0 even when it would fit. */
  public ElfCoreWriter extendedNumbering() {
    extended = true;
    return this;
  }

  /** Pads notes to {@code bytes}, 4 or 8, and says so in {@code p_align}. */
  public ElfCoreWriter noteAlign(int bytes) {
    noteAlign = bytes;
    return this;
  }

  public byte[] build() {
    int ehdr = is64 ? 64 : 52;
    int phentsize = is64 ? 56 : 32;
    int shentsize = is64 ? 64 : 40;
    byte[] noteBytes = noteBytes(notes, Math.max(4, noteAlign), order);
    int count = loads.size() + 1;
    boolean sections = extended || count >= PN_XNUM;
    int sectionBytes = sections ? shentsize : 0;
    int notesAt = ehdr + sectionBytes + count * phentsize;
    int dataAt = notesAt + ((noteBytes.length + 15) & -16);
    int size = dataAt;
    for (Load load : loads) {
      size += load.bytes.length;
    }
    ByteBuffer b = ByteBuffer.allocate(size).order(order);
    b.put(new byte[] {0x7f, 'E', 'L', 'F', (byte) (is64 ? 2 : 1)});
    b.put((byte) (order == ByteOrder.LITTLE_ENDIAN ? 1 : 2)).put((byte) 1);
    b.position(16);
    b.putShort((short) type).putShort((short) machine).putInt(1);
    word(b, 0);
    word(b, ehdr + sectionBytes);
    word(b, sections ? ehdr : 0);
    b.putInt(0).putShort((short) ehdr).putShort((short) phentsize);
    b.putShort((short) (sections ? PN_XNUM : count)).putShort((short) shentsize);
    b.putShort((short) (sections ? 1 : 0)).putShort((short) 0);
    if (sections) {
      b.putInt(ehdr + (is64 ? 44 : 28), count);
    }
    b.position(ehdr + sectionBytes);
    programHeader(b, PT_NOTE, notesAt, 0, 0, noteBytes.length, noteBytes.length, noteAlign);
    int at = dataAt;
    for (Load load : loads) {
      programHeader(b, PT_LOAD, at, load.vaddr, load.paddr, load.bytes.length, load.memsz, 0);
      at += load.bytes.length;
    }
    b.position(notesAt);
    b.put(noteBytes);
    b.position(dataAt);
    for (Load load : loads) {
      b.put(load.bytes);
    }
    return b.array();
  }

  private void programHeader(
      ByteBuffer b,
      int kind,
      long offset,
      long vaddr,
      long paddr,
      long filesz,
      long memsz,
      long align) {
    b.putInt(kind);
    if (is64) {
      b.putInt(7);
    }
    word(b, offset);
    word(b, vaddr);
    word(b, paddr);
    word(b, filesz);
    word(b, memsz);
    if (!is64) {
      b.putInt(7);
    }
    word(b, align);
  }

  private void word(ByteBuffer b, long value) {
    if (is64) {
      b.putLong(value);
    } else {
      b.putInt((int) value);
    }
  }

  /** A region of notes as kdump-compressed files hold it: little-endian, padded to 4. */
  public static byte[] noteRegion(String name, int noteType, byte... descriptor) {
    return noteBytes(List.of(new Note(name, noteType, descriptor)), 4, ByteOrder.LITTLE_ENDIAN);
  }

  private static byte[] noteBytes(List<Note> notes, int align, ByteOrder order) {
    int size = 0;
    for (Note note : notes) {
      size = pad(size + 12 + note.name.length() + 1, align);
      size = pad(size + note.descriptor.length, align);
    }
    ByteBuffer b = ByteBuffer.allocate(size).order(order);
    for (Note note : notes) {
      byte[] name = note.name.getBytes(StandardCharsets.US_ASCII);
      b.putInt(name.length + 1).putInt(note.descriptor.length).putInt(note.type).put(name);
      b.position(pad(b.position() + 1, align));
      b.put(note.descriptor);
      b.position(pad(b.position(), align));
    }
    return b.array();
  }

  private static int pad(int at, int align) {
    return (at + align - 1) & -align;
  }

  /**
   * The descriptor of an x86-64 NT_PRSTATUS note.
   *
   * @param registers up to 27 values in the order of {@code struct user_regs_struct}
   */
  public static byte[] prStatus(int signal, int pid, long... registers) {
    ByteBuffer b = ByteBuffer.allocate(336).order(ByteOrder.LITTLE_ENDIAN);
    b.putShort(12, (short) signal).putInt(32, pid);
    for (int i = 0; i < registers.length; i++) {
      b.putLong(112 + 8 * i, registers[i]);
    }
    return b.array();
  }

  /**
   * The descriptor of a 64-bit Arm NT_PRSTATUS note.
   *
   * @param registers up to 34 values in the order of {@code struct user_pt_regs}
   */
  public static byte[] aarch64PrStatus(int pid, long... registers) {
    ByteBuffer b = ByteBuffer.allocate(392).order(ByteOrder.LITTLE_ENDIAN);
    b.putInt(32, pid);
    for (int i = 0; i < registers.length; i++) {
      b.putLong(112 + 8 * i, registers[i]);
    }
    return b.array();
  }

  /**
   * The descriptor of a QEMU CPU-state note, version 1, whose words hold recognisable values:
   * general register {@code i} holds {@code seed + i}, segment {@code i} selector {@code i * 8},
   * limit {@code 0x1000 + i} and base {@code seed + 0x100 + i}, control register {@code i} {@code
   * seed + 0x200 + i}.
   *
   * @param kernelGsBase whether the state has the member that QEMU 3.1 added, as {@code seed +
   *     0x300}
   */
  public static byte[] qemuCpuState(long seed, boolean kernelGsBase) {
    int size = kernelGsBase ? 440 : 432;
    ByteBuffer b = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    b.putInt(1).putInt(size);
    for (int i = 0; i < 18; i++) {
      b.putLong(seed + i);
    }
    for (int i = 0; i < 10; i++) {
      b.putInt(i * 8).putInt(0x1000 + i).putInt(0).putInt(0).putLong(seed + 0x100 + i);
    }
    for (int i = 0; i < 5; i++) {
      b.putLong(seed + 0x200 + i);
    }
    if (kernelGsBase) {
      b.putLong(seed + 0x300);
    }
    return b.array();
  }
}
