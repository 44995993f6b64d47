// SPDX-License-Identifier: Apache-2.0
package dev.fathom.model.source;

import dev.fathom.base.Range;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/** Several sources as one, asked in order: a kernel's and those of its modules. */
public final class SourceInfos implements SourceInfo {
  private final Supplier<List<? extends SourceInfo>> parts;

  /**
   * @param parts asked each time, since modules come and go
   */
  public SourceInfos(Supplier<List<? extends SourceInfo>> parts) {
    this.parts = parts;
  }

  @Override
  public String name() {
    return "sources";
  }

  private Optional<SourceInfo> of(long pc) {
    for (var part : parts.get()) {
      if (part.covers(pc)) {
        return Optional.of(part);
      }
    }
    return Optional.empty();
  }

  @Override
  public boolean covers(long pc) {
    return of(pc).isPresent();
  }

  @Override
  public Optional<SourceLine> line(long pc) {
    return of(pc).flatMap(part -> part.line(pc));
  }

  @Override
  public Optional<Range> lineRange(long pc) {
    return of(pc).flatMap(part -> part.lineRange(pc));
  }

  @Override
  public boolean beginsStatement(long pc) {
    return of(pc).map(part -> part.beginsStatement(pc)).orElse(false);
  }

  @Override
  public long body(long entry) {
    return of(entry).map(part -> part.body(entry)).orElse(entry);
  }

  @Override
  public List<Activation> activations(long pc) {
    var part = of(pc);
    return part.isPresent() ? part.get().activations(pc) : List.of();
  }

  @Override
  public List<Long> tailCalls(long callee, long back) {
    return of(callee).map(part -> part.tailCalls(callee, back)).orElse(List.of());
  }

  @Override
  public List<Place> places(String file, int line) {
    var all = new ArrayList<Place>();
    for (var part : parts.get()) {
      all.addAll(part.places(file, line));
    }
    // A line that has code in one part needs no next line in another.
    boolean exact = all.stream().anyMatch(place -> place.line().line() == line);
    return exact ? all.stream().filter(place -> place.line().line() == line).toList() : all;
  }

  @Override
  public List<FunctionCode> functions(String name, int limit) {
    var all = new ArrayList<FunctionCode>();
    for (var part : parts.get()) {
      if (all.size() < limit) {
        all.addAll(part.functions(name, limit - all.size()));
      }
    }
    return all;
  }

  @Override
  public List<String> problems() {
    var all = new ArrayList<String>();
    parts.get().forEach(part -> all.addAll(part.problems()));
    return all;
  }
}
