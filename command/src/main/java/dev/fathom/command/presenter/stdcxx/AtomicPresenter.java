// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.presenter.stdcxx;

import dev.fathom.command.presenter.Parts;
import dev.fathom.command.presenter.Presentation;
import dev.fathom.command.presenter.Presenter;
import dev.fathom.model.Value;
import dev.fathom.model.type.CompositeType;
import java.util.List;
import java.util.Optional;

/** {@code std::atomic}. */
public final class AtomicPresenter implements Presenter {
  /** Where the value is: of a class, a whole number, a pointer, a bool, a fraction. */
  private static final List<String> PLACES = List.of("_M_i", "_M_b._M_p", "_M_base._M_i", "_M_fp");

  @Override
  public List<String> classes() {
    return List.of("std::atomic");
  }

  @Override
  public Optional<Presentation> present(Value.Ref object, CompositeType type) {
    for (var place : PLACES) {
      if (object.has(place)) {
        var kind = "std::atomic<" + Parts.brief(Parts.typeArgument(type, 0)) + ">";
        return Optional.of(Presentation.single(kind, object.member(place)));
      }
    }
    return Optional.empty();
  }
}
