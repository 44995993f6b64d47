// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.presenter.stdcxx;

import dev.fathom.command.presenter.Parts;
import dev.fathom.command.presenter.Presentation;
import dev.fathom.command.presenter.Presenter;
import dev.fathom.model.Value;
import dev.fathom.model.type.CompositeType;
import java.util.List;
import java.util.Optional;

/** {@code std::deque}: blocks of 512 bytes behind a table. */
public final class DequePresenter implements Presenter {
  private static final long BLOCK_BYTES = 512;

  @Override
  public List<String> classes() {
    return List.of("std::deque");
  }

  @Override
  public Optional<Presentation> present(Value.Ref object, CompositeType type) {
    var program = object.program();
    var element = Parts.typeArgument(type, 0);
    var start = object.member("_M_impl._M_start");
    var finish = object.member("_M_impl._M_finish");
    long size = element.bytes();
    if (size <= 0) {
      return Optional.empty();
    }
    long perBlock = Math.max(1, BLOCK_BYTES / size);
    long word = program.types().wordBytes();
    long firstNode = start.member("_M_node").asLong();
    long lastNode = finish.member("_M_node").asLong();
    long head = start.member("_M_cur").asLong() - start.member("_M_first").asLong();
    long tail = finish.member("_M_cur").asLong() - finish.member("_M_first").asLong();
    long blocks = (lastNode - firstNode) / word;
    boolean plausible =
        Long.compareUnsigned(firstNode, lastNode) <= 0
            && blocks >= 0
            && blocks < Long.MAX_VALUE / (perBlock * size) / 2
            && head >= 0
            && head <= perBlock * size
            && tail >= 0
            && tail <= perBlock * size
            && head % size == 0
            && tail % size == 0;
    long count = blocks * perBlock + tail / size - head / size;
    if (!plausible || count < 0) {
      throw Parts.damaged(
          type,
          object.address(),
          "blocks from 0x%x to 0x%x, begun at %d and ended at %d"
              .formatted(firstNode, lastNode, head, tail));
    }
    long skipped = head / size;
    var summary = "std::deque with " + Parts.elements(count);
    return Optional.of(
        Presentation.list(
            summary,
            Parts.counted(
                count,
                i -> {
                  long at = skipped + i;
                  long block = Parts.pointer(program, firstNode + at / perBlock * word);
                  return Presentation.Part.of(
                      Parts.at(program, element, block + at % perBlock * size));
                })));
  }
}
