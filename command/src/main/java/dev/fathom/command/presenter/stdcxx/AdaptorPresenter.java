// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.presenter.stdcxx;

import dev.fathom.command.presenter.Presentation;
import dev.fathom.command.presenter.Presenter;
import dev.fathom.command.presenter.Presenters;
import dev.fathom.model.Value;
import dev.fathom.model.type.CompositeType;
import java.util.List;
import java.util.Optional;

/** {@code std::stack}, {@code std::queue} and {@code std::priority_queue}. */
public final class AdaptorPresenter implements Presenter {
  @Override
  public List<String> classes() {
    return List.of("std::stack", "std::queue", "std::priority_queue");
  }

  @Override
  public Optional<Presentation> present(Value.Ref object, CompositeType type) {
    return Optional.of(
        new Presentation.Stand(
            Presenters.plainName(type.name()) + " wrapping: ", object.member("c")));
  }
}
