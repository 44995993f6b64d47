// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.process;

import dev.fathom.base.FathomException;
import dev.fathom.base.TargetException;
import dev.fathom.target.ProcessTracer;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * The one thread that traces. Others hand it work and wait; between works it turns to what traced
 * threads want, which would stand still otherwise.
 */
final class TracerThread {
  /** How often traced threads are looked after while nobody waits for them, in milliseconds. */
  private static final long INTERVAL = 2;

  private static final Duration FOR_EVER = Duration.ofDays(36_500);

  private final LinkedBlockingQueue<FutureTask<?>> works = new LinkedBlockingQueue<>();
  private final Thread thread;
  private final ProcessTracer tracer;
  private volatile Runnable care = () -> {};
  private volatile boolean caring;
  private volatile boolean ended;

  /**
   * A thread that traces.
   *
   * @param tracer is told when it ends
   */
  TracerThread(String name, ProcessTracer tracer) {
    this.tracer = tracer;
    this.thread = Thread.ofPlatform().daemon().name(name).unstarted(this::run);
    thread.start();
  }

  /**
   * Says what is done between works while {@link #caring(boolean)} is on.
   *
   * @param action must not throw
   */
  void careWith(Runnable action) {
    care = action;
  }

  /** Whether traced threads run and have to be looked after. */
  void caring(boolean on) {
    caring = on;
    if (on && !isCurrent()) {
      works.add(new FutureTask<>(() -> null)); // It may be waiting for work.
    }
  }

  private void run() {
    try {
      work();
    } finally {
      tracer.leave();
    }
  }

  private void work() {
    while (!ended) {
      try {
        var work = caring ? works.poll(INTERVAL, TimeUnit.MILLISECONDS) : works.take();
        if (work != null) {
          work.run();
        } else if (caring) {
          care.run();
        }
      } catch (InterruptedException _) {
        ended = true; // Nobody interrupts it but to end it.
      }
    }
  }

  private boolean isCurrent() {
    return Thread.currentThread().equals(thread);
  }

  /** Runs {@code work} there and waits for it, for as long as it takes. */
  <T> T ask(Callable<T> work) {
    return ask(work, FOR_EVER);
  }

  /**
   * Runs {@code work} there and waits for it. It may be asked for by work that runs there.
   *
   * @throws TargetException when it takes longer than {@code limit}; it is still done some time
   */
  <T> T ask(Callable<T> work, Duration limit) {
    if (isCurrent()) {
      try {
        return work.call();
      } catch (Exception e) {
        throw failure(e);
      }
    }
    var task = new FutureTask<>(work);
    works.add(task);
    try {
      return task.get(limit.toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException e) {
      throw failure(e.getCause());
    } catch (TimeoutException e) {
      throw new TargetException("tracing takes too long", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new TargetException("interrupted while a process was traced", e);
    }
  }

  private static RuntimeException failure(Throwable e) {
    return switch (e) {
      case FathomException known -> known;
      case RuntimeException unknown -> unknown;
      case Error error -> throw error;
      default -> new TargetException("tracing failed: " + e.getMessage(), e);
    };
  }

  /** No more work is taken; what the thread still traces is let go by the kernel. */
  void end() {
    ended = true;
    works.add(new FutureTask<>(() -> null));
  }
}
