// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.presenter.boost;

import dev.fathom.command.presenter.Parts;
import dev.fathom.command.presenter.Presentation;
import dev.fathom.command.presenter.Presenter;
import dev.fathom.command.presenter.Presenters;
import dev.fathom.model.Value;
import dev.fathom.model.type.CompositeType;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;

/** {@code boost::intrusive::list} and {@code slist}. */
public final class IntrusiveListPresenter implements Presenter {
  @Override
  public List<String> classes() {
    return List.of(
        "boost::intrusive::list",
        "boost::intrusive::list_impl",
        "boost::intrusive::slist",
        "boost::intrusive::slist_impl");
  }

  @Override
  public Optional<Presentation> present(Value.Ref object, CompositeType type) {
    var program = object.program();
    var hooks = Hooks.of(object, type);
    var root = object.member("data_.root_plus_size_");
    var header = root.member(root.has("m_header") ? "m_header" : "header_holder_");
    var next = program.types().member(header.type(), "next_").orElseThrow();
    long offset = next.byteOffset();
    long head = header.address();
    long first = header.member("next_").asLong();
    // A container never used since it was made by default has zeros; linear chains end in one.
    long end = first == 0 || isLinear(type, 0) ? 0 : head;
    var chain =
        Parts.chain(
            type,
            first,
            end,
            node -> Parts.pointer(program, node + offset),
            node -> Presentation.Part.of(hooks.elementOf(object, node)));
    return Optional.of(counted(object, type, root, first == end, chain));
  }

  private static boolean isLinear(CompositeType type, int depth) {
    for (var member : type.statics()) {
      if (member.name().equals("linear")) {
        return member.constant().orElse(0) != 0;
      }
    }
    for (var member : type.members()) {
      if (member.isBase()
          && depth < 8
          && member.type().resolved() instanceof CompositeType base
          && isLinear(base, depth + 1)) {
        return true;
      }
    }
    return false;
  }

  /** With the number of elements, where the container keeps it. */
  static Presentation counted(
      Value.Ref object,
      CompositeType type,
      Value counter,
      boolean empty,
      Iterator<Presentation.Part> parts) {
    var name = Presenters.plainName(type.name()).replace("_impl", "");
    if (!counter.has("size_")) {
      return empty ? new Presentation.Words("empty " + name) : Presentation.list(name, parts);
    }
    long count = counter.member("size_").asLong();
    return Presentation.list(
        name + " of length " + Long.toUnsignedString(count),
        Parts.exactly(type, object.address(), count, parts));
  }
}
