// SPDX-License-Identifier: Apache-2.0
package dev.fathom.trace;

import java.util.List;

/** Knows what functions addresses lie in. */
@FunctionalInterface
public interface FrameNames {
  /** Knows nothing. */
  FrameNames NONE = _ -> List.of();

  /**
   * The functions that an address lies in: the innermost inlined one first, the one that was
   * compiled last. Empty when it is not known.
   */
  List<Frame> at(long address);

  /** Asks others where these know nothing. */
  default FrameNames or(FrameNames others) {
    return address -> {
      var known = at(address);
      return known.isEmpty() ? others.at(address) : known;
    };
  }
}
