// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.presenter.libcxx;

import dev.fathom.command.presenter.Parts;
import dev.fathom.command.presenter.Presentation;
import dev.fathom.command.presenter.Presenter;
import dev.fathom.model.Value;
import dev.fathom.model.type.CompositeType;
import java.util.List;
import java.util.Optional;

/** {@code std::atomic}. */
public final class AtomicPresenter implements Presenter {
  @Override
  public List<String> classes() {
    return List.of("std::atomic");
  }

  @Override
  public Optional<Presentation> present(Value.Ref object, CompositeType type) {
    var element = Parts.typeArgument(type, 0);
    return Optional.of(
        Presentation.single(
            "std::atomic<" + Parts.brief(element) + ">",
            object.member("__a_").member("__a_value").as(element)));
  }
}
