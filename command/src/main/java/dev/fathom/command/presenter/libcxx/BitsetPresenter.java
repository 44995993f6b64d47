// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.presenter.libcxx;

import dev.fathom.command.presenter.Containers;
import dev.fathom.command.presenter.Presentation;
import dev.fathom.command.presenter.Presenter;
import dev.fathom.model.Value;
import dev.fathom.model.type.CompositeType;
import java.util.List;
import java.util.Optional;

/** {@code std::bitset}: the numbers of the bits that are set. */
public final class BitsetPresenter implements Presenter {
  @Override
  public List<String> classes() {
    return List.of("std::bitset");
  }

  @Override
  public Optional<Presentation> present(Value.Ref object, CompositeType type) {
    return Optional.of(Containers.bitset(object, type, "__first_"));
  }
}
