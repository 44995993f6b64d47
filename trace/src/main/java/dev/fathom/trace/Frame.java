// SPDX-License-Identifier: Apache-2.0
package dev.fathom.trace;

import java.util.Optional;
import java.util.OptionalInt;

/**
 * A function that an address lies in.
 *
 * @param address in the traced system
 * @param name the function, demangled; absent when nobody knows it
 */
public record Frame(long address, Optional<String> name, Optional<String> file, OptionalInt line) {
  /** A frame of which nothing but the address is known. */
  public static Frame unknown(long address) {
    return new Frame(address, Optional.empty(), Optional.empty(), OptionalInt.empty());
  }

  /** The name, or the address in hexadecimal. */
  public String text() {
    return name.orElseGet(() -> "0x" + Long.toHexString(address));
  }
}
