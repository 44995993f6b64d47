// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.objects;

import dev.fathom.target.ProcessView;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/** A process of which only what is mapped is told. */
final class TestView implements ProcessView {
  List<Mapped> mappings = List.of();
  Map<Long, Long> auxiliary = Map.of();

  @Override
  public long process() {
    return 1;
  }

  @Override
  public OptionalLong parent() {
    return OptionalLong.empty();
  }

  @Override
  public String name() {
    return "test";
  }

  @Override
  public Optional<String> program() {
    return Optional.empty();
  }

  @Override
  public List<String> arguments() {
    return List.of();
  }

  @Override
  public List<Mapped> mappings() {
    return mappings;
  }

  @Override
  public List<ThreadState> threads() {
    return List.of();
  }

  @Override
  public Map<Long, Long> auxiliary() {
    return auxiliary;
  }

  @Override
  public Optional<Path> file(Mapped mapping) {
    return Optional.empty();
  }
}
