// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model.type;

import java.util.List;

/**
 * The names of C's integer types. C lets their words come in any order and some be left out; debug
 * information has each type under one name, which differs by compiler: gcc's is {@code long
 * unsigned int}, clang's {@code unsigned long}.
 */
final class IntegerNames {
  private IntegerNames() {}

  /**
   * How gcc and how clang spell the type that {@code name} means; empty when it is no integer type
   * of more than one possible name.
   */
  static List<String> spellings(String name) {
    int longs = 0;
    int shorts = 0;
    int ints = 0;
    int signs = 0;
    int unsigneds = 0;
    for (var word : name.split(" ")) {
      switch (word) {
        case "" -> {}
        case "long" -> longs++;
        case "short" -> shorts++;
        case "int" -> ints++;
        case "signed" -> signs++;
        case "unsigned" -> unsigneds++;
        default -> {
          return List.of();
        }
      }
    }
    if (longs > 2 || shorts > 1 || longs * shorts > 0 || ints > 1 || signs + unsigneds > 1) {
      return List.of();
    }
    var width = shorts == 1 ? "short" : longs == 0 ? "" : longs == 1 ? "long" : "long long";
    if (width.isEmpty()) {
      return ints + signs + unsigneds == 0
          ? List.of()
          : List.of(unsigneds == 1 ? "unsigned int" : "int");
    }
    return unsigneds == 1
        ? List.of(width + " unsigned int", "unsigned " + width)
        : List.of(width + " int", width);
  }
}
