// SPDX-License-Identifier: Apache-2.0
package dev.fathom.testkit;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/**
 * Writes kallsyms tables in every layout since 4.6, compressed as the kernel's build does it: the
 * most frequent pair of codes in all names becomes a new code, until all 256 are used.
 */
public final class KallsymsWriter {
  /** The layouts by the first kernel that has each; what comes first in memory is named first. */
  public enum Layout {
    /** addresses, num_syms (u64), names, markers (u64), tokens. */
    V4_6(8, false, false),
    /** addresses, num_syms (u32), names, markers (u32), tokens. */
    V4_20(4, false, false),
    /** As before, and seqs_of_names between markers and tokens. */
    V6_2(4, false, true),
    /** num_syms, names, markers, tokens, addresses, seqs_of_names. */
    V6_4(4, true, true),
    /** As before, but aligned to 4 bytes, and without relative_base. */
    V7_0(4, true, true);

    private final int wordBytes;
    private final boolean addressesLast;
    private final boolean sequences;

    Layout(int wordBytes, boolean addressesLast, boolean sequences) {
      this.wordBytes = wordBytes;
      this.addressesLast = addressesLast;
      this.sequences = sequences;
    }
  }

  /** How addresses are written. */
  public enum Form {
    ABSOLUTE,
    BASE_RELATIVE,
    /** BASE_RELATIVE with ABSOLUTE_PERCPU: offsets of kernel addresses are negative. */
    BASE_RELATIVE_PERCPU,
    /** Relative to the place of each offset: {@link Layout#V7_0} only. */
    PLACE_RELATIVE
  }

  /**
   * What was written.
   *
   * @param bytes all tables, with what else was asked for around them
   * @param addresses {@code kallsyms_offsets} or {@code kallsyms_addresses}
   * @param relativeBase {@code kallsyms_relative_base}, -1 when the form has none
   */
  public record Written(
      byte[] bytes,
      int numSyms,
      int names,
      int tokenTable,
      int tokenIndex,
      int addresses,
      int relativeBase) {}

  private record Entry(char type, long address, String name, byte[] raw) {}

  private final List<Entry> entries = new ArrayList<>();
  private byte[][] tokens;
  private byte[][] compressed;

  /** Adds a symbol; they may come in any order. */
  public KallsymsWriter symbol(char type, long address, String name) {
    entries.add(
        new Entry(
            type, address, name, (type + name).getBytes(java.nio.charset.StandardCharsets.UTF_8)));
    return this;
  }

  /**
   * Writes the tables behind {@code before} and followed by {@code after}, which stand for other
   * read-only data.
   *
   * @param address the virtual address of the first byte of all
   */
  public Written write(Layout layout, Form form, byte[] before, byte[] after, long address) {
    entries.sort(Comparator.comparing(Entry::address, Long::compareUnsigned));
    compress();
    int alignment = layout == Layout.V7_0 ? 4 : 8;
    var out = new LittleEndian().bytes(before).align(alignment);
    int[] places = new int[2];
    if (!layout.addressesLast) {
      writeAddresses(out, form, alignment, address, places);
    }
    int numSyms = out.size();
    out.u32(entries.size());
    out.align(alignment);
    int names = out.size();
    var markers = writeNames(out);
    out.align(alignment);
    for (int marker : markers) {
      if (layout.wordBytes == 8) {
        out.u64(marker);
      } else {
        out.u32(marker);
      }
    }
    out.align(alignment);
    if (layout.sequences && !layout.addressesLast) {
      writeSequences(out);
      out.align(alignment);
    }
    int tokenTable = out.size();
    var index = new int[256];
    for (int i = 0; i < 256; i++) {
      index[i] = out.size() - tokenTable;
      out.bytes(expand(tokens[i])).u8(0);
    }
    out.align(alignment);
    int tokenIndex = out.size();
    for (int i : index) {
      out.u16(i);
    }
    out.align(alignment);
    if (layout.addressesLast) {
      writeAddresses(out, form, alignment, address, places);
      writeSequences(out);
    }
    out.align(alignment).bytes(after);
    return new Written(
        out.toByteArray(), numSyms, names, tokenTable, tokenIndex, places[0], places[1]);
  }

  private void writeAddresses(
      LittleEndian out, Form form, int alignment, long address, int[] places) {
    places[0] = out.size();
    places[1] = -1;
    // With ABSOLUTE_PERCPU the base is the lowest address that is no per-CPU offset.
    long base =
        entries.stream()
            .mapToLong(Entry::address)
            .filter(a -> form != Form.BASE_RELATIVE_PERCPU || a < 0)
            .findFirst()
            .orElse(0);
    for (var e : entries) {
      switch (form) {
        case ABSOLUTE -> out.u64(e.address);
        case BASE_RELATIVE -> out.u32(e.address - base);
        case BASE_RELATIVE_PERCPU -> out.u32(e.address >= 0 ? e.address : base - 1 - e.address);
        case PLACE_RELATIVE -> out.u32(e.address - (address + out.size()));
      }
    }
    out.align(alignment);
    if (form == Form.BASE_RELATIVE || form == Form.BASE_RELATIVE_PERCPU) {
      places[1] = out.size();
      out.u64(base);
    }
  }

  private List<Integer> writeNames(LittleEndian out) {
    var markers = new ArrayList<Integer>();
    int start = out.size();
    for (int i = 0; i < compressed.length; i++) {
      if (i % 256 == 0) {
        markers.add(out.size() - start);
      }
      int length = compressed[i].length;
      if (length <= 0x7f) {
        out.u8(length);
      } else {
        out.u8((length & 0x7f) | 0x80).u8(length >>> 7);
      }
      out.bytes(compressed[i]);
    }
    return markers;
  }

  /** The numbers of the symbols in the order of their names, three bytes each, big-endian. */
  private void writeSequences(LittleEndian out) {
    var numbers = new Integer[entries.size()];
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] = i;
    }
    Arrays.sort(
        numbers, Comparator.comparing((Integer i) -> entries.get(i).name).thenComparing(i -> i));
    for (int n : numbers) {
      out.u8(n >>> 16).u8(n >>> 8).u8(n);
    }
  }

  private void compress() {
    compressed = new byte[entries.size()][];
    var used = new boolean[256];
    for (int i = 0; i < compressed.length; i++) {
      compressed[i] = entries.get(i).raw;
      for (byte b : compressed[i]) {
        used[b & 0xff] = true;
      }
    }
    // Digits occur in the names of every kernel.
    for (char digit = '0'; digit <= '9'; digit++) {
      used[digit] = true;
    }
    tokens = new byte[256][];
    for (int code = 0; code < 256; code++) {
      tokens[code] = used[code] ? new byte[] {(byte) code} : new byte[0];
    }
    for (int code = 255; code >= 0; code--) {
      if (!used[code]) {
        int pair = mostFrequentPair();
        if (pair < 0) {
          return;
        }
        tokens[code] = new byte[] {(byte) (pair >>> 8), (byte) pair};
        replace(pair, (byte) code);
      }
    }
  }

  private int mostFrequentPair() {
    var count = new int[1 << 16];
    int best = -1;
    for (byte[] name : compressed) {
      for (int i = 0; i + 1 < name.length; i++) {
        int pair = pair(name, i);
        count[pair]++;
        if (count[pair] > 1 && (best < 0 || count[pair] > count[best])) {
          best = pair;
        }
      }
    }
    return best;
  }

  private static int pair(byte[] name, int at) {
    return (name[at] & 0xff) << 8 | (name[at + 1] & 0xff);
  }

  private void replace(int pair, byte code) {
    for (int n = 0; n < compressed.length; n++) {
      byte[] name = compressed[n];
      var shorter = new byte[name.length];
      int length = 0;
      for (int i = 0; i < name.length; i++) {
        if (i + 1 < name.length && pair(name, i) == pair) {
          shorter[length++] = code;
          i++;
        } else {
          shorter[length++] = name[i];
        }
      }
      compressed[n] = Arrays.copyOf(shorter, length);
    }
  }

  /** What a token stands for: its own codes, each of which is a character or an older token. */
  private byte[] expand(byte[] token) {
    if (token.length < 2) {
      return token;
    }
    var out = new LittleEndian();
    for (byte code : token) {
      out.bytes(expand(tokens[code & 0xff]));
    }
    return out.toByteArray();
  }
}
