// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.presenter.stdcxx;

import dev.fathom.command.presenter.Containers;
import dev.fathom.command.presenter.Parts;
import dev.fathom.command.presenter.Presentation;
import dev.fathom.command.presenter.Presenter;
import dev.fathom.model.Program;
import dev.fathom.model.Value;
import dev.fathom.model.type.BoolType;
import dev.fathom.model.type.CType;
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
    var impl = object.member("_M_impl");
    if (element.resolved() instanceof BoolType) {
      return Optional.of(bits(program, type, element, impl, object.address()));
    }
    long start = impl.member("_M_start").asLong();
    long finish = impl.member("_M_finish").asLong();
    long end = impl.member("_M_end_of_storage").asLong();
    return Containers.vector(object, type, start, finish, end);
  }

  private static Presentation bits(
      Program program, CompositeType type, CType element, Value impl, long address) {
    long start = impl.member("_M_start._M_p").asLong();
    long finish = impl.member("_M_finish._M_p").asLong();
    long first = impl.member("_M_start._M_offset").asLong();
    long last = impl.member("_M_finish._M_offset").asLong();
    long end = impl.member("_M_end_of_storage").asLong();
    long count = (finish - start) * 8 - first + last;
    if (Long.compareUnsigned(start, finish) > 0
        || Long.compareUnsigned(finish, end) > 0
        || finish - start > Long.MAX_VALUE / 8
        || count < 0) {
      throw Parts.damaged(
          type,
          address,
          "bits from 0x%x to 0x%x in storage up to 0x%x".formatted(start, finish, end));
    }
    return Presentation.list(
        "std::vector<bool> of length %d, capacity %d".formatted(count, (end - start) * 8),
        Parts.counted(
            count,
            i -> {
              long at = first + i;
              long bits = program.memory().unsigned(start + at / 8, 1);
              return Presentation.Part.of(new Value.Imm(program, element, bits >> (at % 8) & 1));
            }));
  }
}
