// SPDX-License-Identifier: Apache-2.0
package dev.fathom.command.presenter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fathom.base.EvalException;
import java.util.Iterator;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class PresentedPartsTest {
  private final AtomicInteger passed = new AtomicInteger();

  /** Never ends. */
  private final Iterator<Presentation.Part> parts =
      new Iterator<>() {
        @Override
        public boolean hasNext() {
          return true;
        }

        @Override
        public Presentation.Part next() {
          passed.incrementAndGet();
          return Presentation.Part.of(null);
        }
      };

  private void interrupt() {
    if (passed.get() > 5000) {
      throw new EvalException("interrupted");
    }
  }

  @Test
  void noElementHasANumberBelowZero() {
    assertThatThrownBy(() -> PresentedParts.numbered(parts, -1, this::interrupt))
        .hasMessage("there is no element [-1]");
    assertThat(passed).hasValue(0);
  }

  @Test
  void longWalksEndWhenTheUserAsksToStop() {
    assertThatThrownBy(() -> PresentedParts.numbered(parts, 1 << 23, this::interrupt))
        .hasMessage("interrupted");
    assertThat(passed).hasValueLessThan(10_000);
    passed.set(0);
    assertThatThrownBy(() -> PresentedParts.keyed(parts, 1, this::interrupt))
        .hasMessage("interrupted");
    assertThat(passed).hasValueLessThan(10_000);
  }
}
