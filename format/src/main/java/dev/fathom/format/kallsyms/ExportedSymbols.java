// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.kallsyms;

import dev.fathom.base.ByteSource;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * The symbols that a kernel exports to its modules: {@code __ksymtab} and {@code __ksymtab_gpl},
 * one behind the other, in the form of architectures with CONFIG_HAVE_ARCH_PREL32_RELOCATIONS
 * (include/linux/export-internal.h, before 6.5 export.h):
 *
 * <pre>
 *   struct kernel_symbol { s32 value, name, namespace }     each relative to its own place; since
 *                                                           5.4, without namespace from 4.19 on
 *   struct kernel_symbol { u64 value, name, namespace }     addresses, on machines without
 *                                                           CONFIG_HAVE_ARCH_PREL32_RELOCATIONS and
 *                                                           before 4.19; namespace since 5.4
 *   names                  NUL-terminated; one may be the end of another
 * </pre>
 *
 * <p>They have the variables that kallsyms leaves out without CONFIG_KALLSYMS_ALL.
 */
public final class ExportedSymbols {
  private static final int LONGEST_NAME = 512;

  /** More than any kernel exports. */
  private static final int MOST = 1 << 17;

  /** With and without a namespace: entries of places relative to their own, and of addresses. */
  private static final int[] SIZES = {12, 8};

  private static final int[] WIDE_SIZES = {24, 16};

  /** No kernel's names take more bytes. */
  private static final int NAMES = 4 << 20;

  /** Fewer entries in a row are no table. */
  private static final int LEAST = 8;

  private final byte[] bytes;
  private final ByteBuffer words;
  private final long start;

  /** The place of the known name. */
  private int names;

  /** Whether entries hold addresses. */
  private boolean wide;

  private ExportedSymbols(byte[] bytes, long start) {
    this.bytes = bytes;
    this.words = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    this.start = start;
  }

  /** A symbol and its virtual address. */
  public record Export(String name, long address) {}

  /**
   * Finds the tables by one symbol that they have.
   *
   * @param image the kernel's image
   * @param start the virtual address of its first byte
   * @param known the name of a symbol that is exported
   * @return empty when there are none
   */
  public static List<Export> find(ByteSource image, long start, String known) {
    int length = (int) Math.min(image.size(), Integer.MAX_VALUE - 16);
    return new ExportedSymbols(image.bytes(0, length), start).find(known);
  }

  private List<Export> find(String known) {
    byte[] name = ("\0" + known + "\0").getBytes(StandardCharsets.US_ASCII);
    for (int at = next(name, 0); at >= 0; at = next(name, at + 1)) {
      int target = at + 1;
      names = target;
      wide = true;
      for (int place = 8; place <= bytes.length - 8; place += 8) {
        if (words.getLong(place) == start + target) {
          for (int size : WIDE_SIZES) {
            var found = around(place - 8, size);
            if (found.size() >= LEAST) {
              return found;
            }
          }
        }
      }
      wide = false;
      for (int place = 4; place <= bytes.length - 4; place += 4) {
        if (place + words.getInt(place) == target) {
          for (int size : SIZES) {
            var found = around(place - 4, size);
            if (found.size() >= LEAST) {
              return found;
            }
          }
        }
      }
    }
    return List.of();
  }

  private int next(byte[] text, int from) {
    for (int at = from; at <= bytes.length - text.length; at++) {
      int same = 0;
      while (same < text.length && bytes[at + same] == text[same]) {
        same++;
      }
      if (same == text.length) {
        return at;
      }
    }
    return -1;
  }

  /** The entries around one of them. */
  private List<Export> around(int entry, int size) {
    int first = entry;
    for (int i = 0; i < MOST && first >= size && isEntry(first - size); i++) {
      first -= size;
    }
    var found = new ArrayList<Export>();
    for (int at = first; at <= bytes.length - size && isEntry(at) && found.size() < MOST; ) {
      found.add(new Export(name(at), wide ? words.getLong(at) : start + at + words.getInt(at)));
      at += size;
    }
    return found;
  }

  /** The place of an entry's name, or -1. */
  private int nameAt(int entry) {
    long at = wide ? words.getLong(entry + 8) - start : entry + 4L + words.getInt(entry + 4);
    return at > 0 && at < bytes.length && Math.abs(at - names) < NAMES ? (int) at : -1;
  }

  private boolean isEntry(int entry) {
    int at = nameAt(entry);
    if (at < 0) {
      return false;
    }
    int end = at;
    while (end < bytes.length && end - at < LONGEST_NAME && isOfName(bytes[end])) {
      end++;
    }
    return end > at && end < bytes.length && bytes[end] == 0;
  }

  private static boolean isOfName(byte b) {
    return (b >= 'a' && b <= 'z')
        || (b >= 'A' && b <= 'Z')
        || (b >= '0' && b <= '9')
        || b == '_'
        || b == '.'
        || b == '$';
  }

  private String name(int entry) {
    int at = nameAt(entry);
    int end = at;
    while (bytes[end] != 0) {
      end++;
    }
    return new String(bytes, at, end - at, StandardCharsets.US_ASCII);
  }
}
