// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.dwarf;

import dev.fathom.base.BadDataException;
import dev.fathom.base.ByteCursor;
import dev.fathom.base.ByteSource;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Consumer;

/**
 * Call frame information: how to get from a frame to its caller at any instruction, from {@code
 * .debug_frame} (DWARF 5, section 6.4; versions 1, 3 and 4) or {@code .eh_frame} (Linux Standard
 * Base 5, Core, section 10.6).
 *
 * <pre>
 *   entry   = length [64-bit length] id body
 *   CIE     = version augmentation [address size, segment selector size (version 4)]
 *             code factor, data factor, return address column [augmentation data] instructions
 *   FDE     = initial location, range [augmentation data] instructions
 * </pre>
 *
 * <p>In {@code .eh_frame} a CIE's id is 0 and an FDE's counts back to its CIE. The index over a
 * section is made when it is first needed, or a binary search over {@code .eh_frame_hdr} is used
 * where each answer proves right. Addresses are those of the linked file. Used by one thread.
 */
public final class CallFrames {
  /** No register number of any architecture is larger. */
  private static final int MAX_REGISTER = 1 << 12;

  /** Deeper than any compiler remembers. */
  private static final int MAX_REMEMBERED = 64;

  /** More instructions than the largest function's. */
  private static final int MAX_INSTRUCTIONS = 1 << 20;

  private static final int MAX_AUGMENTATION = 256;
  private static final int HDR_TABLE = 0x3b; // DW_EH_PE_datarel | DW_EH_PE_sdata4
  private static final int HDR_OMIT = 0xff;

  private final ByteSource section;
  private final ByteOrder order;
  private final int addressSize;
  private final boolean eh;
  private final PointerEncoding.Bases bases;
  private final Map<Long, Cie> cies = new HashMap<>();
  private Optional<SearchTable> table = Optional.empty();
  private Optional<Index> index = Optional.empty();
  private final List<String> problems = new ArrayList<>();

  private CallFrames(
      ByteSource section,
      ByteOrder order,
      int addressSize,
      boolean eh,
      PointerEncoding.Bases bases) {
    this.section = section;
    this.order = order;
    this.addressSize = addressSize;
    this.eh = eh;
    this.bases = bases;
  }

  /**
   * Those in a {@code .debug_frame} section.
   *
   * @param addressSize bytes of an address, for versions that do not say it
   */
  public static CallFrames ofDebugFrame(ByteSource section, ByteOrder order, int addressSize) {
    return new CallFrames(section, order, addressSize, false, PointerEncoding.Bases.NONE);
  }

  /**
   * Those in an {@code .eh_frame} section.
   *
   * @param address where the section's first byte is when the file is loaded as linked
   * @param text the address that text-relative pointers count from
   * @param data the address that data-relative pointers count from: the global offset table
   */
  public static CallFrames ofEhFrame(
      ByteSource section,
      ByteOrder order,
      int addressSize,
      long address,
      OptionalLong text,
      OptionalLong data) {
    return new CallFrames(
        section,
        order,
        addressSize,
        true,
        new PointerEncoding.Bases(OptionalLong.of(address), text, data));
  }

  /**
   * Uses the sorted table of an {@code .eh_frame_hdr} section instead of an index of our own, where
   * it is of the usual form. Each answer is checked, so a wrong table costs only time.
   *
   * @param hdrAddress where its first byte is when the file is loaded as linked
   */
  public CallFrames with(ByteSource hdr, long hdrAddress) {
    if (eh) {
      table = SearchTable.of(hdr, order, hdrAddress);
    }
    return this;
  }

  /** What was found wrong with the section so far, one line each. */
  public List<String> problems() {
    return List.copyOf(problems);
  }

  /** What a CIE says for its FDEs. */
  private record Cie(
      Encoding encoding,
      long codeFactor,
      long dataFactor,
      int returnAddress,
      PointerEncoding pointers,
      boolean augmented,
      boolean signal,
      long instructions,
      long end) {}

  /**
   * A frame description entry.
   *
   * @param offset where it is in its section
   * @param start the function's first address, as linked
   * @param end the address behind its last
   */
  public record Fde(long offset, long start, long end, long instructions, long bodyEnd, long cie) {
    boolean contains(long pc) {
      return Long.compareUnsigned(pc - start, end - start) < 0;
    }
  }

  /** An entry's head: where its body is and which CIE it belongs to; empty for a CIE itself. */
  private record Head(long offset, long id, long end, int offsetSize, OptionalLong cie) {}

  /** Addresses sorted, with the offset of each FDE. */
  private record Index(long[] starts, long[] ends, long[] offsets) {}

  /** The table in {@code .eh_frame_hdr}. */
  private record SearchTable(ByteCursor in, long address, long entries, long count) {
    static Optional<SearchTable> of(ByteSource hdr, ByteOrder order, long address) {
      try {
        var in = hdr.cursor(0, order);
        int version = in.u8();
        var frame = new PointerEncoding(in.u8());
        int countEncoding = in.u8();
        int tableEncoding = in.u8();
        if (version != 1 || countEncoding == HDR_OMIT || tableEncoding != HDR_TABLE) {
          return Optional.empty();
        }
        var base = OptionalLong.of(address);
        var bases = new PointerEncoding.Bases(base, OptionalLong.empty(), base);
        var encoding = new Encoding(order, 1, 4, 8);
        if (!frame.omitted()) {
          frame.read(in, encoding, bases, 0);
        }
        long count = new PointerEncoding(countEncoding).read(in, encoding, bases, 0);
        return count > 0 && count <= in.remaining() / 8
            ? Optional.of(new SearchTable(in, address, in.offset(), count))
            : Optional.empty();
      } catch (BadDataException e) {
        return Optional.empty(); // A table that is not of the usual form is not used.
      }
    }

    /** The address of the FDE of the last function that starts at {@code pc} or before. */
    OptionalLong find(long pc) {
      long low = 0;
      long high = count - 1;
      while (low <= high) {
        long middle = (low + high) >>> 1;
        if (Long.compareUnsigned(start(middle), pc) <= 0) {
          low = middle + 1;
        } else {
          high = middle - 1;
        }
      }
      return high < 0 ? OptionalLong.empty() : OptionalLong.of(address + word(high, 4));
    }

    private long start(long entry) {
      return address + word(entry, 0);
    }

    private int word(long entry, int at) {
      return in.seek(entries + entry * 8 + at).i32();
    }
  }

  /**
   * The entry of the function that {@code pc} is in.
   *
   * @throws BadDataException when it is malformed
   */
  public Optional<Fde> find(long pc) {
    if (table.isPresent() && index.isEmpty()) {
      var found = byTable(table.get(), pc);
      if (found.isPresent()) {
        return found;
      }
    }
    var all = index();
    // Functions do not overlap, but for entries of discarded ones, which start at 0.
    int low = 0;
    int high = all.starts().length - 1;
    while (low <= high) {
      int middle = (low + high) >>> 1;
      if (Long.compareUnsigned(all.starts()[middle], pc) <= 0) {
        low = middle + 1;
      } else {
        high = middle - 1;
      }
    }
    if (high < 0 || Long.compareUnsigned(pc, all.ends()[high]) >= 0) {
      return Optional.empty();
    }
    return Optional.of(fde(head(all.offsets()[high])));
  }

  private Optional<Fde> byTable(SearchTable hdr, long pc) {
    var address = hdr.find(pc);
    long offset = address.orElse(0) - bases.section().orElse(0);
    if (address.isEmpty() || offset < 0 || offset > section.size() - 4) {
      return Optional.empty();
    }
    try {
      var head = head(offset);
      if (head.cie().isEmpty()) {
        return Optional.empty();
      }
      var fde = fde(head);
      return fde.contains(pc) ? Optional.of(fde) : Optional.empty();
    } catch (BadDataException e) {
      return Optional.empty(); // The table leads nowhere; the index is asked next.
    }
  }

  private Index index() {
    if (index.isEmpty()) {
      index = Optional.of(makeIndex());
    }
    return index.get();
  }

  private Index makeIndex() {
    var found = new ArrayList<Fde>();
    forEach(found::add);
    found.sort(
        Comparator.comparing(Fde::start, Long::compareUnsigned)
            .thenComparing(Fde::end, Long::compareUnsigned));
    int count = found.size();
    long[] starts = new long[count];
    long[] ends = new long[count];
    long[] offsets = new long[count];
    for (int i = 0; i < count; i++) {
      starts[i] = found.get(i).start();
      ends[i] = found.get(i).end();
      offsets[i] = found.get(i).offset();
    }
    return new Index(starts, ends, offsets);
  }

  /**
   * Every entry of a function that is not empty, in the section's order. One that is malformed is
   * left out and kept in {@link #problems}; the walk ends where the next one cannot be found.
   */
  public void forEach(Consumer<Fde> visitor) {
    long at = 0;
    while (at < section.size()) {
      Head head;
      try {
        if (section.size() - at < 4) {
          return;
        }
        if (section.cursor(at, order).u32() == 0) {
          at += 4; // The end of one object file's part.
          continue;
        }
        head = head(at);
      } catch (BadDataException e) {
        problem(e);
        return;
      }
      at = head.end();
      if (head.cie().isPresent()) {
        try {
          var fde = fde(head);
          if (fde.start() != fde.end()) {
            visitor.accept(fde);
          }
        } catch (BadDataException e) {
          problem(e);
        }
      }
    }
  }

  private void problem(BadDataException e) {
    if (problems.size() < 16) {
      problems.add(e.getMessage());
    }
  }

  private Head head(long offset) {
    var in = section.cursor(offset, order);
    long length = in.u32();
    int offsetSize = 4;
    if (length == 0xffffffffL) {
      length = in.u64();
      offsetSize = 8;
    } else if (length >= 0xfffffff0L) {
      throw in.bad(offset, "reserved length 0x" + Long.toHexString(length));
    }
    DwarfNumbers.length(in, offset, length, "entry");
    long end = in.offset() + length;
    long idAt = in.offset();
    // In .eh_frame the id has four bytes in either form (LSB 10.6.1.1).
    long id = DwarfNumbers.unsigned(in, eh ? 4 : offsetSize);
    long cieId = eh ? 0 : offsetSize == 8 ? -1L : 0xffffffffL;
    OptionalLong cie = id == cieId ? OptionalLong.empty() : OptionalLong.of(eh ? idAt - id : id);
    return new Head(offset, in.offset(), end, offsetSize, cie);
  }

  private Cie cie(long offset) {
    var known = cies.get(offset);
    if (known != null) {
      return known;
    }
    if (offset < 0 || offset > section.size() - 4) {
      throw new BadDataException(section.name(), offset, "a CIE is named here, out of the section");
    }
    var head = head(offset);
    if (head.cie().isPresent()) {
      throw new BadDataException(section.name(), offset, "a CIE is named here, there is none");
    }
    var made = readCie(head);
    cies.put(offset, made);
    return made;
  }

  private Cie readCie(Head head) {
    var in = section.cursor(head.id(), order);
    int version = in.u8();
    if (version != 1 && version != 3 && version != 4) {
      throw in.bad(head.id(), "CIE version " + version + ", expected 1, 3 or 4");
    }
    long augmentationAt = in.offset();
    String augmentation = in.cString(MAX_AUGMENTATION);
    int size = addressSize;
    if (augmentation.startsWith("eh")) {
      in.skip(addressSize); // GCC 2's exception table.
    }
    if (version == 4) {
      size = in.u8();
      if (size != 2 && size != 4 && size != 8) {
        throw in.bad(in.offset() - 1, "address size " + size + ", expected 2, 4 or 8");
      }
      int selector = in.u8();
      if (selector != 0) {
        throw in.bad(in.offset() - 1, "segment selectors of " + selector + " bytes, expected 0");
      }
    }
    var encoding = new Encoding(order, version, head.offsetSize(), size);
    long codeFactor = in.uleb();
    long dataFactor = in.sleb();
    long columnAt = in.offset();
    long column = version == 1 ? in.u8() : in.uleb();
    if (column < 0 || column >= MAX_REGISTER) {
      throw in.bad(columnAt, "return address column " + Long.toUnsignedString(column));
    }
    var pointers = PointerEncoding.ABSOLUTE;
    boolean signal = false;
    boolean augmented = augmentation.startsWith("z");
    if (augmented) {
      long lengthAt = in.offset();
      long length = in.uleb();
      DwarfNumbers.length(in, lengthAt, length, "augmentation data");
      long end = in.offset() + length;
      boolean known = true;
      for (int i = 1; i < augmentation.length() && known; i++) {
        switch (augmentation.charAt(i)) {
          case 'R' -> pointers = new PointerEncoding(in.u8());
          case 'L' -> in.u8();
          case 'P' -> new PointerEncoding(in.u8()).skip(in, encoding);
          case 'S' -> signal = true;
          case 'B', 'G' -> {} // AArch64's key B signs; memory tagging of the stack.
          default -> known = false; // Its size is told, so what follows can be passed over.
        }
      }
      in.seek(end);
    } else {
      for (int i = 0; i < augmentation.length(); i++) {
        switch (augmentation.charAt(i)) {
          case 'S' -> signal = true;
          case 'e', 'h', 'a', 'r', 'm', 'c' -> {} // "eh", "armcc+": nothing follows.
          default -> throw in.bad(augmentationAt, "unknown augmentation '" + augmentation + "'");
        }
      }
    }
    return new Cie(
        encoding,
        codeFactor,
        dataFactor,
        (int) column,
        pointers,
        augmented,
        signal,
        checked(in, head),
        head.end());
  }

  /** Where the instructions start, which is inside the entry. */
  private static long checked(ByteCursor in, Head head) {
    if (in.offset() > head.end()) {
      throw in.bad(head.offset(), "the entry's head is longer than the entry");
    }
    return in.offset();
  }

  private Fde fde(Head head) {
    long cieAt = head.cie().orElseThrow();
    var cie = cie(cieAt);
    var in = section.cursor(head.id(), order);
    if (cie.pointers().indirect()) {
      throw in.bad(head.offset(), "the initial location is behind a pointer, which is not read");
    }
    long start = cie.pointers().read(in, cie.encoding(), bases, 0);
    long range = cie.pointers().length().read(in, cie.encoding(), bases, 0);
    if (cie.augmented()) {
      long at = in.offset();
      long length = in.uleb();
      DwarfNumbers.length(in, at, length, "augmentation data");
      in.skip(length);
    }
    long end = start + range;
    if (Long.compareUnsigned(end, start) < 0) {
      throw in.bad(head.offset(), "function of " + Long.toUnsignedString(range) + " bytes");
    }
    return new Fde(head.offset(), start, end, checked(in, head), head.end(), cieAt);
  }

  /**
   * The rules at {@code pc}.
   *
   * @throws BadDataException when the entry is malformed
   */
  public Optional<CfiRow> rowAt(long pc) {
    var fde = find(pc);
    return fde.isPresent() ? Optional.of(rowAt(fde.get(), pc)) : Optional.empty();
  }

  /** The rules at {@code pc}, which is in {@code fde}. */
  public CfiRow rowAt(Fde fde, long pc) {
    var machine = new Machine(cie(fde.cie()), fde, OptionalLong.of(pc));
    return machine.run().getLast();
  }

  /** All rows of a function, in ascending order. */
  public List<CfiRow> rows(Fde fde) {
    return new Machine(cie(fde.cie()), fde, OptionalLong.empty()).run();
  }

  /** What remember_state keeps. */
  private record Remembered(CfiRow.Cfa cfa, Map<Integer, CfiRule> rules, boolean signed) {}

  /** Carries out the instructions of a CIE and one of its FDEs. */
  private final class Machine {
    private final Cie cie;
    private final Fde fde;
    private final OptionalLong wanted;
    private final Deque<Remembered> remembered = new ArrayDeque<>();
    private final List<CfiRow> rows = new ArrayList<>();
    private final Map<Integer, CfiRule> rules = new HashMap<>();
    private Map<Integer, CfiRule> initial = Map.of();
    private CfiRow.Cfa cfa = new CfiRow.Cfa.Unknown();
    private boolean signed;
    private boolean inCie = true;
    private long location;
    private int count;

    /**
     * @param wanted the address whose row alone is wanted; empty for all
     */
    Machine(Cie cie, Fde fde, OptionalLong wanted) {
      this.cie = cie;
      this.fde = fde;
      this.wanted = wanted;
    }

    List<CfiRow> run() {
      location = fde.start();
      execute(cie.instructions(), cie.end());
      inCie = false;
      initial = Map.copyOf(rules);
      remembered.clear();
      if (!execute(fde.instructions(), fde.bodyEnd())) {
        finish(fde.end());
      }
      return rows;
    }

    /** The rules up to {@code end} are known; says whether nothing more is wanted. */
    private boolean finish(long end) {
      boolean hit = wanted.isPresent() && Long.compareUnsigned(wanted.getAsLong(), end) < 0;
      if (wanted.isEmpty() || hit || end == fde.end()) {
        rows.add(new CfiRow(location, end, cfa, rules, cie.returnAddress(), signed, cie.signal()));
      }
      return hit;
    }

    private boolean advance(ByteCursor in, long at, long to) {
      if (inCie) {
        throw in.bad(at, "a CIE moves the location");
      }
      if (Long.compareUnsigned(to, location) < 0) {
        throw in.bad(at, "the location goes back to 0x" + Long.toHexString(to));
      }
      boolean done = to != location && finish(to);
      location = to;
      return done;
    }

    /** Whether it ended before the last instruction, because nothing more is wanted. */
    private boolean execute(long from, long to) {
      var in = section.cursor(from, order);
      while (in.offset() < to) {
        long at = in.offset();
        if (++count > MAX_INSTRUCTIONS) {
          throw in.bad(at, "more than " + MAX_INSTRUCTIONS + " instructions");
        }
        int op = in.u8();
        boolean done =
            switch (op & 0xc0) {
              case 0x40 -> advance(in, at, moved(op & 0x3f));
              case 0x80 -> {
                rules.put(op & 0x3f, new CfiRule.Offset(in.uleb() * cie.dataFactor()));
                yield false;
              }
              case 0xc0 -> {
                restore(op & 0x3f);
                yield false;
              }
              default -> extended(in, at, op);
            };
        if (in.offset() > to) {
          throw in.bad(at, "instruction reaches past the end of its entry");
        }
        if (done) {
          return true;
        }
      }
      return false;
    }

    private long moved(long delta) {
      return DwarfNumbers.address(cie.encoding(), location + delta * cie.codeFactor());
    }

    private boolean extended(ByteCursor in, long at, int op) {
      switch (op) {
        case 0x00 -> {} // nop
        case 0x01 -> { // set_loc
          return advance(in, at, cie.pointers().read(in, cie.encoding(), bases, fde.start()));
        }
        case 0x02 -> { // advance_loc1
          return advance(in, at, moved(in.u8()));
        }
        case 0x03 -> { // advance_loc2
          return advance(in, at, moved(in.u16()));
        }
        case 0x04 -> { // advance_loc4
          return advance(in, at, moved(in.u32()));
        }
        case 0x1d -> { // MIPS_advance_loc8
          return advance(in, at, moved(in.u64()));
        }
        case 0x05 -> { // offset_extended
          int register = register(in);
          rules.put(register, new CfiRule.Offset(in.uleb() * cie.dataFactor()));
        }
        case 0x06 -> restore(register(in)); // restore_extended
        case 0x07 -> rules.put(register(in), new CfiRule.Undefined());
        case 0x08 -> rules.put(register(in), new CfiRule.SameValue());
        case 0x09 -> { // register
          int register = register(in);
          rules.put(register, new CfiRule.InRegister(register(in)));
        }
        case 0x0a -> { // remember_state
          if (remembered.size() >= MAX_REMEMBERED) {
            throw in.bad(at, "more than " + MAX_REMEMBERED + " remembered states");
          }
          remembered.push(new Remembered(cfa, Map.copyOf(rules), signed));
        }
        case 0x0b -> { // restore_state
          if (remembered.isEmpty()) {
            throw in.bad(at, "a state is restored that was not remembered");
          }
          var state = remembered.pop();
          cfa = state.cfa();
          rules.clear();
          rules.putAll(state.rules());
          signed = state.signed();
        }
        case 0x0c -> { // def_cfa
          int register = register(in);
          cfa = new CfiRow.Cfa.RegisterOffset(register, in.uleb());
        }
        case 0x0d -> { // def_cfa_register
          int register = register(in);
          cfa = new CfiRow.Cfa.RegisterOffset(register, base(in, at).offset());
        }
        case 0x0e -> // def_cfa_offset
            cfa = new CfiRow.Cfa.RegisterOffset(base(in, at).register(), in.uleb());
        case 0x0f -> cfa = new CfiRow.Cfa.Computed(block(in));
        case 0x10 -> { // expression
          int register = register(in);
          rules.put(register, new CfiRule.AtExpression(block(in)));
        }
        case 0x11 -> { // offset_extended_sf
          int register = register(in);
          rules.put(register, new CfiRule.Offset(in.sleb() * cie.dataFactor()));
        }
        case 0x12 -> { // def_cfa_sf
          int register = register(in);
          cfa = new CfiRow.Cfa.RegisterOffset(register, in.sleb() * cie.dataFactor());
        }
        case 0x13 -> // def_cfa_offset_sf
            cfa =
                new CfiRow.Cfa.RegisterOffset(
                    base(in, at).register(), in.sleb() * cie.dataFactor());
        case 0x14 -> { // val_offset
          int register = register(in);
          rules.put(register, new CfiRule.ValOffset(in.uleb() * cie.dataFactor()));
        }
        case 0x15 -> { // val_offset_sf
          int register = register(in);
          rules.put(register, new CfiRule.ValOffset(in.sleb() * cie.dataFactor()));
        }
        case 0x16 -> { // val_expression
          int register = register(in);
          rules.put(register, new CfiRule.ValExpression(block(in)));
        }
        case 0x2c, 0x2d -> signed = !signed; // AARCH64_negate_ra_state, also with the pc
        case 0x2e -> in.uleb(); // GNU_args_size: for exceptions only
        case 0x2f -> { // GNU_negative_offset_extended
          int register = register(in);
          rules.put(register, new CfiRule.Offset(-in.uleb() * cie.dataFactor()));
        }
        default -> throw in.bad(at, "unknown call frame instruction 0x" + Integer.toHexString(op));
      }
      return false;
    }

    private void restore(int register) {
      var rule = initial.get(register);
      if (rule == null) {
        rules.remove(register);
      } else {
        rules.put(register, rule);
      }
    }

    private int register(ByteCursor in) {
      long at = in.offset();
      long number = in.uleb();
      if (number < 0 || number >= MAX_REGISTER) {
        throw in.bad(at, "register number " + Long.toUnsignedString(number));
      }
      return (int) number;
    }

    private CfiRow.Cfa.RegisterOffset base(ByteCursor in, long at) {
      if (cfa instanceof CfiRow.Cfa.RegisterOffset base) {
        return base;
      }
      throw in.bad(at, "a frame address that is no register and offset is changed in part");
    }

    private DwarfExpression block(ByteCursor in) {
      long at = in.offset();
      long length = in.uleb();
      DwarfNumbers.length(in, at, length, "expression");
      var expression = new DwarfExpression(section, in.offset(), length, cie.encoding());
      in.skip(length);
      return expression;
    }
  }
}
