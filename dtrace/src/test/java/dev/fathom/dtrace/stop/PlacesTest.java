// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.stop;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fathom.dtrace.probe.ProbeArgument;
import dev.fathom.dtrace.probe.ProbeName;
import dev.fathom.model.type.IntType;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Which probe is where. */
class PlacesTest {
  private static final ProbeName NAME = new ProbeName("pid1", "liba.so", "f", "entry");

  private static final List<ProbeArgument> ARGUMENTS =
      List.of(new ProbeArgument(0, new IntType("int", 4, true, false)));

  private final Places places = new Places();

  @Test
  void aProbeStaysTheSame() {
    var first = places.probe(NAME, new Place.Entry(16), List.of());
    assertThat(places.probe(NAME, new Place.Entry(16), List.of())).isSameAs(first);
    var other = places.probe(NAME, new Place.Entry(32), List.of());
    assertThat(other.id()).isNotEqualTo(first.id());
    assertThat(places.of(first)).isEqualTo(new Place.Entry(16));
    assertThat(places.of(other)).isEqualTo(new Place.Entry(32));
  }

  /** A library that comes and goes a thousand times, each time elsewhere, has no more probes. */
  @Test
  void whatIsGoneComesBackElsewhere() {
    var first = places.probe(NAME, new Place.Entry(16), ARGUMENTS);
    var probe = first;
    for (int i = 0; i < 1000; i++) {
      places.release(probe);
      places.release(probe);
      probe = places.probe(NAME, new Place.Entry(4096L * i), ARGUMENTS);
      assertThat(probe).isSameAs(first);
      assertThat(places.of(probe)).isEqualTo(new Place.Entry(4096L * i));
    }
    assertThat(places.probe(NAME, new Place.Entry(8), ARGUMENTS).id()).isEqualTo(first.id() + 1);
  }

  /** What a clause takes for args[] stays what it was compiled for. */
  @Test
  void otherArgumentsAreAnotherProbe() {
    var first = places.probe(NAME, new Place.Entry(16), ARGUMENTS);
    places.release(first);
    assertThat(places.probe(NAME, new Place.Entry(32), List.of()).id()).isNotEqualTo(first.id());
    assertThat(places.probe(NAME, new Place.Entry(48), ARGUMENTS)).isSameAs(first);
  }
}
