// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.control;

import dev.fathom.model.source.Activation;
import dev.fathom.session.control.Breakpoint;
import dev.fathom.session.control.Breakpoint.Place;
import java.util.List;
import java.util.OptionalInt;

/**
 * Which of the functions at work at a place a breakpoint is for: where a function begins with the
 * code of one that was inlined into it, both are.
 */
final class StopFrames {
  private StopFrames() {}

  /**
   * The number of the frame, 0 for the innermost; empty where the breakpoint names no function.
   *
   * @param at the functions at work, innermost first
   */
  static OptionalInt of(Place place, List<Activation> at, long pc) {
    if (!(place instanceof Breakpoint.Function function)) {
      return OptionalInt.empty();
    }
    var innermost = OptionalInt.empty();
    for (int i = at.size() - 1; i >= 0; i--) {
      if (isCalled(at.get(i).function(), function.name())) {
        if (at.get(i).entry() == pc) {
          return OptionalInt.of(i);
        }
        innermost = OptionalInt.of(i);
      }
    }
    return innermost;
  }

  /** Whether a function has a name, which may lack scopes, a template's arguments, parameters. */
  private static boolean isCalled(String function, String name) {
    int open = name.indexOf('(', 1);
    var own = name.substring(name.indexOf('`') + 1, open < 0 ? name.length() : open);
    return function.equals(own)
        || function.endsWith("::" + own)
        || function.startsWith(own + "<")
        || function.contains("::" + own + "<");
  }
}
