// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command;

import dev.fathom.model.type.EnumType;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Registers whose bits have names, which gdb shows as {@code [ ZF PF ]}; they are numbers, too. */
public final class FlagRegisters {
  private static final int BYTES = 4;

  /** Intel SDM volume 1, figure 3-8; a bit without a name here has none, or is always set. */
  private static final EnumType EFLAGS =
      type("i386_eflags", "CF,,PF,,AF,,ZF,SF,TF,IF,DF,OF,,,NT,,RF,VM,AC,VIF,VIP,ID");

  /** Intel SDM volume 1, figure 10-3; bits 13 and 14 say how numbers are rounded. */
  private static final EnumType MXCSR =
      type("i386_mxcsr", "IE,DE,ZE,OE,UE,PE,DAZ,IM,DM,ZM,OM,UM,PM,,,FZ");

  private FlagRegisters() {}

  private static EnumType type(String name, String bits) {
    var names = bits.split(",", -1);
    var flags =
        IntStream.range(0, names.length)
            .filter(bit -> !names[bit].isEmpty())
            .mapToObj(bit -> new EnumType.Enumerator(names[bit], 1L << bit))
            .toList();
    return new EnumType(name, BYTES, false, flags);
  }

  /** The type of the register of that name. */
  static Optional<EnumType> of(String register) {
    return switch (register) {
      case "eflags" -> Optional.of(EFLAGS);
      case "mxcsr" -> Optional.of(MXCSR);
      default -> Optional.empty();
    };
  }

  /** The names of the bits that are set, if it is the type of such a register. */
  public static Optional<String> text(EnumType type, long bits) {
    return List.of(EFLAGS, MXCSR).contains(type)
        ? Optional.of(
            type.enumerators().stream()
                .filter(flag -> (bits & flag.value()) != 0)
                .map(flag -> flag.name() + " ")
                .collect(Collectors.joining("", "[ ", "]")))
        : Optional.empty();
  }
}
