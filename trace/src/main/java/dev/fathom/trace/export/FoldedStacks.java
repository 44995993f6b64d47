// SPDX-License-Identifier: Apache-2.0
package dev.fathom.trace.export;

import java.io.IOException;

/**
 * Folded stacks, the input of flame graph tools: a line for each stack, its frames from the
 * outermost on with {@code ;} between them, a blank, and the weight.
 */
public final class FoldedStacks {
  private FoldedStacks() {}

  /** Writes the stacks in their order. */
  public static void write(Stacks stacks, Appendable to) throws IOException {
    for (var stack : stacks.stacks()) {
      var separator = "";
      for (var frame : stack.frames()) {
        to.append(separator).append(clean(frame));
        separator = ";";
      }
      to.append(' ').append(Long.toString(stack.weight())).append('\n');
    }
  }

  /** A frame's name with nothing in it that means something to the format. */
  private static String clean(String frame) {
    return frame.isEmpty() ? "?" : frame.replace(';', ':').replaceAll("[\\x00-\\x1f]", " ");
  }
}
