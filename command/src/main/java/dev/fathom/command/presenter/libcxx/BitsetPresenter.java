// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.presenter.libcxx;

import dev.fathom.command.presenter.Parts;
import dev.fathom.command.presenter.Presentation;
import dev.fathom.command.presenter.Presenter;
import dev.fathom.model.Value;
import dev.fathom.model.type.ArrayType;
import dev.fathom.model.type.CompositeType;
import dev.fathom.model.type.IntType;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** {@code std::bitset}: the numbers of the bits that are set. */
public final class BitsetPresenter implements Presenter {
  private static final IntType INT = new IntType("int", 4, true, false);

  /** Bits that are looked at. */
  private static final long MOST = 1 << 16;

  @Override
  public List<String> classes() {
    return List.of("std::bitset");
  }

  @Override
  public Optional<Presentation> present(Value.Ref object, CompositeType type) {
    long count = Parts.argument(type, 0).value().orElse(0);
    var parts = new ArrayList<Presentation.Part>();
    if (count > 0) {
      var words = object.member("__first_");
      boolean many = words.type().resolved() instanceof ArrayType;
      long wordBits = 8 * (many ? words.index(0).type().bytes() : words.type().bytes());
      for (long i = 0; i < Math.min(count, MOST); i++) {
        long word = many ? words.index(i / wordBits).asLong() : words.asLong();
        if ((word >>> i % wordBits & 1) != 0) {
          parts.add(
              Presentation.Part.named("[" + i + "]", new Value.Imm(object.program(), INT, 1)));
        }
      }
    }
    return Optional.of(Presentation.fields("std::bitset", parts));
  }
}
