// SPDX-License-Identifier: Apache-2.0
package dev.fathom.testkit.lab;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * Writes a relocatable ELF file for x86-64 (System V ABI, "Object Files"): sections, relocations
 * with addends, symbols. Local symbols must be added before they are used; the order of all else is
 * free.
 */
final class ElfObject {
  static final int WRITE = 1;
  static final int ALLOC = 2;
  static final int EXECUTE = 4;

  private static final int PROGBITS = 1;
  private static final int SYMTAB = 2;
  private static final int STRTAB = 3;
  private static final int RELA = 4;
  private static final int INFO_LINK = 0x40;
  private static final int FUNCTION = 2;
  private static final int OBJECT = 1;
  private static final int SECTION = 3;

  private record Section(String name, int flags, int align, byte[] content) {}

  private record Symbol(String name, int section, long value, long size, int info) {}

  private record Placed(int section, FaultModule.Relocation relocation) {}

  private final List<Section> sections = new ArrayList<>();
  private final List<Symbol> locals = new ArrayList<>();
  private final List<Symbol> globals = new ArrayList<>();
  private final List<Placed> relocations = new ArrayList<>();

  void section(String name, int flags, int align, byte[] content) {
    sections.add(new Section(name, flags, align, content));
  }

  /** A symbol in a section; functions are global, data is local. */
  void symbol(String name, String section, long value, long size, boolean function) {
    if (function) {
      globals.add(new Symbol(name, number(section), value, size, 1 << 4 | FUNCTION));
    } else {
      locals.add(new Symbol(name, number(section), value, size, OBJECT));
    }
  }

  /** The symbol of a section itself, used under the section's name; the file has no name for it. */
  void sectionSymbol(String section) {
    locals.add(new Symbol(section, number(section), 0, 0, SECTION));
  }

  /** A symbol that the kernel has. */
  void undefined(String name) {
    globals.add(new Symbol(name, 0, 0, 0, 1 << 4));
  }

  void relocate(String section, FaultModule.Relocation relocation) {
    relocations.add(new Placed(number(section), relocation));
  }

  byte[] write() {
    List<Symbol> symbols = new ArrayList<>(locals);
    symbols.addAll(globals);
    ByteArrayOutputStream names = new ByteArrayOutputStream();
    names.write(0);
    ByteBuffer table = buffer(24 * (symbols.size() + 1));
    table.position(24);
    for (Symbol symbol : symbols) {
      table.putInt(symbol.info() == SECTION ? 0 : string(names, symbol.name()));
      table.put((byte) symbol.info()).put((byte) 0);
      table.putShort((short) symbol.section()).putLong(symbol.value()).putLong(symbol.size());
    }

    ByteArrayOutputStream body = new ByteArrayOutputStream();
    body.writeBytes(new byte[64]);
    ByteArrayOutputStream headers = new ByteArrayOutputStream();
    ByteArrayOutputStream headerNames = new ByteArrayOutputStream();
    headerNames.write(0);
    headers.writeBytes(new byte[64]);
    for (Section section : sections) {
      header(
          headers,
          string(headerNames, section.name()),
          PROGBITS,
          section.flags(),
          place(body, section.align(), section.content()),
          section.content().length,
          0,
          0,
          section.align(),
          0);
    }
    List<Integer> targets = relocations.stream().map(Placed::section).distinct().toList();
    int symtab = sections.size() + 1 + targets.size();
    for (int target : targets) {
      ByteBuffer rela = buffer(24 * relocations.size());
      for (Placed placed : relocations) {
        if (placed.section() == target) {
          FaultModule.Relocation r = placed.relocation();
          rela.putLong(r.offset()).putInt(r.type()).putInt(index(symbols, r.symbol()));
          rela.putLong(r.addend());
        }
      }
      byte[] content = new byte[rela.position()];
      rela.get(0, content);
      header(
          headers,
          string(headerNames, ".rela" + sections.get(target - 1).name()),
          RELA,
          INFO_LINK,
          place(body, 8, content),
          content.length,
          symtab,
          target,
          8,
          24);
    }
    header(
        headers,
        string(headerNames, ".symtab"),
        SYMTAB,
        0,
        place(body, 8, table.array()),
        table.capacity(),
        symtab + 1,
        locals.size() + 1,
        8,
        24);
    header(
        headers,
        string(headerNames, ".strtab"),
        STRTAB,
        0,
        place(body, 1, names.toByteArray()),
        names.size(),
        0,
        0,
        1,
        0);
    int nameOffset = string(headerNames, ".shstrtab");
    header(
        headers,
        nameOffset,
        STRTAB,
        0,
        place(body, 1, headerNames.toByteArray()),
        headerNames.size(),
        0,
        0,
        1,
        0);
    long table0 = place(body, 8, headers.toByteArray());
    byte[] file = body.toByteArray();
    ByteBuffer elf = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
    elf.putInt(0x464c457f).putInt(0x00010102).putLong(0);
    elf.putShort((short) 1).putShort((short) 62).putInt(1).putLong(0).putLong(0).putLong(table0);
    elf.putInt(0).putShort((short) 64).putShort((short) 0).putShort((short) 0);
    elf.putShort((short) 64).putShort((short) (symtab + 3)).putShort((short) (symtab + 2));
    return file;
  }

  private int number(String section) {
    for (int i = 0; i < sections.size(); i++) {
      if (sections.get(i).name().equals(section)) {
        return i + 1;
      }
    }
    throw new IllegalArgumentException("no section " + section);
  }

  private static int index(List<Symbol> symbols, String name) {
    for (int i = 0; i < symbols.size(); i++) {
      if (symbols.get(i).name().equals(name)) {
        return i + 1;
      }
    }
    throw new IllegalArgumentException("no symbol " + name);
  }

  private static long place(ByteArrayOutputStream body, int align, byte[] content) {
    while (body.size() % align != 0) {
      body.write(0);
    }
    long at = body.size();
    body.writeBytes(content);
    return at;
  }

  private static int string(ByteArrayOutputStream table, String text) {
    int at = table.size();
    table.writeBytes(text.getBytes(StandardCharsets.US_ASCII));
    table.write(0);
    return at;
  }

  private static void header(
      ByteArrayOutputStream headers,
      int name,
      int type,
      int flags,
      long offset,
      long size,
      int link,
      int info,
      int align,
      int entrySize) {
    ByteBuffer header = buffer(64);
    header.putInt(name).putInt(type).putLong(flags).putLong(0).putLong(offset).putLong(size);
    header.putInt(link).putInt(info).putLong(align).putLong(entrySize);
    headers.writeBytes(header.array());
  }

  private static ByteBuffer buffer(int size) {
    return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
  }
}
