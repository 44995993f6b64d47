// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.osvt;

import java.util.Optional;

/**
 * The type of a tracepoint's argument, by the letter that stands for it in a signature
 * (include/osv/trace.hh, {@code signature_char}; the letters are those of Python's {@code struct}).
 */
public enum OsvType {
  CHAR('c', 1),
  I8('b', 1),
  U8('B', 1),
  I16('h', 2),
  U16('H', 2),
  I32('i', 4),
  U32('I', 4),
  I64('q', 8),
  U64('Q', 8),
  BOOL('?', 1),
  F32('f', 4),
  F64('d', 8),
  POINTER('P', 8),
  /** A byte of length and text, in a field of fixed size. */
  STRING('p', OsvType.STRING_SIZE),
  /** Two bytes of length and as many bytes. */
  BLOB('*', 2);

  /** Bytes of a string's field (object_serializer's {@code max_len}). */
  static final int STRING_SIZE = 50;

  private final char letter;
  private final int size;

  OsvType(char letter, int size) {
    this.letter = letter;
    this.size = size;
  }

  public char letter() {
    return letter;
  }

  /** Bytes that a value takes; of a blob those of its length alone. */
  public int size() {
    return size;
  }

  /** What the offset of a value, counted from the first argument's, is a multiple of. */
  public int alignment() {
    return this == STRING ? 1 : size;
  }

  static Optional<OsvType> of(int letter) {
    for (var type : values()) {
      if (type.letter == letter) {
        return Optional.of(type);
      }
    }
    return Optional.empty();
  }
}
