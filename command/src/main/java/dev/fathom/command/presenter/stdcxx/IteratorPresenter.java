// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.presenter.stdcxx;

import dev.fathom.command.presenter.Parts;
import dev.fathom.command.presenter.Presentation;
import dev.fathom.command.presenter.Presenter;
import dev.fathom.model.Program;
import dev.fathom.model.Value;
import dev.fathom.model.type.CType;
import dev.fathom.model.type.CompositeType;
import java.util.List;
import java.util.Optional;

/** Iterators of vectors, strings, lists, maps and sets: what they lead to. */
public final class IteratorPresenter implements Presenter {
  @Override
  public List<String> classes() {
    return List.of(
        "__gnu_cxx::__normal_iterator",
        "std::_List_iterator",
        "std::_List_const_iterator",
        "std::_Rb_tree_iterator",
        "std::_Rb_tree_const_iterator",
        "std::_Deque_iterator");
  }

  @Override
  public Optional<Presentation> present(Value.Ref object, CompositeType type) {
    var program = object.program();
    var element = element(program, type);
    var plain = object.has("_M_current") ? object.member("_M_current") : object;
    if (object.has("_M_current") || object.has("_M_cur")) {
      var pointer = object.has("_M_cur") ? object.member("_M_cur") : plain;
      return pointer.asLong() == 0
          ? Optional.empty()
          : Optional.of(new Presentation.Stand("", pointer.deref()));
    }
    var node = object.member("_M_node");
    long at = node.asLong();
    if (at == 0) {
      return Optional.empty();
    }
    long offset = Parts.aligned(program, node.deref().type().bytes(), element);
    return Optional.of(new Presentation.Stand("", Parts.at(program, element, at + offset)));
  }

  /** Compilers do not always tell an iterator's argument, but have it in the name. */
  private static CType element(Program program, CompositeType type) {
    if (!type.templateArguments().isEmpty()) {
      return Parts.typeArgument(type, 0);
    }
    var written = Parts.written(type.name());
    var name = written.isEmpty() ? "" : written.getFirst();
    return program.types().parse(name);
  }
}
