// SPDX-License-Identifier: Apache-2.0
package dev.fathom.trace.export;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Stacks and what each weighs. Equal stacks are added up, in the order of the first of each. */
public final class Stacks {
  /** What weights are. */
  public enum Unit {
    /** How often something happened. */
    COUNT("none", "samples"),
    NANOSECONDS("nanoseconds", "ns"),
    BYTES("bytes", "bytes");

    private final String speedscope;
    private final String label;

    Unit(String speedscope, String label) {
      this.speedscope = speedscope;
      this.label = label;
    }

    String speedscope() {
      return speedscope;
    }

    String label() {
      return label;
    }
  }

  /**
   * A stack.
   *
   * @param frames the outermost function first
   */
  public record Stack(List<String> frames, long weight) {}

  private final String name;
  private final Unit unit;
  private final Map<List<String>, Long> weights = new LinkedHashMap<>();

  /**
   * @param name what the stacks are of, for a title
   */
  public Stacks(String name, Unit unit) {
    this.name = name;
    this.unit = unit;
  }

  public String name() {
    return name;
  }

  public Unit unit() {
    return unit;
  }

  /**
   * Adds a stack.
   *
   * @param frames the outermost function first; a stack without frames is not added
   * @param weight above 0; others are not added
   */
  public Stacks add(List<String> frames, long weight) {
    if (!frames.isEmpty() && weight > 0) {
      weights.merge(List.copyOf(frames), weight, Math::addExact);
    }
    return this;
  }

  /** Adds a stack whose frames are given from the innermost on, as debuggers show them. */
  public Stacks addInnermostFirst(List<String> frames, long weight) {
    var reversed = new ArrayList<>(frames);
    Collections.reverse(reversed);
    return add(reversed, weight);
  }

  public boolean isEmpty() {
    return weights.isEmpty();
  }

  /** The stacks, each once. */
  public List<Stack> stacks() {
    var list = new ArrayList<Stack>();
    weights.forEach((frames, weight) -> list.add(new Stack(frames, weight)));
    return list;
  }

  /** The sum of the weights. */
  public long total() {
    long total = 0;
    for (long weight : weights.values()) {
      total = Math.addExact(total, weight);
    }
    return total;
  }
}
