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

/** {@code std::unique_ptr}, {@code std::shared_ptr} and {@code std::weak_ptr}. */
public final class PointerPresenter implements Presenter {
  @Override
  public List<String> classes() {
    return List.of("std::unique_ptr", "std::shared_ptr", "std::weak_ptr");
  }

  @Override
  public Optional<Presentation> present(Value.Ref object, CompositeType type) {
    var name = Presenters.plainName(type.name());
    var kind = name + "<" + Parts.brief(Parts.typeArgument(type, 0)) + ">";
    var pointer = Layout.member(object, "__ptr_");
    if (name.endsWith("unique_ptr")) {
      return Optional.of(shown(kind, pointer));
    }
    var control = object.member("__cntrl_");
    if (control.asLong() == 0) {
      return Optional.of(shown(kind + " (empty)", pointer));
    }
    // Behind the table of the class; clang leaves what that is made of to the library. Both count
    // from 0, and all uses together count as one that is weak.
    var program = object.program();
    long word = program.types().wordBytes();
    long uses = Parts.pointer(program, control.asLong() + word) + 1;
    long weak = Parts.pointer(program, control.asLong() + 2 * word) + (uses > 0 ? 0 : 1);
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
