// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command;

import dev.fathom.base.Datum;
import dev.fathom.model.type.EnumType;
import java.util.ArrayList;
import java.util.Optional;

/** The words for a value of an enumeration, where there are any. */
final class EnumText {
  private EnumText() {}

  /**
   * The enumerator of that value; else of an enumeration of flags those that are set, as gdb 13
   * writes them: {@code (A | B | unknown: 0x10)}, or in mdb's style as {@code A|B}. Empty when it
   * is a number and no more.
   */
  static Optional<String> of(EnumType type, long bits, Datum.Style style) {
    return FlagRegisters.text(type, bits)
        .or(() -> type.of(bits).map(type::text))
        .or(() -> isOfFlags(type) ? flags(type, bits, style) : Optional.empty());
  }

  /** As gdb has it: no enumerator is negative or has more than one bit. */
  private static boolean isOfFlags(EnumType type) {
    return type.enumerators().stream()
        .allMatch(e -> e.value() >= 0 && Long.bitCount(e.value()) < 2);
  }

  private static Optional<String> flags(EnumType type, long bits, Datum.Style style) {
    var names = new ArrayList<String>();
    long left = bits;
    for (var e : type.enumerators()) {
      if ((left & e.value()) != 0) {
        names.add(type.text(e));
        left &= ~e.value();
      }
    }
    if (style == Datum.Style.MDB) {
      return left != 0 || names.isEmpty() ? Optional.empty() : Optional.of(String.join("|", names));
    }
    if (left != 0) {
      names.add("unknown: 0x" + Long.toHexString(left));
    }
    return names.isEmpty() ? Optional.empty() : Optional.of("(" + String.join(" | ", names) + ")");
  }
}
