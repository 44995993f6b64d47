// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.presenter.stdcxx;

import dev.fathom.base.LookupException;
import dev.fathom.command.presenter.Parts;
import dev.fathom.command.presenter.Presentation;
import dev.fathom.command.presenter.Presenter;
import dev.fathom.model.Value;
import dev.fathom.model.type.CompositeType;
import java.util.List;
import java.util.Optional;

/** {@code std::unique_ptr}, {@code std::shared_ptr} and {@code std::weak_ptr}. */
public final class PointerPresenter implements Presenter {
  @Override
  public List<String> classes() {
    return List.of("std::unique_ptr", "std::shared_ptr", "std::weak_ptr");
  }

  @Override
  public Optional<Presentation> present(Value.Ref object, CompositeType type) {
    var name = type.name().substring(0, type.name().indexOf('<'));
    var kind = name + "<" + Parts.brief(Parts.typeArgument(type, 0)) + ">";
    if (name.endsWith("unique_ptr")) {
      // gcc 7 and later wrap the tuple in a base of their own.
      var data = object.member("_M_t");
      var tuple = data.has("_M_t") ? data.member("_M_t") : data;
      if (!(tuple instanceof Value.Ref ref)
          || !(ref.type().resolved() instanceof CompositeType of)) {
        return Optional.empty();
      }
      var elements = TuplePresenter.elements(ref, of);
      if (elements.isEmpty()) {
        throw new LookupException("pointer in", object.type().text());
      }
      return Optional.of(shown(kind, elements.getFirst()));
    }
    var pointer = object.member("_M_ptr");
    long control = object.member("_M_refcount._M_pi").asLong();
    if (control == 0) {
      return Optional.of(shown(kind + " (empty)", pointer));
    }
    var counts = object.member("_M_refcount._M_pi").deref();
    long uses = counts.member("_M_use_count").asLong();
    // All uses together count as one that is weak.
    long weak = counts.member("_M_weak_count").asLong() - (uses > 0 ? 1 : 0);
    var used =
        uses > 0
            ? " (use count " + uses + ", weak count " + weak + ")"
            : " (expired, weak count " + weak + ")";
    return Optional.of(shown(kind + used, pointer));
  }

  private static Presentation shown(String summary, Value pointer) {
    return Presentation.fields(summary, List.of(Presentation.Part.named("get()", pointer)));
  }
}
