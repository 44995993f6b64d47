// SPDX-License-Identifier: Apache-2.0
package dev.fathom.session;

import dev.fathom.target.Target;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Lets a live target go when the process ends: by a signal, by an error, or because the session is
 * over. It stands before the target is attached to. A command that runs is waited for, but not for
 * long; once the process is ending no other begins.
 */
final class LetGo implements AutoCloseable {
  /** How long a command may take to end when the process is to end. */
  private static final long PATIENCE_SECONDS = 5;

  /** How long letting go may take, once it has begun: some answers of a slow target. */
  private static final long CLOSING_SECONDS = 20;

  private final ReentrantLock busy = new ReentrantLock();
  private final AtomicBoolean closed = new AtomicBoolean();
  private final Thread hook = new Thread(this::atEnd, "let the target go");
  private volatile boolean ending;
  private volatile Runnable interrupt = () -> {};
  private volatile Optional<Target> target = Optional.empty();
  private volatile long patience = PATIENCE_SECONDS;

  private LetGo() {}

  /** A guard over nothing yet, which the end of the process finds. */
  static LetGo standing() {
    var guard = new LetGo();
    Runtime.getRuntime().addShutdownHook(guard.hook);
    return guard;
  }

  /**
   * The calling thread begins to attach. When the process is to end it is interrupted, and waited
   * for: what it has stopped is its own to let go until {@link #over}.
   *
   * @param timeout how long one answer of the target may take
   */
  void attaching(Duration timeout) {
    patience = timeout.toSeconds() + CLOSING_SECONDS;
    interrupt = Thread.currentThread()::interrupt;
  }

  /** From now on {@code attached} is let go. */
  Target over(Target attached) {
    target = Optional.of(attached);
    attached();
    return attached;
  }

  /** The thread that attached is done with that, one way or the other. */
  void attached() {
    interrupt = () -> {};
    patience = PATIENCE_SECONDS;
  }

  /** Whether the process is ending. */
  boolean isEnding() {
    return ending;
  }

  /** What makes a running command end soon. */
  void interruptWith(Runnable action) {
    interrupt = action;
  }

  /** A command begins; this never returns when the process is ending. */
  void enter() {
    busy.lock();
    if (ending) {
      busy.unlock();
      while (true) {
        LockSupport.park(); // The hook may be through before the process is.
        Thread.interrupted();
      }
    }
  }

  void leave() {
    busy.unlock();
  }

  /** The process is ending. Keeps the lock, so that no command begins any more. */
  void atEnd() {
    ending = true;
    interrupt.run();
    try {
      boolean quiet = busy.tryLock(patience, TimeUnit.SECONDS);
      if (!quiet && closed.get() && !busy.tryLock(CLOSING_SECONDS, TimeUnit.SECONDS)) {
        return; // Letting go hangs.
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
    release();
  }

  private void release() {
    if (closed.compareAndSet(false, true)) {
      target.ifPresent(Target::close);
    }
  }

  /**
   * Lets the target go now.
   *
   * @throws dev.fathom.base.TargetException when it could not be let go as it was found
   */
  @Override
  public void close() {
    busy.lock(); // A process that is ending meanwhile waits.
    try {
      release();
    } finally {
      busy.unlock();
    }
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException _) {
      return; // The process is ending: the hook runs and finds nothing to do.
    }
  }
}
