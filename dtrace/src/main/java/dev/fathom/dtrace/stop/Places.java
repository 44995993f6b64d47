// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.stop;

import dev.fathom.dtrace.probe.Probe;
import dev.fathom.dtrace.probe.ProbeArgument;
import dev.fathom.dtrace.probe.ProbeName;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Numbers probes in the order in which they are seen first, and knows where each is. */
final class Places {
  private record Key(ProbeName name, Place place) {}

  private record Kind(ProbeName name, List<ProbeArgument> arguments) {}

  private final Map<Key, Probe> probes = new HashMap<>();
  private final Map<Integer, Place> places = new HashMap<>();

  /** Those whose places are gone. */
  private final Map<Kind, Deque<Probe>> free = new HashMap<>();

  /**
   * The probe of that name and place: the same each time. One whose place is gone comes back at
   * another, as code does that is loaded again.
   */
  Probe probe(ProbeName name, Place place, List<ProbeArgument> arguments) {
    var key = new Key(name, place);
    var known = probes.get(key);
    if (known == null) {
      var left = free.getOrDefault(new Kind(name, arguments), new ArrayDeque<>());
      known =
          left.isEmpty()
              ? new Probe(Probe.ERROR + 1 + places.size(), name, arguments)
              : left.removeFirst();
      probes.put(key, known);
      places.put(known.id(), place);
    }
    return known;
  }

  Place of(Probe probe) {
    return places.get(probe.id());
  }

  /** The place of a probe is gone. */
  void release(Probe probe) {
    if (probes.remove(new Key(probe.name(), of(probe)), probe)) {
      free.computeIfAbsent(new Kind(probe.name(), probe.arguments()), _ -> new ArrayDeque<>())
          .add(probe);
    }
  }
}
