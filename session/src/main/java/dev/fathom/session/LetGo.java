// SPDX-License-Identifier: Apache-2.0
package dev.fathom.session;

import dev.fathom.target.Target;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Lets a live target go when the process ends: by a signal, by an error, or because the session is
 * over. A command that runs is waited for, but not for long.
 */
final class LetGo implements AutoCloseable {
  private static final long PATIENCE_SECONDS = 5;

  private final Target target;
  private final ReentrantLock busy = new ReentrantLock();
  private final AtomicBoolean closed = new AtomicBoolean();
  private final Thread hook = new Thread(this::atEnd, "let the target go");
  private volatile boolean ending;
  private volatile Runnable interrupt = () -> {};

  private LetGo(Target target) {
    this.target = target;
  }

  static LetGo of(Target target) {
    var guard = new LetGo(target);
    Runtime.getRuntime().addShutdownHook(guard.hook);
    return guard;
  }

  /** What makes a running command end soon. */
  void interruptWith(Runnable action) {
    interrupt = action;
  }

  /** A command begins; it does not when the process is ending. */
  void enter() {
    busy.lock();
    if (ending) {
      busy.unlock();
      waitForEnd();
    }
  }

  private void waitForEnd() {
    try {
      hook.join();
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  void leave() {
    busy.unlock();
  }

  private void atEnd() {
    ending = true;
    interrupt.run();
    try {
      if (busy.tryLock(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
        release();
        return;
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
    release();
  }

  private void release() {
    if (closed.compareAndSet(false, true)) {
      target.close();
    }
  }

  @Override
  public void close() {
    release();
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException _) {
      return; // The process is ending: the hook runs and finds nothing to do.
    }
  }
}
