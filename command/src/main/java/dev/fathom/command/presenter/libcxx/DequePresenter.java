// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.presenter.libcxx;

import dev.fathom.command.presenter.Parts;
import dev.fathom.command.presenter.Presentation;
import dev.fathom.command.presenter.Presenter;
import dev.fathom.model.Value;
import dev.fathom.model.type.CompositeType;
import java.util.List;
import java.util.Optional;

/** {@code std::deque}: blocks of 4096 bytes, or 16 elements that are large, behind a table. */
public final class DequePresenter implements Presenter {
  private static final long BLOCK_BYTES = 4096;
  private static final long LARGE = 256;
  private static final long LARGE_PER_BLOCK = 16;

  @Override
  public List<String> classes() {
    return List.of("std::deque");
  }

  @Override
  public Optional<Presentation> present(Value.Ref object, CompositeType type) {
    var program = object.program();
    var element = Parts.typeArgument(type, 0);
    long size = element.bytes();
    if (size <= 0) {
      return Optional.empty();
    }
    long perBlock = size < LARGE ? BLOCK_BYTES / size : LARGE_PER_BLOCK;
    long word = program.types().wordBytes();
    long count = Layout.member(object, "__size_").asLong();
    long skipped = object.member("__start_").asLong();
    long table = object.member("__map_.__begin_").asLong();
    long blocks = (object.member("__map_.__end_").asLong() - table) / word;
    if (blocks < 0
        || blocks > Long.MAX_VALUE / (perBlock * size)
        || count < 0
        || skipped < 0
        || skipped > blocks * perBlock
        || count > blocks * perBlock - skipped) {
      throw Parts.damaged(
          type,
          object.address(),
          "%d elements behind %d in %d blocks of %d".formatted(count, skipped, blocks, perBlock));
    }
    return Optional.of(
        Presentation.list(
            "std::deque with " + Parts.elements(count),
            Parts.counted(
                count,
                i -> {
                  long at = skipped + i;
                  long block = Parts.pointer(program, table + at / perBlock * word);
                  return Presentation.Part.of(
                      Parts.at(program, element, block + at % perBlock * size));
                })));
  }
}
