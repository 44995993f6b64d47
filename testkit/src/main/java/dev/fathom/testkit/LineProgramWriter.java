// SPDX-License-Identifier: Apache-2.0
package dev.fathom.testkit;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Writes one line number program: {@code .debug_line}, and {@code .debug_line_str} for version 5.
 * The line base is -5, the line range 14, the opcode base 13.
 */
public final class LineProgramWriter {
  private static final int LINE_BASE = -5;
  private static final int LINE_RANGE = 14;
  private static final int OPCODE_BASE = 13;
  private static final int[] OPERANDS = {0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1};

  private record SourceFile(String name, int directory) {}

  private final int version;
  private final List<String> directories = new ArrayList<>();
  private final List<SourceFile> files = new ArrayList<>();
  private final LittleEndian strings = new LittleEndian();
  private final LittleEndian code = new LittleEndian();
  private Optional<byte[]> digest = Optional.empty();

  /**
   * @param version 2 to 5
   */
  public LineProgramWriter(int version) {
    this.version = version;
  }

  /** Adds a directory; the first is the compilation's, which versions before 5 do not write. */
  public LineProgramWriter directory(String name) {
    directories.add(name);
    return this;
  }

  /** Adds a file in the directory with that index. */
  public LineProgramWriter file(String name, int directory) {
    files.add(new SourceFile(name, directory));
    return this;
  }

  /** The MD5 digest of every file, 16 bytes; for version 5. */
  public LineProgramWriter digest(byte[] md5) {
    digest = Optional.of(md5);
    return this;
  }

  public LineProgramWriter setAddress(long address) {
    code.u8(0).u8(9).u8(2).u64(address);
    return this;
  }

  public LineProgramWriter file(int number) {
    code.u8(4).u8(number);
    return this;
  }

  /** Advances the line by a number of -64 to 63. */
  public LineProgramWriter line(int delta) {
    code.u8(3).u8(delta & 0x7f);
    return this;
  }

  public LineProgramWriter column(int column) {
    code.u8(5).u8(column);
    return this;
  }

  /** Advances the address by less than 128. */
  public LineProgramWriter advancePc(int delta) {
    code.u8(2).u8(delta);
    return this;
  }

  public LineProgramWriter constAddPc() {
    code.u8(8);
    return this;
  }

  public LineProgramWriter fixedAdvancePc(int delta) {
    code.u8(9).u16(delta);
    return this;
  }

  public LineProgramWriter negateStmt() {
    code.u8(6);
    return this;
  }

  public LineProgramWriter copy() {
    code.u8(1);
    return this;
  }

  /** A special opcode: advances address and line and makes a row. */
  public LineProgramWriter special(int addressDelta, int lineDelta) {
    code.u8(addressDelta * LINE_RANGE + lineDelta - LINE_BASE + OPCODE_BASE);
    return this;
  }

  public LineProgramWriter endSequence() {
    code.u8(0).u8(1).u8(1);
    return this;
  }

  /** Instructions as they are. */
  public LineProgramWriter raw(int... bytes) {
    for (int value : bytes) {
      code.u8(value);
    }
    return this;
  }

  /** The bytes of {@code .debug_line}. */
  public byte[] line() {
    var header = new LittleEndian();
    header.u8(1);
    if (version >= 4) {
      header.u8(1);
    }
    header.u8(1).u8(LINE_BASE).u8(LINE_RANGE).u8(OPCODE_BASE);
    for (int count : OPERANDS) {
      header.u8(count);
    }
    if (version == 5) {
      header.u8(1).u8(1).u8(0x1f).u8(directories.size()); // path, line_strp
      directories.forEach(name -> header.u32(string(name)));
      header.u8(digest.isPresent() ? 3 : 2).u8(1).u8(0x08).u8(2).u8(0x0b); // string, data1
      digest.ifPresent(_ -> header.u8(5).u8(0x1e));
      header.u8(files.size());
      for (var file : files) {
        header.cString(file.name()).u8(file.directory());
        digest.ifPresent(header::bytes);
      }
    } else {
      directories.stream().skip(1).forEach(header::cString);
      header.u8(0);
      for (var file : files) {
        header.cString(file.name()).u8(file.directory()).u8(0).u8(0);
      }
      header.u8(0);
    }
    var body = new LittleEndian().u16(version);
    if (version == 5) {
      body.u8(8).u8(0);
    }
    body.u32(header.size()).bytes(header.toByteArray()).bytes(code.toByteArray());
    return new LittleEndian().u32(body.size()).bytes(body.toByteArray()).toByteArray();
  }

  private int string(String text) {
    int at = strings.size();
    strings.cString(text);
    return at;
  }

  /** The bytes of {@code .debug_line_str}; asked for after {@link #line}. */
  public byte[] strings() {
    line();
    return strings.toByteArray();
  }
}
