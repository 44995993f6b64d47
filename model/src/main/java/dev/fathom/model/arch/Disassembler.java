// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model.arch;

import java.util.Optional;

/** Turns code bytes into text, for one architecture. Used by one thread at a time. */
public interface Disassembler {
  /** What does the work, for people: {@code Capstone 5.0 (built in)}. */
  String description();

  /**
   * Disassembles one instruction.
   *
   * @param code bytes of code
   * @param offset where the instruction starts in {@code code}
   * @param length how many bytes from {@code offset} on may be looked at
   * @param address the virtual address of the first byte
   * @return empty when the bytes are not an instruction or it is longer than {@code length}
   * @throws IndexOutOfBoundsException when {@code offset} and {@code length} do not lie in {@code
   *     code}
   */
  Optional<Instruction> decode(byte[] code, int offset, int length, long address);
}
