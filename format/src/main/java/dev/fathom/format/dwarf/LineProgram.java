// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.dwarf;

import dev.fathom.base.ByteCursor;
import dev.fathom.base.ByteSource;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;

/**
 * A unit's line number program (DWARF 5, section 6.2; versions 2 to 5): its tables of directories
 * and files, read when it is opened, and the instructions that make the {@link LineTable}.
 *
 * <pre>
 *   length version [address size, segment selector size (version 5)] header length
 *   minimum instruction length [operations per instruction (version 4)] default is_stmt
 *   line base, line range, opcode base, operand counts
 *   directories files        strings each (2 to 4), or as described by entry formats (5)
 *   instructions
 * </pre>
 */
public final class LineProgram {
  /** Longer than any path. */
  private static final int MAX_NAME = 1 << 16;

  /** More than any unit has. */
  private static final int MAX_ENTRIES = 1 << 20;

  /** DW_LNCT_*. */
  private static final int PATH = 1;

  private static final int DIRECTORY_INDEX = 2;
  private static final int MD5 = 5;

  /**
   * A source file.
   *
   * @param directory the index of its directory
   * @param md5 the digest of its text
   */
  public record SourceFile(String name, int directory, Optional<byte[]> md5) {}

  /** Where the strings of version 5 are. Each throws BadDataException for what is not there. */
  public record Strings(ByteSource lineStrings, ByteSource strings) {}

  private record Format(int content, int form) {}

  private final ByteSource section;
  private final long offset;
  private final Encoding encoding;
  private final int minimumLength;
  private final int operations;
  private final boolean defaultIsStmt;
  private final int lineBase;
  private final int lineRange;
  private final int opcodeBase;
  private final int[] operands;
  private final List<String> directories = new ArrayList<>();
  private final List<SourceFile> files = new ArrayList<>();
  private final long instructions;
  private final long end;

  /**
   * The program at {@code offset} of {@code .debug_line}.
   *
   * @param addressSize bytes of an address, which only version 5 says itself
   * @throws dev.fathom.base.BadDataException when its header is malformed
   */
  public LineProgram(
      ByteSource section, long offset, ByteOrder order, int addressSize, Strings strings) {
    this.section = section;
    this.offset = offset;
    var in = section.cursor(offset, order);
    long length = in.u32();
    int offsetSize = 4;
    if (length == 0xffffffffL) {
      length = in.u64();
      offsetSize = 8;
    }
    DwarfNumbers.length(in, offset, length, "line program");
    end = in.offset() + length;
    long versionAt = in.offset();
    int version = in.u16();
    if (version < 2 || version > 5) {
      throw in.bad(versionAt, "line program version " + version + ", expected 2 to 5");
    }
    int size = addressSize;
    if (version == 5) {
      size = in.u8();
      in.u8(); // Segment selectors, which nobody has.
    }
    encoding = new Encoding(order, version, offsetSize, size);
    long headerAt = in.offset();
    long headerLength = DwarfNumbers.unsigned(in, offsetSize);
    if (headerLength < 0 || headerLength > end - in.offset()) {
      throw in.bad(headerAt, "header of " + headerLength + " bytes is longer than its program");
    }
    instructions = in.offset() + headerLength;
    minimumLength = in.u8();
    operations = version >= 4 ? Math.max(1, in.u8()) : 1;
    defaultIsStmt = in.u8() != 0;
    lineBase = (byte) in.u8();
    long rangeAt = in.offset();
    lineRange = in.u8();
    opcodeBase = in.u8();
    if (lineRange == 0 && opcodeBase < 256) {
      throw in.bad(rangeAt, "a line range of 0");
    }
    operands = new int[Math.max(1, opcodeBase)];
    for (int i = 1; i < opcodeBase; i++) {
      operands[i] = in.u8();
    }
    if (version == 5) {
      readTables(in, strings);
    } else {
      readOldTables(in);
    }
    if (in.offset() > instructions) {
      throw in.bad(offset, "the tables of directories and files are longer than the header");
    }
  }

  /**
   * The line program of a unit; empty when it has none.
   *
   * @throws dev.fathom.base.BadDataException when its header is malformed
   */
  public static Optional<LineProgram> of(Unit unit) {
    var at = unit.lineOffset();
    if (at.isEmpty()) {
      return Optional.empty();
    }
    var dwarf = unit.dwarf();
    return Optional.of(
        new LineProgram(
            dwarf.need(".debug_line", unit),
            at.getAsLong(),
            unit.encoding().order(),
            unit.addressSize(),
            new Strings(strings(dwarf, ".debug_line_str"), strings(dwarf, ".debug_str"))));
  }

  private static ByteSource strings(Dwarf dwarf, String section) {
    return dwarf.section(section).orElseGet(() -> ByteSource.of(section, new byte[0]));
  }

  private void readOldTables(ByteCursor in) {
    directories.add("");
    for (var name = in.cString(MAX_NAME); !name.isEmpty(); name = in.cString(MAX_NAME)) {
      directories.add(name);
      bound(in, directories.size());
    }
    // Files count from 1.
    files.add(new SourceFile("", 0, Optional.empty()));
    for (var name = in.cString(MAX_NAME); !name.isEmpty(); name = in.cString(MAX_NAME)) {
      files.add(oldFile(in, name));
      bound(in, files.size());
    }
  }

  private static SourceFile oldFile(ByteCursor in, String name) {
    long directory = in.uleb();
    in.uleb(); // When it was modified.
    in.uleb(); // Its size.
    return new SourceFile(name, index(directory), Optional.empty());
  }

  /** An index that leads nowhere stays one. */
  private static int index(long number) {
    return number < 0 || number > Integer.MAX_VALUE ? Integer.MAX_VALUE : (int) number;
  }

  private void bound(ByteCursor in, int count) {
    if (count > MAX_ENTRIES) {
      throw in.bad(offset, "more than " + MAX_ENTRIES + " directories or files");
    }
  }

  private void readTables(ByteCursor in, Strings strings) {
    for (var entry : entries(in, strings)) {
      directories.add(entry.name());
    }
    files.addAll(entries(in, strings));
  }

  private List<SourceFile> entries(ByteCursor in, Strings strings) {
    int formatCount = in.u8();
    var formats = new ArrayList<Format>();
    for (int i = 0; i < formatCount; i++) {
      formats.add(new Format(index(in.uleb()), index(in.uleb())));
    }
    long countAt = in.offset();
    long count = in.uleb();
    if (count < 0 || count > MAX_ENTRIES || (formats.isEmpty() && count > 0)) {
      throw in.bad(countAt, Long.toUnsignedString(count) + " directories or files");
    }
    var found = new ArrayList<SourceFile>();
    for (long i = 0; i < count; i++) {
      var name = "";
      int directory = 0;
      Optional<byte[]> md5 = Optional.empty();
      for (var format : formats) {
        switch (format.content()) {
          case PATH -> name = string(in, format.form(), strings);
          case DIRECTORY_INDEX -> directory = index(number(in, format.form()));
          case MD5 -> {
            if (format.form() != Form.DATA16) {
              throw in.bad(in.offset(), "an MD5 digest in form " + format.form());
            }
            md5 = Optional.of(in.bytes(16));
          }
          default -> Forms.skip(in, encoding, format.form());
        }
      }
      found.add(new SourceFile(name, directory, md5));
    }
    return found;
  }

  private String string(ByteCursor in, int form, Strings strings) {
    return switch (form) {
      case Form.STRING -> in.cString(MAX_NAME);
      case Form.LINE_STRP -> at(strings.lineStrings(), in);
      case Form.STRP -> at(strings.strings(), in);
      case Form.STRP_SUP, Form.STRX, Form.STRX1, Form.STRX2, Form.STRX3, Form.STRX4 -> {
        Forms.skip(in, encoding, form);
        yield "?"; // Its table is another unit's or file's; no compiler writes it here.
      }
      default -> throw unknown(in, form);
    };
  }

  private String at(ByteSource strings, ByteCursor in) {
    return strings
        .cursor(DwarfNumbers.unsigned(in, encoding.offsetSize()), encoding.order())
        .cString(MAX_NAME);
  }

  private static long number(ByteCursor in, int form) {
    return switch (form) {
      case Form.UDATA -> in.uleb();
      case Form.DATA1 -> in.u8();
      case Form.DATA2 -> in.u16();
      case Form.DATA4 -> in.u32();
      case Form.DATA8 -> in.u64();
      default -> throw unknown(in, form);
    };
  }

  private static RuntimeException unknown(ByteCursor in, int form) {
    return in.bad(in.offset(), "form 0x" + Integer.toHexString(form) + " in a table of files");
  }

  public int version() {
    return encoding.version();
  }

  /** The files by the numbers that rows and {@code DW_AT_decl_file} have. */
  public List<SourceFile> files() {
    return Collections.unmodifiableList(files);
  }

  /** The directories by number. */
  public List<String> directories() {
    return Collections.unmodifiableList(directories);
  }

  /**
   * The path of a file, absolute when that can be told.
   *
   * @param compilationDirectory the unit's {@code DW_AT_comp_dir}; may be empty
   */
  public Optional<String> path(int file, String compilationDirectory) {
    if (file < 0 || file >= files.size() || files.get(file).name().isEmpty()) {
      return Optional.empty();
    }
    var found = files.get(file);
    var name = found.name();
    if (!name.startsWith("/")) {
      var directory =
          found.directory() < directories.size() ? directories.get(found.directory()) : "";
      name = directory.isEmpty() ? name : directory + "/" + name;
    }
    return Optional.of(
        name.startsWith("/") || compilationDirectory.isEmpty()
            ? name
            : compilationDirectory + "/" + name);
  }

  /**
   * Runs the program.
   *
   * @throws dev.fathom.base.BadDataException when an instruction is malformed
   */
  public LineTable run() {
    return new Machine().run();
  }

  /** The state machine (section 6.2.2). */
  private final class Machine {
    private final LineTable.Builder rows = new LineTable.Builder();
    private final ByteCursor in = section.cursor(instructions, encoding.order());
    private long address;
    private int operation;
    private long file;
    private long line;
    private long column;
    private boolean isStmt;
    private boolean prologueEnd;

    LineTable run() {
      reset();
      while (in.offset() < end) {
        long at = in.offset();
        int opcode = in.u8();
        if (opcode >= opcodeBase) {
          int adjusted = opcode - opcodeBase;
          advance(adjusted / lineRange);
          line += lineBase + adjusted % lineRange;
          row(false);
        } else if (opcode == 0) {
          extended(at);
        } else {
          standard(opcode);
        }
        if (in.offset() > end) {
          throw in.bad(at, "line program instruction reaches past the end of its program");
        }
      }
      return rows.build();
    }

    private void reset() {
      address = 0;
      operation = 0;
      file = 1;
      line = 1;
      column = 0;
      isStmt = defaultIsStmt;
      prologueEnd = false;
    }

    private void advance(long steps) {
      if (operations == 1) {
        address += minimumLength * steps;
      } else {
        address += minimumLength * Math.floorDiv(operation + steps, operations);
        operation = (int) Math.floorMod(operation + steps, (long) operations);
      }
      address = DwarfNumbers.address(encoding, address);
    }

    private void row(boolean endSequence) {
      rows.row(
          address,
          line < 0 || line > Integer.MAX_VALUE ? 0 : (int) line,
          index(file),
          index(column),
          isStmt,
          prologueEnd,
          endSequence);
      prologueEnd = false;
    }

    private void standard(int opcode) {
      switch (opcode) {
        case 1 -> row(false); // copy
        case 2 -> advance(in.uleb()); // advance_pc
        case 3 -> line += in.sleb(); // advance_line
        case 4 -> file = in.uleb(); // set_file
        case 5 -> column = in.uleb(); // set_column
        case 6 -> isStmt = !isStmt; // negate_stmt
        case 7 -> {} // set_basic_block
        case 8 -> advance((255 - opcodeBase) / lineRange); // const_add_pc
        case 9 -> { // fixed_advance_pc
          address = DwarfNumbers.address(encoding, address + in.u16());
          operation = 0;
        }
        case 10 -> prologueEnd = true; // set_prologue_end
        case 11 -> {} // set_epilogue_begin
        case 12 -> in.uleb(); // set_isa
        default -> {
          for (int i = 0; i < operands[opcode]; i++) {
            in.uleb();
          }
        }
      }
    }

    private void extended(long at) {
      long length = in.uleb();
      DwarfNumbers.length(in, at, length, "extended instruction");
      if (length == 0) {
        throw in.bad(at, "extended instruction of 0 bytes");
      }
      long next = in.offset() + length;
      switch (in.u8()) {
        case 1 -> { // end_sequence
          row(true);
          reset();
        }
        case 2 -> { // set_address
          address = DwarfNumbers.unsigned(in, (int) Math.min(length - 1, 9));
          operation = 0;
        }
        case 3 -> { // define_file
          files.add(oldFile(in, in.cString(MAX_NAME)));
          bound(in, files.size());
        }
        default -> {} // set_discriminator, and what others add.
      }
      if (in.offset() > next) {
        throw in.bad(at, "extended instruction of " + length + " bytes is longer");
      }
      in.seek(next);
    }
  }
}
