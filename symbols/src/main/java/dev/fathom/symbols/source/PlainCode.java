// SPDX-License-Identifier: Apache-2.0
package dev.fathom.symbols.source;

import dev.fathom.format.dwarf.At;
import dev.fathom.format.dwarf.Die;
import dev.fathom.format.dwarf.Tag;
import java.util.List;

/** Tells code that was not optimised by where its variables are. */
final class PlainCode {
  private static final byte OP_FBREG = (byte) 0x91; // DW_OP_fbreg

  private PlainCode() {}

  /**
   * Whether some functions of a unit were compiled without optimisation: their parameters are in
   * their frames, and nowhere are they told to move or to be in registers. Where no function has
   * parameters its other variables tell; else they do not, since clang gives some of them a list of
   * places even so.
   */
  static boolean is(List<Die> functions) {
    boolean framed = false;
    boolean moving = false;
    boolean framedLocal = false;
    boolean movingLocal = false;
    for (var function : functions) {
      for (var child = function.firstChild(); child.isPresent(); child = child.get().next()) {
        var location = child.get().attribute(At.LOCATION);
        boolean moves = location.isPresent() && !isInFrame(child.get());
        boolean stays = location.isPresent() && !moves;
        switch (child.get().tag()) {
          case Tag.FORMAL_PARAMETER -> {
            framed |= stays;
            moving |= moves;
          }
          case Tag.VARIABLE -> {
            framedLocal |= stays;
            movingLocal |= moves && !location.get().isBlock();
          }
          default -> {}
        }
        if (moving) {
          return false;
        }
      }
    }
    return framed || (framedLocal && !movingLocal);
  }

  private static boolean isInFrame(Die variable) {
    return variable
        .block(At.LOCATION)
        .map(block -> block.size() > 0 && block.bytes(0, 1)[0] == OP_FBREG)
        .orElse(false);
  }
}
