// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.presenter.stdcxx;

import dev.fathom.command.presenter.Parts;
import dev.fathom.command.presenter.Presentation;
import dev.fathom.command.presenter.Presenter;
import dev.fathom.command.presenter.Presenters;
import dev.fathom.model.Value;
import dev.fathom.model.type.CompositeType;
import java.util.Iterator;
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
    boolean map = name.endsWith("map");
    var impl = object.member("_M_t._M_impl");
    var header = impl.member("_M_header");
    long count = impl.member("_M_node_count").asLong();
    var node = header.type();
    long root = header.member("_M_parent").asLong();
    var summary = name + " with " + Parts.elements(count);
    var types = program.types();
    var links =
        new Parts.Links(
            types.member(node, "_M_left").orElseThrow().byteOffset(),
            types.member(node, "_M_right").orElseThrow().byteOffset());
    // A map's elements are pairs of key and value.
    var element = map ? Elements.pair(object.member("_M_t")) : Parts.typeArgument(type, 0);
    long offset = Parts.aligned(program, node.bytes(), element);
    var number = new long[1];
    Iterator<Presentation.Part> parts =
        Parts.exactly(
            type,
            object.address(),
            count,
            Parts.tree(
                program,
                type,
                root,
                links,
                at -> {
                  var value = Parts.at(program, element, at + offset);
                  return map
                      ? Presentation.Part.keyed(value.member("first"), value.member("second"))
                      : Presentation.Part.named("[" + number[0]++ + "]", value);
                }));
    return Optional.of(
        map ? Presentation.map(summary, parts) : Presentation.fields(summary, parts));
  }
}
