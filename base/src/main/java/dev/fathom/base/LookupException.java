// SPDX-License-Identifier: Apache-2.0
package dev.fathom.base;

import java.util.List;
import java.util.Optional;

/** A name that nothing answers to: a type, member, symbol, register, command or walker. */
public final class LookupException extends FathomException {
  private static final long serialVersionUID = 1L;
  private final String kind;
  private final String name;
  private final transient List<String> nearMisses;
  private final transient Optional<Span> span;

  /**
   * @param kind what was looked for, in the user's words: {@code type}, {@code symbol}, {@code
   *     member of struct page}
   * @param name the name as typed
   * @param nearMisses names that exist and look alike, best first; may be empty
   */
  public LookupException(String kind, String name, List<String> nearMisses) {
    this(Optional.empty(), kind, name, nearMisses);
  }

  private LookupException(Optional<Span> span, String kind, String name, List<String> nearMisses) {
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
    this.span = span;
  }

  /** The same with the place of the name in the user's text. */
  public LookupException at(Span place) {
    return new LookupException(Optional.of(place), kind, name, nearMisses);
  }

  /** The same with names that look alike. */
  public LookupException near(List<String> names) {
    return new LookupException(span, kind, name, names);
  }

  @Override
  public Optional<Span> span() {
    return span;
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
