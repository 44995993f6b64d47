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

/** {@code std::map}, {@code std::set} and the ones with equal keys: a red-black tree. */
public final class TreePresenter implements Presenter {
  @Override
  public List<String> classes() {
    return List.of("std::map", "std::multimap", "std::set", "std::multiset");
  }

  @Override
  public Optional<Presentation> present(Value.Ref object, CompositeType type) {
    var program = object.program();
    var name = Presenters.plainName(type.name());
    var tree = object.member("__tree_");
    long count = Layout.member(tree, "__pair3_", "__size_").asLong();
    long root = Layout.member(tree, "__pair1_", "__end_node_").member("__left_").asLong();
    var summary = name + " with " + Parts.elements(count);
    long word = program.types().wordBytes();
    var links = new Parts.Links(0, word);
    if (name.endsWith("map")) {
      var pair = Layout.Pair.of(program, type, 3 * word + 1);
      return Optional.of(
          Presentation.map(
              summary,
              Parts.exactly(
                  type,
                  object.address(),
                  count,
                  Parts.tree(
                      program,
                      type,
                      root,
                      links,
                      node ->
                          Presentation.Part.keyed(
                              Parts.at(program, pair.key(), node + pair.keyAt()),
                              Parts.at(program, pair.value(), node + pair.valueAt()))))));
    }
    var element = Parts.typeArgument(type, 0);
    long offset = Layout.behindTree(program, element);
    var number = new long[1];
    return Optional.of(
        Presentation.fields(
            summary,
            Parts.exactly(
                type,
                object.address(),
                count,
                Parts.tree(
                    program,
                    type,
                    root,
                    links,
                    node ->
                        Presentation.Part.named(
                            "[" + number[0]++ + "]", Parts.at(program, element, node + offset))))));
  }
}
