// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.dwarf;

import dev.fathom.base.BadDataException;
import dev.fathom.base.ByteCursor;
import dev.fathom.base.ByteSource;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * One unit of {@code .debug_info} or {@code .debug_types}: its header, and what the values in its
 * entries count from (DWARF 5, sections 7.5.1 and 3.1).
 *
 * <pre>
 *   version 2 to 4   length, u16 version, offset abbreviations, u8 address size
 *                    [in .debug_types: u64 signature, offset of the type in the unit]
 *   version 5        length, u16 version, u8 unit type, u8 address size, offset abbreviations
 *                    [skeleton, split compile: u64 id; types: u64 signature, offset of the type]
 * </pre>
 *
 * A length of 0xffffffff is followed by the real one in eight bytes, and offsets have eight bytes
 * then. Entries are decoded when asked for. May be used by several threads.
 */
public final class Unit {
  /** What a unit is. Before version 5 partial and skeleton units have headers of compile units. */
  public enum Kind {
    COMPILE(1),
    TYPE(2),
    PARTIAL(3),
    SKELETON(4),
    SPLIT_COMPILE(5),
    SPLIT_TYPE(6);

    private final int code;

    Kind(int code) {
      this.code = code;
    }

    /** The value of {@code DW_UT_*}. */
    public int code() {
      return code;
    }

    static Optional<Kind> of(int code) {
      for (var kind : values()) {
        if (kind.code == code) {
          return Optional.of(kind);
        }
      }
      return Optional.empty();
    }
  }

  private final Dwarf dwarf;
  private final ByteSource section;
  private final long offset;
  private final long end;
  private final long firstDie;
  private final Kind kind;
  private final Encoding encoding;
  private final long abbreviationsOffset;
  private final OptionalLong id;
  private final long typeOffset;
  private final Contributions contributions;
  private final Optional<Unit> skeleton;

  // Computed when first asked for; computing twice in a race does no harm.
  private volatile Abbreviations abbreviations;
  private volatile Die root;
  private volatile Optional<Unit> split;

  /** As {@link UnitHeader} read it. */
  Unit(Dwarf dwarf, UnitHeader header, Contributions contributions, Optional<Unit> skeleton) {
    this.dwarf = dwarf;
    this.section = header.section();
    this.offset = header.offset();
    this.end = header.end();
    this.firstDie = header.firstDie();
    this.kind = header.kind();
    this.encoding = header.encoding();
    this.abbreviationsOffset = header.abbreviationsOffset();
    this.id = header.id();
    this.typeOffset = header.typeOffset();
    this.contributions = contributions;
    this.skeleton = skeleton;
  }

  /** The file that the unit is in; of a split unit the {@code .dwo} or package file. */
  public Dwarf dwarf() {
    return dwarf;
  }

  /** The section that the unit is in; its name is for messages. */
  public ByteSource section() {
    return section;
  }

  /** The offset of the header in the section. */
  public long offset() {
    return offset;
  }

  /** The offset behind the unit's last byte. */
  public long end() {
    return end;
  }

  public Kind kind() {
    return kind;
  }

  public Encoding encoding() {
    return encoding;
  }

  public int version() {
    return encoding.version();
  }

  public int addressSize() {
    return encoding.addressSize();
  }

  public int offsetSize() {
    return encoding.offsetSize();
  }

  /** The signature of a type unit's type. */
  public OptionalLong typeSignature() {
    return kind == Kind.TYPE || kind == Kind.SPLIT_TYPE ? id : OptionalLong.empty();
  }

  /**
   * The id that a skeleton and its split unit share: from the header, before version 5 from {@code
   * DW_AT_GNU_dwo_id}.
   */
  public OptionalLong splitId() {
    if (kind == Kind.SKELETON || kind == Kind.SPLIT_COMPILE) {
      return id;
    }
    return kind == Kind.COMPILE && version() < 5
        ? root().number(At.GNU_DWO_ID)
        : OptionalLong.empty();
  }

  /** The skeleton of a split unit. */
  public Optional<Unit> skeleton() {
    return skeleton;
  }

  /** The offset of the first entry. */
  long firstDie() {
    return firstDie;
  }

  Contributions contributions() {
    return contributions;
  }

  Abbreviations abbreviations() {
    var known = abbreviations;
    if (known == null) {
      known = dwarf.abbreviations(abbreviationsOffset + contributions.abbrev(), this);
      abbreviations = known;
    }
    return known;
  }

  /** The unit's own entry. */
  public Die root() {
    var known = root;
    if (known == null) {
      known = Die.read(this, firstDie);
      root = known;
    }
    return known;
  }

  /**
   * The entry that describes a type unit's type.
   *
   * @throws BadDataException when this is no type unit, or its type lies outside
   */
  public Die typeDie() {
    if (typeSignature().isEmpty()) {
      throw bad(offset, "unit is no type unit");
    }
    return die(offset + typeOffset);
  }

  /**
   * The entry at an offset in the section.
   *
   * @throws BadDataException when that is not inside the unit's entries, or cannot be decoded
   */
  public Die die(long at) {
    if (at < firstDie || at >= end) {
      throw bad(
          at,
          "is no entry of the unit at 0x"
              + Long.toHexString(offset)
              + ", whose entries lie between 0x"
              + Long.toHexString(firstDie)
              + " and 0x"
              + Long.toHexString(end));
    }
    return at == firstDie ? root() : Die.read(this, at);
  }

  /**
   * The unit of a skeleton that was split off into a {@code .dwo} or package file; empty when this
   * is no skeleton, or there is no such file.
   *
   * @throws BadDataException when the file is there but of another build, or damaged
   */
  public Optional<Unit> split() {
    var known = split;
    if (known == null) {
      known = dwarf.findSplit(this);
      split = known;
    }
    return known;
  }

  /** {@code DW_AT_name} of the unit: the source file as it was given to the compiler. */
  public Optional<String> name() {
    return root().string(At.NAME).or(() -> split().flatMap(s -> s.root().string(At.NAME)));
  }

  /** {@code DW_AT_comp_dir}: the directory in which the compiler ran. */
  public Optional<String> directory() {
    return root().string(At.COMP_DIR).or(() -> skeleton.flatMap(Unit::directory));
  }

  /** {@code DW_AT_language}, one of {@code DW_LANG_*}. */
  public OptionalLong language() {
    return root().number(At.LANGUAGE);
  }

  /**
   * {@code DW_AT_low_pc}, which addresses in the unit's range and location lists count from; a
   * split unit has its skeleton's.
   */
  public OptionalLong baseAddress() {
    var own = root().address(At.LOW_PC);
    return own.isEmpty() && skeleton.isPresent() ? skeleton.get().baseAddress() : own;
  }

  /** The file whose {@code .debug_addr} and, before version 5, {@code .debug_ranges} count. */
  public Dwarf addresses() {
    return skeleton.isPresent() ? skeleton.get().dwarf : dwarf;
  }

  /** Where the unit's line number program begins in the line section of its file. */
  public OptionalLong lineOffset() {
    var own = root().attribute(At.STMT_LIST);
    if (own.isPresent()) {
      return OptionalLong.of(own.get().value() + contributions.line());
    }
    return kind == Kind.SPLIT_TYPE || (skeleton.isPresent() && kind != Kind.SPLIT_COMPILE)
        ? OptionalLong.of(contributions.line())
        : OptionalLong.empty();
  }

  /**
   * The offset in {@code .debug_str_offsets} at which index 0 is: {@code DW_AT_str_offsets_base},
   * in split units behind the header of their part.
   */
  public long strOffsetsBase() {
    var given = root().attribute(At.STR_OFFSETS_BASE);
    if (given.isPresent()) {
      return given.get().value() + contributions.strOffsets();
    }
    return contributions.strOffsets() + (version() >= 5 ? headerSize(8, 16) : 0);
  }

  /** The offset in {@code .debug_addr} of {@link #addresses} at which index 0 is. */
  public long addrBase() {
    if (skeleton.isPresent()) {
      return skeleton.get().addrBase();
    }
    var given = root().attribute(At.ADDR_BASE).or(() -> root().attribute(At.GNU_ADDR_BASE));
    return given.map(FormValue::value).orElse(version() >= 5 ? headerSize(8, 16) : 0L);
  }

  /**
   * The offset in {@code .debug_rnglists} of this unit's file at which the offsets for {@code
   * DW_FORM_rnglistx} are, and which they count from. In split units: behind the header of their
   * part.
   */
  public long rnglistsBase() {
    var given = root().attribute(At.RNGLISTS_BASE);
    return given.map(FormValue::value).orElse(headerSize(12, 20)) + contributions.rangeLists();
  }

  /** As {@link #rnglistsBase}, for {@code DW_FORM_loclistx} and {@code .debug_loclists}. */
  public long loclistsBase() {
    var given = root().attribute(At.LOCLISTS_BASE);
    return given.map(FormValue::value).orElse(headerSize(12, 20)) + contributions.locations();
  }

  /**
   * What offsets into the location section count from: 0, in package files the start of the unit's
   * part.
   */
  public long locationsStart() {
    return contributions.locations();
  }

  /** As {@link #locationsStart}, for {@code .debug_rnglists}. */
  public long rangeListsStart() {
    return contributions.rangeLists();
  }

  /**
   * What offsets into {@code .debug_ranges} of {@link #addresses} count from: 0, in split units of
   * version 4 the skeleton's {@code DW_AT_GNU_ranges_base}.
   */
  public long rangesBase() {
    return skeleton
        .flatMap(s -> s.root().attribute(At.GNU_RANGES_BASE))
        .map(FormValue::value)
        .orElse(0L);
  }

  private long headerSize(int small, int large) {
    return encoding.offsetSize() == 4 ? small : large;
  }

  /**
   * The text of a value of class string.
   *
   * @throws BadDataException when the value is no string or leads outside its section
   */
  public String string(FormValue value) {
    return dwarf.string(this, value);
  }

  /**
   * The address that a value of class address is or leads to.
   *
   * @throws BadDataException when the value is no address or leads outside its section
   */
  public long address(FormValue value) {
    return switch (value.form()) {
      case Form.ADDR -> value.value();
      case Form.ADDRX, Form.ADDRX1, Form.ADDRX2, Form.ADDRX3, Form.ADDRX4, Form.GNU_ADDR_INDEX ->
          indexedAddress(value.value());
      default -> throw bad(offset, formText(value) + " is no address");
    };
  }

  /**
   * The address with an index in {@code .debug_addr}, as {@code DW_OP_addrx} and the lists of
   * version 5 name them.
   */
  public long indexedAddress(long index) {
    Dwarf file = addresses();
    ByteSource table = file.need(".debug_addr", this);
    int size = encoding.addressSize();
    long base = addrBase();
    if (index < 0 || base < 0 || index > (table.size() - base) / size) {
      throw new BadDataException(
          table.name(), base, "address index " + Long.toUnsignedString(index) + " is outside");
    }
    return Forms.number(table.cursor(base + index * size, encoding.order()), size);
  }

  /**
   * The entry that a value of class reference leads to.
   *
   * @throws BadDataException when the value is no reference or leads nowhere
   */
  public Die reference(FormValue value) {
    return switch (value.form()) {
      case Form.REF1, Form.REF2, Form.REF4, Form.REF8, Form.REF_UDATA -> {
        if (value.value() < 0 || value.value() >= end - offset) {
          throw bad(
              offset,
              "reference 0x" + Long.toHexString(value.value()) + " leads outside of its unit");
        }
        yield die(offset + value.value());
      }
      case Form.REF_ADDR -> dwarf.die(value.value() + contributions.info());
      case Form.REF_SIG8 -> dwarf.typeUnit(value.value(), this).typeDie();
      case Form.REF_SUP4, Form.REF_SUP8, Form.GNU_REF_ALT ->
          dwarf.needSupplementary(this).die(value.value());
      default -> throw bad(offset, formText(value) + " is no reference");
    };
  }

  /**
   * The bytes of a block, an expression or {@code data16}; offsets in them count from their first.
   *
   * @throws BadDataException when the value is none of these
   */
  public ByteSource block(FormValue value) {
    if (!value.isBlock()) {
      throw bad(offset, formText(value) + " is no block");
    }
    return section.part(value.value(), value.length());
  }

  /** An error about something at an offset of this unit's section. */
  public BadDataException bad(long at, String what) {
    return new BadDataException(section.name(), at, what);
  }

  static String formText(FormValue value) {
    return "value 0x"
        + Long.toHexString(value.value())
        + " of form 0x"
        + Integer.toHexString(value.form());
  }

  ByteCursor cursor(long at) {
    return section.cursor(at, encoding.order());
  }

  @Override
  public String toString() {
    return section.name() + "+0x" + Long.toHexString(offset);
  }
}
