// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.probe;

import java.util.List;

/**
 * A probe that could be enabled.
 *
 * @param id from 1; the same for the whole run of an engine. 1 to 3 are {@code BEGIN}, {@code END}
 *     and {@code ERROR}
 * @param arguments the types of {@code args[]}; empty when they are not known
 */
public record Probe(int id, ProbeName name, List<ProbeArgument> arguments) {
  public static final int BEGIN = 1;
  public static final int END = 2;
  public static final int ERROR = 3;

  public Probe {
    arguments = List.copyOf(arguments);
  }
}
