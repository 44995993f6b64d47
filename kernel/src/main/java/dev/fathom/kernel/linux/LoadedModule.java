// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux;

import dev.fathom.base.Range;
import java.util.List;

/**
 * A module in memory.
 *
 * @param address of its {@code struct module}
 * @param state {@code enum module_state}: 0 live, 1 coming, 2 going, 3 unformed
 * @param parts its memory: one piece, since 6.4 one for each kind of section
 */
record LoadedModule(long address, String name, int state, List<Part> parts) {
  /**
   * A piece of a module's memory.
   *
   * @param name {@code text}, {@code data}, {@code rodata}, {@code ro_after_init}; {@code core}
   *     when all are in one piece
   */
  record Part(String name, Range range) {}

  List<Range> ranges() {
    return parts.stream().map(Part::range).toList();
  }

  boolean contains(long address) {
    for (var part : parts) {
      if (part.range().contains(address)) {
        return true;
      }
    }
    return false;
  }
}
