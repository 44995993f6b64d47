// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.btf;

import dev.fathom.base.BadDataException;
import dev.fathom.base.ByteSource;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A BTF section, indexed when opened and decoded on access (Documentation/bpf/btf.rst;
 * include/uapi/linux/btf.h).
 *
 * <pre>
 *   header   u16 magic 0xeb9f, u8 version 1, u8 flags, u32 hdr_len, u32 type_off, u32 type_len, u32 str_off, u32 str_len
 *            [, u32 layout_off, u32 layout_len (since 7.1)]      offsets count from the header's end
 *   types    { u32 name_off, u32 info, u32 size_or_type, data of the kind }      the first has id 1
 *            info: bits 0-15 vlen (0-23 since 7.1), 24-28 kind (24-30 since 7.1), 31 kind_flag
 *   strings  NUL-terminated, the first is empty
 *   layout   { u8 info_sz, u8 elem_sz, u16 flags } for each kind: how much data follows types of kinds not known here
 * </pre>
 *
 * Split BTF, which modules have, continues its base: its first type id follows the base's last, and
 * its string offsets follow the base's strings. Records are multiples of four bytes, so the types
 * are kept as an {@code int[]}; 5 MB of kernel BTF are opened without making an object for any
 * type. Instances are immutable but for the indexes of names, which are made when first asked for;
 * one thread at a time.
 */
public final class Btf {
  /** The numbers of the kinds, {@code BTF_KIND_*}. */
  public static final int INT = 1;

  public static final int PTR = 2;
  public static final int ARRAY = 3;
  public static final int STRUCT = 4;
  public static final int UNION = 5;
  public static final int ENUM = 6;
  public static final int FWD = 7;
  public static final int TYPEDEF = 8;
  public static final int VOLATILE = 9;
  public static final int CONST = 10;
  public static final int RESTRICT = 11;
  public static final int FUNC = 12;
  public static final int FUNC_PROTO = 13;
  public static final int VAR = 14;
  public static final int DATASEC = 15;
  public static final int FLOAT = 16;
  public static final int DECL_TAG = 17;
  public static final int TYPE_TAG = 18;
  public static final int ENUM64 = 19;

  private static final int MAGIC = 0xeb9f;
  private static final int HEADER_LENGTH = 24;

  /**
   * Far more than the 5 MB of a kernel with everything built in; the kernel's own limit on names is
   * 16 MiB.
   */
  private static final long MAX_LENGTH = 1 << 28;

  /**
   * Words of data behind the three of every type, and for each of its {@code vlen} elements, by
   * kind.
   */
  private static final byte[] INFO_WORDS = {
    0, 1, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0
  };

  private static final byte[] ELEMENT_WORDS = {
    0, 0, 0, 0, 3, 3, 2, 0, 0, 0, 0, 0, 0, 2, 0, 3, 0, 0, 0, 3
  };

  /** The longest name that is made into a string; the kernel's limit is 511 and 2047 for Rust's. */
  private static final int MAX_NAME_LENGTH = 4096;

  private final String source;
  private final Optional<Btf> base;
  private final int firstId;
  private final int firstString;
  private final long typesOffset;
  private final int[] words;
  private final int[] typeAt;
  private final byte[] strings;
  private NameIndex typeNames;
  private NameIndex symbolNames;

  private Btf(
      String source,
      Optional<Btf> base,
      long typesOffset,
      int[] words,
      int[] typeAt,
      byte[] strings) {
    this.source = source;
    this.base = base;
    this.typesOffset = typesOffset;
    this.firstId = base.isPresent() ? base.get().endId() : 1;
    this.firstString = base.isPresent() ? base.get().endString() : 0;
    this.words = words;
    this.typeAt = typeAt;
    this.strings = strings;
  }

  /**
   * Opens a complete BTF section, such as {@code __start_BTF} to {@code __stop_BTF} of a kernel.
   * Trailing bytes are ignored.
   *
   * @throws BadDataException when it is not BTF, is truncated or has a kind whose size is not known
   */
  public static Btf parse(ByteSource section) {
    return parse(section, Optional.empty(), Optional.empty());
  }

  /**
   * As {@link #parse(ByteSource)}, with the index that an earlier reading of the same bytes made.
   * The caller answers for that: only its size is checked here, and one that does not fit is made
   * anew.
   */
  public static Btf parse(ByteSource section, Index index) {
    return parse(section, Optional.empty(), Optional.of(index));
  }

  /** Opens split BTF that continues {@code base}. */
  public static Btf parseSplit(ByteSource section, Btf base) {
    return parse(section, Optional.of(base), Optional.empty());
  }

  private static Btf parse(ByteSource section, Optional<Btf> base, Optional<Index> index) {
    if (section.size() < HEADER_LENGTH) {
      throw new BadDataException(
          section.name(), 0, "BTF header needs 24 bytes, the section has " + section.size());
    }
    var order = ByteOrder.LITTLE_ENDIAN;
    var header = ByteBuffer.wrap(section.bytes(0, HEADER_LENGTH)).order(order);
    int magic = header.getShort(0) & 0xffff;
    if (magic == 0x9feb) {
      order = ByteOrder.BIG_ENDIAN;
      header.order(order);
    } else if (magic != MAGIC) {
      throw new BadDataException(
          section.name(), 0, "BTF magic is 0x" + Integer.toHexString(magic) + ", expected 0xeb9f");
    }
    if (header.get(2) != 1) {
      throw new BadDataException(
          section.name(), 2, "BTF version is " + header.get(2) + ", expected 1");
    }
    long headerLength = Integer.toUnsignedLong(header.getInt(4));
    if (headerLength < HEADER_LENGTH || headerLength > section.size()) {
      throw new BadDataException(section.name(), 4, "BTF header length is " + headerLength);
    }
    long typeStart = headerLength + Integer.toUnsignedLong(header.getInt(8));
    long typeLength = Integer.toUnsignedLong(header.getInt(12));
    long stringStart = headerLength + Integer.toUnsignedLong(header.getInt(16));
    long stringLength = Integer.toUnsignedLong(header.getInt(20));
    checkPart(section, 8, "types", typeStart, typeLength);
    checkPart(section, 16, "strings", stringStart, stringLength);
    if ((typeLength & 3) != 0) {
      throw new BadDataException(
          section.name(), 12, "BTF types have " + typeLength + " bytes, expected a multiple of 4");
    }
    byte[] strings = section.bytes(stringStart, (int) stringLength);
    if (stringLength > 0
        && (strings[strings.length - 1] != 0 || (base.isEmpty() && strings[0] != 0))) {
      throw new BadDataException(
          section.name(), stringStart, "BTF strings do not begin and end with NUL");
    }
    var words = new int[(int) (typeLength / 4)];
    section.slice(typeStart, typeLength).asByteBuffer().order(order).asIntBuffer().get(words);
    var layout =
        headerLength >= HEADER_LENGTH + 8 ? layout(section, headerLength, order) : new byte[0];
    if (index.isPresent() && index.get().fits(words.length)) {
      var known = index.get();
      var btf = new Btf(section.name(), base, typeStart, words, known.typeAt, strings);
      btf.typeNames = btf.new NameIndex(known.heads, known.nexts);
      return btf;
    }
    int[] typeAt = index(section, typeStart, words, layout);
    return new Btf(section.name(), base, typeStart, words, typeAt, strings);
  }

  /**
   * What opening a section computes from its bytes, to be kept for the next time.
   *
   * @param typeAt where each type record begins, in words
   * @param heads the table of type names: for each slot one more than the number of its first type
   * @param nexts for each type one more than the number of the next in its slot
   */
  public record Index(int[] typeAt, int[] heads, int[] nexts) {
    /** Whether it can be the index of a section with so many words of types. */
    private boolean fits(int words) {
      int count = typeAt.length;
      return Integer.bitCount(heads.length) == 1
          && nexts.length == count
          && (count == 0 ? words == 0 : typeAt[0] == 0 && typeAt[count - 1] <= words - 3);
    }
  }

  /** The index of this section; it makes the table of type names if there is none yet. */
  public Index index() {
    if (typeNames == null) {
      typeNames = new NameIndex(TYPE_KINDS);
    }
    return new Index(typeAt, typeNames.heads, typeNames.nexts);
  }

  private static void checkPart(ByteSource section, long at, String part, long start, long length) {
    if (start > section.size() || length > section.size() - start || length > MAX_LENGTH) {
      throw new BadDataException(
          section.name(),
          at,
          "BTF "
              + part
              + " are "
              + length
              + " bytes at 0x"
              + Long.toHexString(start)
              + ", the section has "
              + section.size());
    }
  }

  /** The layout section as it stands; empty if there is none. */
  private static byte[] layout(ByteSource section, long headerLength, ByteOrder order) {
    var header = ByteBuffer.wrap(section.bytes(HEADER_LENGTH, 8)).order(order);
    long start = headerLength + Integer.toUnsignedLong(header.getInt(0));
    long length = Integer.toUnsignedLong(header.getInt(4));
    checkPart(section, HEADER_LENGTH, "layout", start, length);
    return section.bytes(start, (int) Math.min(length, 4 * 128));
  }

  private static int[] index(ByteSource section, long typeStart, int[] words, byte[] layout) {
    var typeAt = new int[Math.max(16, words.length / 5)];
    int count = 0;
    int at = 0;
    while (at < words.length) {
      if (count == typeAt.length) {
        typeAt = java.util.Arrays.copyOf(typeAt, count + (count >> 1));
      }
      typeAt[count++] = at;
      int next = next(words, at, layout);
      if (next < 0) {
        throw new BadDataException(
            section.name(),
            typeStart + 4L * at,
            "BTF type record "
                + count
                + (next == UNKNOWN_KIND
                    ? " has the unknown kind " + kindOf(words[at + 1])
                    : " is cut off"));
      }
      at = next;
    }
    return java.util.Arrays.copyOf(typeAt, count);
  }

  private static final int UNKNOWN_KIND = -1;
  private static final int CUT_OFF = -2;

  /**
   * Where the record after the one at {@code at} begins, or {@link #UNKNOWN_KIND} or {@link
   * #CUT_OFF}.
   */
  private static int next(int[] words, int at, byte[] layout) {
    if (words.length - at < 3) {
      return CUT_OFF;
    }
    int info = words[at + 1];
    int kind = kindOf(info);
    long length = 3;
    if (kind > 0 && kind < INFO_WORDS.length) {
      length += INFO_WORDS[kind] + (long) vlenOf(info) * ELEMENT_WORDS[kind];
    } else if (kind > 0 && kind < layout.length / 4) {
      int bytes = layout[4 * kind] & 0xff;
      int elementBytes = layout[4 * kind + 1] & 0xff;
      length += (bytes + (long) vlenOf(info) * elementBytes + 3) / 4;
    } else {
      return UNKNOWN_KIND;
    }
    return length <= words.length - at ? (int) (at + length) : CUT_OFF;
  }

  private static int kindOf(int info) {
    return (info >>> 24) & 0x7f;
  }

  private static int vlenOf(int info) {
    return info & 0xffffff;
  }

  /** The name of the section, for messages. */
  public String source() {
    return source;
  }

  /** The BTF that this one continues. */
  public Optional<Btf> base() {
    return base;
  }

  /** The lowest type id that this section itself describes: 1, or the base's {@link #endId}. */
  public int firstId() {
    return firstId;
  }

  /** One more than the highest type id. */
  public int endId() {
    return firstId + typeAt.length;
  }

  private int endString() {
    return firstString + strings.length;
  }

  /**
   * The kind of a type, one of the constants of this class or a kind they do not know; 0 for id 0,
   * which is void.
   */
  public int kind(int id) {
    if (id < firstId) {
      return id == 0 ? 0 : baseOf(id).kind(id);
    }
    return kindOf(words[at(id) + 1]);
  }

  private Btf baseOf(int id) {
    return base.orElseThrow(() -> badId(id));
  }

  private int at(int id) {
    int index = id - firstId;
    if (index < 0 || index >= typeAt.length) {
      throw badId(id);
    }
    return typeAt[index];
  }

  private BadDataException badId(int id) {
    return new BadDataException(
        source,
        typesOffset,
        "BTF type id " + Integer.toUnsignedString(id) + " is not in 0 to " + (endId() - 1));
  }

  /** The name of a type; empty when it has none. */
  public String name(int id) {
    if (id < firstId) {
      return id == 0 ? "" : baseOf(id).name(id);
    }
    return string(words[at(id)]);
  }

  /** The size in bytes of a type whose kind has one, by its record; else 0. */
  public long size(int id) {
    if (id < firstId) {
      return id == 0 ? 0 : baseOf(id).size(id);
    }
    int at = at(id);
    return switch (kindOf(words[at + 1])) {
      case INT, STRUCT, UNION, ENUM, DATASEC, FLOAT, ENUM64 ->
          Integer.toUnsignedLong(words[at + 2]);
      default -> 0;
    };
  }

  /**
   * The type id that a pointer, typedef, qualifier, tag, function or variable refers to, or that an
   * array has for its elements; 0 for the other kinds.
   */
  public int referenced(int id) {
    if (id < firstId) {
      return id == 0 ? 0 : baseOf(id).referenced(id);
    }
    int at = at(id);
    return switch (kindOf(words[at + 1])) {
      case PTR, TYPEDEF, VOLATILE, CONST, RESTRICT, FUNC, VAR, DECL_TAG, TYPE_TAG -> words[at + 2];
      case ARRAY -> words[at + 3];
      default -> 0;
    };
  }

  private String string(int offset) {
    if (Integer.compareUnsigned(offset, firstString) < 0) {
      return base.orElseThrow(() -> badString(offset)).string(offset);
    }
    int start = offset - firstString;
    if (Integer.compareUnsigned(start, strings.length) >= 0) {
      if (offset == 0) {
        return "";
      }
      throw badString(offset);
    }
    int end = start;
    while (strings[end] != 0) {
      if (end - start > MAX_NAME_LENGTH) {
        throw badString(offset);
      }
      end++;
    }
    return end == start ? "" : new String(strings, start, end - start, StandardCharsets.UTF_8);
  }

  private BadDataException badString(int offset) {
    return new BadDataException(
        source,
        typesOffset,
        "BTF name at 0x"
            + Integer.toHexString(offset)
            + " is longer than "
            + MAX_NAME_LENGTH
            + " bytes or outside the strings, which end at 0x"
            + Integer.toHexString(endString()));
  }

  /**
   * Decodes the type {@code id}.
   *
   * @throws BadDataException for an id or a name outside the section, or a kind that is not known
   *     here
   */
  public BtfType type(int id) {
    if (id < firstId) {
      return id == 0 ? new BtfType.Void() : baseOf(id).type(id);
    }
    int at = at(id);
    int info = words[at + 1];
    int value = words[at + 2];
    long size = Integer.toUnsignedLong(value);
    boolean flag = info < 0;
    return switch (kindOf(info)) {
      case INT -> integer(string(words[at]), size, words[at + 3]);
      case PTR -> new BtfType.Ptr(value);
      case ARRAY ->
          new BtfType.Array(words[at + 3], words[at + 4], Integer.toUnsignedLong(words[at + 5]));
      case STRUCT, UNION ->
          new BtfType.Composite(
              kindOf(info) == UNION, string(words[at]), size, members(at, vlenOf(info), flag));
      case ENUM -> new BtfType.Enum(string(words[at]), size, flag, values(at, vlenOf(info), flag));
      case FWD -> new BtfType.Fwd(flag, string(words[at]));
      case TYPEDEF -> new BtfType.Typedef(string(words[at]), value);
      case VOLATILE -> new BtfType.Qualified(BtfType.Qualifier.VOLATILE, value);
      case CONST -> new BtfType.Qualified(BtfType.Qualifier.CONST, value);
      case RESTRICT -> new BtfType.Qualified(BtfType.Qualifier.RESTRICT, value);
      case FUNC -> new BtfType.Func(string(words[at]), value, vlenOf(info));
      case FUNC_PROTO -> new BtfType.FuncProto(value, params(at, vlenOf(info)));
      case VAR -> new BtfType.Var(string(words[at]), value, words[at + 3]);
      case DATASEC -> new BtfType.DataSec(string(words[at]), size, variables(at, vlenOf(info)));
      case FLOAT -> new BtfType.Float(string(words[at]), size);
      case DECL_TAG -> new BtfType.DeclTag(string(words[at]), value, words[at + 3]);
      case TYPE_TAG -> new BtfType.TypeTag(string(words[at]), value);
      case ENUM64 -> new BtfType.Enum(string(words[at]), size, flag, values64(at, vlenOf(info)));
      default ->
          throw new BadDataException(
              source,
              typesOffset + 4L * at,
              "BTF type " + id + " has kind " + kindOf(info) + ", which is not known");
    };
  }

  private static BtfType.Int integer(String name, long size, int encoding) {
    return new BtfType.Int(
        name,
        size,
        (encoding & (1 << 24)) != 0,
        (encoding & (2 << 24)) != 0,
        (encoding & (4 << 24)) != 0,
        (encoding >>> 16) & 0xff,
        encoding & 0xff);
  }

  private List<BtfType.Member> members(int at, int count, boolean flag) {
    var members = new ArrayList<BtfType.Member>(count);
    for (int m = at + 3, end = m + 3 * count; m < end; m += 3) {
      int offset = words[m + 2];
      members.add(
          flag
              ? new BtfType.Member(string(words[m]), words[m + 1], offset & 0xffffff, offset >>> 24)
              : new BtfType.Member(
                  string(words[m]), words[m + 1], Integer.toUnsignedLong(offset), 0));
    }
    return members;
  }

  private List<BtfType.Enumerator> values(int at, int count, boolean signed) {
    var values = new ArrayList<BtfType.Enumerator>(count);
    for (int v = at + 3, end = v + 2 * count; v < end; v += 2) {
      int value = words[v + 1];
      values.add(
          new BtfType.Enumerator(string(words[v]), signed ? value : Integer.toUnsignedLong(value)));
    }
    return values;
  }

  private List<BtfType.Enumerator> values64(int at, int count) {
    var values = new ArrayList<BtfType.Enumerator>(count);
    for (int v = at + 3, end = v + 3 * count; v < end; v += 3) {
      long value = Integer.toUnsignedLong(words[v + 1]) | ((long) words[v + 2] << 32);
      values.add(new BtfType.Enumerator(string(words[v]), value));
    }
    return values;
  }

  private List<BtfType.Param> params(int at, int count) {
    var params = new ArrayList<BtfType.Param>(count);
    for (int p = at + 3, end = p + 2 * count; p < end; p += 2) {
      params.add(new BtfType.Param(string(words[p]), words[p + 1]));
    }
    return params;
  }

  private List<BtfType.SecInfo> variables(int at, int count) {
    var variables = new ArrayList<BtfType.SecInfo>(count);
    for (int v = at + 3, end = v + 3 * count; v < end; v += 3) {
      variables.add(
          new BtfType.SecInfo(
              words[v],
              Integer.toUnsignedLong(words[v + 1]),
              Integer.toUnsignedLong(words[v + 2])));
    }
    return variables;
  }

  /**
   * The ids of this section's own types (functions and variables excluded) called {@code name},
   * ascending; not the base's. The first call makes an index.
   */
  public int[] typesNamed(String name) {
    if (typeNames == null) {
      typeNames = new NameIndex(TYPE_KINDS);
    }
    return typeNames.find(name);
  }

  /**
   * The ids of this section's own functions and variables called {@code name}, ascending; not the
   * base's.
   */
  public int[] symbolsNamed(String name) {
    if (symbolNames == null) {
      symbolNames = new NameIndex(SYMBOL_KINDS);
    }
    return symbolNames.find(name);
  }

  /** The kinds that {@link #symbolsNamed} and {@link #typesNamed} find, one bit for each. */
  private static final int SYMBOL_KINDS = 1 << FUNC | 1 << VAR;

  private static final int TYPE_KINDS =
      1 << INT
          | 1 << STRUCT
          | 1 << UNION
          | 1 << ENUM
          | 1 << FWD
          | 1 << TYPEDEF
          | 1 << FLOAT
          | 1 << ENUM64;

  /** A chained hash table from names to type numbers, in two arrays. */
  private final class NameIndex {
    /** For each slot one more than the number of the first type, 0 for none. */
    private final int[] heads;

    /** For each type one more than the number of the next in its slot, 0 for none. */
    private final int[] nexts;

    NameIndex(int kinds) {
      this.heads = new int[Integer.highestOneBit(Math.max(typeAt.length, 16)) << 1];
      this.nexts = new int[typeAt.length];
      for (int i = typeAt.length - 1; i >= 0; i--) {
        add(i, kinds);
      }
    }

    NameIndex(int[] heads, int[] nexts) {
      this.heads = heads;
      this.nexts = nexts;
    }

    private void add(int number, int kinds) {
      int at = typeAt[number];
      int kind = kindOf(words[at + 1]);
      int start = words[at];
      if (start == 0 || kind > ENUM64 || ((kinds >>> kind) & 1) == 0) {
        return;
      }
      int slot = hashAt(start) & (heads.length - 1);
      nexts[number] = heads[slot];
      heads[slot] = number + 1;
    }

    int[] find(String name) {
      byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
      int hash = 0;
      for (int i = 0; i < bytes.length && i < HASHED_LENGTH; i++) {
        hash = 31 * hash + bytes[i];
      }
      var found = new int[4];
      int count = 0;
      for (int i = heads[spread(hash) & (heads.length - 1)]; i != 0; i = nexts[i - 1]) {
        if (nameIs(words[typeAt[i - 1]], bytes)) {
          if (count == found.length) {
            found = java.util.Arrays.copyOf(found, 2 * count);
          }
          found[count++] = firstId + i - 1;
        }
      }
      return java.util.Arrays.copyOf(found, count);
    }
  }

  /**
   * Of longer names only the start is hashed, so that hostile strings cannot make the index slow.
   */
  private static final int HASHED_LENGTH = 64;

  /** The hash of the string at {@code offset}; 0 when that is outside the strings. */
  private int hashAt(int offset) {
    int start = offset - firstString;
    if (Integer.compareUnsigned(start, strings.length) >= 0) {
      return base.isPresent() && start < 0 ? base.get().hashAt(offset) : 0;
    }
    int hash = 0;
    for (int i = start; i - start < HASHED_LENGTH && strings[i] != 0; i++) {
      hash = 31 * hash + strings[i];
    }
    return spread(hash);
  }

  private boolean nameIs(int offset, byte[] name) {
    int start = offset - firstString;
    if (Integer.compareUnsigned(start, strings.length) >= 0) {
      return base.isPresent() && start < 0 && base.get().nameIs(offset, name);
    }
    if (name.length >= strings.length - start || strings[start + name.length] != 0) {
      return false;
    }
    for (int i = 0; i < name.length; i++) {
      if (strings[start + i] != name[i]) {
        return false;
      }
    }
    return true;
  }

  private static int spread(int hash) {
    return hash ^ (hash >>> 15);
  }
}
