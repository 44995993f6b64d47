// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model.type;

import java.util.List;
import java.util.Optional;

/**
 * An enumeration.
 *
 * @param cxx what only C++ has; empty in C
 */
public record EnumType(
    String name, long bytes, boolean signed, List<Enumerator> enumerators, Optional<Cxx> cxx)
    implements CType {
  /**
   * An enumeration of C++, which its name alone names.
   *
   * @param isClass whether it is an {@code enum class}
   * @param scope what stands in front of its enumerators, such as {@code ns::Colour::}; may be
   *     empty
   * @param underlying the name of the type of its values; empty when it is not told
   */
  public record Cxx(boolean isClass, String scope, String underlying) {}

  public record Enumerator(String name, long value) {}

  public EnumType {
    enumerators = List.copyOf(enumerators);
  }

  /** An enumeration of C. */
  public EnumType(String name, long bytes, boolean signed, List<Enumerator> enumerators) {
    this(name, bytes, signed, enumerators, Optional.empty());
  }

  /** An enumerator as the language writes it: in C++ with what it is in. */
  public String text(Enumerator enumerator) {
    return cxx.map(Cxx::scope).orElse("") + enumerator.name();
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
