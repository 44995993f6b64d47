// SPDX-License-Identifier: Apache-2.0
package dev.fathom.testkit;

import java.util.HashMap;
import java.util.Map;

/**
 * Writes BTF sections, split ones too. Every method that adds a type answers its type id; ids may
 * be used before their type is added. Members, values and parameters follow the method that begins
 * their type.
 */
public final class BtfWriter {
  private final LittleEndian types = new LittleEndian();
  private final LittleEndian strings = new LittleEndian();
  private final Map<String, Integer> known = new HashMap<>();
  private final int firstString;
  private int nextId;

  /** A section on its own. */
  public BtfWriter() {
    this.firstString = 0;
    this.nextId = 1;
    string("");
  }

  private BtfWriter(BtfWriter base) {
    this.firstString = base.firstString + base.strings.size();
    this.nextId = base.nextId;
    this.known.putAll(base.known);
  }

  /** A section that continues {@code base} as it is now. */
  public static BtfWriter split(BtfWriter base) {
    return new BtfWriter(base);
  }

  /** The id that the next type will have. */
  public int nextId() {
    return nextId;
  }

  private int string(String text) {
    return known.computeIfAbsent(
        text,
        t -> {
          int at = firstString + strings.size();
          strings.cString(t);
          return at;
        });
  }

  /** A record's head, of any kind. */
  public int record(String name, int kind, int vlen, boolean flag, long sizeOrType) {
    types.u32(string(name)).u32((long) kind << 24 | vlen | (flag ? 1L << 31 : 0)).u32(sizeOrType);
    return nextId++;
  }

  /** A word of the data behind a record's head. */
  public BtfWriter word(long value) {
    types.u32(value);
    return this;
  }

  /** {@code encoding}: 1 signed, 2 character, 4 bool. */
  public int integer(String name, int bytes, int encoding) {
    return integer(name, bytes, encoding, 0, bytes * 8);
  }

  public int integer(String name, int bytes, int encoding, int bitOffset, int bits) {
    int id = record(name, 1, 0, false, bytes);
    types.u32((long) encoding << 24 | bitOffset << 16 | bits);
    return id;
  }

  public int pointer(int type) {
    return record("", 2, 0, false, type);
  }

  public int array(int element, int index, long count) {
    int id = record("", 3, 0, false, 0);
    types.u32(element).u32(index).u32(count);
    return id;
  }

  /** A structure with plain members, each added with {@link #member}. */
  public int struct(String name, long bytes, int members) {
    return record(name, 4, members, false, bytes);
  }

  /** A structure with bit-fields, each member added with {@link #bitField}. */
  public int structWithBitFields(String name, long bytes, int members) {
    return record(name, 4, members, true, bytes);
  }

  public int union(String name, long bytes, int members) {
    return record(name, 5, members, false, bytes);
  }

  public BtfWriter member(String name, int type, long bitOffset) {
    types.u32(string(name)).u32(type).u32(bitOffset);
    return this;
  }

  /** A member of a structure with bit-fields; {@code bits} is 0 for one that is none. */
  public BtfWriter bitField(String name, int type, long bitOffset, int bits) {
    return member(name, type, (long) bits << 24 | bitOffset);
  }

  public int enumeration(String name, int bytes, boolean signed, int values) {
    return record(name, 6, values, signed, bytes);
  }

  public BtfWriter value(String name, int value) {
    types.u32(string(name)).u32(value);
    return this;
  }

  public int forward(String name, boolean union) {
    return record(name, 7, 0, union, 0);
  }

  public int typedef(String name, int type) {
    return record(name, 8, 0, false, type);
  }

  public int volatileOf(int type) {
    return record("", 9, 0, false, type);
  }

  public int constOf(int type) {
    return record("", 10, 0, false, type);
  }

  public int restrictOf(int type) {
    return record("", 11, 0, false, type);
  }

  public int function(String name, int prototype, int linkage) {
    return record(name, 12, linkage, false, prototype);
  }

  public int prototype(int result, int parameters) {
    return record("", 13, parameters, false, result);
  }

  /** Without name and type 0 it stands for {@code ...}. */
  public BtfWriter parameter(String name, int type) {
    types.u32(string(name)).u32(type);
    return this;
  }

  public int variable(String name, int type, int linkage) {
    int id = record(name, 14, 0, false, type);
    types.u32(linkage);
    return id;
  }

  public int section(String name, long bytes, int variables) {
    return record(name, 15, variables, false, bytes);
  }

  public BtfWriter variableAt(int variable, long offset, long bytes) {
    types.u32(variable).u32(offset).u32(bytes);
    return this;
  }

  public int floating(String name, int bytes) {
    return record(name, 16, 0, false, bytes);
  }

  public int declarationTag(String name, int type, int component) {
    int id = record(name, 17, 0, false, type);
    types.u32(component);
    return id;
  }

  public int typeTag(String name, int type) {
    return record(name, 18, 0, false, type);
  }

  public int enumeration64(String name, int bytes, boolean signed, int values) {
    return record(name, 19, values, signed, bytes);
  }

  public BtfWriter value64(String name, long value) {
    types.u32(string(name)).u32(value).u32(value >>> 32);
    return this;
  }

  /** The section. */
  public byte[] bytes() {
    var out = header(24).u32(0).u32(types.size()).u32(types.size()).u32(strings.size());
    return out.bytes(types.toByteArray()).bytes(strings.toByteArray()).toByteArray();
  }

  /**
   * The section with the layout that kernels since 7.1 add: for each kind from 0 the bytes of its
   * data and of each of its elements.
   */
  public byte[] bytesWithLayout(int[][] kinds) {
    var out = header(32).u32(0).u32(types.size()).u32(types.size()).u32(strings.size());
    out.u32(types.size() + strings.size()).u32(4L * kinds.length);
    out.bytes(types.toByteArray()).bytes(strings.toByteArray());
    for (int[] kind : kinds) {
      out.u8(kind[0]).u8(kind[1]).u16(0);
    }
    return out.toByteArray();
  }

  private static LittleEndian header(int length) {
    return new LittleEndian().u16(0xeb9f).u8(1).u8(0).u32(length);
  }
}
