// SPDX-License-Identifier: Apache-2.0
package dev.fathom.host.process;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.fathom.base.TargetException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.util.Optional;

/**
 * Ends the system calls in which one thread waits: a timer (timer_create(2)) sends the thread a
 * signal whose handler does nothing, so that the call returns EINTR. It sends it again and again
 * until it is cleared, since the thread may not have begun to wait.
 */
@SuppressWarnings("restricted") // native calls are this module's purpose
final class Alarm implements AutoCloseable {
  private static final int CLOCK_MONOTONIC = 1;

  /** {@code struct sigevent}: value, signal, how to notify, thread; padded to 64 bytes. */
  private static final int EVENT_BYTES = 64;

  private static final int EVENT_SIGNAL = 8;
  private static final int EVENT_NOTIFY = 12;
  private static final int EVENT_THREAD = 16;
  private static final int SIGEV_THREAD_ID = 4;

  /** {@code struct itimerspec}: the interval, then the first time, each in seconds and nanos. */
  private static final int SPAN_BYTES = 32;

  private static final long AGAIN_NANOS = 1_000_000;
  private static final long SECOND = 1_000_000_000;

  /** The signal: the first for real time is left to others. */
  private static final int AFTER_FIRST = 3;

  /** The functions that this is made of. */
  record Functions(
      MethodHandle signal,
      MethodHandle interrupting,
      MethodHandle firstRealTime,
      MethodHandle thread,
      MethodHandle create,
      MethodHandle set,
      MethodHandle delete,
      MemorySegment nothing) {
    /** Empty where this system's C library has no such functions. */
    static Optional<Functions> load() {
      var lookup = Linker.nativeLinker().defaultLookup();
      for (var name :
          new String[] {
            "signal",
            "siginterrupt",
            "__libc_current_sigrtmin",
            "gettid",
            "timer_create",
            "timer_settime",
            "timer_delete",
            "abs"
          }) {
        if (lookup.find(name).isEmpty()) {
          return Optional.empty();
        }
      }
      var number = FunctionDescriptor.of(JAVA_INT);
      return Optional.of(
          new Functions(
              handle(lookup, "signal", FunctionDescriptor.of(ADDRESS, JAVA_INT, ADDRESS)),
              handle(lookup, "siginterrupt", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT)),
              handle(lookup, "__libc_current_sigrtmin", number),
              handle(lookup, "gettid", number),
              handle(
                  lookup,
                  "timer_create",
                  FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS, ADDRESS)),
              handle(
                  lookup,
                  "timer_settime",
                  FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT, ADDRESS, ADDRESS)),
              handle(lookup, "timer_delete", FunctionDescriptor.of(JAVA_INT, ADDRESS)),
              // int abs(int): as a handler it takes the signal's number and does nothing.
              lookup.find("abs").orElseThrow()));
    }

    private static MethodHandle handle(
        SymbolLookup lookup, String name, FunctionDescriptor descriptor) {
      return Linker.nativeLinker().downcallHandle(lookup.find(name).orElseThrow(), descriptor);
    }
  }

  private final Functions functions;
  private final MemorySegment timer;
  private final MemorySegment span = Arena.ofAuto().allocate(SPAN_BYTES, Long.BYTES);

  /** An alarm of the calling thread; the timer is there until {@link #close}. */
  Alarm(Functions functions) {
    this.functions = functions;
    try (var arena = Arena.ofConfined()) {
      int signal = (int) functions.firstRealTime().invokeExact() + AFTER_FIRST;
      var before = (MemorySegment) functions.signal().invokeExact(signal, functions.nothing());
      int interrupts = (int) functions.interrupting().invokeExact(signal, 1);
      var event = arena.allocate(EVENT_BYTES, Long.BYTES);
      event.set(JAVA_INT, EVENT_SIGNAL, signal);
      event.set(JAVA_INT, EVENT_NOTIFY, SIGEV_THREAD_ID);
      event.set(JAVA_INT, EVENT_THREAD, (int) functions.thread().invokeExact());
      var made = arena.allocate(ADDRESS);
      int status = (int) functions.create().invokeExact(CLOCK_MONOTONIC, event, made);
      if (before.address() == -1 || interrupts != 0 || status != 0) {
        throw new TargetException("this system gives no timer to wait with");
      }
      timer = made.get(ADDRESS, 0);
    } catch (TargetException e) {
      throw e;
    } catch (Throwable e) {
      throw LibC.failed(e);
    }
  }

  /** From {@code nanos} on what this thread waits in ends, until {@link #clear}. */
  void set(long nanos) {
    arm(Math.max(1, nanos), AGAIN_NANOS);
  }

  void clear() {
    arm(0, 0);
  }

  /** The timer is deleted. */
  @Override
  public void close() {
    try {
      int status = (int) functions.delete().invokeExact(timer);
      if (status != 0) {
        throw new TargetException("the timer to wait with cannot be deleted");
      }
    } catch (TargetException e) {
      throw e;
    } catch (Throwable e) {
      throw LibC.failed(e);
    }
  }

  private void arm(long first, long again) {
    span.set(JAVA_LONG, 0, 0);
    span.set(JAVA_LONG, 8, again);
    span.set(JAVA_LONG, 16, first / SECOND);
    span.set(JAVA_LONG, 24, first % SECOND);
    try {
      int status = (int) functions.set().invokeExact(timer, 0, span, MemorySegment.NULL);
      if (status != 0) {
        throw new TargetException("the timer to wait with cannot be set");
      }
    } catch (TargetException e) {
      throw e;
    } catch (Throwable e) {
      throw LibC.failed(e);
    }
  }
}
