// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.vmcoreinfo;

import dev.fathom.base.BadDataException;
import dev.fathom.base.ByteSource;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * The key=value lines that the kernel writes for whoever reads its dump (kernel/crash_core.c, since
 * 6.9 kernel/vmcore_info.c; the macros in include/linux/crash_core.h):
 *
 * <pre>
 *   text    = { key '=' value '\n' }                 NUL or the end of the bytes ends it
 *   key     = OSRELEASE | BUILD-ID (since 5.9) | PAGESIZE | KERNELOFFSET | CRASHTIME
 *           | SYMBOL(name)       hexadecimal virtual address, KASLR included
 *           | SIZE(type) | OFFSET(type.member) | LENGTH(name)      decimal, bytes or elements
 *           | NUMBER(name)       decimal, signed, or 0x and hexadecimal
 *           | CONFIG_name        y
 * </pre>
 *
 * Lines of any other form are skipped and counted; the first of two lines with one key counts. The
 * kernel keeps the text in one page, so longer input than {@link #MAX_LENGTH} is cut there.
 */
public final class Vmcoreinfo {
  /** More bytes than any kernel's text has; the kernel's own limit is 4096. */
  public static final int MAX_LENGTH = 1 << 16;

  private static final byte[] START = "OSRELEASE=".getBytes(StandardCharsets.US_ASCII);

  private final String source;
  private final Map<String, String> values;
  private final int skippedLines;

  private Vmcoreinfo(String source, Map<String, String> values, int skippedLines) {
    this.source = source;
    this.values = values;
    this.skippedLines = skippedLines;
  }

  /** Reads the text at the start of {@code bytes}; whatever is no key=value line is skipped. */
  public static Vmcoreinfo parse(ByteSource bytes) {
    return parse(bytes.name(), bytes.bytes(0, (int) Math.min(bytes.size(), MAX_LENGTH)));
  }

  /** As {@link #parse(ByteSource)}; {@code source} names the bytes in messages. */
  public static Vmcoreinfo parse(String source, byte[] text) {
    var values = new LinkedHashMap<String, String>();
    int skipped = 0;
    int limit = Math.min(text.length, MAX_LENGTH);
    int at = 0;
    while (at < limit && text[at] != 0) {
      int equals = -1;
      int end = at;
      while (end < limit && text[end] != '\n' && text[end] != 0) {
        if (equals < 0 && text[end] == '=') {
          equals = end;
        }
        end++;
      }
      if (equals > at && printable(text, at, end)) {
        values.putIfAbsent(
            new String(text, at, equals - at, StandardCharsets.US_ASCII),
            new String(text, equals + 1, end - equals - 1, StandardCharsets.US_ASCII));
      } else if (end > at) {
        skipped++;
      }
      at = end < limit && text[end] == '\n' ? end + 1 : end;
    }
    return new Vmcoreinfo(source, Collections.unmodifiableMap(values), skipped);
  }

  /**
   * The length of the text that starts at {@code offset}, up to its NUL, if it looks like a
   * VMCOREINFO at all: it begins with OSRELEASE and an expanded value (the kernel's image also
   * holds the format string, with a per cent sign). A cheap test for a search; {@link
   * #isTrustworthy()} of the parsed text is the thorough one.
   */
  public static OptionalLong lengthAt(MemorySegment memory, long offset) {
    if (offset < 0 || offset > memory.byteSize() - START.length - 1 || !startsAt(memory, offset)) {
      return OptionalLong.empty();
    }
    long limit = Math.min(memory.byteSize(), offset + MAX_LENGTH);
    long end = offset + START.length;
    byte first = memory.get(ValueLayout.JAVA_BYTE, end);
    if (first < '0' || first > '9') {
      return OptionalLong.empty();
    }
    while (end < limit) {
      byte b = memory.get(ValueLayout.JAVA_BYTE, end);
      if (b == 0) {
        break;
      }
      if (b != '\n' && (b < ' ' || b > '~')) {
        return OptionalLong.empty();
      }
      end++;
    }
    return OptionalLong.of(end - offset);
  }

  private static final ValueLayout.OfLong LONG_LE =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /** "OSRELEAS" as a little-endian number: one load and compare for each page of a search. */
  private static final long START_WORD = 0x5341454c4552534fL;

  private static boolean startsAt(MemorySegment memory, long offset) {
    return memory.get(LONG_LE, offset) == START_WORD
        && memory.get(ValueLayout.JAVA_BYTE, offset + 8) == 'E'
        && memory.get(ValueLayout.JAVA_BYTE, offset + 9) == '=';
  }

  private static boolean printable(byte[] text, int from, int to) {
    for (int i = from; i < to; i++) {
      if (text[i] < ' ' || text[i] > '~') {
        return false;
      }
    }
    return true;
  }

  /**
   * Whether a text that was found by searching is a whole one and no leftover: it names a release,
   * a page size that is a power of two from 4 KiB to 64 KiB, and at least ten symbols, sizes and
   * offsets.
   */
  public boolean isTrustworthy() {
    OptionalLong pageSize;
    int facts = 0;
    try {
      pageSize = pageSize();
      for (var key : values.keySet()) {
        if (key.startsWith("SYMBOL(")) {
          hexadecimal(key);
          facts++;
        } else if (key.startsWith("SIZE(") || key.startsWith("OFFSET(")) {
          decimal(key);
          facts++;
        }
      }
    } catch (BadDataException e) {
      return false; // a number that is none: the caller asked whether to trust the text, and this
      // says no
    }
    return osRelease().isPresent()
        && pageSize.isPresent()
        && pageSize.getAsLong() >= 4096
        && pageSize.getAsLong() <= 65536
        && Long.bitCount(pageSize.getAsLong()) == 1
        && facts >= 10;
  }

  /** The name of the bytes that this was read from. */
  public String source() {
    return source;
  }

  /** Every key and value, in the text's order. */
  public Map<String, String> values() {
    return values;
  }

  /** How many lines were no key=value lines of printable characters. */
  public int skippedLines() {
    return skippedLines;
  }

  public Optional<String> value(String key) {
    return Optional.ofNullable(values.get(key));
  }

  /** The release, as {@code uname -r} prints it. */
  public Optional<String> osRelease() {
    return value("OSRELEASE");
  }

  /** The kernel's GNU build-id in lower-case hexadecimal; kernels since 5.9 write it. */
  public Optional<String> buildId() {
    return value("BUILD-ID")
        .filter(v -> !v.isEmpty() && v.chars().allMatch(c -> Character.digit(c, 16) >= 0));
  }

  public OptionalLong pageSize() {
    return decimal("PAGESIZE");
  }

  /** How far KASLR moved the kernel's virtual addresses, in bytes. */
  public OptionalLong kernelOffset() {
    return hexadecimal("KERNELOFFSET");
  }

  /** When the kernel crashed, in seconds since the epoch; only a dump of a panic has it. */
  public OptionalLong crashTime() {
    return decimal("CRASHTIME");
  }

  /** The run-time virtual address of a symbol. */
  public OptionalLong symbol(String name) {
    return hexadecimal("SYMBOL(" + name + ")");
  }

  /** The size of a type in bytes. */
  public OptionalLong size(String type) {
    return decimal("SIZE(" + type + ")");
  }

  /** The offset of a member in bytes, as in {@code list_head.next}. */
  public OptionalLong offset(String typeAndMember) {
    return decimal("OFFSET(" + typeAndMember + ")");
  }

  /** The number of elements of an array, as in {@code zone.free_area}. */
  public OptionalLong length(String name) {
    return decimal("LENGTH(" + name + ")");
  }

  /** A number such as {@code phys_base} or {@code PG_slab}; may be negative. */
  public OptionalLong number(String name) {
    return decimal("NUMBER(" + name + ")");
  }

  /** Whether the kernel was configured with {@code CONFIG_name=y}, as far as the text says. */
  public boolean config(String name) {
    return "y".equals(values.get("CONFIG_" + name));
  }

  private OptionalLong hexadecimal(String key) {
    String text = values.get(key);
    return text == null ? OptionalLong.empty() : OptionalLong.of(number(key, text, 16));
  }

  private OptionalLong decimal(String key) {
    String text = values.get(key);
    if (text == null) {
      return OptionalLong.empty();
    }
    boolean hexadecimal = text.startsWith("0x");
    return OptionalLong.of(number(key, text, hexadecimal ? 16 : 10));
  }

  private long number(String key, String text, int radix) {
    String digits = text.startsWith("0x") ? text.substring(2) : text;
    try {
      return digits.startsWith("-")
          ? Long.parseLong(digits, radix)
          : Long.parseUnsignedLong(digits, radix);
    } catch (NumberFormatException e) {
      throw new BadDataException(
          source,
          0,
          "VMCOREINFO has "
              + key
              + "="
              + text
              + ", which is no "
              + (radix == 16 ? "hexadecimal" : "decimal")
              + " number");
    }
  }
}
