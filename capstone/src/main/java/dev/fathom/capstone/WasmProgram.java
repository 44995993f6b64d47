// SPDX-License-Identifier: Apache-2.0
package dev.fathom.capstone;

import dev.fathom.base.UnsupportedException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import run.endive.runtime.Memory;
import run.endive.wasm.Parser;
import run.endive.wasm.WasmModule;

/**
 * A WebAssembly program whose initial data is kept apart: Capstone has 68,000 data segments, and
 * the runtime's parser makes a small program of each, which would take three quarters of the time
 * to start.
 *
 * <pre>
 * program: magic version section*       section: id:byte size:uleb bytes[size]
 * section 11 (data): count:uleb segment*
 * segment: 0:uleb 0x41 (i32.const) offset:sleb 0x0b (end) size:uleb bytes[size]
 * </pre>
 *
 * (WebAssembly core specification, section 5.5, "Modules".)
 */
final class WasmProgram {
  private static final int HEADER = 8;
  private static final int SECTION_DATA = 11;
  private static final int SECTION_DATA_COUNT = 12;
  private static final int I32_CONST = 0x41;
  private static final int END = 0x0b;

  private final byte[] program;
  private final WasmModule module;
  private int at;
  private int dataStart;

  private WasmProgram(byte[] program) {
    this.program = program;
    this.module = Parser.parse(withoutData());
  }

  /** The program in the resource {@code name} beside {@code owner}. */
  static WasmProgram load(Class<?> owner, String name) {
    try (InputStream in = owner.getResourceAsStream(name)) {
      if (in == null) {
        throw new UnsupportedException("this build of Fathom lacks its " + name);
      }
      return new WasmProgram(in.readAllBytes());
    } catch (IOException e) {
      throw new UnsupportedException("cannot read the built-in " + name + ": " + e.getMessage());
    }
  }

  /** All but its data. */
  WasmModule module() {
    return module;
  }

  /** Puts the data where the program expects it; memory must be as new. */
  void initialize(Memory memory) {
    at = dataStart;
    long count = leb();
    for (long i = 0; i < count; i++) {
      expect(0);
      expect(I32_CONST);
      int address = (int) leb();
      expect(END);
      int size = (int) leb();
      memory.write(address, program, at, size);
      at += size;
    }
  }

  private byte[] withoutData() {
    var rest = new ByteArrayOutputStream(program.length);
    rest.write(program, 0, HEADER);
    at = HEADER;
    while (at < program.length) {
      int start = at;
      int id = program[at++];
      int size = (int) leb();
      if (id == SECTION_DATA) {
        dataStart = at;
      } else if (id != SECTION_DATA_COUNT) {
        rest.write(program, start, at + size - start);
      }
      at += size;
    }
    return rest.toByteArray();
  }

  private void expect(int value) {
    if (program[at++] != value) {
      throw new UnsupportedException(
          "the built-in Capstone has a data segment of an unknown kind at 0x"
              + Integer.toHexString(at - 1));
    }
  }

  /** A LEB128 number of at most 35 bits, unsigned; addresses below 2 GiB look the same signed. */
  private long leb() {
    long value = 0;
    int shift = 0;
    int b;
    do {
      b = program[at++];
      value |= (long) (b & 0x7f) << shift;
      shift += 7;
    } while (b < 0);
    return value;
  }
}
