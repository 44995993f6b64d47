// SPDX-License-Identifier: Apache-2.0
package dev.fathom.trace.analysis;

import dev.fathom.trace.EventCursor;
import dev.fathom.trace.Frame;
import dev.fathom.trace.TraceThread;
import dev.fathom.trace.analysis.ProfileOptions.Grouping;
import dev.fathom.trace.frame.Backtraces;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Trees of functions that backtraces lead through, the one that took longest (or was hit most)
 * first.
 *
 * @param groups one, or one for each thread or CPU; none when nothing was sampled
 */
public record Profile(List<Group> groups) {
  /** What a tree is of. */
  public sealed interface Subject {
    record All() implements Subject {}

    record OfThread(TraceThread thread) implements Subject {}

    record OfCpu(int cpu) implements Subject {}
  }

  public record Group(Subject subject, Node root) {}

  /**
   * A function, or several that were always called together.
   *
   * @param functions the root's is {@code All}
   * @param nanos 0 where hits are counted
   */
  public record Node(List<String> functions, long hits, long nanos, List<Node> children) {}

  /** Makes a profile. */
  public static Profile of(
      EventCursor events, Samples samples, Backtraces backtraces, ProfileOptions options) {
    var builder = new Builder(backtraces, options);
    samples.each(events, builder::add);
    return builder.profile();
  }

  private static final class Building {
    private final List<String> functions = new ArrayList<>();
    private long hits;
    private long nanos;
    private Map<String, Building> children = new LinkedHashMap<>();

    Building(String function) {
      functions.add(function);
    }

    void hit(long duration) {
      hits++;
      nanos += duration;
    }
  }

  private static final class Builder {
    private static final Comparator<Building> ORDER =
        Comparator.<Building>comparingLong(node -> -node.nanos)
            .thenComparingLong(node -> -node.hits);

    private final Backtraces backtraces;
    private final ProfileOptions options;
    private final Map<Object, Building> roots = new LinkedHashMap<>();

    /** The last name that each thread had. */
    private final Map<Long, TraceThread> threads = new LinkedHashMap<>();

    Builder(Backtraces backtraces, ProfileOptions options) {
      this.backtraces = backtraces;
      this.options = options;
    }

    void add(Sample sample) {
      long start = options.slice().from(sample.time());
      long end = options.slice().to(sample.time() + sample.duration());
      if (start > end) {
        return;
      }
      var frames = Backtraces.ofInterest(backtraces.of(sample.frames()));
      if (options.callers()) {
        frames = new ArrayList<>(frames);
        Collections.reverse(frames);
      }
      frames = fromFunction(frames);
      if (frames.isEmpty()) {
        return;
      }
      long duration = end - start;
      var node = roots.computeIfAbsent(key(sample), _ -> new Building("All"));
      node.hit(duration);
      for (var frame : frames) {
        node = node.children.computeIfAbsent(options.style().text(frame), Building::new);
        node.hit(duration);
      }
    }

    private List<Frame> fromFunction(List<Frame> frames) {
      if (options.function().isEmpty()) {
        return frames;
      }
      for (int i = 0; i < frames.size(); i++) {
        if (frames.get(i).name().equals(options.function())) {
          return frames.subList(i, frames.size());
        }
      }
      return List.of();
    }

    private Object key(Sample sample) {
      return switch (options.grouping()) {
        case NONE -> Grouping.NONE;
        case CPU -> sample.cpu();
        case THREAD -> {
          threads.put(sample.thread().id(), sample.thread());
          yield sample.thread().id();
        }
      };
    }

    Profile profile() {
      var groups = new ArrayList<Group>();
      var sorted = new ArrayList<>(roots.entrySet());
      sorted.sort(Map.Entry.comparingByValue(ORDER));
      for (var entry : sorted) {
        var root = entry.getValue();
        collapse(root);
        node(root, root, 0).ifPresent(tree -> groups.add(new Group(subject(entry.getKey()), tree)));
      }
      return new Profile(List.copyOf(groups));
    }

    private Subject subject(Object key) {
      return switch (options.grouping()) {
        case NONE -> new Subject.All();
        case CPU -> new Subject.OfCpu((Integer) key);
        case THREAD -> new Subject.OfThread(threads.get((Long) key));
      };
    }

    /** A function that always calls the same one becomes one node with it. */
    private static void collapse(Building node) {
      while (node.children.size() == 1) {
        var child = node.children.values().iterator().next();
        if (child.hits != node.hits || child.nanos != node.nanos) {
          break;
        }
        node.functions.addAll(child.functions);
        node.children = child.children;
      }
      node.children.values().forEach(Builder::collapse);
    }

    private Optional<Node> node(Building from, Building root, int level) {
      boolean shown =
          (options.minDuration().isEmpty() || from.nanos >= options.minDuration().getAsLong())
              && (options.minHits().isEmpty()
                  || options.minHits().get().reached(from.hits, root.hits));
      if (!shown) {
        return Optional.empty();
      }
      var children = new ArrayList<Node>();
      if (options.maxLevels().isEmpty() || level < options.maxLevels().getAsInt()) {
        var sorted = new ArrayList<>(from.children.values());
        sorted.sort(ORDER);
        for (var child : sorted) {
          node(child, root, level + 1).ifPresent(children::add);
        }
      }
      return Optional.of(
          new Node(List.copyOf(from.functions), from.hits, from.nanos, List.copyOf(children)));
    }
  }
}
