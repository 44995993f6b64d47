// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.stop;

import dev.fathom.dtrace.run.Interpreter;
import java.util.ArrayList;
import java.util.List;

/** The timers of a program, by {@link System#nanoTime}. */
final class Timers {
  /** A timer with the moment at which it fires next. */
  static final class Timer {
    private final Place.Timer place;
    private final Interpreter.Site site;
    private long next;

    private Timer(Place.Timer place, Interpreter.Site site, long now) {
      this.place = place;
      this.site = site;
      this.next = now + place.nanos();
    }

    Place.Timer place() {
      return place;
    }

    Interpreter.Site site() {
      return site;
    }
  }

  private final List<Timer> all = new ArrayList<>();

  void add(Place.Timer place, Interpreter.Site site) {
    all.add(new Timer(place, site, System.nanoTime()));
  }

  void clear() {
    all.clear();
  }

  /** Whether any of them takes samples of CPUs. */
  boolean sample() {
    return all.stream().anyMatch(timer -> timer.place.everyCpu());
  }

  /** Nanoseconds until the first is due, at most {@code nanos} and at least 0. */
  long until(long nanos) {
    long now = System.nanoTime();
    long wait = nanos;
    for (var timer : all) {
      wait = Math.min(wait, timer.next - now);
    }
    return Math.max(0, wait);
  }

  /** Those that are due; each is set to its next moment, and missed ones are left out. */
  List<Timer> due() {
    long now = System.nanoTime();
    var due = new ArrayList<Timer>();
    for (var timer : all) {
      if (timer.next - now <= 0) {
        due.add(timer);
        timer.next += (1 + (now - timer.next) / timer.place.nanos()) * timer.place.nanos();
      }
    }
    return due;
  }
}
