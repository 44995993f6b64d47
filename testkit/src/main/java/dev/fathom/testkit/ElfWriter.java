// SPDX-License-Identifier: Apache-2.0
package dev.fathom.testkit;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.Deflater;

/**
 * Writes ELF files with sections and symbols, of both classes and byte orders: header, program
 * headers, sections' bytes, section headers. Section 0 is the empty one; {@code .symtab}, {@code
 * .strtab}, {@code .shstrtab} come last. Numbers of more sections than fit go where the format
 * wants them.
 */
public final class ElfWriter {
  public static final int SHN_ABS = 0xfff1;
  private static final int LORESERVE = 0xff00;
  private static final int XINDEX = 0xffff;
  private static final int SYMTAB = 2;
  private static final int STRTAB = 3;
  private static final int NOBITS = 8;
  private static final int SYMTAB_SHNDX = 18;
  private static final long COMPRESSED = 0x800;

  /**
   * A section.
   *
   * @param type {@code sh_type}
   * @param size for sections without bytes (SHT_NOBITS); others have their content's
   */
  public record Section(
      String name,
      int type,
      long flags,
      long addr,
      byte[] content,
      long size,
      int link,
      int info,
      long align,
      long entsize) {}

  /**
   * A symbol.
   *
   * @param section its section's number; {@link #SHN_ABS} for none; 0 for undefined
   * @param info binding in the upper four bits, type in the lower
   */
  public record Symbol(String name, long value, long size, int section, int info) {}

  /** A relocation; {@code symbol} is a symbol's number, from 1 on. */
  public record Relocation(long offset, int type, int symbol, long addend) {}

  private record Segment(int type, int flags, long vaddr, byte[] content, long memsz) {}

  private final List<Section> sections = new ArrayList<>();
  private final List<Symbol> symbols = new ArrayList<>();
  private final List<Segment> segments = new ArrayList<>();
  private boolean is64 = true;
  private ByteOrder order = ByteOrder.LITTLE_ENDIAN;
  private int machine = 62;
  private int type = 1;
  private boolean stripped;

  public ElfWriter bits32() {
    is64 = false;
    return this;
  }

  public ElfWriter bigEndian() {
    order = ByteOrder.BIG_ENDIAN;
    return this;
  }

  /** {@code e_machine}; x86-64 unless said otherwise. */
  public ElfWriter machine(int number) {
    machine = number;
    return this;
  }

  /** {@code e_type}; ET_REL unless said otherwise. */
  public ElfWriter type(int number) {
    type = number;
    return this;
  }

  /** Without {@code .symtab}. */
  public ElfWriter stripped() {
    stripped = true;
    return this;
  }

  /** Adds a section and returns its number. */
  public int section(Section section) {
    sections.add(section);
    return sections.size();
  }

  /** A section of the file's bytes that is not loaded, of SHT_PROGBITS. */
  public int section(String name, byte[] content) {
    return section(new Section(name, 1, 0, 0, content, 0, 0, 0, 1, 0));
  }

  /** A section that is loaded at {@code addr}, of SHT_PROGBITS; code when {@code execute}. */
  public int loaded(String name, long addr, boolean execute, byte[] content) {
    return section(new Section(name, 1, execute ? 6 : 2, addr, content, 0, 0, 0, 16, 0));
  }

  /** A section without bytes, loaded at {@code addr}. */
  public int nobits(String name, long addr, long size) {
    return section(new Section(name, NOBITS, 3, addr, new byte[0], size, 0, 0, 16, 0));
  }

  /** A section of notes that is loaded. */
  public int notes(String name, byte[] content) {
    return section(new Section(name, 7, 2, 0, content, 0, 0, 0, 4, 0));
  }

  /** A section whose content is compressed as SHF_COMPRESSED describes, with zlib. */
  public int compressed(String name, byte[] content) {
    return compressed(name, 1, content.length, deflate(content));
  }

  /** A section with any {@code ch_type}, declared size and compressed bytes. */
  public int compressed(String name, int chType, long declared, byte[] bytes) {
    ByteBuffer b = ByteBuffer.allocate((is64 ? 24 : 12) + bytes.length).order(order);
    b.putInt(chType);
    if (is64) {
      b.putInt(0);
    }
    word(b, declared);
    word(b, 1);
    b.put(bytes);
    return section(new Section(name, 1, COMPRESSED, 0, b.array(), 0, 0, 0, 1, 0));
  }

  /** A section {@code .zdebug_…} as binutils wrote it before 2.26. */
  public int zdebug(String name, byte[] content) {
    byte[] bytes = deflate(content);
    ByteBuffer b = ByteBuffer.allocate(12 + bytes.length).order(ByteOrder.BIG_ENDIAN);
    b.put(new byte[] {'Z', 'L', 'I', 'B'}).putLong(content.length).put(bytes);
    return section(name, b.array());
  }

  /** Adds a symbol and returns its number. Local symbols must come first. */
  public int symbol(Symbol symbol) {
    symbols.add(symbol);
    return symbols.size();
  }

  /** A global function. */
  public int function(String name, int section, long value, long size) {
    return symbol(new Symbol(name, value, size, section, 1 << 4 | 2));
  }

  /** A global variable. */
  public int object(String name, int section, long value, long size) {
    return symbol(new Symbol(name, value, size, section, 1 << 4 | 1));
  }

  /** Relocations of a section, with addends in the entries when {@code rela}. */
  public int relocations(String name, int target, boolean rela, List<Relocation> relocations) {
    int entry = (is64 ? 8 : 4) * (rela ? 3 : 2);
    ByteBuffer b = ByteBuffer.allocate(entry * relocations.size()).order(order);
    for (Relocation r : relocations) {
      word(b, r.offset);
      word(b, is64 ? (long) r.symbol << 32 | r.type : r.symbol << 8 | r.type);
      if (rela) {
        word(b, r.addend);
      }
    }
    // The symbol table's number is not known yet: -1 stands for it.
    return section(
        new Section(name, rela ? 4 : 9, 0x40, 0, b.array(), 0, -1, target, is64 ? 8 : 4, entry));
  }

  /** A segment with bytes of its own at its virtual address. */
  public ElfWriter segment(int segmentType, int flags, long vaddr, byte[] content, long memsz) {
    segments.add(new Segment(segmentType, flags, vaddr, content, memsz));
    return this;
  }

  private static byte[] deflate(byte[] content) {
    try (Deflater deflater = new Deflater()) {
      deflater.setInput(content);
      deflater.finish();
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      byte[] piece = new byte[1 << 12];
      while (!deflater.finished()) {
        out.write(piece, 0, deflater.deflate(piece));
      }
      return out.toByteArray();
    }
  }

  /** The file. */
  public byte[] build() {
    List<Section> all = new ArrayList<>(sections);
    if (!stripped) {
      addSymbols(all);
    }
    Map<String, Integer> offsets = new HashMap<>();
    ByteArrayOutputStream names = new ByteArrayOutputStream();
    names.write(0);
    for (Section s : all) {
      string(names, offsets, s.name);
    }
    string(names, offsets, ".shstrtab");
    all.add(new Section(".shstrtab", STRTAB, 0, 0, names.toByteArray(), 0, 0, 0, 1, 0));

    ByteArrayOutputStream body = new ByteArrayOutputStream();
    int ehdr = is64 ? 64 : 52;
    int phdr = is64 ? 56 : 32;
    body.writeBytes(new byte[ehdr + phdr * segments.size()]);
    long[] segmentAt = new long[segments.size()];
    for (int i = 0; i < segmentAt.length; i++) {
      segmentAt[i] = place(body, 16, segments.get(i).content);
    }
    long[] at = new long[all.size()];
    for (int i = 0; i < at.length; i++) {
      at[i] = place(body, Math.max(1, all.get(i).align), all.get(i).content);
    }
    int symtab = sections.size() + 1;
    long table = place(body, 8, headers(all, at, offsets, symtab));
    ByteBuffer b = ByteBuffer.wrap(body.toByteArray()).order(order);
    header(b, segments.isEmpty() ? 0 : ehdr, table, all.size() + 1);
    b.position(ehdr);
    for (int i = 0; i < segmentAt.length; i++) {
      programHeader(b, segments.get(i), segmentAt[i]);
    }
    return b.array();
  }

  private void addSymbols(List<Section> all) {
    Map<String, Integer> offsets = new HashMap<>();
    ByteArrayOutputStream names = new ByteArrayOutputStream();
    names.write(0);
    int size = is64 ? 24 : 16;
    ByteBuffer table = ByteBuffer.allocate(size * (symbols.size() + 1)).order(order);
    ByteBuffer indexes = ByteBuffer.allocate(4 * (symbols.size() + 1)).order(order);
    boolean extended = false;
    int locals = 1;
    table.position(size);
    indexes.position(4);
    for (Symbol s : symbols) {
      boolean large = s.section >= LORESERVE && s.section != SHN_ABS;
      extended |= large;
      indexes.putInt(large ? s.section : 0);
      locals += s.info >>> 4 == 0 ? 1 : 0;
      symbol(table, s, string(names, offsets, s.name), large ? XINDEX : s.section);
    }
    int symtab = all.size() + 1;
    all.add(new Section(".symtab", SYMTAB, 0, 0, table.array(), 0, symtab + 1, locals, 8, size));
    all.add(new Section(".strtab", STRTAB, 0, 0, names.toByteArray(), 0, 0, 0, 1, 0));
    if (extended) {
      all.add(
          new Section(".symtab_shndx", SYMTAB_SHNDX, 0, 0, indexes.array(), 0, symtab, 0, 4, 4));
    }
  }

  private void symbol(ByteBuffer b, Symbol s, int name, int section) {
    b.putInt(name);
    if (!is64) {
      b.putInt((int) s.value).putInt((int) s.size);
    }
    b.put((byte) s.info).put((byte) 0).putShort((short) section);
    if (is64) {
      b.putLong(s.value).putLong(s.size);
    }
  }

  private byte[] headers(List<Section> all, long[] at, Map<String, Integer> names, int symtab) {
    int entry = is64 ? 64 : 40;
    ByteBuffer b = ByteBuffer.allocate(entry * (all.size() + 1)).order(order);
    int count = all.size() + 1;
    boolean large = count >= LORESERVE;
    sectionHeader(
        b,
        0,
        new Section("", 0, 0, 0, new byte[0], large ? count : 0, large ? count - 1 : 0, 0, 0, 0),
        0);
    for (int i = 0; i < at.length; i++) {
      Section s = all.get(i);
      sectionHeader(
          b,
          names.get(s.name),
          s.link == -1
              ? new Section(
                  s.name, s.type, s.flags, s.addr, s.content, s.size, symtab, s.info, s.align,
                  s.entsize)
              : s,
          at[i]);
    }
    return b.array();
  }

  private void sectionHeader(ByteBuffer b, int name, Section s, long offset) {
    b.putInt(name).putInt(s.type);
    word(b, s.flags);
    word(b, s.addr);
    word(b, offset);
    word(b, s.content.length == 0 ? s.size : s.content.length);
    b.putInt(s.link).putInt(s.info);
    word(b, s.align);
    word(b, s.entsize);
  }

  private void header(ByteBuffer b, long phoff, long shoff, int count) {
    b.put(new byte[] {0x7f, 'E', 'L', 'F', (byte) (is64 ? 2 : 1)});
    b.put((byte) (order == ByteOrder.LITTLE_ENDIAN ? 1 : 2)).put((byte) 1);
    b.position(16);
    b.putShort((short) type).putShort((short) machine).putInt(1);
    word(b, 0);
    word(b, phoff);
    word(b, shoff);
    b.putInt(0).putShort((short) (is64 ? 64 : 52)).putShort((short) (is64 ? 56 : 32));
    b.putShort((short) segments.size()).putShort((short) (is64 ? 64 : 40));
    boolean large = count >= LORESERVE;
    b.putShort((short) (large ? 0 : count)).putShort((short) (large ? XINDEX : count - 1));
  }

  private void programHeader(ByteBuffer b, Segment s, long offset) {
    b.putInt(s.type);
    if (is64) {
      b.putInt(s.flags);
    }
    word(b, offset);
    word(b, s.vaddr);
    word(b, s.vaddr);
    word(b, s.content.length);
    word(b, s.memsz);
    if (!is64) {
      b.putInt(s.flags);
    }
    word(b, 16);
  }

  private static long place(ByteArrayOutputStream body, long align, byte[] content) {
    while (body.size() % align != 0) {
      body.write(0);
    }
    long at = body.size();
    body.writeBytes(content);
    return at;
  }

  private static int string(
      ByteArrayOutputStream table, Map<String, Integer> offsets, String text) {
    return text.isEmpty()
        ? 0
        : offsets.computeIfAbsent(
            text,
            t -> {
              int at = table.size();
              table.writeBytes(t.getBytes(StandardCharsets.UTF_8));
              table.write(0);
              return at;
            });
  }

  private void word(ByteBuffer b, long value) {
    if (is64) {
      b.putLong(value);
    } else {
      b.putInt((int) value);
    }
  }
}
