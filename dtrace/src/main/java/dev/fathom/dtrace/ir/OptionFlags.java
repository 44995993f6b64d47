// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.ir;

import java.util.Locale;
import java.util.Map;

/** What the options of D that are on or off say. */
public final class OptionFlags {
  private OptionFlags() {}

  /** Whether {@code name} is on among options with their values: without a value it is. */
  public static boolean isOn(Map<String, String> options, String name) {
    var value = options.get(name);
    return value != null
        && switch (value.toLowerCase(Locale.ROOT)) {
          case "0", "disable", "disabled", "false", "no", "off", "unset" -> false;
          default -> true;
        };
  }
}
