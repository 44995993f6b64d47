// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.presenter.stdcxx;

import dev.fathom.command.presenter.Parts;
import dev.fathom.command.presenter.Presentation;
import dev.fathom.command.presenter.Presenter;
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
        type.name().startsWith("std::optional") ? optional(object, type) : variant(object, type));
  }

  private static Presentation optional(Value.Ref object, CompositeType type) {
    var element = Parts.typeArgument(type, 0);
    var kind = "std::optional<" + Parts.brief(element) + ">";
    var payload = object.member("_M_payload");
    if (payload.member("_M_engaged").asLong() == 0) {
      return new Presentation.Words(kind + " [no contained value]");
    }
    // gcc 7 and 8 have the value without the payload's own union.
    var value =
        payload.has("_M_payload._M_value")
            ? payload.member("_M_payload._M_value")
            : payload.has("_M_payload") ? payload.member("_M_payload").as(element) : payload;
    return Presentation.fields(
        kind, List.of(Presentation.Part.named("[contained value]", value.as(element))));
  }

  private static Presentation variant(Value.Ref object, CompositeType type) {
    var kinds = type.templateArguments().stream().map(a -> a.type()).toList();
    var kind =
        "std::variant<" + kinds.stream().map(Parts::brief).collect(Collectors.joining(", ")) + ">";
    var index = object.member("_M_index");
    long at = index.asLong();
    // Without a value it is the greatest number of its type.
    if (at == -1 || (index.type().bytes() < 8 && at == (1L << (8 * index.type().bytes())) - 1)) {
      return new Presentation.Words(kind + " [no contained value]");
    }
    if (at < 0 || at >= kinds.size() || at > MOST) {
      throw Parts.damaged(
          type, object.address(), "index " + at + " of " + kinds.size() + " alternatives");
    }
    Value store = object.member("_M_u");
    for (long i = 0; i < at; i++) {
      store = store.member("_M_rest");
    }
    var value = store.member("_M_first").as(kinds.get((int) at));
    return Presentation.list(
        kind + " [index " + at + "]", List.of(Presentation.Part.of(value)).iterator());
  }
}
