// SPDX-License-Identifier: Apache-2.0
package dev.fathom.format.osvt;

import java.util.List;

/**
 * What a file says of one tracepoint.
 *
 * @param key the address of OSv's {@code tracepoint_base}, which events name it by
 * @param provider {@code OSv}; empty in the first format
 * @param format what {@code printf} would make of the arguments
 */
public record OsvTracepoint(
    long key, String id, String name, String provider, String format, List<OsvArgument> arguments) {

  public OsvTracepoint {
    arguments = List.copyOf(arguments);
  }

  /** The arguments' letters, with the size in front of a string's. */
  public String signature() {
    var text = new StringBuilder();
    for (var argument : arguments) {
      if (argument.type() == OsvType.STRING) {
        text.append(argument.size());
      }
      text.append(argument.type().letter());
    }
    return text.toString();
  }
}
