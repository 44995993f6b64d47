// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.presenter.stdcxx;

import dev.fathom.command.presenter.Parts;
import dev.fathom.command.presenter.Presentation;
import dev.fathom.command.presenter.Presenter;
import dev.fathom.command.presenter.Presenters;
import dev.fathom.model.Value;
import dev.fathom.model.type.CompositeType;
import java.util.List;
import java.util.Optional;

/** {@code std::unordered_map}, {@code std::unordered_set} and the ones with equal keys. */
public final class HashPresenter implements Presenter {
  @Override
  public List<String> classes() {
    return List.of(
        "std::unordered_map",
        "std::unordered_multimap",
        "std::unordered_set",
        "std::unordered_multiset");
  }

  @Override
  public Optional<Presentation> present(Value.Ref object, CompositeType type) {
    var program = object.program();
    var name = Presenters.plainName(type.name());
    boolean map = name.endsWith("map");
    long count = object.member("_M_h._M_element_count").asLong();
    long first = object.member("_M_h._M_before_begin._M_nxt").asLong();
    var summary = name + " with " + Parts.elements(count);
    var element = map ? Elements.pair(object.member("_M_h")) : Parts.typeArgument(type, 0);
    long offset = Parts.aligned(program, program.types().wordBytes(), element);
    var number = new long[1];
    var parts =
        Parts.exactly(
            type,
            object.address(),
            count,
            Parts.chain(
                type,
                first,
                0,
                at -> Parts.pointer(program, at),
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
