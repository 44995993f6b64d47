// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.presenter.stdcxx;

import dev.fathom.command.presenter.Parts;
import dev.fathom.command.presenter.Presentation;
import dev.fathom.command.presenter.Presenter;
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
    boolean forward = object.has("_M_impl._M_head");
    var head = object.member(forward ? "_M_impl._M_head" : "_M_impl._M_node");
    long first = head.member("_M_next").asLong();
    long end = forward ? 0 : head.address();
    var name = type.name().substring(0, type.name().indexOf('<'));
    if (first == end) {
      return Optional.of(new Presentation.Words("empty " + name));
    }
    long offset = Parts.aligned(program, forward ? word : 2 * word, element);
    var count = new long[1];
    return Optional.of(
        Presentation.fields(
            name,
            Parts.chain(
                type,
                first,
                end,
                node -> Parts.pointer(program, node),
                node ->
                    Presentation.Part.named(
                        "[" + count[0]++ + "]", Parts.at(program, element, node + offset)))));
  }
}
