// SPDX-License-Identifier: Apache-2.0
package dev.fathom.symbols.demangle;

import java.util.List;

/**
 * Prints the parts of a name. Parts are shared, so a short mangled name can describe an endless
 * one: length, depth and steps are bounded.
 */
final class Printer {
  private static final int MAX_DEPTH = 512;
  private static final int MAX_STEPS = 1 << 18;

  private final StringBuilder text = new StringBuilder();
  private final int limit;
  private int depth;
  private int steps;

  /** Which argument of each pack is printed, or -1 outside of expansions. */
  private int packIndex = -1;

  /** How many arguments the packs met in an expansion have, or -1. */
  private int packSize = -1;

  Printer(int limit) {
    this.limit = limit;
  }

  private boolean over;

  /**
   * The character added last, even when it was taken back since: c++filt separates {@code >} so.
   */
  private char last;

  /** Whether what was printed is cut short. */
  boolean isOver() {
    return over;
  }

  void add(String more) {
    if (text.length() + more.length() > limit) {
      over = true;
    }
    if (!over) {
      text.append(more);
      last = more.isEmpty() ? last : more.charAt(more.length() - 1);
    }
  }

  private boolean enter() {
    if (++steps > MAX_STEPS || depth >= MAX_DEPTH) {
      over = true;
    }
    if (!over) {
      depth++;
    }
    return !over;
  }

  void print(Node node) {
    if (enter()) {
      node.print(this);
      depth--;
    }
  }

  void left(Node node) {
    if (enter()) {
      node.left(this);
      depth--;
    }
  }

  void right(Node node) {
    if (enter()) {
      node.right(this);
      depth--;
    }
  }

  /** What stands behind names for other parts. */
  Node resolve(Node node) {
    var at = node;
    for (int i = 0; i < MAX_DEPTH; i++) {
      if (at instanceof Node.PackParameter || (at instanceof Node.Later l && l.is != null)) {
        at = at.resolved(this);
      } else {
        return at;
      }
    }
    over = true;
    return new Node.Name("");
  }

  /** The parts with commas between those that print something. */
  void list(List<Node> nodes) {
    boolean first = true;
    for (var node : nodes) {
      int before = text.length();
      if (!first) {
        add(", ");
      }
      int start = text.length();
      print(node);
      if (text.length() == start) {
        text.setLength(before);
      } else {
        first = false;
      }
    }
  }

  /** All arguments of a pack, whatever expansion this stands in. */
  void whole(List<Node> nodes) {
    int outer = packIndex;
    packIndex = -1;
    list(nodes);
    packIndex = outer;
  }

  int packIndex(int size) {
    if (packIndex >= 0 && packSize < 0) {
      packSize = size;
    }
    return packIndex;
  }

  void expand(Node pattern) {
    int outerIndex = packIndex;
    int outerSize = packSize;
    packIndex = 0;
    packSize = -1;
    int start = text.length();
    print(pattern);
    int size = packSize;
    if (size == 0) {
      text.setLength(start);
    }
    if (size < 0) {
      add("...");
    }
    for (int i = 1; i < size && !over; i++) {
      add(", ");
      packIndex = i;
      print(pattern);
    }
    packIndex = outerIndex;
    packSize = outerSize;
  }

  boolean endsWith(char c) {
    return last == c;
  }

  int length() {
    return text.length();
  }

  String text() {
    return text.toString();
  }
}
