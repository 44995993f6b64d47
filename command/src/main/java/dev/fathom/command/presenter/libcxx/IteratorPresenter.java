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

/** Iterators of vectors, strings, lists, maps and sets: what they lead to. */
public final class IteratorPresenter implements Presenter {
  @Override
  public List<String> classes() {
    return List.of(
        "std::__wrap_iter",
        "std::__list_iterator",
        "std::__list_const_iterator",
        "std::__map_iterator",
        "std::__map_const_iterator",
        "std::__tree_iterator",
        "std::__tree_const_iterator");
  }

  @Override
  public Optional<Presentation> present(Value.Ref object, CompositeType type) {
    var program = object.program();
    var name = Presenters.plainName(type.name());
    if (name.equals("std::__wrap_iter")) {
      var pointer = Layout.member(object, "__i_", "__i");
      return pointer.asLong() == 0
          ? Optional.empty()
          : Optional.of(new Presentation.Stand("", pointer.deref()));
    }
    if (name.startsWith("std::__map_")) {
      return object.member("__i_") instanceof Value.Ref inner
              && inner.type().resolved() instanceof CompositeType tree
          ? present(inner, tree)
          : Optional.empty();
    }
    long node = object.member("__ptr_").asLong();
    if (node == 0) {
      return Optional.empty();
    }
    var element = Parts.typeArgument(type, 0);
    long offset =
        name.startsWith("std::__list_")
            ? Layout.behindLinks(program, element)
            : Layout.behindTree(program, element);
    Value value = Parts.at(program, element, node + offset);
    // A map's pair is in a wrapper.
    for (var wrapped : List.of("__cc_", "__cc")) {
      if (value.has(wrapped)) {
        value = value.member(wrapped);
      }
    }
    return Optional.of(new Presentation.Stand("", value));
  }
}
