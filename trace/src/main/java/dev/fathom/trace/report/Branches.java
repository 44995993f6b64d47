// SPDX-License-Identifier: Apache-2.0
package dev.fathom.trace.report;

import java.util.List;

/** A tree drawn with lines, as {@code trace.py} draws them. */
final class Branches {
  private static final String STEM = " |   ";
  private static final String NO_STEM = "     ";
  private static final String BRANCH = " |-- ";
  private static final String LAST_BRANCH = " \\-- ";

  /**
   * @param lines the first stands beside the branch, the others below
   */
  record Node(List<String> lines, List<Node> children) {}

  private final Output out;

  Branches(Output out) {
    this.out = out;
  }

  void draw(Node root) {
    root.lines().forEach(out::line);
    children(root, "");
  }

  private void children(Node node, String stems) {
    int count = node.children().size();
    for (int i = 0; i < count; i++) {
      draw(node.children().get(i), stems, i == count - 1);
    }
  }

  private void draw(Node node, String stems, boolean last) {
    var own = stems + (last ? NO_STEM : STEM);
    var first = stems + (last ? LAST_BRANCH : BRANCH);
    for (var line : node.lines()) {
      out.line(first + line);
      first = own;
    }
    children(node, own);
    if (!last) {
      out.line(own);
    }
  }
}
