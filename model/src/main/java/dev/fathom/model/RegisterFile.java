// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model;

import java.util.List;
import java.util.Optional;

/** The registers of one architecture, in a fixed order, and the roles that unwinding needs. */
public interface RegisterFile {
  List<Register> registers();

  Optional<Register> named(String name);

  /**
   * The register of that name, or the part of one that has a name of its own, as {@code eax} is the
   * low half of {@code rax}.
   */
  default Optional<Part> part(String name) {
    return named(name).map(register -> new Part(register, 0, register.bits(), false));
  }

  /**
   * Some bits of a register.
   *
   * @param shift how many bits lie below them
   * @param cleared whether writing the part clears the bits above it
   */
  record Part(Register register, int shift, int bits, boolean cleared) {
    /** The part's bits in the whole register's, as an unsigned number. */
    public long of(long whole) {
      long moved = whole >>> shift;
      return bits >= Long.SIZE ? moved : moved & ((1L << bits) - 1);
    }
  }

  Register pc();

  Register sp();

  Register fp();

  /** Where a user's thread finds its own storage; calls leave it as it is. */
  default Optional<Register> threadPointer() {
    return Optional.empty();
  }
}
