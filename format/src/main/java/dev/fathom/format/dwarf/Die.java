// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.dwarf;

import dev.fathom.base.BadDataException;
import dev.fathom.base.ByteCursor;
import dev.fathom.base.ByteSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * One entry (DWARF 5, section 2.1): its tag, attributes, and the way to its children. Decoded as a
 * whole when it is read; its children are not.
 */
public final class Die {
  /**
   * How many entries {@code DW_AT_specification} and {@code DW_AT_abstract_origin} may lead through
   * one after the other; real ones are two or three.
   */
  private static final int MAX_ORIGINS = 16;

  private final Unit unit;
  private final long offset;
  private final Abbreviation abbreviation;
  private final FormValue[] values;
  private final long behind;

  private Die(Unit unit, long offset, Abbreviation abbreviation, FormValue[] values, long behind) {
    this.unit = unit;
    this.offset = offset;
    this.abbreviation = abbreviation;
    this.values = values;
    this.behind = behind;
  }

  /** Reads the entry at {@code at}, which must not be the end of a list of children. */
  static Die read(Unit unit, long at) {
    ByteCursor in = unit.cursor(at);
    long code = in.uleb();
    if (code == 0) {
      throw unit.bad(at, "is the end of a list of entries, not an entry");
    }
    return read(unit, at, code, in);
  }

  private static Die read(Unit unit, long at, long code, ByteCursor in) {
    Abbreviation abbreviation = unit.abbreviations().get(code, unit.section(), at);
    int[] forms = abbreviation.forms();
    var values = new FormValue[forms.length];
    for (int i = 0; i < forms.length; i++) {
      values[i] = Forms.read(in, unit.encoding(), forms[i], abbreviation.constants()[i]);
    }
    if (in.offset() > unit.end()) {
      throw unit.bad(at, "entry goes on past the end of its unit");
    }
    return new Die(unit, at, abbreviation, values, in.offset());
  }

  public Unit unit() {
    return unit;
  }

  /** The offset in the unit's section. */
  public long offset() {
    return offset;
  }

  /** One of {@link Tag}, or a number that is not known there. */
  public int tag() {
    return abbreviation.tag();
  }

  public boolean hasChildren() {
    return abbreviation.hasChildren();
  }

  /** How many attributes there are. */
  public int size() {
    return values.length;
  }

  /** The name of the attribute at an index: one of {@link At}, or not known there. */
  public int attributeName(int index) {
    return abbreviation.names()[index];
  }

  /** The value of the attribute at an index. */
  public FormValue value(int index) {
    return values[index];
  }

  /** The value of an attribute, as it stands. */
  public Optional<FormValue> attribute(int name) {
    int index = abbreviation.indexOf(name);
    return index < 0 ? Optional.empty() : Optional.of(values[index]);
  }

  public boolean has(int name) {
    return abbreviation.indexOf(name) >= 0;
  }

  /** {@code DW_AT_name} of this entry itself. */
  public Optional<String> name() {
    return string(At.NAME);
  }

  /** The text of an attribute of class string. */
  public Optional<String> string(int name) {
    int index = abbreviation.indexOf(name);
    return index < 0 ? Optional.empty() : Optional.of(unit.string(values[index]));
  }

  /**
   * The number of an attribute of class constant; unsigned but for {@code sdata} and {@code
   * implicit_const}. Empty when there is none, or when it has another class, such as an expression.
   */
  public OptionalLong number(int name) {
    int index = abbreviation.indexOf(name);
    return index >= 0 && values[index].isConstant()
        ? OptionalLong.of(values[index].value())
        : OptionalLong.empty();
  }

  /** Whether a flag is there and set. */
  public boolean flag(int name) {
    int index = abbreviation.indexOf(name);
    return index >= 0 && values[index].value() != 0;
  }

  /** The address of an attribute of class address; empty when there is none. */
  public OptionalLong address(int name) {
    int index = abbreviation.indexOf(name);
    return index < 0 ? OptionalLong.empty() : OptionalLong.of(unit.address(values[index]));
  }

  /**
   * {@code DW_AT_high_pc} as an address, whether it is one or counts from {@code DW_AT_low_pc}
   * (since version 4).
   */
  public OptionalLong highPc() {
    var high = attribute(At.HIGH_PC);
    if (high.isEmpty()) {
      return OptionalLong.empty();
    }
    var low = address(At.LOW_PC);
    if (!high.get().isConstant()) {
      return OptionalLong.of(unit.address(high.get()));
    }
    return low.isEmpty()
        ? OptionalLong.empty()
        : OptionalLong.of(low.getAsLong() + high.get().value());
  }

  /** The entry that an attribute of class reference leads to. */
  public Optional<Die> reference(int name) {
    int index = abbreviation.indexOf(name);
    return index < 0 ? Optional.empty() : Optional.of(unit.reference(values[index]));
  }

  /** The bytes of an attribute that is a block or an expression; empty when it is neither. */
  public Optional<ByteSource> block(int name) {
    int index = abbreviation.indexOf(name);
    return index >= 0 && values[index].isBlock()
        ? Optional.of(unit.block(values[index]))
        : Optional.empty();
  }

  /**
   * This entry and those that it completes: {@code DW_AT_abstract_origin} and {@code
   * DW_AT_specification}, nearest first. An attribute that this entry lacks is the next one's
   * (DWARF 5, sections 2.13.2 and 3.3.8.1).
   *
   * @throws BadDataException when they lead to each other in a circle
   */
  public List<Die> withOrigins() {
    var found = new ArrayList<Die>(2);
    Die at = this;
    while (true) {
      found.add(at);
      int index = at.abbreviation.indexOf(At.ABSTRACT_ORIGIN);
      if (index < 0) {
        index = at.abbreviation.indexOf(At.SPECIFICATION);
      }
      if (index < 0) {
        return found;
      }
      if (found.size() == MAX_ORIGINS) {
        throw unit.bad(offset, "abstract origins lead through more than " + MAX_ORIGINS);
      }
      at = at.unit.reference(at.values[index]);
    }
  }

  /** The entry of {@link #withOrigins} that has an attribute: the nearest. */
  public Optional<Die> owner(int name) {
    if (has(name)) {
      return Optional.of(this);
    }
    if (!has(At.ABSTRACT_ORIGIN) && !has(At.SPECIFICATION)) {
      return Optional.empty();
    }
    for (var die : withOrigins()) {
      if (die.has(name)) {
        return Optional.of(die);
      }
    }
    return Optional.empty();
  }

  /** The first child. */
  public Optional<Die> firstChild() {
    return hasChildren() ? at(behind) : Optional.empty();
  }

  /**
   * The next entry with the same parent.
   *
   * @throws BadDataException when this entry's children do not end inside the unit
   */
  public Optional<Die> next() {
    return at(behindChildren());
  }

  private Optional<Die> at(long position) {
    if (position >= unit.end()) {
      return Optional.empty(); // the end of the last list of children may be left out
    }
    ByteCursor in = unit.cursor(position);
    long code = in.uleb();
    return code == 0 ? Optional.empty() : Optional.of(read(unit, position, code, in));
  }

  /** The offset behind this entry and all below it. */
  private long behindChildren() {
    if (!hasChildren()) {
      return behind;
    }
    int sibling = abbreviation.indexOf(At.SIBLING);
    if (sibling >= 0) {
      long to = unit.offset() + values[sibling].value();
      if (to <= offset || to > unit.end()) {
        throw unit.bad(offset, "sibling at 0x" + Long.toHexString(to) + " is not behind the entry");
      }
      return to;
    }
    ByteCursor in = unit.cursor(behind);
    long depth = 1;
    while (depth > 0) {
      long at = in.offset();
      if (at >= unit.end()) {
        return unit.end();
      }
      long code = in.uleb();
      if (code == 0) {
        depth--;
        continue;
      }
      Abbreviation entry = unit.abbreviations().get(code, unit.section(), at);
      for (int i = 0; i < entry.forms().length; i++) {
        Forms.skip(in, unit.encoding(), entry.forms()[i]);
      }
      if (entry.hasChildren()) {
        depth++;
      }
    }
    return in.offset();
  }

  /** All children, in order. */
  public List<Die> children() {
    var all = new ArrayList<Die>();
    for (var child = firstChild(); child.isPresent(); child = child.get().next()) {
      all.add(child.get());
    }
    return all;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Die that
        && offset == that.offset
        && unit.section().equals(that.unit.section());
  }

  @Override
  public int hashCode() {
    return Long.hashCode(offset);
  }

  @Override
  public String toString() {
    return "tag 0x"
        + Integer.toHexString(tag())
        + " at "
        + unit.section().name()
        + "+0x"
        + Long.toHexString(offset);
  }
}
