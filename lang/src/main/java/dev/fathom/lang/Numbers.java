// SPDX-License-Identifier: Apache-2.0
package dev.fathom.lang;

import dev.fathom.model.FloatFormat;
import dev.fathom.model.Program;
import dev.fathom.model.Real;
import dev.fathom.model.Value;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.FloatType;
import dev.fathom.model.type.IntType;
import dev.fathom.model.type.PointerType;
import java.math.BigInteger;
import java.nio.ByteOrder;

/** Makes values of numbers in a program. */
final class Numbers {
  private final Program program;
  private final CTypes types;

  Numbers(Program program, CTypes types) {
    this.program = program;
    this.types = types;
  }

  Value word(long value) {
    return imm(types.unsignedLong(), value);
  }

  Value pointer(CType type, long bits) {
    return new Value.Imm(program, type, CTypes.fit(bits, type.bytes(), false));
  }

  ByteOrder order() {
    return program.memory().layout().order();
  }

  Value real(FloatType type, Real value) {
    var format = FloatFormat.of(type, program);
    return Value.held(program, type, format.encode(value, (int) type.bytes(), order()));
  }

  /** A whole number of up to 128 bits, cut to its type. */
  Value whole(IntType type, BigInteger value) {
    if (type.bytes() <= 8) {
      return imm(type, value.longValue());
    }
    var bytes = new byte[(int) type.bytes()];
    for (int i = 0; i < bytes.length; i++) {
      byte b = value.shiftRight(i * 8).byteValue();
      bytes[order() == ByteOrder.LITTLE_ENDIAN ? i : bytes.length - 1 - i] = b;
    }
    return Value.held(program, type, bytes);
  }

  Value imm(IntType type, long bits) {
    return type.bytes() > 8
        ? whole(type, BigInteger.valueOf(bits))
        : new Value.Imm(program, type, CTypes.fit(bits, type));
  }

  Value flag(boolean value) {
    return new Value.Imm(program, CTypes.INT, value ? 1 : 0);
  }

  static boolean isPointer(Value v) {
    return v.type().resolved() instanceof PointerType;
  }
}
