// SPDX-License-Identifier: Apache-2.0
package dev.fathom.base;

import java.util.List;

/** A name that nothing answers to: a type, member, symbol, register, command or walker. */
public final class LookupException extends FathomException {
  private static final long serialVersionUID = 1L;
  private final String kind;
  private final String name;
  private final transient List<String> nearMisses;

  /**
   * @param kind what was looked for, in the user's words: {@code type}, {@code symbol}, {@code
   *     member of struct page}
   * @param name the name as typed
   * @param nearMisses names that exist and look alike, best first; may be empty
   */
  public LookupException(String kind, String name, List<String> nearMisses) {
    super(
        "unknown "
            + kind
            + " '"
            + name
            + "'"
            + (nearMisses.isEmpty()
                ? ""
                : "; did you mean " + String.join(", ", nearMisses) + "?"));
    this.kind = kind;
    this.name = name;
    this.nearMisses = List.copyOf(nearMisses);
  }

  public LookupException(String kind, String name) {
    this(kind, name, List.of());
  }

  public String kind() {
    return kind;
  }

  public String name() {
    return name;
  }

  public List<String> nearMisses() {
    return nearMisses;
  }
}
