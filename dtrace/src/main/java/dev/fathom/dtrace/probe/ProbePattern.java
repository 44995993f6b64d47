// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.probe;

import java.util.List;

/**
 * A probe description: four fields, each empty (anything), a name, or a glob with {@code *}, {@code
 * ?}, {@code [a-z]}, {@code [!a]} and {@code \} before a character that is meant as it is.
 */
public record ProbePattern(String provider, String module, String function, String name) {
  /** The pattern whose fields are filled from the right: {@code read:entry} has two. */
  public static ProbePattern of(List<String> fields) {
    if (fields.isEmpty() || fields.size() > 4) {
      throw new IllegalArgumentException("a probe description of " + fields.size() + " fields");
    }
    var all = new String[] {"", "", "", ""};
    for (int i = 0; i < fields.size(); i++) {
      all[4 - fields.size() + i] = fields.get(i);
    }
    return new ProbePattern(all[0], all[1], all[2], all[3]);
  }

  public boolean matches(ProbeName probe) {
    return matches(provider, probe.provider())
        && matches(module, probe.module())
        && matches(function, probe.function())
        && matches(name, probe.name());
  }

  /** Whether one field matches a name. */
  public static boolean matches(String field, String name) {
    return field.isEmpty() || Glob.matches(field, name);
  }

  /** Whether {@code field} names one thing only. */
  public static boolean isExact(String field) {
    return !field.isEmpty() && !Glob.isGlob(field);
  }

  @Override
  public String toString() {
    return provider + ":" + module + ":" + function + ":" + name;
  }
}
