// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.presenter.stdcxx;

import dev.fathom.command.presenter.Parts;
import dev.fathom.command.presenter.Presentation;
import dev.fathom.command.presenter.Presenter;
import dev.fathom.model.Value;
import dev.fathom.model.type.CompositeType;
import dev.fathom.model.type.OpaqueType;
import java.util.List;
import java.util.Optional;

/** {@code std::string} and its kin, of gcc 5's ABI and of the one before. */
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
    long start;
    long count;
    if (object.has("_M_str")) {
      start = object.member("_M_str").asLong();
      count = object.member("_M_len").asLong();
    } else {
      // clang leaves what this is made of to the library's own debug information. The pointer is
      // first, as allocators have no size.
      var data = object.member("_M_dataplus");
      start =
          data.type().resolved() instanceof OpaqueType && data instanceof Value.Ref place
              ? place.space().unsigned(place.address(), (int) object.program().types().wordBytes())
              : data.member("_M_p").asLong();
      // Before gcc 5 the length stands in front of the characters, with capacity and references.
      int word = (int) object.program().types().wordBytes();
      count =
          object.has("_M_string_length")
              ? object.member("_M_string_length").asLong()
              : Parts.pointer(object.program(), start - 3L * word);
    }
    if (count < 0 || count > MOST || (start == 0 && count != 0)) {
      throw Parts.damaged(
          type,
          object.address(),
          "%s characters at 0x%x".formatted(Long.toUnsignedString(count), start));
    }
    return Optional.of(new Presentation.Text(unit, start, count));
  }
}
