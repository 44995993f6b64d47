// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.probe;

import java.util.stream.Stream;

/** Lists the probes of one kind: {@code fbt}, {@code syscall}, {@code pid}, ... */
public interface Provider {
  /**
   * The provider's name, or what it begins with where each process has one: {@code pid} for {@code
   * pid123}.
   */
  String name();

  /**
   * The probes that {@code pattern} matches, in the order of their ids. A probe that is found twice
   * is equal both times. Called while the target stands still; must not change it. A provider that
   * makes probes when they are named ({@code profile-97}, {@code pid123:a.out:main:4}) makes them
   * here.
   *
   * @throws dev.fathom.base.FathomException when the pattern names what cannot be served, with the
   *     reason ({@code tick-0}: a rate of 0)
   */
  Stream<Probe> probes(ProbePattern pattern);

  default Stability stability() {
    return Stability.PRIVATE;
  }
}
