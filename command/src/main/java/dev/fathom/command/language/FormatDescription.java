// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.language;

import java.util.ArrayList;
import java.util.List;

/**
 * What a format character of the verbs {@code / \ ? =} means, for people.
 *
 * @param bytes how many bytes it takes; 0 when that varies or none are taken
 */
public record FormatDescription(char character, String description, int bytes) {
  /** All of them, in order. */
  public static List<FormatDescription> all() {
    var all = new ArrayList<FormatDescription>();
    for (var format : Format.all()) {
      all.add(new FormatDescription(format.character(), format.description(), format.size()));
    }
    return List.copyOf(all);
  }
}
