// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.qemu;

import dev.fathom.base.FathomException;
import dev.fathom.base.UnsupportedException;
import dev.fathom.target.Live;
import dev.fathom.target.RunControl;
import dev.fathom.target.Stop;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/**
 * Whether the machine runs, as QEMU's {@code query-status} and events tell it, and its stops by
 * {@code stop} and {@code cont}. A machine that was paused by somebody else stays paused.
 */
final class Machine implements Live, RunControl {
  private static final Duration NOW = Duration.ZERO;

  private final QmpClient qmp;
  private final GuestRam ram;
  private State state;
  private long epoch;
  private boolean stoppedHere;
  private boolean leaveStopped;

  Machine(QmpClient qmp, GuestRam ram) {
    this.qmp = qmp;
    this.ram = ram;
    boolean running =
        qmp.execute("query-status", Map.of()) instanceof Map<?, ?> status
            && Boolean.TRUE.equals(status.get("running"));
    state = running ? State.RUNNING : State.STOPPED;
  }

  @Override
  public State state() {
    takeEvents();
    return state;
  }

  @Override
  public long epoch() {
    takeEvents();
    return epoch;
  }

  private void takeEvents() {
    try {
      while (state != State.GONE) {
        Optional<String> event = qmp.event(NOW);
        if (event.isEmpty()) {
          return;
        }
        take(event.get());
      }
    } catch (FathomException _) {
      gone();
    }
  }

  private void gone() {
    if (state != State.GONE) {
      state = State.GONE;
      epoch++;
    }
  }

  private void take(String event) {
    switch (event) {
      case "STOP" -> state = State.STOPPED;
      case "RESUME" -> {
        if (state == State.STOPPED) {
          state = State.RUNNING;
          epoch++;
        }
      }
      case "RESET", "DEVICE_DELETED", "MEMORY_DEVICE_SIZE_CHANGE", "ACPI_DEVICE_OST" -> {
        epoch++;
        ram.invalidate();
      }
      case "SHUTDOWN", "POWERDOWN", "GUEST_PANICKED" -> epoch++;
      default -> {}
    }
  }

  @Override
  public void stop() {
    if (state() == State.RUNNING) {
      qmp.execute("stop", Map.of());
      state = State.STOPPED;
      stoppedHere = true;
    }
  }

  @Override
  public void resume() {
    if (state() == State.STOPPED) {
      qmp.execute("cont", Map.of());
      state = State.RUNNING;
      epoch++;
      stoppedHere = false;
    }
  }

  @Override
  public void step(int cpu, boolean others, boolean interrupts) {
    throw new UnsupportedException("single steps need QEMU's gdb stub");
  }

  @Override
  public Optional<Stop> await(Duration timeout) {
    long deadline = System.nanoTime() + timeout.toNanos();
    while (state() == State.RUNNING) {
      long left = deadline - System.nanoTime();
      if (left <= 0) {
        return Optional.empty();
      }
      qmp.event(Duration.ofNanos(left)).ifPresent(this::take);
    }
    return Optional.of(new Stop(0, state == State.GONE ? new Stop.Ended(0) : new Stop.Signal(0)));
  }

  @Override
  public boolean leaveStopped() {
    return leaveStopped;
  }

  @Override
  public void leaveStopped(boolean stopped) {
    leaveStopped = stopped;
  }

  /** Lets the machine go on when it was stopped here and is not to stay so. */
  void release() {
    if (stoppedHere && !leaveStopped) {
      resume();
    }
  }
}
