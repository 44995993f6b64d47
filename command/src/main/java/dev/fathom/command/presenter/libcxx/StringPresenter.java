// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.presenter.libcxx;

import dev.fathom.command.presenter.Parts;
import dev.fathom.command.presenter.Presentation;
import dev.fathom.command.presenter.Presenter;
import dev.fathom.model.Value;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.CompositeType;
import java.util.List;
import java.util.Optional;

/** {@code std::string} and its kin: short ones are in the object. */
public final class StringPresenter implements Presenter {
  /** More characters than any string has. */
  private static final long MOST = 1L << 40;

  @Override
  public List<String> classes() {
    return List.of("std::basic_string", "std::basic_string_view");
  }

  @Override
  public Optional<Presentation> present(Value.Ref object, CompositeType type) {
    var unit = Parts.typeArgument(type, 0);
    if (object.has("__data") || object.has("__data_")) {
      long start = Layout.member(object, "__data_", "__data").asLong();
      return Optional.of(
          text(object, type, unit, start, Layout.member(object, "__size_", "__size").asLong()));
    }
    var rep = Layout.member(object, "__rep_", "__r_");
    boolean bits = rep.has("__s.__is_long_");
    // Until LLVM 14 the lowest bit of the first byte said which it is, on little-endian machines.
    long first = rep.member("__s.__size_").asLong();
    boolean isLong = bits ? rep.member("__s.__is_long_").asLong() != 0 : (first & 1) != 0;
    if (isLong) {
      long start = rep.member("__l.__data_").asLong();
      return Optional.of(text(object, type, unit, start, rep.member("__l.__size_").asLong()));
    }
    long start = rep.member("__s.__data_").address();
    return Optional.of(text(object, type, unit, start, bits ? first : first >> 1));
  }

  private static Presentation text(
      Value.Ref object, CompositeType type, CType unit, long start, long count) {
    if (count < 0 || count > MOST || (start == 0 && count != 0)) {
      throw Parts.damaged(
          type,
          object.address(),
          "%s characters at 0x%x".formatted(Long.toUnsignedString(count), start));
    }
    return new Presentation.Text(unit, start, count);
  }
}
