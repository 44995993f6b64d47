// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.presenter.stdcxx;

import dev.fathom.base.LookupException;
import dev.fathom.command.presenter.Parts;
import dev.fathom.command.presenter.Presentation;
import dev.fathom.command.presenter.Presenter;
import dev.fathom.model.Value;
import dev.fathom.model.type.CompositeType;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** {@code std::pair} and {@code std::tuple}. */
public final class TuplePresenter implements Presenter {
  private static final int MOST = 1000;

  @Override
  public List<String> classes() {
    return List.of("std::pair", "std::tuple");
  }

  @Override
  public Optional<Presentation> present(Value.Ref object, CompositeType type) {
    if (type.name().startsWith("std::__1::")) {
      return Optional.empty(); // libc++'s, in which no bases are found
    }
    if (type.name().startsWith("std::pair<")) {
      return Optional.of(
          Presentation.fields(
              "",
              List.of(
                  Presentation.Part.named("first", object.member("first")),
                  Presentation.Part.named("second", object.member("second")))));
    }
    var parts = new ArrayList<Presentation.Part>();
    for (var value : elements(object, type)) {
      parts.add(Presentation.Part.named("[" + (parts.size() + 1) + "]", value));
    }
    return Optional.of(
        parts.isEmpty()
            ? new Presentation.Words("empty std::tuple")
            : Presentation.fields("std::tuple containing", parts));
  }

  /** The elements of a tuple: each is a base of the base of the one before it. */
  static List<Value> elements(Value.Ref object, CompositeType type) {
    var values = new ArrayList<Value>();
    var at = object;
    var of = type;
    for (int i = 0; i < MOST; i++) {
      var level = base(at, of, "std::_Tuple_impl<");
      if (level.isEmpty() || !(level.get().type().resolved() instanceof CompositeType impl)) {
        return values;
      }
      var head = base(level.get(), impl, "std::_Head_base<");
      if (head.isEmpty()) {
        return values;
      }
      values.add(value(head.get()));
      at = level.get();
      of = impl;
    }
    return values;
  }

  private static Value value(Value.Ref head) {
    if (head.has("_M_head_impl")) {
      return head.member("_M_head_impl");
    }
    // An element without size is a base itself.
    if (head.type().resolved() instanceof CompositeType c && c.templateArguments().size() > 1) {
      return head.as(Parts.typeArgument(c, 1));
    }
    throw new LookupException("element in", head.type().text());
  }

  static Optional<Value.Ref> base(Value.Ref object, CompositeType type, String start) {
    for (var member : type.members()) {
      if (member.isBase()
          && member.type().resolved() instanceof CompositeType c
          && c.name().startsWith(start)) {
        return Optional.of(
            new Value.Ref(
                object.program(),
                member.type(),
                object.space(),
                object.address() + member.byteOffset(),
                0,
                0));
      }
    }
    return Optional.empty();
  }
}
