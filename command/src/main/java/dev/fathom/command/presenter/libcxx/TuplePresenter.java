// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.presenter.libcxx;

import dev.fathom.command.presenter.Parts;
import dev.fathom.command.presenter.Presentation;
import dev.fathom.command.presenter.Presenter;
import dev.fathom.command.presenter.Presenters;
import dev.fathom.model.Value;
import dev.fathom.model.type.CompositeType;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** {@code std::pair} and {@code std::tuple}. */
public final class TuplePresenter implements Presenter {
  @Override
  public List<String> classes() {
    return List.of("std::pair", "std::tuple");
  }

  @Override
  public Optional<Presentation> present(Value.Ref object, CompositeType type) {
    if (!type.name().startsWith("std::__1::")) {
      return Optional.empty(); // another library's, whose empty tuple looks the same
    }
    if (Presenters.plainName(type.name()).equals("std::pair")) {
      return Optional.of(
          Presentation.fields(
              "",
              List.of(
                  Presentation.Part.named("first", object.member("first")),
                  Presentation.Part.named("second", object.member("second")))));
    }
    if (type.templateArguments().isEmpty()) {
      return Optional.of(new Presentation.Words("empty std::tuple"));
    }
    var parts = new ArrayList<Presentation.Part>();
    if (object.member("__base_") instanceof Value.Ref leaves) {
      for (var leaf : Layout.bases(leaves)) {
        // An element without size is a base of its leaf.
        var value =
            leaf.has("__value_")
                ? leaf.member("__value_")
                : leaf.as(Parts.typeArgument(type, parts.size()));
        parts.add(Presentation.Part.named("[" + (parts.size() + 1) + "]", value));
      }
    }
    return Optional.of(Presentation.fields("std::tuple containing", parts));
  }
}
