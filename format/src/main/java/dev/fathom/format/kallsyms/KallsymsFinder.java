// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.kallsyms;

import dev.fathom.base.ByteSource;
import dev.fathom.format.kallsyms.KallsymsPositions.Addresses;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Finds the tables in kernel memory when no symbol says where they are, by what they look like.
 *
 * <p>The anchor is in {@code kallsyms_token_table}: every digit occurs in kernel symbols, so the
 * tokens of the codes 0x30 to 0x39 are the digits themselves, and the bytes {@code 0 NUL 1 NUL ...
 * 9 NUL} stand in a row. {@code kallsyms_token_index} follows the table and must agree with all 256
 * strings, which makes a false hit practically impossible. The markers end where the token table
 * begins (in 6.2 and 6.3 {@code kallsyms_seqs_of_names} is in between), ascend, and begin with 0;
 * the names end where the markers begin, and every 256th name must start where a marker says;
 * {@code kallsyms_num_syms} stands before them. The addresses come before {@code num_syms} in
 * kernels up to 6.3, after {@code token_index} since 6.4; they ascend, which also tells their form.
 */
public final class KallsymsFinder {
  private static final ValueLayout.OfInt INT_LE =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfShort SHORT_LE =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG_LE =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /** "0 NUL 1 NUL 2 NUL 3 NUL" as a number. */
  private static final long DIGITS = 0x0033003200310030L;

  private static final int ANCHOR_LENGTH = 20;

  /** After so many token tables around which nothing is found, a search ends. */
  private static final int MAX_STRAY_TOKEN_TABLES = 64;

  /** The token whose string is the first digit. */
  private static final int FIRST_DIGIT = 0x30;

  private final ByteSource source;
  private final MemorySegment memory;
  private final long size;

  /** Token tables without the other tables, which only hostile memory has many of. */
  private int strayTokenTables;

  private KallsymsFinder(ByteSource source) {
    this.source = source;
    this.size = source.size();
    this.memory = source.slice(0, size);
  }

  /**
   * Where the digits of a token table stand at or after {@code from}, if anywhere: a fast test for
   * a search through much memory. A hit is a candidate for {@link #around}. A search by pieces lets
   * them overlap by {@link #OVERLAP} bytes.
   */
  public static OptionalLong nextDigits(MemorySegment memory, long from) {
    long end = memory.byteSize() - 8;
    for (long at = Math.max(from, 0) & -8L; at <= end; at += 8) {
      long word = memory.get(LONG_LE, at);
      // Any 8 bytes within the 20 are digits and NULs in turns, beginning with either.
      if ((word & 0xfff0fff0fff0fff0L) == 0x0030003000300030L
          || (word & 0xf0fff0fff0fff0ffL) == 0x3000300030003000L) {
        long first = Math.max(from, at - (ANCHOR_LENGTH - 8));
        for (long start = Math.max(first, 0); start <= at; start++) {
          if (isDigits(memory, start)) {
            return OptionalLong.of(start);
          }
        }
      }
    }
    return OptionalLong.empty();
  }

  /** By how much the pieces of a piecewise search must overlap, in bytes. */
  public static final int OVERLAP = 32;

  private static boolean isDigits(MemorySegment memory, long at) {
    return at >= 0
        && at + ANCHOR_LENGTH <= memory.byteSize()
        && memory.get(LONG_LE, at) == DIGITS
        && memory.get(LONG_LE, at + 8) == DIGITS + 0x0004000400040004L
        && memory.get(INT_LE, at + 16) == 0x00390038;
  }

  /**
   * Searches the whole of {@code memory}, kernel memory in its order of addresses without holes.
   *
   * @param address the virtual address of the first byte, where the caller knows it; symbols of 7.0
   *     and later are relative to it, for older kernels it does not matter
   */
  public static Optional<KallsymsPositions> find(ByteSource memory, long address) {
    var finder = new KallsymsFinder(memory);
    long from = 0;
    while (true) {
      var digits = nextDigits(finder.memory, from);
      if (digits.isEmpty() || finder.strayTokenTables > MAX_STRAY_TOKEN_TABLES) {
        return Optional.empty();
      }
      var found = finder.tablesAround(digits.getAsLong(), address);
      if (found.isPresent()) {
        return found;
      }
      from = digits.getAsLong() + 1;
    }
  }

  /**
   * The tables whose token table has its digits at {@code digits}, a result of {@link #nextDigits}.
   */
  public static Optional<KallsymsPositions> around(ByteSource memory, long digits, long address) {
    return new KallsymsFinder(memory).tablesAround(digits, address);
  }

  private record TokenTables(long table, long index) {}

  private record NameTables(long numSyms, long names, int count) {}

  private Optional<KallsymsPositions> tablesAround(long digits, long address) {
    if (!isDigits(memory, digits)) {
      return Optional.empty();
    }
    var tokens = tokenTables(digits);
    if (tokens.isEmpty()) {
      return Optional.empty();
    }
    long table = tokens.get().table();
    long index = tokens.get().index();
    var names = nameTables(table);
    var addresses =
        names.isEmpty() ? Optional.<Addresses>empty() : addresses(names.get(), index, address);
    if (addresses.isEmpty()) {
      strayTokenTables++;
      return Optional.empty();
    }
    var n = names.get();
    return Optional.of(
        new KallsymsPositions(n.numSyms(), n.names(), table, index, addresses.get()));
  }

  /** Finds both ends of the token table from its digits, and the index that agrees with it. */
  private Optional<TokenTables> tokenTables(long digits) {
    var starts = new long[257];
    starts[FIRST_DIGIT] = digits;
    long at = digits;
    for (int token = FIRST_DIGIT - 1; token > 0; token--) {
      at = stringBefore(at);
      if (at < 0) {
        return Optional.empty();
      }
      starts[token] = at;
    }
    at = digits;
    for (int token = FIRST_DIGIT; token < 256; token++) {
      starts[token] = at;
      at = stringAfter(at);
      if (at < 0) {
        return Optional.empty();
      }
    }
    for (long index = at; index < at + 8 && index + 512 <= size; index++) {
      if (agrees(index, starts)) {
        return Optional.of(new TokenTables(starts[1] - u16(index + 2), index));
      }
    }
    return Optional.empty();
  }

  private boolean agrees(long index, long[] starts) {
    int first = u16(index + 2);
    if (u16(index) != 0
        || first == 0
        || first > Kallsyms.MAX_NAME_LENGTH + 1
        || starts[1] - first < 0) {
      return false;
    }
    for (int token = 2; token < 256; token++) {
      if (u16(index + 2L * token) - first != starts[token] - starts[1]) {
        return false;
      }
    }
    return true;
  }

  /** Where the string begins whose NUL is right before {@code end}, or -1. */
  private long stringBefore(long end) {
    long at = end - 1;
    if (at < 0 || u8(at) != 0) {
      return -1;
    }
    long limit = Math.max(0, at - Kallsyms.MAX_NAME_LENGTH);
    while (at > limit && u8(at - 1) != 0) {
      at--;
    }
    return at > limit ? at : -1;
  }

  /** Where the string after the one at {@code start} begins, or -1. */
  private long stringAfter(long start) {
    long limit = Math.min(size, start + Kallsyms.MAX_NAME_LENGTH + 1);
    for (long at = start; at < limit; at++) {
      if (u8(at) == 0) {
        return at + 1;
      }
    }
    return -1;
  }

  private Optional<NameTables> nameTables(long tokenTable) {
    for (int width = 4; width <= 8; width += 4) {
      for (long end = tokenTable; end >= tokenTable - 4; end -= 4) {
        var found = namesBefore(end, width, 0);
        if (found.isPresent()) {
          return found;
        }
      }
    }
    // 6.2 and 6.3: three bytes for each symbol lie in between, padded to 8.
    for (long end = tokenTable - 8;
        end >= 8 && tokenTable - end <= 3L * Kallsyms.MAX_COUNT;
        end -= 8) {
      int last = (int) ((tokenTable - end) / 3);
      for (int padding = 0; padding <= 4; padding += 4) {
        var found = namesBefore(end - padding, 4, last);
        if (found.isPresent()) {
          return found;
        }
      }
    }
    return Optional.empty();
  }

  /**
   * The names whose markers, each {@code width} bytes, end at {@code end}.
   *
   * @param sequences 0, or the number of names that {@code kallsyms_seqs_of_names} has room for; up
   *     to 2 fewer use it
   */
  private Optional<NameTables> namesBefore(long end, int width, int sequences) {
    long start = end;
    long previous = Long.MAX_VALUE;
    int count = 0;
    do {
      start -= width;
      if (start < 0) {
        return Optional.empty();
      }
      long marker = width == 4 ? Integer.toUnsignedLong(u32(start)) : memory.get(LONG_LE, start);
      // 256 names take at least 512 bytes.
      boolean ascends =
          marker >= 0
              && (previous == Long.MAX_VALUE
                  ? marker <= Integer.MAX_VALUE
                  : marker <= previous - 512);
      if (!ascends) {
        return Optional.empty();
      }
      previous = marker;
      count++;
    } while (previous != 0);
    if (sequences != 0 && (markersFor(sequences) < count || markersFor(sequences - 2) > count)) {
      return Optional.empty();
    }
    long last =
        count == 1
            ? 0
            : width == 4 ? Integer.toUnsignedLong(u32(end - 4)) : memory.get(LONG_LE, end - 8);
    long highest = start - last - 2;
    long lowest = Math.max(4, start - last - 256L * (Kallsyms.MAX_NAME_LENGTH + 2) - 8);
    for (long names = highest - Math.floorMod(highest - start, 4); names >= lowest; names -= 4) {
      for (long numSyms = names - 4; numSyms >= 0 && numSyms >= names - 8; numSyms -= 4) {
        int symbols = u32(numSyms);
        boolean fits = symbols > 0 && symbols <= Kallsyms.MAX_COUNT && markersFor(symbols) == count;
        if (fits
            && (sequences == 0 || (symbols <= sequences && symbols >= sequences - 2))
            && namesAgree(names, symbols, start, width)) {
          return Optional.of(new NameTables(numSyms, names, symbols));
        }
      }
    }
    return Optional.empty();
  }

  /** How many markers that many names have. */
  private static int markersFor(int symbols) {
    return (symbols + 255) >> 8;
  }

  /**
   * Whether {@code count} names from {@code names} on meet every marker and end right before the
   * markers.
   */
  private boolean namesAgree(long names, int count, long markers, int width) {
    long at = names;
    for (int i = 0; i < count; i++) {
      if ((i & 0xff) == 0) {
        long slot = markers + (long) (i >> 8) * width;
        long marker = width == 4 ? Integer.toUnsignedLong(u32(slot)) : memory.get(LONG_LE, slot);
        if (marker != at - names) {
          return false;
        }
      }
      if (at >= markers) {
        return false;
      }
      int length = u8(at++);
      if (length >= 0x80) {
        length = (length & 0x7f) | (u8(at++) << 7);
      }
      if (length == 0 || length > Kallsyms.MAX_NAME_LENGTH) {
        return false;
      }
      at += length;
    }
    return at <= markers && markers - at < 8;
  }

  private Optional<Addresses> addresses(NameTables names, long tokenIndex, long address) {
    int count = names.count();
    long offsetsLength = (4L * count + 7) & -8L;
    // Since 6.4: offsets, then relative_base; until 6.10 perhaps addresses instead.
    long after = tokenIndex + 512;
    if (ascending(after, after + offsetsLength, count)) {
      return Optional.of(new Addresses.BaseRelative(after, after + offsetsLength));
    }
    if (ascendingAbsolute(after, count)) {
      return Optional.of(new Addresses.Absolute(after));
    }
    // Until 6.3: offsets, relative_base, num_syms; or addresses, num_syms.
    long base = names.numSyms() - 8;
    if (ascending(base - offsetsLength, base, count)) {
      return Optional.of(new Addresses.BaseRelative(base - offsetsLength, base));
    }
    long absolute = names.numSyms() - 8L * count;
    if (ascendingAbsolute(absolute, count)) {
      return Optional.of(new Addresses.Absolute(absolute));
    }
    // Since 7.0: offsets only. Tested last: it asks the least.
    if (inside(after, 4L * count)
        && ascends(Kallsyms.placeRelative(Kallsyms.offsets(source, after, count), 1L << 62))) {
      return Optional.of(new Addresses.PlaceRelative(after, address + after));
    }
    return Optional.empty();
  }

  private boolean ascending(long offsets, long base, int count) {
    return inside(offsets, 4L * count)
        && inside(base, 8)
        && isKernelAddress(memory.get(LONG_LE, base))
        && ascends(
            Kallsyms.relative(Kallsyms.offsets(source, offsets, count), memory.get(LONG_LE, base)));
  }

  private boolean ascendingAbsolute(long at, int count) {
    if (!inside(at, 8L * count)) {
      return false;
    }
    long[] addresses = Kallsyms.absolute(source, at, count);
    return isKernelAddress(addresses[count - 1]) && ascends(addresses);
  }

  /**
   * Linux maps its image in the upper half of the address space on every 64-bit CPU that it knows.
   */
  private static boolean isKernelAddress(long address) {
    return address < 0 && address != -1;
  }

  /** Whether the addresses ascend; one in a hundred may not, as live kernels patch themselves. */
  private static boolean ascends(long[] addresses) {
    int against = 0;
    for (int i = 1; i < addresses.length; i++) {
      if (Long.compareUnsigned(addresses[i], addresses[i - 1]) < 0) {
        against++;
      }
    }
    return against <= addresses.length / 100
        && (addresses.length < 2 || addresses[0] != addresses[addresses.length - 1]);
  }

  private boolean inside(long at, long length) {
    return at >= 0 && length <= size && at <= size - length;
  }

  private int u8(long at) {
    return memory.get(ValueLayout.JAVA_BYTE, at) & 0xff;
  }

  private int u16(long at) {
    return memory.get(SHORT_LE, at) & 0xffff;
  }

  private int u32(long at) {
    return memory.get(INT_LE, at);
  }
}
