// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.presenter.libcxx;

import dev.fathom.command.presenter.Containers;
import dev.fathom.command.presenter.Parts;
import dev.fathom.command.presenter.Presentation;
import dev.fathom.command.presenter.Presenter;
import dev.fathom.model.Value;
import dev.fathom.model.type.BoolType;
import dev.fathom.model.type.CompositeType;
import java.util.List;
import java.util.Optional;

/** {@code std::vector}; of {@code bool} its bits. */
public final class VectorPresenter implements Presenter {
  @Override
  public List<String> classes() {
    return List.of("std::vector");
  }

  @Override
  public Optional<Presentation> present(Value.Ref object, CompositeType type) {
    var program = object.program();
    var element = Parts.typeArgument(type, 0);
    long start = object.member("__begin_").asLong();
    if (element.resolved() instanceof BoolType) {
      long count = object.member("__size_").asLong();
      long words = Layout.member(object, "__cap_alloc_", "__cap_").asLong();
      long bits = 8 * program.types().wordBytes();
      if (count < 0 || words < 0 || words > Long.MAX_VALUE / bits || count > words * bits) {
        throw Parts.damaged(
            type, object.address(), "%d bits in storage of %d words".formatted(count, words));
      }
      return Optional.of(
          Presentation.list(
              "std::vector<bool> of length %d, capacity %d".formatted(count, words * bits),
              Parts.counted(
                  count,
                  i -> {
                    long value = program.memory().unsigned(start + i / 8, 1);
                    return Presentation.Part.of(
                        new Value.Imm(program, element, value >> (i % 8) & 1));
                  })));
    }
    long finish = object.member("__end_").asLong();
    long end = Layout.member(object, "__end_cap_", "__cap_").asLong();
    return Containers.vector(object, type, start, finish, end);
  }
}
