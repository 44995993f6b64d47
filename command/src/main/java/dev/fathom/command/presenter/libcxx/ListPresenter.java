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

/** {@code std::list} and {@code std::forward_list}. */
public final class ListPresenter implements Presenter {
  @Override
  public List<String> classes() {
    return List.of("std::list", "std::forward_list");
  }

  @Override
  public Optional<Presentation> present(Value.Ref object, CompositeType type) {
    var program = object.program();
    var element = Parts.typeArgument(type, 0);
    long word = program.types().wordBytes();
    boolean forward = object.has("__before_begin_");
    var head = forward ? Layout.member(object, "__before_begin_") : object.member("__end_");
    long first = head.member("__next_").asLong();
    long end = forward ? 0 : head.address();
    var name = Presenters.plainName(type.name());
    if (first == end) {
      return Optional.of(new Presentation.Words("empty " + name));
    }
    // The link to the next node is the first one of a forward list, and the second of the other.
    long link = forward ? 0 : word;
    long offset =
        forward ? Parts.aligned(program, word, element) : Layout.behindLinks(program, element);
    var count = new long[1];
    return Optional.of(
        Presentation.fields(
            name,
            Parts.chain(
                type,
                first,
                end,
                node -> Parts.pointer(program, node + link),
                node ->
                    Presentation.Part.named(
                        "[" + count[0]++ + "]", Parts.at(program, element, node + offset)))));
  }
}
