// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.presenter.boost;

import dev.fathom.command.presenter.Presentation;
import dev.fathom.command.presenter.Presenter;
import dev.fathom.model.Value;
import dev.fathom.model.type.CompositeType;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The links in elements of intrusive containers, without the layers of classes around them. */
public final class HookPresenter implements Presenter {
  private static final List<String> LINKS = List.of("next_", "prev_", "parent_", "left_", "right_");

  @Override
  public List<String> classes() {
    return List.of(
        "boost::intrusive::list_member_hook",
        "boost::intrusive::list_base_hook",
        "boost::intrusive::slist_member_hook",
        "boost::intrusive::slist_base_hook",
        "boost::intrusive::set_member_hook",
        "boost::intrusive::set_base_hook",
        "boost::intrusive::avl_set_member_hook",
        "boost::intrusive::avl_set_base_hook",
        "boost::intrusive::bs_set_member_hook",
        "boost::intrusive::bs_set_base_hook");
  }

  @Override
  public Optional<Presentation> present(Value.Ref object, CompositeType type) {
    var parts = new ArrayList<Presentation.Part>();
    for (var link : LINKS) {
      if (object.has(link)) {
        parts.add(Presentation.Part.named(link, object.member(link)));
      }
    }
    return parts.isEmpty() ? Optional.empty() : Optional.of(Presentation.fields("", parts));
  }
}
