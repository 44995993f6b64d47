// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.dwarf;

import java.util.List;

/** Where an object is, or what it is worth: the outcome of an expression (DWARF 5, section 2.6). */
public sealed interface Location {
  /** In memory. */
  record Memory(long address) implements Location {}

  /** In a register, by its DWARF number. */
  record InRegister(int number) implements Location {}

  /** Nowhere; its bytes are these, in the target's byte order. */
  record Implicit(byte[] bytes) implements Location {}

  /** Nowhere; its value is this number, of which an object takes as many low bytes as it has. */
  record StackValue(long bits, BaseType type) implements Location {}

  /**
   * Nowhere; a pointer to an object that itself has no address.
   *
   * @param die the section offset of the entry of that object
   * @param offset bytes into that object
   */
  record ImplicitPointer(long die, long offset) implements Location {}

  /**
   * In several places.
   *
   * @param pieces from the object's start on
   */
  record Composite(List<Piece> pieces) implements Location {
    public Composite {
      pieces = List.copyOf(pieces);
    }
  }

  /**
   * A part of an object.
   *
   * @param bits its size
   * @param bitOffset where it starts in {@code place}, counted from its least significant bit
   */
  record Piece(Location place, long bits, long bitOffset) {}

  /** The compiler kept it nowhere. */
  record OptimisedOut() implements Location {}

  /**
   * It is somewhere, but that cannot be told here.
   *
   * @param why for people: a register that is not known in this frame, memory that cannot be read
   */
  record Unavailable(String why) implements Location {}
}
