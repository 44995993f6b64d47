// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.kallsyms;

import dev.fathom.base.BadDataException;
import dev.fathom.base.ByteSource;
import java.nio.ByteOrder;
import java.nio.IntBuffer;
import java.nio.LongBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/**
 * The decoded table, in its own order, which is ascending by address (scripts/kallsyms.c writes it,
 * kernel/kallsyms.c reads it).
 *
 * <pre>
 *   num_syms      u32 (before 4.20: u64)
 *   names         num_syms x { length, length x token }
 *                 length: one byte; since 6.1 with bit 7 set its low 7 bits, and the next byte is bits 7 to 14
 *   markers       for every 256th name its offset in names: u32 (before 4.20: u64); not needed here
 *   token_table   256 strings, each ended by a NUL; token_index  256 x u16, the offset of each
 *   offsets       num_syms x s32, with relative_base u64; the address is
 *                   base + (u32) offset                             without ABSOLUTE_PERCPU
 *                   offset >= 0 ? offset : base - 1 - offset         with ABSOLUTE_PERCPU (x86-64 with SMP, before 6.15)
 *                   place of the offset + offset                     since 7.0, which has no relative_base
 *   or addresses  num_syms x u64                                     without BASE_RELATIVE (before 6.11)
 *   seqs_of_names num_syms x 3 bytes, big-endian, sorting by name (since 6.2); not needed here
 * </pre>
 *
 * The first character of an expanded name is the symbol's type letter, as {@code nm} prints it.
 * Everything is checked when the table is opened; names are expanded on access. Instances are
 * immutable.
 */
public final class Kallsyms {
  /** More symbols than the 3 bytes of a {@code kallsyms_seqs_of_names} entry can number. */
  static final int MAX_COUNT = 1 << 24;

  /** The longest compressed name and token: KSYM_NAME_LEN since 6.1. */
  static final int MAX_NAME_LENGTH = 512;

  private final String source;
  private final int count;
  private final byte[] names;
  private final int[] nameAt;
  private final byte[] tokens;
  private final int[] tokenAt;
  private final int[] tokenLength;
  private final long[] addresses;

  private Kallsyms(
      String source,
      byte[] names,
      int[] nameAt,
      byte[] tokens,
      int[] tokenIndex,
      long[] addresses) {
    this.source = source;
    this.count = nameAt.length;
    this.names = names;
    this.nameAt = nameAt;
    this.tokens = tokens;
    this.tokenAt = tokenIndex;
    this.addresses = addresses;
    this.tokenLength = new int[256];
    for (int i = 0; i < 256; i++) {
      int end = tokenAt[i];
      while (tokens[end] != 0) {
        end++;
      }
      tokenLength[i] = end - tokenAt[i];
    }
  }

  /**
   * Reads the tables at {@code positions} of {@code memory}; little-endian, 64 bits.
   *
   * @throws BadDataException when the tables contradict each other or leave the source
   */
  public static Kallsyms read(ByteSource memory, KallsymsPositions positions) {
    return read(memory, positions, Optional.empty());
  }

  /**
   * As {@link #read(ByteSource, KallsymsPositions)}, with the {@link #nameOffsets} that an earlier
   * reading of the same bytes found. The caller answers for that: offsets that lead outside the
   * table are found anew.
   */
  public static Kallsyms read(ByteSource memory, KallsymsPositions positions, int[] nameOffsets) {
    return read(memory, positions, Optional.of(nameOffsets));
  }

  private static Kallsyms read(
      ByteSource memory, KallsymsPositions positions, Optional<int[]> known) {
    int count = count(memory, positions.numSyms());
    int[] tokenIndex = tokenIndex(memory, positions.tokenIndex());
    byte[] tokens = tokens(memory, positions.tokenTable(), tokenIndex);
    long namesLength = positions.tokenTable() - positions.names();
    if (namesLength <= 0 || namesLength > Integer.MAX_VALUE - 8 || namesLength < 2L * count) {
      throw new BadDataException(
          memory.name(),
          positions.names(),
          "kallsyms_names has "
              + namesLength
              + " bytes before the token table, too few or too many for "
              + count
              + " symbols");
    }
    byte[] names = memory.bytes(positions.names(), (int) namesLength);
    int[] nameAt =
        known.isPresent() && fits(known.get(), count, names.length)
            ? known.get()
            : indexNames(memory, positions.names(), names, count);
    long[] addresses = positions.addresses().read(memory, count);
    return new Kallsyms(memory.name(), names, nameAt, tokens, tokenIndex, addresses);
  }

  private static int count(ByteSource memory, long at) {
    int count = ints(memory, at, 4).get();
    if (count <= 0 || count > MAX_COUNT) {
      throw new BadDataException(
          memory.name(),
          at,
          "kallsyms_num_syms is "
              + Integer.toUnsignedString(count)
              + ", expected 1 to "
              + MAX_COUNT);
    }
    return count;
  }

  static int[] tokenIndex(ByteSource memory, long at) {
    byte[] raw = memory.bytes(at, 512);
    var index = new int[256];
    for (int i = 0; i < 256; i++) {
      index[i] = (raw[2 * i] & 0xff) | (raw[2 * i + 1] & 0xff) << 8;
    }
    return index;
  }

  /** The token table up to the end of its last string; checks that every token ends in it. */
  private static byte[] tokens(ByteSource memory, long at, int[] index) {
    int last = 0;
    for (int i : index) {
      last = Math.max(last, i);
    }
    long available = Math.max(0, memory.size() - at);
    byte[] raw = memory.bytes(at, (int) Math.min(available, last + MAX_NAME_LENGTH + 1L));
    for (int i = 0; i < 256; i++) {
      int limit = Math.min(raw.length, index[i] + MAX_NAME_LENGTH + 1);
      int end = index[i];
      while (end < limit && raw[end] != 0) {
        end++;
      }
      if (end >= limit) {
        throw new BadDataException(
            memory.name(),
            at + index[i],
            "kallsyms_token_table: token "
                + i
                + " does not end within "
                + MAX_NAME_LENGTH
                + " bytes");
      }
    }
    return raw;
  }

  private static boolean fits(int[] nameOffsets, int count, int length) {
    if (nameOffsets.length != count || nameOffsets[0] != 0) {
      return false;
    }
    for (int from = 1; from < count; from += PIECE) {
      if (!ascends(nameOffsets, from, Math.min(count, from + PIECE))) {
        return false;
      }
    }
    return nameOffsets[count - 1] < length;
  }

  private static boolean ascends(int[] numbers, int from, int to) {
    boolean ascends = true;
    for (int i = from; i < to; i++) {
      ascends &= numbers[i - 1] < numbers[i];
    }
    return ascends;
  }

  /** Where each name's length stands in {@code names}, which begins at {@code start} of memory. */
  private static int[] indexNames(ByteSource memory, long start, byte[] names, int count) {
    int[] nameAt = new int[count];
    int at = 0;
    for (int i = 0; i < count; i++) {
      nameAt[i] = at;
      at = next(names, at);
      if (at < 0) {
        throw new BadDataException(
            memory.name(),
            start + nameAt[i],
            "kallsyms_names: the length of symbol "
                + i
                + " of "
                + count
                + " leads past the table or above "
                + MAX_NAME_LENGTH);
      }
    }
    return nameAt;
  }

  /**
   * Where the name after the one at {@code at} begins, or -1 if the one at {@code at} is broken.
   */
  static int next(byte[] names, int at) {
    if (at >= names.length) {
      return -1;
    }
    int length = names[at];
    int start = at + 1;
    if (length < 0) {
      if (start >= names.length) {
        return -1;
      }
      length = (length & 0x7f) | (names[start++] & 0xff) << 7;
    }
    if (length == 0 || length > MAX_NAME_LENGTH || length > names.length - start) {
      return -1;
    }
    return start + length;
  }

  static long u64(ByteSource memory, long at) {
    return longs(memory, at, 8).get();
  }

  static int[] offsets(ByteSource memory, long at, int count) {
    var offsets = new int[count];
    ints(memory, at, 4L * count).get(offsets);
    return offsets;
  }

  static long[] absolute(ByteSource memory, long at, int count) {
    var addresses = new long[count];
    longs(memory, at, 8L * count).get(addresses);
    return addresses;
  }

  private static IntBuffer ints(ByteSource memory, long at, long length) {
    return memory.slice(at, length).asByteBuffer().order(ByteOrder.LITTLE_ENDIAN).asIntBuffer();
  }

  private static LongBuffer longs(ByteSource memory, long at, long length) {
    return memory.slice(at, length).asByteBuffer().order(ByteOrder.LITTLE_ENDIAN).asLongBuffer();
  }

  /**
   * Chooses between the two meanings of an offset by evidence: without ABSOLUTE_PERCPU no offset
   * reaches 2 GiB, and with it only those of the per-CPU symbols, which come first, are not
   * negative.
   */
  static long[] relative(int[] offsets, long base) {
    int count = offsets.length;
    int negative =
        (offsets[count - 1] >>> 31)
            + (offsets[count / 2] >>> 31)
            + (offsets[count - 1 - count / 4] >>> 31);
    var addresses = new long[count];
    for (int from = 0; from < count; from += PIECE) {
      relative(offsets, base, negative >= 2, addresses, from, Math.min(count, from + PIECE));
    }
    return addresses;
  }

  /**
   * Loops over all symbols go by pieces: a method that is called often is compiled sooner than a
   * loop that runs long.
   */
  private static final int PIECE = 64;

  private static void relative(
      int[] offsets, long base, boolean perCpu, long[] addresses, int from, int to) {
    for (int i = from; i < to; i++) {
      int offset = offsets[i];
      if (perCpu) {
        addresses[i] = offset >= 0 ? offset : base - 1 - offset;
      } else {
        addresses[i] = base + (offset & 0xffffffffL);
      }
    }
  }

  static long[] placeRelative(int[] offsets, long address) {
    var addresses = new long[offsets.length];
    for (int i = 0; i < offsets.length; i++) {
      addresses[i] = address + 4L * i + offsets[i];
    }
    return addresses;
  }

  /** The name of the source that the tables were read from. */
  public String source() {
    return source;
  }

  public int count() {
    return count;
  }

  /**
   * The run-time address of a symbol; per-CPU symbols of x86-64 kernels before 6.15 are offsets
   * from 0.
   */
  public long address(int symbol) {
    return addresses[symbol];
  }

  /**
   * Where each name begins in {@code kallsyms_names}, in bytes: what opening the table took longest
   * to find; a copy.
   */
  public int[] nameOffsets() {
    return nameAt.clone();
  }

  /**
   * Whether the symbols are in ascending order of their addresses, as the kernel's build leaves
   * them.
   */
  public boolean isSorted() {
    for (int from = 1; from < count; from += PIECE) {
      if (!ascends(addresses, from, Math.min(count, from + PIECE))) {
        return false;
      }
    }
    return true;
  }

  private static boolean ascends(long[] addresses, int from, int to) {
    boolean ascends = true;
    for (int i = from; i < to; i++) {
      ascends &= addresses[i - 1] + Long.MIN_VALUE <= addresses[i] + Long.MIN_VALUE; // unsigned
    }
    return ascends;
  }

  /**
   * The type letter, as {@code nm} and {@code /proc/kallsyms} print it: capital for global symbols.
   */
  public char type(int symbol) {
    int at = nameAt[symbol];
    int end = next(names, at);
    for (int i = start(at); i < end; i++) {
      int token = names[i] & 0xff;
      if (tokenLength[token] > 0) {
        return (char) (tokens[tokenAt[token]] & 0xff);
      }
    }
    return '?';
  }

  /** The symbol's name, without the type letter. */
  public String name(int symbol) {
    int length = nameLength(symbol) + 1;
    if (length == 0) {
      return "";
    }
    int at = nameAt[symbol];
    int end = next(names, at);
    var name = new byte[length];
    int filled = 0;
    for (int i = start(at); i < end; i++) {
      int token = names[i] & 0xff;
      System.arraycopy(tokens, tokenAt[token], name, filled, tokenLength[token]);
      filled += tokenLength[token];
    }
    return new String(name, 1, length - 1, StandardCharsets.UTF_8);
  }

  /** Whether the symbol's name consists of exactly these bytes. */
  public boolean nameEquals(int symbol, byte[] name) {
    return matched(symbol, name) == name.length && nameLength(symbol) == name.length;
  }

  /** Whether the symbol's name begins with these bytes. */
  public boolean nameStartsWith(int symbol, byte[] prefix) {
    return matched(symbol, prefix) == prefix.length;
  }

  /** How many bytes of {@code text} the symbol's name begins with. */
  private int matched(int symbol, byte[] text) {
    int at = nameAt[symbol];
    int end = next(names, at);
    int matched = -1; // the type letter comes first
    for (int i = start(at); i < end; i++) {
      int token = names[i] & 0xff;
      int from = tokenAt[token];
      int length = tokenLength[token];
      for (int k = 0; k < length; k++, matched++) {
        if (matched >= 0 && (matched >= text.length || text[matched] != tokens[from + k])) {
          return matched;
        }
      }
    }
    return matched;
  }

  private int nameLength(int symbol) {
    int at = nameAt[symbol];
    int end = next(names, at);
    int length = -1; // the type letter
    for (int i = start(at); i < end; i++) {
      length += tokenLength[names[i] & 0xff];
    }
    return length;
  }

  /**
   * The hash of every name, as {@link #hash} computes it. A name's hash follows from its tokens'
   * hashes, so no name is expanded.
   */
  public int[] nameHashes() {
    var hash = new int[256];
    var power = new int[256];
    var firstHash = new int[256];
    for (int token = 0; token < 256; token++) {
      power[token] = 1;
      for (int k = 0; k < tokenLength[token]; k++) {
        int b = tokens[tokenAt[token] + k];
        hash[token] = 31 * hash[token] + b;
        power[token] *= 31;
        if (k > 0) {
          firstHash[token] = 31 * firstHash[token] + b;
        }
      }
    }
    var hashes = new int[count];
    for (int symbol = 0; symbol < count; symbol++) {
      hashes[symbol] = nameHash(symbol, hash, power, firstHash);
    }
    return hashes;
  }

  private int nameHash(int symbol, int[] hash, int[] power, int[] firstHash) {
    int at = nameAt[symbol];
    int end = next(names, at);
    int i = start(at);
    while (i < end && tokenLength[names[i] & 0xff] == 0) {
      i++;
    }
    if (i == end) {
      return 0;
    }
    int h = firstHash[names[i++] & 0xff];
    for (; i < end; i++) {
      int token = names[i] & 0xff;
      h = h * power[token] + hash[token];
    }
    return h;
  }

  /**
   * The polynomial hash to the base of 31 over signed bytes; for ASCII the same as {@link
   * String#hashCode}.
   */
  public static int hash(byte[] name) {
    int h = 0;
    for (byte b : name) {
      h = 31 * h + b;
    }
    return h;
  }

  private int start(int at) {
    return names[at] < 0 ? at + 2 : at + 1;
  }
}
