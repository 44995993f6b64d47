// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.stop;

import dev.fathom.dtrace.probe.Probe;
import dev.fathom.dtrace.probe.ProbeArgument;
import dev.fathom.dtrace.probe.ProbeName;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Numbers probes in the order in which they are seen first, and knows where each is. */
final class Places {
  private record Key(ProbeName name, Place place) {}

  private final Map<Key, Probe> probes = new HashMap<>();
  private final Map<Integer, Place> places = new HashMap<>();

  /** The probe of that name and place: the same each time. */
  Probe probe(ProbeName name, Place place, List<ProbeArgument> arguments) {
    var key = new Key(name, place);
    var known = probes.get(key);
    if (known == null) {
      known = new Probe(Probe.ERROR + 1 + probes.size(), name, arguments);
      probes.put(key, known);
      places.put(known.id(), place);
    }
    return known;
  }

  Place of(Probe probe) {
    return places.get(probe.id());
  }
}
