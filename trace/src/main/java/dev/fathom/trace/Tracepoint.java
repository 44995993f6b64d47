// SPDX-License-Identifier: Apache-2.0
package dev.fathom.trace;

import java.util.List;

/**
 * A place whose events are recorded.
 *
 * @param number its place in {@link Trace#tracepoints}, from 0 on without gaps
 * @param provider who defined it: {@code osv}
 * @param format what C's {@code printf} would make text of the arguments with; may be empty
 */
public record Tracepoint(
    int number, String provider, String name, String format, List<Argument> arguments) {

  public Tracepoint {
    arguments = List.copyOf(arguments);
  }
}
