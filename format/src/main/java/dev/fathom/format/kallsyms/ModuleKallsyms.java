// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.kallsyms;

import dev.fathom.base.BadDataException;
import dev.fathom.base.ByteSource;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.LongBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;

/**
 * A module's symbols as the kernel keeps them ({@code struct mod_kallsyms} in
 * include/linux/module.h, before 4.5 in {@code struct module} itself): an ELF symbol table with
 * relocated values, its strings, and since 5.2 the type letters.
 *
 * <pre>
 *   symtab   n x Elf64_Sym { u32 st_name, u8 st_info, u8 st_other, u16 st_shndx, u64 st_value, u64 st_size }
 *   strtab   NUL-terminated names
 *   typetab  n x type letter (since 5.2; before, the letter is in st_info)
 * </pre>
 *
 * Entries without a name or a section are left out, as {@code /proc/kallsyms} does. Everything is
 * checked when the table is opened, names are made on access.
 */
public final class ModuleKallsyms {
  private static final int ENTRY_LENGTH = 24;

  /** The largest modules have some 40,000 symbols. */
  private static final int MAX_COUNT = 1 << 17;

  private static final int SHN_UNDEF = 0;

  private final byte[] strings;
  private final int[] nameAt;
  private final long[] addresses;
  private final long[] sizes;
  private final byte[] letters;

  private ModuleKallsyms(
      byte[] strings, int[] nameAt, long[] addresses, long[] sizes, byte[] letters) {
    this.strings = strings;
    this.nameAt = nameAt;
    this.addresses = addresses;
    this.sizes = sizes;
    this.letters = letters;
  }

  /**
   * Reads a table.
   *
   * @param symtab {@code num_symtab} entries
   * @param strtab the strings, as far as they go
   * @param typetab one letter for each entry; empty for kernels before 5.2
   * @throws BadDataException when the tables contradict each other
   */
  public static ModuleKallsyms read(
      ByteSource symtab, ByteSource strtab, Optional<ByteSource> typetab) {
    long count = symtab.size() / ENTRY_LENGTH;
    if (count > MAX_COUNT || strtab.size() > Integer.MAX_VALUE - 8) {
      throw new BadDataException(
          symtab.name(),
          0,
          "module symbol table has " + count + " symbols and " + strtab.size() + " bytes of names");
    }
    if (typetab.isPresent() && typetab.get().size() < count) {
      throw new BadDataException(
          typetab.get().name(),
          0,
          "module symbol table has "
              + count
              + " symbols, but "
              + typetab.get().size()
              + " type letters");
    }
    int n = (int) count;
    byte[] strings = strtab.bytes(0, (int) strtab.size());
    byte[] raw = symtab.bytes(0, ENTRY_LENGTH * n);
    LongBuffer words = ByteBuffer.wrap(raw).order(ByteOrder.LITTLE_ENDIAN).asLongBuffer();
    byte[] types = typetab.isPresent() ? typetab.get().bytes(0, n) : new byte[0];
    var nameAt = new int[n];
    var addresses = new long[n];
    var sizes = new long[n];
    var letters = new byte[n];
    int used = 0;
    for (int i = 0; i < n; i++) {
      long head = words.get(3 * i);
      int name = (int) head;
      int section = (int) (head >>> 48);
      if (section == SHN_UNDEF || !isNamed(strings, name)) {
        continue;
      }
      nameAt[used] = name;
      addresses[used] = words.get(3 * i + 1);
      sizes[used] = words.get(3 * i + 2);
      letters[used++] = types.length > 0 ? types[i] : (byte) (head >>> 32);
    }
    return new ModuleKallsyms(
        strings,
        Arrays.copyOf(nameAt, used),
        Arrays.copyOf(addresses, used),
        Arrays.copyOf(sizes, used),
        Arrays.copyOf(letters, used));
  }

  private static boolean isNamed(byte[] strings, int at) {
    if (at <= 0 || at >= strings.length || strings[at] == 0) {
      return false;
    }
    int limit = Math.min(strings.length, at + Kallsyms.MAX_NAME_LENGTH + 1);
    for (int i = at; i < limit; i++) {
      if (strings[i] == 0) {
        return true;
      }
    }
    return false;
  }

  public int count() {
    return nameAt.length;
  }

  public String name(int symbol) {
    int start = nameAt[symbol];
    int end = start;
    while (strings[end] != 0) {
      end++;
    }
    return new String(strings, start, end - start, StandardCharsets.UTF_8);
  }

  /**
   * Whether the symbol is a mark of the assembler or linker ({@code .LC0}, {@code $x}), which the
   * kernel does not use to name addresses.
   */
  public boolean isMark(int symbol) {
    int at = nameAt[symbol];
    return strings[at] == '$' || (strings[at] == '.' && strings[at + 1] == 'L');
  }

  /** The run-time address. */
  public long address(int symbol) {
    return addresses[symbol];
  }

  /** The size in bytes; 0 when it was not recorded. */
  public long size(int symbol) {
    return sizes[symbol];
  }

  /**
   * The type letter as in {@code /proc/kallsyms}, but for the case, which there says whether the
   * symbol is exported.
   */
  public char type(int symbol) {
    return (char) (letters[symbol] & 0xff);
  }
}
