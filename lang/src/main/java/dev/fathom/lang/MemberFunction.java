// SPDX-License-Identifier: Apache-2.0
package dev.fathom.lang;

import dev.fathom.model.Program;
import dev.fathom.model.Value;
import dev.fathom.model.arch.aarch64.Aarch64;
import java.nio.ByteOrder;
import java.util.List;

/**
 * What a pointer to a member function says (Itanium C++ ABI, section 2.3). Whether the function is
 * virtual is the lowest bit of the first word, but on Arm, whose instructions may need that bit:
 * the lowest of the second, which has the adjustment above it (C++ ABI for the Arm 64-bit
 * Architecture, section 3.2.1).
 *
 * @param isVirtual whether {@code code} is a distance in the object's table
 * @param code the function's address, or bytes from where the object's table begins; 0 and not
 *     virtual for a null pointer
 * @param moved how far behind the object the part is that the function is called for, in bytes
 */
public record MemberFunction(boolean isVirtual, long code, long moved) {
  /** Reads memory. */
  public static MemberFunction of(Value pointer) {
    return of(
        pointer.member("__pfn").asLong(),
        pointer.member("__delta").asLong(),
        isArm(pointer.program()));
  }

  static MemberFunction of(long first, long second, boolean arm) {
    if (arm) {
      return new MemberFunction((second & 1) != 0, first, second >> 1);
    }
    return (first & 1) != 0
        ? new MemberFunction(true, first - 1, second)
        : new MemberFunction(false, first, second);
  }

  public boolean isNull() {
    return !isVirtual && code == 0;
  }

  /** The first word and the second. */
  List<Long> words(boolean arm) {
    long virtual = isVirtual ? 1 : 0;
    return arm ? List.of(code, (moved << 1) | virtual) : List.of(code + virtual, moved);
  }

  /** The two words, as they stand in the memory of {@code program}. */
  byte[] bytes(Program program) {
    int word = (int) program.types().wordBytes();
    boolean little = program.memory().layout().order() == ByteOrder.LITTLE_ENDIAN;
    var words = words(isArm(program));
    var bytes = new byte[2 * word];
    for (int i = 0; i < bytes.length; i++) {
      int digit = little ? i % word : word - 1 - i % word;
      bytes[i] = (byte) (words.get(i / word) >> (Byte.SIZE * digit));
    }
    return bytes;
  }

  private static boolean isArm(Program program) {
    return program.architecture() == Aarch64.INSTANCE;
  }
}
