// SPDX-License-Identifier: Apache-2.0
package dev.fathom.testkit;

import java.io.ByteArrayOutputStream;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Writes DWARF sections of versions 2 to 5, in 32- and 64-bit DWARF and both byte orders, from
 * trees of entries. Tags, attributes and forms are the specification's numbers. An attribute's
 * value is, by form: a {@link Number}; a {@link String} for all forms of strings; an {@link Entry}
 * for references; a {@code byte[]} for blocks, expressions and data16.
 *
 * <p>Values are written as given, so that wrong ones can be made as well.
 */
public final class DwarfWriter {
  /** An entry with its attributes and children. */
  public static final class Entry {
    private final int tag;
    private final List<Attribute> attributes = new ArrayList<>();
    private final List<Entry> children = new ArrayList<>();
    private boolean children0;
    private Unit unit;
    private long offset;

    private Entry(int tag) {
      this.tag = tag;
    }

    /** Adds an attribute. */
    public Entry with(int name, int form, Object value) {
      attributes.add(new Attribute(name, form, value));
      return this;
    }

    /** Adds a child, which is answered. */
    public Entry child(int childTag) {
      return add(new Entry(childTag));
    }

    /** Adds an entry that was made with {@link DwarfWriter#entry} as a child, which is answered. */
    public Entry add(Entry child) {
      children.add(child);
      children0 = true;
      return child;
    }

    /** Makes a list of children although there is none. */
    public Entry withEmptyChildren() {
      children0 = true;
      return this;
    }

    /** The offset in the section, once {@link DwarfWriter#sections} was called. */
    public long offset() {
      return offset;
    }

    private void assign(Unit owner) {
      unit = owner;
      children.forEach(c -> c.assign(owner));
    }
  }

  private record Attribute(int name, int form, Object value) {}

  /** A unit with its root. */
  public static final class Unit {
    private final int version;
    private final int type;
    private final boolean typesSection;
    private final Entry root;
    private long id;
    private Entry typeEntry;
    private long offset;

    private Unit(int version, int type, boolean typesSection, Entry root) {
      this.version = version;
      this.type = type;
      this.typesSection = typesSection;
      this.root = root;
    }

    public Entry root() {
      return root;
    }

    /** The id of skeleton and split units. */
    public Unit withId(long newId) {
      this.id = newId;
      return this;
    }

    /** The offset of the header, once {@link DwarfWriter#sections} was called. */
    public long offset() {
      return offset;
    }
  }

  private static final int UT_COMPILE = 1;
  private static final int UT_TYPE = 2;

  private final ByteOrder order;
  private final int offsetSize;
  private final int addressSize;
  private final List<Unit> units = new ArrayList<>();
  private final Map<String, Long> abbreviationCodes = new LinkedHashMap<>();
  private final Bytes abbreviations;
  private final Table strings;
  private final Table lineStrings;
  private final List<String> indexedStrings = new ArrayList<>();
  private final List<Long> addresses = new ArrayList<>();

  public DwarfWriter(ByteOrder order, int offsetSize, int addressSize) {
    this.order = order;
    this.offsetSize = offsetSize;
    this.addressSize = addressSize;
    this.abbreviations = new Bytes(order);
    this.strings = new Table();
    this.lineStrings = new Table();
  }

  /** 32-bit DWARF for 64-bit little-endian machines. */
  public DwarfWriter() {
    this(ByteOrder.LITTLE_ENDIAN, 4, 8);
  }

  /** An entry that is not yet anywhere. */
  public static Entry entry(int tag) {
    return new Entry(tag);
  }

  /** Adds a unit of {@code .debug_info}; {@code rootTag} is usually DW_TAG_compile_unit, 0x11. */
  public Unit unit(int version, int rootTag) {
    return unit(version, UT_COMPILE, rootTag);
  }

  /**
   * Adds a unit of {@code .debug_info}; before version 5 the type {@code DW_UT_*} is not written.
   */
  public Unit unit(int version, int type, int rootTag) {
    var unit = new Unit(version, type, false, new Entry(rootTag));
    units.add(unit);
    return unit;
  }

  /**
   * Adds a type unit: before version 5 in {@code .debug_types}.
   *
   * @param type the entry that is the type; must be below the unit's root by the end
   */
  public Unit typeUnit(int version, long signature, Entry type) {
    var unit = new Unit(version, UT_TYPE, version < 5, new Entry(0x41));
    unit.id = signature;
    unit.typeEntry = type;
    units.add(unit);
    return unit;
  }

  /** The offset in {@code .debug_str} of a string. */
  public long string(String text) {
    return strings.offset(text);
  }

  /** The index in {@code .debug_addr} of an address. */
  public long address(long value) {
    int known = addresses.indexOf(value);
    if (known < 0) {
      known = addresses.size();
      addresses.add(value);
    }
    return known;
  }

  /** All sections that have contents, by name. */
  public Map<String, byte[]> sections() {
    var info = new Bytes(order);
    var types = new Bytes(order);
    // References may lead forwards, so offsets are laid out first and written in a second pass.
    for (int pass = 0; pass < 2; pass++) {
      info = new Bytes(order);
      types = new Bytes(order);
      for (var unit : units) {
        write(unit, unit.typesSection ? types : info);
      }
    }
    abbreviations.uleb(0);
    var all = new LinkedHashMap<String, byte[]>();
    put(all, ".debug_info", info.toByteArray());
    put(all, ".debug_types", types.toByteArray());
    put(all, ".debug_abbrev", abbreviations.toByteArray());
    put(all, ".debug_str", strings.out.toByteArray());
    put(all, ".debug_line_str", lineStrings.out.toByteArray());
    if (!indexedStrings.isEmpty()) {
      put(all, ".debug_str_offsets", strOffsets());
    }
    if (!addresses.isEmpty()) {
      put(all, ".debug_addr", addressTable());
    }
    return all;
  }

  /** Where index 0 of {@code .debug_str_offsets} and {@code .debug_addr} is in version 5. */
  public long tableBase() {
    return offsetSize == 4 ? 8 : 16;
  }

  private static void put(Map<String, byte[]> all, String name, byte[] bytes) {
    if (bytes.length > 0) {
      all.put(name, bytes);
    }
  }

  private byte[] strOffsets() {
    var out = new Bytes(order);
    out.length(offsetSize, 4 + (long) offsetSize * indexedStrings.size()).number(2, 5).number(2, 0);
    for (var text : indexedStrings) {
      out.number(offsetSize, strings.offset(text));
    }
    return out.toByteArray();
  }

  private byte[] addressTable() {
    var out = new Bytes(order);
    out.length(offsetSize, 4 + (long) addressSize * addresses.size())
        .number(2, 5)
        .number(1, addressSize)
        .number(1, 0);
    for (long address : addresses) {
      out.number(addressSize, address);
    }
    return out.toByteArray();
  }

  private void write(Unit unit, Bytes out) {
    unit.root.assign(unit);
    unit.offset = out.size();
    var rest = new Bytes(order);
    rest.number(2, unit.version);
    if (unit.version >= 5) {
      rest.number(1, unit.type).number(1, addressSize).number(offsetSize, 0);
      if (unit.type != UT_COMPILE && unit.type != 3) {
        rest.number(8, unit.id);
      }
    } else {
      rest.number(offsetSize, 0).number(1, addressSize);
      if (unit.typesSection) {
        rest.number(8, unit.id);
      }
    }
    if (unit.typeEntry != null) {
      rest.number(offsetSize, unit.typeEntry.offset - unit.offset);
    }
    long lengthSize = offsetSize == 4 ? 4 : 12;
    write(unit.root, rest, unit.offset + lengthSize);
    out.length(offsetSize, rest.size()).bytes(rest.toByteArray());
  }

  private void write(Entry entry, Bytes out, long base) {
    entry.offset = base + out.size();
    out.uleb(code(entry));
    for (var a : entry.attributes) {
      value(out, entry.unit, a.form, a.value);
    }
    if (entry.children0) {
      for (var child : entry.children) {
        write(child, out, base);
      }
      out.uleb(0);
    }
  }

  private long code(Entry entry) {
    var shape = new Bytes(order);
    shape.uleb(entry.tag).number(1, entry.children0 ? 1 : 0);
    for (var a : entry.attributes) {
      shape.uleb(a.name).uleb(a.form);
      if (a.form == 0x21) {
        shape.sleb(((Number) a.value).longValue());
      }
    }
    shape.uleb(0).uleb(0);
    byte[] bytes = shape.toByteArray();
    var key = new String(bytes, StandardCharsets.ISO_8859_1);
    return abbreviationCodes.computeIfAbsent(
        key,
        _ -> {
          long code = abbreviationCodes.size() + 1L;
          abbreviations.uleb(code).bytes(bytes);
          return code;
        });
  }

  private void value(Bytes out, Unit unit, int form, Object value) {
    switch (form) {
      case 0x01 -> out.number(addressSize, number(value)); // addr
      case 0x03 -> out.number(2, length(value)).bytes((byte[]) value); // block2
      case 0x04 -> out.number(4, length(value)).bytes((byte[]) value); // block4
      case 0x0a -> out.number(1, length(value)).bytes((byte[]) value); // block1
      case 0x09, 0x18 -> out.uleb(length(value)).bytes((byte[]) value); // block, exprloc
      case 0x1e -> out.bytes((byte[]) value); // data16
      case 0x05 -> out.number(2, number(value)); // data2
      case 0x06 -> out.number(4, number(value)); // data4
      case 0x07, 0x20, 0x24 -> out.number(8, number(value)); // data8, ref_sig8, ref_sup8
      case 0x0b, 0x0c -> out.number(1, number(value)); // data1, flag
      case 0x08 -> out.cString((String) value); // string
      case 0x0d -> out.sleb(number(value)); // sdata
      case 0x0f, 0x1b, 0x22, 0x23, 0x1f01 -> out.uleb(number(value)); // udata, addrx, lists
      case 0x0e, 0x1d, 0x1f21 -> out.number(offsetSize, stringAt(strings, value)); // strp, alt
      case 0x1f -> out.number(offsetSize, stringAt(lineStrings, value)); // line_strp
      case 0x10 -> // ref_addr
          out.number(unit.version == 2 ? addressSize : offsetSize, target(value, 0));
      case 0x11 -> out.number(1, target(value, unit.offset)); // ref1
      case 0x12 -> out.number(2, target(value, unit.offset)); // ref2
      case 0x13 -> out.number(4, target(value, unit.offset)); // ref4
      case 0x14 -> out.number(8, target(value, unit.offset)); // ref8
      case 0x15 -> out.paddedUleb(target(value, unit.offset)); // ref_udata
      case 0x17, 0x1f20 -> out.number(offsetSize, target(value, 0)); // sec_offset, ref_alt
      case 0x19, 0x21 -> {} // flag_present, implicit_const
      case 0x1a, 0x1f02 -> out.uleb(indexOf(value)); // strx
      case 0x1c -> out.number(4, target(value, 0)); // ref_sup4
      case 0x25 -> out.number(1, indexOf(value)); // strx1
      case 0x26 -> out.number(2, indexOf(value)); // strx2
      case 0x27 -> out.number(3, indexOf(value)); // strx3
      case 0x28 -> out.number(4, indexOf(value)); // strx4
      case 0x29 -> out.number(1, number(value)); // addrx1
      case 0x2a -> out.number(2, number(value)); // addrx2
      case 0x2b -> out.number(3, number(value)); // addrx3
      case 0x2c -> out.number(4, number(value)); // addrx4
      case 0x16 -> { // indirect: the value is { form, value }
        var pair = (Object[]) value;
        out.uleb(number(pair[0]));
        value(out, unit, (int) number(pair[0]), pair[1]);
      }
      default -> out.bytes((byte[]) value);
    }
  }

  private static long number(Object value) {
    return ((Number) value).longValue();
  }

  private static long length(Object value) {
    return ((byte[]) value).length;
  }

  private static long target(Object value, long from) {
    return value instanceof Entry entry ? entry.offset - from : number(value);
  }

  private static long stringAt(Table table, Object value) {
    return value instanceof String text ? table.offset(text) : number(value);
  }

  private long indexOf(Object value) {
    if (!(value instanceof String text)) {
      return number(value);
    }
    var _ = strings.offset(text);
    int known = indexedStrings.indexOf(text);
    if (known < 0) {
      known = indexedStrings.size();
      indexedStrings.add(text);
    }
    return known;
  }

  /** A section of strings, each there once. */
  private final class Table {
    private final Bytes out = new Bytes(order);
    private final Map<String, Long> offsets = new HashMap<>();

    long offset(String text) {
      var known = offsets.get(text);
      if (known == null) {
        known = (long) out.size();
        offsets.put(text, known);
        out.cString(text);
      }
      return known;
    }
  }

  /** Bytes in the making, numbers in either order. */
  public static final class Bytes {
    private final ByteOrder order;
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    public Bytes(ByteOrder order) {
      this.order = order;
    }

    /** The low {@code size} bytes of a number. */
    public Bytes number(int size, long value) {
      for (int i = 0; i < size; i++) {
        int shift = 8 * (order == ByteOrder.LITTLE_ENDIAN ? i : size - 1 - i);
        out.write((int) (value >>> shift));
      }
      return this;
    }

    /** The length that begins a unit or table: in 64-bit DWARF behind four bytes of ones. */
    public Bytes length(int offsetSize, long value) {
      return offsetSize == 4 ? number(4, value) : number(4, -1).number(8, value);
    }

    public Bytes uleb(long value) {
      long rest = value;
      while (rest >>> 7 != 0) {
        out.write((int) ((rest & 0x7f) | 0x80));
        rest >>>= 7;
      }
      out.write((int) rest);
      return this;
    }

    /** In five bytes, whatever the value. */
    public Bytes paddedUleb(long value) {
      for (int i = 0; i < 4; i++) {
        out.write((int) (((value >>> (7 * i)) & 0x7f) | 0x80));
      }
      out.write((int) ((value >>> 28) & 0x7f));
      return this;
    }

    public Bytes sleb(long value) {
      long rest = value;
      while (true) {
        int low = (int) (rest & 0x7f);
        rest >>= 7;
        if (rest == ((low & 0x40) == 0 ? 0 : -1)) {
          out.write(low);
          return this;
        }
        out.write(low | 0x80);
      }
    }

    public Bytes bytes(byte... bytes) {
      out.writeBytes(bytes);
      return this;
    }

    public Bytes cString(String text) {
      out.writeBytes(text.getBytes(StandardCharsets.UTF_8));
      out.write(0);
      return this;
    }

    public int size() {
      return out.size();
    }

    public byte[] toByteArray() {
      return out.toByteArray();
    }
  }
}
