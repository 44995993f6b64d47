// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.presenter.libcxx;

import dev.fathom.command.presenter.Containers;
import dev.fathom.command.presenter.Parts;
import dev.fathom.command.presenter.Presentation;
import dev.fathom.command.presenter.Presenter;
import dev.fathom.command.presenter.Presenters;
import dev.fathom.model.Value;
import dev.fathom.model.type.CompositeType;
import java.util.List;
import java.util.Optional;

/** {@code std::optional} and {@code std::variant}. */
public final class OptionalPresenter implements Presenter {
  @Override
  public List<String> classes() {
    return List.of("std::optional", "std::variant");
  }

  @Override
  public Optional<Presentation> present(Value.Ref object, CompositeType type) {
    return Optional.of(
        Presenters.plainName(type.name()).equals("std::optional")
            ? optional(object, type)
            : variant(object, type));
  }

  private static Presentation optional(Value.Ref object, CompositeType type) {
    var element = Parts.typeArgument(type, 0);
    var kind = "std::optional<" + Parts.brief(element) + ">";
    if (object.member("__engaged_").asLong() == 0) {
      return new Presentation.Words(kind + " [no contained value]");
    }
    return Presentation.fields(
        kind,
        List.of(Presentation.Part.named("[contained value]", object.member("__val_").as(element))));
  }

  private static Presentation variant(Value.Ref object, CompositeType type) {
    var impl = Layout.member(object, "__impl_", "__impl");
    return Containers.variant(
        object,
        type,
        impl.member("__index"),
        at -> {
          Value store = impl.member("__data");
          for (int i = 0; i < at; i++) {
            store = store.member("__tail");
          }
          return store.member("__head").member("__value");
        });
  }
}
