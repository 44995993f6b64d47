// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.presenter.boost;

import dev.fathom.command.presenter.Parts;
import dev.fathom.command.presenter.Presentation;
import dev.fathom.command.presenter.Presenter;
import dev.fathom.model.Value;
import dev.fathom.model.type.CompositeType;
import java.util.List;
import java.util.Optional;

/** {@code boost::intrusive::set} and the other containers that are binary trees. */
public final class IntrusiveTreePresenter implements Presenter {
  @Override
  public List<String> classes() {
    return List.of(
        "boost::intrusive::set",
        "boost::intrusive::multiset",
        "boost::intrusive::rbtree",
        "boost::intrusive::avl_set",
        "boost::intrusive::avl_multiset",
        "boost::intrusive::avltree",
        "boost::intrusive::splay_set",
        "boost::intrusive::splay_multiset",
        "boost::intrusive::sg_set",
        "boost::intrusive::sg_multiset",
        "boost::intrusive::treap_set",
        "boost::intrusive::treap_multiset",
        "boost::intrusive::bs_set",
        "boost::intrusive::bs_multiset");
  }

  @Override
  public Optional<Presentation> present(Value.Ref object, CompositeType type) {
    var program = object.program();
    var types = program.types();
    var hooks = Hooks.of(object, type);
    var header = object.member("holder.root");
    var node = header.type();
    var links =
        new Parts.Links(
            types.member(node, "left_").orElseThrow().byteOffset(),
            types.member(node, "right_").orElseThrow().byteOffset());
    // The header's parent is the root, in whose pointer the lowest bits may be a colour.
    long root = header.member("parent_").asLong() & -4L;
    var tree =
        Parts.tree(
            program, type, root, links, at -> Presentation.Part.of(hooks.elementOf(object, at)));
    return Optional.of(IntrusiveListPresenter.counted(object, type, object, root == 0, tree));
  }
}
