// SPDX-License-Identifier: Apache-2.0
package dev.fathom.session;

import dev.fathom.target.Live;
import dev.fathom.target.RunControl;
import dev.fathom.target.Target;
import java.util.Optional;

/** Keeps a target that runs still until it is closed; one that stands still stays as it is. */
public final class Pause implements AutoCloseable {
  private final boolean runs;
  private final Optional<RunControl> stopped;
  private final long since = System.nanoTime();

  private Pause(boolean runs, Optional<RunControl> stopped) {
    this.runs = runs;
    this.stopped = stopped;
  }

  /**
   * Stops {@code target} when it runs and can be stopped.
   *
   * @param stop whether to do so at all
   * @throws dev.fathom.base.TargetException when it does not stop
   */
  public static Pause of(Target target, boolean stop) {
    boolean running =
        target.find(Live.class).map(live -> live.state() == Live.State.RUNNING).orElse(false);
    var control = running && stop ? target.find(RunControl.class) : Optional.<RunControl>empty();
    var pause = new Pause(running && control.isEmpty(), control);
    control.ifPresent(RunControl::stop);
    return pause;
  }

  /** Whether the target runs all the same. */
  public boolean runs() {
    return runs;
  }

  /** Whether the target was stopped for this. */
  public boolean stopped() {
    return stopped.isPresent();
  }

  /** How long ago that was, in nanoseconds. */
  public long nanos() {
    return System.nanoTime() - since;
  }

  @Override
  public void close() {
    stopped.ifPresent(RunControl::resume);
  }
}
