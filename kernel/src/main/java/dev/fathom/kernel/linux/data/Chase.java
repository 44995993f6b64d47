// SPDX-License-Identifier: Apache-2.0
package dev.fathom.kernel.linux.data;

import dev.fathom.base.FaultException;
import dev.fathom.base.LongSet;
import dev.fathom.kernel.Walker;
import java.util.NoSuchElementException;
import java.util.PrimitiveIterator;

/**
 * A walk from element to element that ends at the first that is corrupt: it stops with a note on a
 * cycle, at a bound, and at memory that cannot be read.
 */
abstract class Chase implements PrimitiveIterator.OfLong {
  /** More than any list that a kernel keeps and a person wants. */
  static final int LIMIT = 20_000_000;

  /** More parts without an element than a tree of {@link #LIMIT} elements has. */
  private static final int VISIT_LIMIT = 64 * LIMIT;

  private static final int VISITS_BETWEEN_CHECKS = 1 << 10;

  private final String what;
  private final Walker.Notes notes;
  private final LongSet seen = new LongSet();
  private long next;
  private boolean ready;
  private boolean ended;
  private int count;
  private int visits;
  private int lost;
  private boolean broken;
  private String firstLoss = "";

  /**
   * @param what the collection, for notes: {@code list at 0xffff…}
   */
  Chase(String what, Walker.Notes notes) {
    this.what = what;
    this.notes = notes;
  }

  /** Moves on; whether there is another element, which {@link #element} then is. */
  protected abstract boolean step();

  /** The element that {@link #step} came to. */
  protected abstract long element();

  /** What must not come twice; the element itself for most. */
  protected long identity() {
    return element();
  }

  @Override
  public final boolean hasNext() {
    if (ready || ended) {
      return ready;
    }
    notes.checkInterrupt();
    try {
      if (!step()) {
        if (!ended && lost > 0) {
          notes.note(what + ": " + lost + " parts are missing, the first: " + firstLoss);
        }
        ended = true;
      } else if (!seen.add(identity())) {
        end("comes back to 0x" + Long.toHexString(identity()));
      } else if (count++ >= LIMIT) {
        end("is longer than " + LIMIT);
      } else {
        next = element();
        ready = true;
      }
    } catch (FaultException e) {
      end(e.getMessage());
    }
    return ready;
  }

  @Override
  public final long nextLong() {
    if (!hasNext()) {
      throw new NoSuchElementException(what);
    }
    ready = false;
    return next;
  }

  /** Whether the walk came to an end before the collection's. */
  public final boolean broken() {
    return broken;
  }

  /**
   * To be asked for every part that a step looks at on its way to an element; the step must end
   * without one when the answer is false.
   */
  protected final boolean mayVisit() {
    if (++visits % VISITS_BETWEEN_CHECKS == 0) {
      notes.checkInterrupt();
    }
    if (visits > VISIT_LIMIT) {
      end("has more than " + VISIT_LIMIT + " parts");
    }
    return !ended;
  }

  /** Remembers that a part of the collection was left out; a note says so at the end. */
  protected final void lose(String why) {
    if (lost++ == 0) {
      firstLoss = why;
    }
  }

  /** Ends the walk early and says why. */
  protected final void end(String why) {
    ended = true;
    broken = true;
    notes.note(what + " ended after " + count + ": " + why);
  }
}
