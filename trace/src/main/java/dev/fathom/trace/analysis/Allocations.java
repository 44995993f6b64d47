// SPDX-License-Identifier: Apache-2.0
package dev.fathom.trace.analysis;

import dev.fathom.trace.Argument;
import dev.fathom.trace.EventCursor;
import dev.fathom.trace.TraceEvent;
import dev.fathom.trace.Tracepoint;
import dev.fathom.trace.frame.Backtraces;
import dev.fathom.trace.frame.FrameStyle;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * What OSv allocated, as the tracepoints {@code memory_malloc_mempool}, {@code memory_malloc_large}
 * and {@code memory_malloc_page} tell: a tree by allocator, alignment and sizes, with backtraces at
 * its leaves. What was freed again counts as well.
 */
public final class Allocations {
  /** What a level of the tree is made by. */
  public enum Group {
    ALLOCATOR,
    ALIGNMENT,
    ALLOCATED,
    REQUESTED
  }

  /** What is shown first. */
  public enum Order {
    /** Groups by what they are of: names in order, numbers rising. */
    SIZE,
    COUNT,
    UNUSED
  }

  /**
   * How the tree is made.
   *
   * @param minCount allocations that a group must have to be shown
   * @param minHits allocations that a branch of backtraces must have
   * @param maxLevels frames of a backtrace
   */
  public record Options(
      TimeSlice slice,
      List<Group> groups,
      Order order,
      OptionalLong minCount,
      Optional<Threshold> minHits,
      boolean backtraces,
      OptionalInt maxLevels,
      FrameStyle style) {}

  /** What a group is of. */
  public sealed interface Key {
    record All() implements Key {}

    record Allocator(String name) implements Key {}

    /** In bytes. */
    record Size(Group of, long bytes) implements Key {}
  }

  /**
   * Allocations that have something in common.
   *
   * @param bytes allocated in all
   * @param unused bytes of these that nobody asked for
   */
  public record Node(
      Key key, long count, long bytes, long unused, List<Node> groups, List<Branch> branches) {}

  /**
   * Functions that allocated.
   *
   * @param functions the innermost first; several that were always called together
   */
  public record Branch(List<String> functions, long count, List<Branch> branches) {}

  private final Backtraces backtraces;
  private final Options options;
  private final Map<Tracepoint, Optional<Places>> places = new HashMap<>();

  /** Where a tracepoint has what; the allocator is known by the tracepoint's name. */
  private record Places(String allocator, int allocated, int requested, int alignment) {}

  private Allocations(Backtraces backtraces, Options options) {
    this.backtraces = backtraces;
    this.options = options;
  }

  /** Makes the tree. */
  public static Node of(EventCursor events, Backtraces backtraces, Options options) {
    var maker = new Allocations(backtraces, options);
    var root = new Building(new Key.All());
    while (events.next()) {
      var found = maker.places.computeIfAbsent(events.tracepoint(), Allocations::places);
      if (found.isPresent() && options.slice().contains(events.time())) {
        maker.add(root, events, found.get());
      }
    }
    root.sum();
    return maker.node(root);
  }

  private static Optional<Places> places(Tracepoint tracepoint) {
    for (var allocator : List.of("mempool", "large", "page")) {
      if (tracepoint.name().endsWith("malloc_" + allocator)) {
        var names = tracepoint.arguments().stream().map(Argument::name).toList();
        return names.containsAll(List.of("alloc_len", "req_len", "align"))
            ? Optional.of(
                new Places(
                    allocator,
                    names.indexOf("alloc_len"),
                    names.indexOf("req_len"),
                    names.indexOf("align")))
            : Optional.empty();
      }
    }
    return Optional.empty();
  }

  private static final class Building {
    private final Key key;
    private final Map<Key, Building> groups = new LinkedHashMap<>();
    private final Map<String, BranchBuilding> branches = new LinkedHashMap<>();
    private long count;
    private long bytes;
    private long unused;

    Building(Key key) {
      this.key = key;
    }

    void sum() {
      for (var group : groups.values()) {
        group.sum();
        count += group.count;
        bytes += group.bytes;
        unused += group.unused;
      }
    }
  }

  private static final class BranchBuilding {
    private final List<String> functions = new ArrayList<>();
    private long count;
    private Map<String, BranchBuilding> branches = new LinkedHashMap<>();

    BranchBuilding(String function) {
      functions.add(function);
    }
  }

  private void add(Building root, TraceEvent event, Places at) {
    long allocated = event.integer(at.allocated());
    long requested = event.integer(at.requested());
    var node = root;
    for (var group : options.groups()) {
      Key key =
          switch (group) {
            case ALLOCATOR -> new Key.Allocator(at.allocator());
            case ALIGNMENT -> new Key.Size(group, event.integer(at.alignment()));
            case ALLOCATED -> new Key.Size(group, allocated);
            case REQUESTED -> new Key.Size(group, requested);
          };
      node = node.groups.computeIfAbsent(key, Building::new);
    }
    node.count++;
    node.bytes += allocated;
    node.unused += allocated - requested;
    if (options.backtraces()) {
      addBacktrace(node, event);
    }
  }

  private void addBacktrace(Building node, TraceEvent event) {
    var frames = Backtraces.ofInterest(backtraces.of(event));
    int from = 0;
    for (int i = 0; i < frames.size() && from == 0; i++) {
      from = frames.get(i).name().equals(Optional.of("malloc")) ? i + 1 : 0;
    }
    int levels = options.maxLevels().orElse(Integer.MAX_VALUE);
    var branches = node.branches;
    for (var frame : frames.subList(from, frames.size())) {
      if (levels-- <= 0) {
        break;
      }
      var branch = branches.computeIfAbsent(options.style().text(frame), BranchBuilding::new);
      branch.count++;
      branches = branch.branches;
    }
  }

  private Node node(Building from) {
    var groups = new ArrayList<Building>();
    for (var group : from.groups.values()) {
      if (options.minCount().isEmpty() || group.count >= options.minCount().getAsLong()) {
        groups.add(group);
      }
    }
    groups.sort(order());
    return new Node(
        from.key,
        from.count,
        from.bytes,
        from.unused,
        groups.stream().map(this::node).toList(),
        branches(from, from.branches));
  }

  private Comparator<Building> order() {
    return switch (options.order()) {
      case COUNT -> Comparator.comparingLong(node -> -node.count);
      case UNUSED -> Comparator.comparingDouble(node -> -share(node.unused, node.bytes));
      case SIZE -> Comparator.comparing(node -> node.key, Allocations::compare);
    };
  }

  /** Percent; 0 of nothing. */
  public static double share(long part, long whole) {
    return whole == 0 ? 0 : part * 100.0 / whole;
  }

  private static int compare(Key a, Key b) {
    if (a instanceof Key.Size one && b instanceof Key.Size other) {
      return Long.compare(one.bytes(), other.bytes());
    }
    return a.toString().compareTo(b.toString());
  }

  private List<Branch> branches(Building node, Map<String, BranchBuilding> from) {
    var sorted = new ArrayList<BranchBuilding>();
    for (var branch : from.values()) {
      if (options.minHits().isEmpty()
          || options.minHits().get().reached(branch.count, node.count)) {
        sorted.add(branch);
      }
    }
    sorted.sort(Comparator.comparingLong(branch -> -branch.count));
    var list = new ArrayList<Branch>();
    for (var branch : sorted) {
      while (branch.branches.size() == 1) {
        var child = branch.branches.values().iterator().next();
        if (child.count != branch.count) {
          break;
        }
        branch.functions.addAll(child.functions);
        branch.branches = child.branches;
      }
      list.add(
          new Branch(List.copyOf(branch.functions), branch.count, branches(node, branch.branches)));
    }
    return list;
  }
}
