// SPDX-License-Identifier: Apache-2.0
package dev.fathom.trace;

/** The type of a tracepoint's argument. */
public enum ArgumentType {
  CHAR(1, false),
  I8(1, true),
  U8(1, false),
  I16(2, true),
  U16(2, false),
  I32(4, true),
  U32(4, false),
  I64(8, true),
  U64(8, false),
  BOOL(1, false),
  F32(4, true),
  F64(8, true),
  /** An address in the traced system, of 64 bits. */
  POINTER(8, false),
  /** Text in UTF-8. */
  STRING(0, false),
  /** Bytes as they are. */
  BYTES(0, false);

  private final int size;
  private final boolean signed;

  ArgumentType(int size, boolean signed) {
    this.size = size;
    this.signed = signed;
  }

  /** Bytes of a number; 0 for text and bytes, whose size each event has. */
  public int size() {
    return size;
  }

  /** Whether the number may be negative. */
  public boolean signed() {
    return signed;
  }

  /** Whether it is a floating-point number. */
  public boolean real() {
    return this == F32 || this == F64;
  }

  /** Whether its size differs from event to event. */
  public boolean varying() {
    return this == STRING || this == BYTES;
  }
}
