// SPDX-License-Identifier: Apache-2.0
package dev.fathom.session.control;

import dev.fathom.base.FathomException;
import dev.fathom.model.Image;
import dev.fathom.session.Session;
import dev.fathom.session.control.Breakpoint.Place;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Where places are now. To look for some takes long: what was found is kept. */
final class BreakpointPlaces {
  private final Session session;

  /** Where lines and functions begin, as long as these images are loaded. */
  private final Map<Place, List<Long>> found = new LinkedHashMap<>();

  private List<Image> images = List.of();

  BreakpointPlaces(Session session) {
    this.session = session;
  }

  /** Where a place is now; none while it waits for its module. */
  List<Long> addresses(Place place) {
    return switch (place) {
      case Breakpoint.At at -> List.of(at.address());
      case Breakpoint.Named named ->
          session
              .kernel()
              .program()
              .symbols()
              .first(named.name())
              .map(symbol -> List.of(symbol.address() + named.offset()))
              .orElse(List.of());
      case Breakpoint.Line _, Breakpoint.Function _ -> kept(place);
    };
  }

  /** They change only when images come or go. */
  private List<Long> kept(Place place) {
    var now = loaded();
    if (!now.equals(images)) {
      found.clear();
      images = now;
    }
    var known = found.get(place);
    if (known == null) {
      known = look(place);
      found.put(place, known);
    }
    return known;
  }

  private List<Image> loaded() {
    try {
      return session.kernel().images();
    } catch (FathomException _) {
      return images; // Whoever lists them is told.
    }
  }

  private List<Long> look(Place place) {
    return switch (place) {
      case Breakpoint.At _, Breakpoint.Named _ -> addresses(place);
      case Breakpoint.Line line ->
          session.sources().places(line.file(), line.line()).stream()
              .map(at -> session.sources().body(at.address()))
              .distinct()
              .toList();
      case Breakpoint.Function function ->
          session.functions().find(function.file(), function.name()).stream()
              .map(
                  code -> function.body() ? session.sources().body(code.address()) : code.address())
              .distinct()
              .toList();
    };
  }
}
