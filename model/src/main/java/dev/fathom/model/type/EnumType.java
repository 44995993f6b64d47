// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model.type;

import java.util.List;
import java.util.Optional;

/** An enumeration. */
public record EnumType(String name, long bytes, boolean signed, List<Enumerator> enumerators)
    implements CType {
  public record Enumerator(String name, long value) {}

  public EnumType {
    enumerators = List.copyOf(enumerators);
  }

  /** The enumerator called {@code name}. */
  public Optional<Enumerator> named(String name) {
    for (var e : enumerators) {
      if (e.name().equals(name)) {
        return Optional.of(e);
      }
    }
    return Optional.empty();
  }

  /** The first enumerator of that value. */
  public Optional<Enumerator> of(long value) {
    for (var e : enumerators) {
      if (e.value() == value) {
        return Optional.of(e);
      }
    }
    return Optional.empty();
  }
}
