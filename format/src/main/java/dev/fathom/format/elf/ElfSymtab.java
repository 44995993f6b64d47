// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.elf;

import dev.fathom.base.BadDataException;
import dev.fathom.base.ByteSource;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/**
 * A symbol table (System V ABI, chapter 4, "Symbol Table"): {@code Elf64_Sym { u32 st_name; u8
 * st_info, st_other; u16 st_shndx; u64 st_value, st_size }} or {@code Elf32_Sym { u32 st_name,
 * st_value, st_size; u8 st_info, st_other; u16 st_shndx }}, symbol 0 being empty.
 *
 * <p>The numbers are decoded when the table is read, names when they are asked for. Immutable.
 */
public final class ElfSymtab {
  private static final int SYM64 = 24;
  private static final int SYM32 = 16;
  private static final int MAX_SYMBOLS = 1 << 25;

  /** What of a longer name is seen; C++ has names of thousands. */
  private static final int MAX_NAME = 1 << 16;

  /** How much of a name its hash covers. */
  private static final int HASHED = 512;

  private static final int CHUNK = 1 << 20;

  private final String source;
  private final ByteBuffer strings;
  private final int count;
  private final int[] names;
  private final long[] values;
  private final long[] sizes;
  private final byte[] infos;
  private final byte[] others;
  private final int[] sections;

  private ElfSymtab(String source, ByteBuffer strings, int count) {
    this.source = source;
    this.strings = strings;
    this.count = count;
    names = new int[count];
    values = new long[count];
    sizes = new long[count];
    infos = new byte[count];
    others = new byte[count];
    sections = new int[count];
  }

  /**
   * Decodes a table.
   *
   * @param entsize bytes of an entry, at least the format's
   * @param strings the names
   * @param indexes the section numbers of symbols with {@link Elf#SHN_XINDEX}
   * @throws BadDataException when entries are too small, too many, or names take more than 2 GiB
   */
  static ElfSymtab read(
      ElfHeader header,
      ByteSource table,
      long entsize,
      ByteSource strings,
      Optional<ByteSource> indexes) {
    int least = header.is64() ? SYM64 : SYM32;
    if (entsize < least || entsize > CHUNK) {
      throw new BadDataException(
          table.name(), 0, "sh_entsize is " + entsize + ", expected " + least);
    }
    long count = table.size() / entsize;
    if (count > MAX_SYMBOLS) {
      throw new BadDataException(
          table.name(), 0, count + " symbols, expected at most " + MAX_SYMBOLS);
    }
    if (strings.size() > Integer.MAX_VALUE) {
      throw new BadDataException(
          strings.name(), 0, "names of " + strings.size() + " bytes, expected less than 2 GiB");
    }
    var symbols =
        new ElfSymtab(table.name(), strings.slice(0, strings.size()).asByteBuffer(), (int) count);
    int entry = (int) entsize;
    int perChunk = CHUNK / entry;
    for (int done = 0; done < count; ) {
      int now = (int) Math.min(perChunk, count - done);
      var b = ByteBuffer.wrap(table.bytes((long) done * entry, now * entry)).order(header.order());
      for (int i = 0; i < now; i++) {
        if (header.is64()) {
          symbols.decode64(b, i * entry, done + i);
        } else {
          symbols.decode32(b, i * entry, done + i);
        }
      }
      done += now;
    }
    if (indexes.isPresent()) {
      symbols.resolve(indexes.get(), header.order());
    }
    return symbols;
  }

  private void decode64(ByteBuffer b, int at, int i) {
    names[i] = b.getInt(at);
    infos[i] = b.get(at + 4);
    others[i] = b.get(at + 5);
    sections[i] = b.getShort(at + 6) & 0xffff;
    values[i] = b.getLong(at + 8);
    sizes[i] = b.getLong(at + 16);
  }

  private void decode32(ByteBuffer b, int at, int i) {
    names[i] = b.getInt(at);
    values[i] = Integer.toUnsignedLong(b.getInt(at + 4));
    sizes[i] = Integer.toUnsignedLong(b.getInt(at + 8));
    infos[i] = b.get(at + 12);
    others[i] = b.get(at + 13);
    sections[i] = b.getShort(at + 14) & 0xffff;
  }

  /** Numbers above the reserved ones are real ones from here on; reserved ones become negative. */
  private void resolve(ByteSource indexes, ByteOrder order) {
    long there = indexes.size() / 4;
    for (int i = 0; i < count && i < there; i++) {
      if (sections[i] == Elf.SHN_XINDEX) {
        int real = ByteBuffer.wrap(indexes.bytes(4L * i, 4)).order(order).getInt(0);
        sections[i] = real < Elf.SHN_LORESERVE ? real : real | EXTENDED;
      }
    }
  }

  /** Marks a section number that is real although it looks reserved. */
  private static final int EXTENDED = 1 << 31;

  /** How many symbols there are, the empty one at 0 included. */
  public int count() {
    return count;
  }

  /**
   * {@code st_value}: a virtual address as the file numbers them, in relocatable files the offset
   * in the symbol's section, of thread-local variables the offset in their block.
   */
  public long value(int symbol) {
    return values[symbol];
  }

  /** {@code st_size} in bytes; 0 for none or an unknown one. */
  public long size(int symbol) {
    return sizes[symbol];
  }

  /** {@code STT_…}. */
  public int type(int symbol) {
    return infos[symbol] & 0xf;
  }

  /** {@code STB_…}. */
  public int binding(int symbol) {
    return (infos[symbol] & 0xff) >>> 4;
  }

  /** {@code STV_…}. */
  public int visibility(int symbol) {
    return others[symbol] & 3;
  }

  /** Whether the symbol is defined in this file. */
  public boolean isDefined(int symbol) {
    return sections[symbol] != Elf.SHN_UNDEF;
  }

  /** Whether the value is an absolute one that moves with nothing ({@code SHN_ABS}). */
  public boolean isAbsolute(int symbol) {
    return sections[symbol] == Elf.SHN_ABS;
  }

  /** Whether the symbol belongs to a section, rather than being undefined, absolute or common. */
  public boolean hasSection(int symbol) {
    int section = sections[symbol];
    return section != Elf.SHN_UNDEF && (section < Elf.SHN_LORESERVE || section < 0);
  }

  /** The number of the symbol's section; only with {@link #hasSection}. */
  public int section(int symbol) {
    return sections[symbol] & ~EXTENDED;
  }

  /** The section's number as it is written, reserved ones included, as readelf's Ndx column. */
  int shndx(int symbol) {
    return sections[symbol];
  }

  /**
   * The name, without the version that linkers write behind it for the default one ({@code
   * pthread_create@@GLIBC_2.34}, in {@code .symtab} alone); of one longer than 64 KiB its start.
   *
   * @throws BadDataException when it stands outside the names
   */
  public String name(int symbol) {
    int at = nameAt(symbol);
    int end = nameEnd(at, MAX_NAME);
    var bytes = new byte[end - at];
    strings.get(at, bytes);
    return new String(bytes, StandardCharsets.UTF_8);
  }

  private int nameEnd(int at, int most) {
    int limit = (int) Math.min(strings.limit(), (long) at + most);
    int end = at;
    while (end < limit && !isEnd(end, at)) {
      end++;
    }
    return end;
  }

  /** Whether the name that begins at {@code start} ends before that place. */
  private boolean isEnd(int place, int start) {
    byte b = strings.get(place);
    return b == 0
        || (b == '@'
            && place > start
            && place + 1 < strings.limit()
            && strings.get(place + 1) == '@');
  }

  private int nameAt(int symbol) {
    int at = names[symbol];
    if (at < 0 || at >= strings.limit()) {
      throw new BadDataException(
          source,
          symbol,
          "symbol "
              + symbol
              + " has its name at 0x"
              + Integer.toHexString(at)
              + ", but the names end at 0x"
              + Integer.toHexString(strings.limit()));
    }
    return at;
  }

  /** Whether the symbol has that name; false also for one whose name cannot be read. */
  public boolean nameEquals(int symbol, byte[] name) {
    int at = names[symbol];
    if (at < 0 || at > strings.limit() - name.length) {
      return false;
    }
    for (int i = 0; i < name.length; i++) {
      if (strings.get(at + i) != name[i]) {
        return false;
      }
    }
    return at + name.length == strings.limit() || isEnd(at + name.length, at);
  }

  /** Whether the symbol's name starts so; false also for one whose name cannot be read. */
  public boolean nameStartsWith(int symbol, byte[] prefix) {
    int at = names[symbol];
    if (at < 0 || at > strings.limit() - prefix.length) {
      return false;
    }
    for (int i = 0; i < prefix.length; i++) {
      if (strings.get(at + i) != prefix[i]) {
        return false;
      }
    }
    return true;
  }

  /** Whether the symbol has a name, and one inside the names. */
  public boolean isNamed(int symbol) {
    int at = names[symbol];
    return at > 0 && at < strings.limit() && strings.get(at) != 0;
  }

  /** A hash of the symbol's name, as {@link #hash(byte[])} of its bytes; 0 without a name. */
  public int nameHash(int symbol) {
    if (!isNamed(symbol)) {
      return 0;
    }
    int hash = 0;
    int at = names[symbol];
    int end = nameEnd(at, HASHED);
    for (int i = at; i < end; i++) {
      hash = hash * 31 + strings.get(i);
    }
    return hash;
  }

  /** The hash of a name; long ones are hashed by their start. */
  public static int hash(byte[] name) {
    int hash = 0;
    for (int i = 0; i < name.length && i < HASHED; i++) {
      hash = hash * 31 + name[i];
    }
    return hash;
  }
}
