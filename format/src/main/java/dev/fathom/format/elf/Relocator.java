// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.elf;

import dev.fathom.base.BadDataException;
import dev.fathom.base.ByteSource;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.Optional;

/**
 * Applies the relocations of a relocatable file to one of its sections: {@code Elf64_Rela { u64
 * r_offset, r_info; s64 r_addend }} or {@code Elf32_Rel { u32 r_offset, r_info }} and their mixed
 * forms. Knows the kinds that occur in debug and unwind sections of x86-64, i386 and 64-bit Arm
 * (their psABIs, "Relocation Types").
 */
final class Relocator {
  private static final long MAX_COPY = Integer.MAX_VALUE - 8L;

  /** What is stored: so many bytes of {@code symbol + addend}, less the place when relative. */
  private enum Kind {
    NONE(0, false),
    ABS64(8, false),
    ABS32(4, false),
    ABS16(2, false),
    ABS8(1, false),
    REL64(8, true),
    REL32(4, true),
    REL16(2, true),
    /** The offset in the thread's block: the symbol's value alone. */
    TLS64(8, false),
    TLS32(4, false);

    private final int bytes;
    private final boolean relative;

    Kind(int bytes, boolean relative) {
      this.bytes = bytes;
      this.relative = relative;
    }
  }

  private final ElfSections sections;
  private final ElfHeader header;

  Relocator(ElfSections sections) {
    this.sections = sections;
    this.header = sections.file().header();
  }

  /** The section's bytes with relocations applied; themselves when there are none. */
  ByteSource apply(SectionHeader section, ByteSource bytes) {
    if (header.type() != Elf.ET_REL) {
      return bytes;
    }
    var result = bytes;
    for (var other : sections.all()) {
      boolean relocates = other.type() == Elf.SHT_RELA || other.type() == Elf.SHT_REL;
      if (relocates && other.info() == section.index() && section.index() != 0) {
        result = apply(section, result, other);
      }
    }
    return result;
  }

  private ByteSource apply(SectionHeader section, ByteSource bytes, SectionHeader table) {
    var entries = sections.raw(table);
    if (entries.isEmpty() || entries.get().size() == 0) {
      return bytes;
    }
    var symbols = symbols(table);
    if (bytes.size() > MAX_COPY) {
      throw new BadDataException(
          bytes.name(), 0, "section of " + bytes.size() + " bytes cannot be relocated, too large");
    }
    var copy = ByteBuffer.wrap(bytes.bytes(0, (int) bytes.size())).order(header.order());
    boolean addends = table.type() == Elf.SHT_RELA;
    int word = header.is64() ? 8 : 4;
    int entry = word * (addends ? 3 : 2);
    long place = sections.address(section);
    var source = entries.get();
    int window = 4096 * entry;
    for (long at = 0; at + entry <= source.size(); at += window) {
      int now = (int) Math.min(window, (source.size() - at) / entry * entry);
      var b = ByteBuffer.wrap(source.bytes(at, now)).order(header.order());
      for (int i = 0; i < now; i += entry) {
        long offset = word(b, i);
        long info = word(b, i + word);
        int type = header.is64() ? (int) info : (int) info & 0xff;
        int symbol = header.is64() ? (int) (info >>> 32) : (int) info >>> 8;
        var kind = kind(type);
        if (kind.isEmpty()) {
          throw new BadDataException(
              source.name(),
              at + i,
              "relocation type "
                  + type
                  + " of "
                  + Elf.machineName(header.machine())
                  + " at offset 0x"
                  + Long.toHexString(offset)
                  + " of "
                  + section.name()
                  + " is not known in debug sections");
        }
        var k = kind.get();
        if (k == Kind.NONE) {
          continue;
        }
        if (offset < 0
            || offset > copy.capacity() - k.bytes
            || symbol >= symbols.count()
            || symbol < 0) {
          throw new BadDataException(
              source.name(),
              at + i,
              "relocation of offset 0x"
                  + Long.toHexString(offset)
                  + " by symbol "
                  + Integer.toUnsignedString(symbol)
                  + ", but "
                  + section.name()
                  + " has 0x"
                  + Integer.toHexString(copy.capacity())
                  + " bytes and there are "
                  + symbols.count()
                  + " symbols");
        }
        int where = (int) offset;
        long addend = addends ? addend(b, i + 2 * word) : stored(copy, where, k);
        long value = value(symbols, symbol, k) + addend;
        store(copy, where, k, k.relative ? value - place - offset : value);
      }
    }
    return ByteSource.of(bytes.name(), MemorySegment.ofBuffer(copy));
  }

  private ElfSymtab symbols(SectionHeader table) {
    var found = Optional.<ElfSymtab>empty();
    if (sections.get(table.link()).type() == Elf.SHT_SYMTAB) {
      found = sections.file().symtab();
    }
    return found.orElseThrow(
        () ->
            new BadDataException(
                sections.label(table), 0, "section " + table.link() + " is no symbol table"));
  }

  private long value(ElfSymtab symbols, int symbol, Kind kind) {
    boolean threadLocal = kind == Kind.TLS64 || kind == Kind.TLS32;
    if (threadLocal || !symbols.hasSection(symbol)) {
      return symbols.value(symbol); // of an undefined symbol 0: its address is not known here
    }
    return symbols.value(symbol) + sections.address(sections.get(symbols.section(symbol)));
  }

  private long word(ByteBuffer b, int at) {
    return header.is64() ? b.getLong(at) : Integer.toUnsignedLong(b.getInt(at));
  }

  private long addend(ByteBuffer b, int at) {
    return header.is64() ? b.getLong(at) : b.getInt(at);
  }

  private static long stored(ByteBuffer b, int at, Kind kind) {
    return switch (kind.bytes) {
      case 8 -> b.getLong(at);
      case 4 -> b.getInt(at);
      case 2 -> b.getShort(at);
      default -> b.get(at);
    };
  }

  private static void store(ByteBuffer b, int at, Kind kind, long value) {
    switch (kind.bytes) {
      case 8 -> b.putLong(at, value);
      case 4 -> b.putInt(at, (int) value);
      case 2 -> b.putShort(at, (short) value);
      default -> b.put(at, (byte) value);
    }
  }

  private Optional<Kind> kind(int type) {
    return switch (header.machine()) {
      case Elf.EM_X86_64 -> x86_64(type);
      case Elf.EM_386 -> i386(type);
      case Elf.EM_AARCH64 -> aarch64(type);
      default -> Optional.empty();
    };
  }

  private static Optional<Kind> x86_64(int type) {
    return switch (type) {
      case 0 -> Optional.of(Kind.NONE);
      case 1 -> Optional.of(Kind.ABS64); // R_X86_64_64
      case 2, 4 -> Optional.of(Kind.REL32); // R_X86_64_PC32, R_X86_64_PLT32
      case 10, 11 -> Optional.of(Kind.ABS32); // R_X86_64_32, R_X86_64_32S
      case 12 -> Optional.of(Kind.ABS16); // R_X86_64_16
      case 13 -> Optional.of(Kind.REL16); // R_X86_64_PC16
      case 14 -> Optional.of(Kind.ABS8); // R_X86_64_8
      case 17 -> Optional.of(Kind.TLS64); // R_X86_64_DTPOFF64
      case 21 -> Optional.of(Kind.TLS32); // R_X86_64_DTPOFF32
      case 24 -> Optional.of(Kind.REL64); // R_X86_64_PC64
      default -> Optional.empty();
    };
  }

  private static Optional<Kind> i386(int type) {
    return switch (type) {
      case 0 -> Optional.of(Kind.NONE);
      case 1 -> Optional.of(Kind.ABS32); // R_386_32
      case 2, 4 -> Optional.of(Kind.REL32); // R_386_PC32, R_386_PLT32
      case 20 -> Optional.of(Kind.ABS16); // R_386_16
      case 21 -> Optional.of(Kind.REL16); // R_386_PC16
      case 22 -> Optional.of(Kind.ABS8); // R_386_8
      case 32 -> Optional.of(Kind.TLS32); // R_386_TLS_LDO_32
      default -> Optional.empty();
    };
  }

  private static Optional<Kind> aarch64(int type) {
    return switch (type) {
      case 0, 256 -> Optional.of(Kind.NONE);
      case 257 -> Optional.of(Kind.ABS64); // R_AARCH64_ABS64
      case 258 -> Optional.of(Kind.ABS32); // R_AARCH64_ABS32
      case 259 -> Optional.of(Kind.ABS16); // R_AARCH64_ABS16
      case 260 -> Optional.of(Kind.REL64); // R_AARCH64_PREL64
      case 261 -> Optional.of(Kind.REL32); // R_AARCH64_PREL32
      case 262 -> Optional.of(Kind.REL16); // R_AARCH64_PREL16
      case 1029 -> Optional.of(Kind.TLS64); // R_AARCH64_TLS_DTPREL64
      default -> Optional.empty();
    };
  }
}
