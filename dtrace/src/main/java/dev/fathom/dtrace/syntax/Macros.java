// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.syntax;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What {@code $} stands for.
 *
 * @param arguments {@code $0} (the script's name), then {@code $1}, ...
 * @param variables {@code pid}, {@code target}, ... without the dollar sign
 * @param defaults arguments that were not given are 0 or an empty string
 */
public record Macros(List<String> arguments, Map<String, Long> variables, boolean defaults) {
  public static final Macros NONE = new Macros(List.of("dtrace"), Map.of(), false);

  public Macros {
    arguments = List.copyOf(arguments);
    variables = Map.copyOf(variables);
  }

  Optional<String> argument(int index) {
    return index < arguments.size() ? Optional.of(arguments.get(index)) : Optional.empty();
  }

  Macros withDefaults() {
    return new Macros(arguments, variables, true);
  }
}
