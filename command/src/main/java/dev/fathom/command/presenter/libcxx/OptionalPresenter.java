// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.presenter.libcxx;

import dev.fathom.command.presenter.Parts;
import dev.fathom.command.presenter.Presentation;
import dev.fathom.command.presenter.Presenter;
import dev.fathom.command.presenter.Presenters;
import dev.fathom.model.Value;
import dev.fathom.model.type.CompositeType;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/** {@code std::optional} and {@code std::variant}. */
public final class OptionalPresenter implements Presenter {
  /** More alternatives than a variant has. */
  private static final int MOST = 1000;

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
    var kinds = type.templateArguments().stream().map(a -> a.type()).toList();
    var kind =
        "std::variant<" + kinds.stream().map(Parts::brief).collect(Collectors.joining(", ")) + ">";
    var impl = Layout.member(object, "__impl_", "__impl");
    var index = impl.member("__index");
    long at = index.asLong();
    // Without a value it is the greatest number of its type.
    if (at == -1 || (index.type().bytes() < 8 && at == (1L << (8 * index.type().bytes())) - 1)) {
      return new Presentation.Words(kind + " [no contained value]");
    }
    if (at < 0 || at >= kinds.size() || at > MOST) {
      throw Parts.damaged(
          type, object.address(), "index " + at + " of " + kinds.size() + " alternatives");
    }
    Value store = impl.member("__data");
    for (long i = 0; i < at; i++) {
      store = store.member("__tail");
    }
    var value = store.member("__head").member("__value").as(kinds.get((int) at));
    return Presentation.list(
        kind + " [index " + at + "]", List.of(Presentation.Part.of(value)).iterator());
  }
}
