// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.presenter;

import dev.fathom.base.Datum;
import dev.fathom.model.Value;
import dev.fathom.model.type.CType;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;

/** What an object means. */
public sealed interface Presentation {
  /**
   * Characters.
   *
   * @param unit the type of each
   * @param address where the first one is
   * @param count how many there are
   */
  record Text(CType unit, long address, long count) implements Presentation {}

  /**
   * Parts, behind words that say what they belong to.
   *
   * @param summary such as {@code std::vector of length 3, capacity 4}; may be empty
   * @param parts read as they are asked for, and only as many as are shown
   */
  record Parts(String summary, Datum.Form form, Iterator<Part> parts) implements Presentation {}

  /**
   * A value that stands for the object, such as what an iterator leads to.
   *
   * @param prefix words in front of what that value is
   */
  record Stand(String prefix, Value value) implements Presentation {}

  /** Words alone. */
  record Words(String text) implements Presentation {}

  /** A part under a key, under a name, or under neither. */
  record Part(Optional<Value> key, Optional<String> name, Value value) {
    public static Part of(Value value) {
      return new Part(Optional.empty(), Optional.empty(), value);
    }

    public static Part named(String name, Value value) {
      return new Part(Optional.empty(), Optional.of(name), value);
    }

    public static Part keyed(Value key, Value value) {
      return new Part(Optional.of(key), Optional.empty(), value);
    }
  }

  /** Parts one behind the other. */
  static Presentation list(String summary, Iterator<Part> parts) {
    return new Parts(summary, Datum.Form.LIST, parts);
  }

  /** Parts with names. */
  static Presentation fields(String summary, Iterator<Part> parts) {
    return new Parts(summary, Datum.Form.FIELDS, parts);
  }

  /** Parts with names. */
  static Presentation fields(String summary, List<Part> parts) {
    return fields(summary, parts.iterator());
  }

  /** Parts with keys. */
  static Presentation map(String summary, Iterator<Part> parts) {
    return new Parts(summary, Datum.Form.MAP, parts);
  }

  /** One value. */
  static Presentation single(String summary, Value value) {
    return new Parts(summary, Datum.Form.SINGLE, List.of(Part.of(value)).iterator());
  }
}
