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
import java.util.function.LongFunction;

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
    var table = object.member("__table_");
    long count = Layout.member(table, "__p2_", "__size_").asLong();
    long first = Layout.member(table, "__p1_", "__first_node_").member("__next_").asLong();
    var summary = name + " with " + Parts.elements(count);
    long links = 2 * program.types().wordBytes();
    var number = new long[1];
    LongFunction<Presentation.Part> part;
    if (map) {
      var pair = Layout.Pair.of(program, type, links);
      part =
          node ->
              Presentation.Part.keyed(
                  Parts.at(program, pair.key(), node + pair.keyAt()),
                  Parts.at(program, pair.value(), node + pair.valueAt()));
    } else {
      var element = Parts.typeArgument(type, 0);
      long offset = Layout.behindLinks(program, element);
      part =
          node ->
              Presentation.Part.named(
                  "[" + number[0]++ + "]", Parts.at(program, element, node + offset));
    }
    var parts =
        Parts.exactly(
            type,
            object.address(),
            count,
            Parts.chain(type, first, 0, node -> Parts.pointer(program, node), part));
    return Optional.of(
        map ? Presentation.map(summary, parts) : Presentation.fields(summary, parts));
  }
}
