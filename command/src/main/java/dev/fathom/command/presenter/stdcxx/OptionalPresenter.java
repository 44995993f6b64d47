// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.presenter.stdcxx;

import dev.fathom.command.presenter.Containers;
import dev.fathom.command.presenter.Parts;
import dev.fathom.command.presenter.Presentation;
import dev.fathom.command.presenter.Presenter;
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
    return Containers.variant(
        object,
        type,
        object.member("_M_index"),
        at -> {
          Value store = object.member("_M_u");
          for (int i = 0; i < at; i++) {
            store = store.member("_M_rest");
          }
          return store.member("_M_first");
        });
  }
}
