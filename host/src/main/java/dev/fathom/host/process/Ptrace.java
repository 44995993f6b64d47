// SPDX-License-Identifier: Apache-2.0
package dev.fathom.host.process;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.fathom.base.TargetException;
import dev.fathom.base.UnsupportedException;
import dev.fathom.target.ProcessTracer;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;

/**
 * ptrace(2) of the Linux that this runs on. Requests are those of {@code
 * include/uapi/linux/ptrace.h}.
 */
public final class Ptrace implements ProcessTracer {
  private static final int PEEK_USER = 3;
  private static final int POKE_USER = 6;
  private static final int CONT = 7;
  private static final int SINGLE_STEP = 9;
  private static final int DETACH = 17;
  private static final int GET_EVENT_MESSAGE = 0x4201;
  private static final int GET_SIGNAL_INFO = 0x4202;
  private static final int SET_SIGNAL_INFO = 0x4203;
  private static final int GET_REGISTER_SET = 0x4204;
  private static final int SET_REGISTER_SET = 0x4205;
  private static final int SEIZE = 0x4206;
  private static final int INTERRUPT = 0x4207;
  private static final int LISTEN = 0x4208;
  private static final int PEEK_SIGNAL_INFO = 0x4209;
  private static final int SYSCALL = 24;
  private static final int GET_SYSCALL_INFO = 0x420e;

  /** {@code struct ptrace_syscall_info}: op, arch, pc, sp; then number and six arguments. */
  private static final int SYSCALL_INFO_BYTES = 88;

  private static final int SYSCALL_INFO_ENTRY = 1;
  private static final int SYSCALL_INFO_EXIT = 2;
  private static final int SYSCALL_INFO_NUMBER = 24;

  /** waitpid's options; the children of other threads are Java's own affair. */
  private static final int WNOHANG = 1;

  private static final int WSTOPPED = 2;
  private static final int WEXITED = 4;
  private static final int WNOWAIT = 0x100_0000;
  private static final int WNOTHREAD = 0x2000_0000;
  private static final int WALL = 0x4000_0000;

  private static final int EPERM = 1;
  private static final int ESRCH = 3;
  private static final int EINTR = 4;
  private static final int EIO = 5;
  private static final int ECHILD = 10;
  private static final int EBUSY = 16;
  private static final int EINVAL = 22;

  private static final int SIGCONT = 18;
  private static final int SIGKILL = 9;
  private static final int SIGSTOP = 19;
  private static final int SIGINFO_BYTES = 128;

  /** {@code si_code}, behind the number and errno. */
  private static final int SIGINFO_CODE = 8;

  /** {@code struct ptrace_peeksiginfo_args}: the first, flags, how many. */
  private static final int PEEK_BYTES = 16;

  private static final int PEEK_COUNT = 12;

  /** What waitid(2) says: {@code si_code}, {@code si_pid} and {@code si_status}. */
  private static final int CHILD_CODE = 8;

  private static final int CHILD_THREAD = 16;
  private static final int CHILD_STATUS = 24;
  private static final int CHILD_EXITED = 1;
  private static final int CHILD_KILLED = 2;
  private static final int CHILD_DUMPED = 3;

  /** Signals looked at; one that is raised by an instruction is among the first. */
  private static final int MOST_WAITING = 32;

  /** More than the general registers of any architecture. */
  private static final int GENERAL_LIMIT = 1 << 10;

  /** More than any register set, vector registers included. */
  private static final int REGISTER_LIMIT = 1 << 16;

  private static final long CLOSE_RANGE = 436;

  private static final long CLOSE_RANGE_CLOEXEC = 4;

  /** The first after standard input, output and errors. */
  private static final long FIRST_DESCRIPTOR = 3;

  private static final long NAP_NANOS = 100_000;

  /** How long a program that was started may take until it stops, in tenths of milliseconds. */
  private static final int START_LIMIT = 100_000;

  /** What calls write to and read from; each thread has its own, since they are made so often. */
  private static final class Scratch {
    private final Arena arena = Arena.ofAuto();
    private final MemorySegment state = LibC.state(arena);
    private final MemorySegment status = arena.allocate(JAVA_INT);
    private final MemorySegment words = arena.allocate(GENERAL_LIMIT, 16);
    private final MemorySegment here = arena.allocate(16, 8);
    private final MemorySegment there = arena.allocate(16, 8);
  }

  /** Functions that never change are called directly by compiled code. */
  private static final class Native {
    private static final LibC LIBRARY = LibC.load().orElseThrow();
  }

  private static final boolean AVAILABLE =
      System.getProperty("os.name").equals("Linux") && LibC.load().isPresent();

  private final ThreadLocal<Scratch> scratches = ThreadLocal.withInitial(Scratch::new);

  /** Each tracing thread waits with its own; most processes are looked at and never waited for. */
  private final ThreadLocal<Optional<Alarm>> alarms = new ThreadLocal<>();

  @Override
  public boolean available() {
    return AVAILABLE;
  }

  private static LibC library() {
    if (!AVAILABLE) {
      throw new UnsupportedException("this system has no ptrace");
    }
    return Native.LIBRARY;
  }

  /** A request's result: its value, and the error number, 0 for none. */
  private record Result(long value, int errno) {}

  private Result request(int request, int thread, MemorySegment address, MemorySegment data) {
    try {
      var state = scratches.get().state;
      long value =
          (long) library().ptrace().invokeExact(state, request, (long) thread, address, data);
      return new Result(value, value == -1 ? LibC.errno(state) : 0);
    } catch (Throwable e) {
      throw LibC.failed(e);
    }
  }

  private Result request(int request, int thread, long address, long data) {
    return request(
        request, thread, MemorySegment.ofAddress(address), MemorySegment.ofAddress(data));
  }

  /** Whether it worked; false when the thread is gone or runs. */
  private static boolean done(Result result, String what, int thread) {
    return switch (result.errno()) {
      case 0 -> true;
      case ESRCH -> false;
      case EPERM -> throw new TargetException("no permission to " + what + " thread " + thread);
      default ->
          throw new TargetException(
              "cannot " + what + " thread " + thread + ": error number " + result.errno());
    };
  }

  @Override
  public boolean seize(int thread, int options) {
    return done(request(SEIZE, thread, 0, options), "trace", thread);
  }

  @Override
  public boolean interrupt(int thread) {
    return done(request(INTERRUPT, thread, 0, 0), "interrupt", thread);
  }

  @Override
  public boolean resume(int thread, int signal) {
    return done(request(CONT, thread, 0, signal), "resume", thread);
  }

  @Override
  public boolean resumeToSystemCall(int thread, int signal) {
    return done(request(SYSCALL, thread, 0, signal), "resume", thread);
  }

  @Override
  public Optional<SystemCall> systemCall(int thread) {
    try (var arena = Arena.ofConfined()) {
      var info = arena.allocate(SYSCALL_INFO_BYTES, 8);
      var result =
          request(GET_SYSCALL_INFO, thread, MemorySegment.ofAddress(SYSCALL_INFO_BYTES), info);
      if (result.errno() == EIO) {
        throw new UnsupportedException(
            "this machine's kernel does not tell of system calls: Linux 5.3 or later does");
      }
      if (!done(result, "read the system call of", thread)) {
        return Optional.empty();
      }
      return switch (info.get(JAVA_BYTE, 0)) {
        case SYSCALL_INFO_ENTRY ->
            Optional.of(new SystemCallEntry(info.get(JAVA_LONG, SYSCALL_INFO_NUMBER)));
        case SYSCALL_INFO_EXIT -> Optional.of(new SystemCallReturn());
        default -> Optional.empty();
      };
    }
  }

  @Override
  public boolean step(int thread, int signal) {
    return done(request(SINGLE_STEP, thread, 0, signal), "step", thread);
  }

  @Override
  public boolean listen(int thread) {
    return done(request(LISTEN, thread, 0, 0), "listen to", thread);
  }

  @Override
  public boolean detach(int thread, int signal) {
    return done(request(DETACH, thread, 0, signal), "detach from", thread);
  }

  @Override
  public Optional<byte[]> registers(int thread, int type) {
    var scratch = scratches.get();
    if (type == GENERAL_REGISTERS) {
      return registers(thread, type, scratch.words, scratch.here);
    }
    try (var arena = Arena.ofConfined()) {
      return registers(thread, type, arena.allocate(REGISTER_LIMIT, 16), scratch.here);
    }
  }

  private Optional<byte[]> registers(
      int thread, int type, MemorySegment buffer, MemorySegment vector) {
    fill(vector, buffer, buffer.byteSize());
    var result = request(GET_REGISTER_SET, thread, MemorySegment.ofAddress(type), vector);
    if (result.errno() == EINVAL || !done(result, "read registers of", thread)) {
      return Optional.empty(); // This CPU has no such set.
    }
    return Optional.of(buffer.asSlice(0, vector.get(JAVA_LONG, 8)).toArray(JAVA_BYTE));
  }

  @Override
  public boolean setRegisters(int thread, int type, byte[] bytes) {
    try (var arena = Arena.ofConfined()) {
      var scratch = scratches.get();
      boolean small = bytes.length <= GENERAL_LIMIT;
      var buffer = small ? scratch.words : arena.allocate(bytes.length, 16);
      MemorySegment.copy(bytes, 0, buffer, JAVA_BYTE, 0, bytes.length);
      fill(scratch.here, buffer, bytes.length);
      var result = request(SET_REGISTER_SET, thread, MemorySegment.ofAddress(type), scratch.here);
      return done(result, "write registers of", thread);
    }
  }

  /** Fills a {@code struct iovec}. */
  private static void fill(MemorySegment vector, MemorySegment buffer, long length) {
    vector.set(ADDRESS, 0, buffer);
    vector.set(JAVA_LONG, 8, length);
  }

  /** The C library's wrapper stores the word and returns 0 only in the kernel; it returns it. */
  @Override
  public Optional<Long> user(int thread, long offset) {
    try (var arena = Arena.ofConfined()) {
      var state = LibC.state(arena);
      state.fill((byte) 0);
      long value =
          (long)
              library()
                  .ptrace()
                  .invokeExact(
                      state,
                      PEEK_USER,
                      (long) thread,
                      MemorySegment.ofAddress(offset),
                      MemorySegment.NULL);
      // A word of all ones is no error: then the error number stayed 0.
      var result = new Result(value, value == -1 ? LibC.errno(state) : 0);
      return done(result, "read debug registers of", thread)
          ? Optional.of(value)
          : Optional.empty();
    } catch (TargetException e) {
      throw e;
    } catch (Throwable e) {
      throw LibC.failed(e);
    }
  }

  @Override
  public boolean setUser(int thread, long offset, long value) {
    var result = request(POKE_USER, thread, offset, value);
    return switch (result.errno()) {
      case EINVAL, EIO, EBUSY -> false;
      default -> done(result, "write debug registers of", thread);
    };
  }

  @Override
  public Optional<byte[]> signalInfo(int thread) {
    var info = scratches.get().words.asSlice(0, SIGINFO_BYTES);
    var result = request(GET_SIGNAL_INFO, thread, MemorySegment.NULL, info);
    // EINVAL: the whole process was stopped, by no signal of this thread's.
    return result.errno() != EINVAL && done(result, "read the signal of", thread)
        ? Optional.of(info.toArray(JAVA_BYTE))
        : Optional.empty();
  }

  @Override
  public boolean setSignalInfo(int thread, byte[] info) {
    try (var arena = Arena.ofConfined()) {
      var bytes = arena.allocate(SIGINFO_BYTES, 8);
      MemorySegment.copy(info, 0, bytes, JAVA_BYTE, 0, Math.min(info.length, SIGINFO_BYTES));
      var result = request(SET_SIGNAL_INFO, thread, MemorySegment.NULL, bytes);
      return result.errno() != EINVAL && done(result, "set the signal of", thread);
    }
  }

  @Override
  public boolean raised(int thread, int signal) {
    try (var arena = Arena.ofConfined()) {
      var what = arena.allocate(PEEK_BYTES, Long.BYTES);
      what.set(JAVA_INT, PEEK_COUNT, MOST_WAITING);
      var found = arena.allocate((long) MOST_WAITING * SIGINFO_BYTES, Long.BYTES);
      var result = request(PEEK_SIGNAL_INFO, thread, what, found);
      if (!done(result, "look at the signals of", thread)) {
        return false;
      }
      for (int i = 0; i < result.value(); i++) {
        long at = (long) i * SIGINFO_BYTES;
        if (found.get(JAVA_INT, at) == signal && found.get(JAVA_INT, at + SIGINFO_CODE) > 0) {
          return true;
        }
      }
      return false;
    }
  }

  @Override
  public Optional<Long> message(int thread) {
    try (var arena = Arena.ofConfined()) {
      var word = arena.allocate(JAVA_LONG);
      var result = request(GET_EVENT_MESSAGE, thread, MemorySegment.NULL, word);
      return done(result, "read the event of", thread)
          ? Optional.of(word.get(JAVA_LONG, 0))
          : Optional.empty();
    }
  }

  @Override
  public Optional<Change> change() {
    return wait(-1, WNOHANG);
  }

  @Override
  public Optional<Change> change(Duration limit) {
    return within(limit, () -> wait(-1, 0), this::change);
  }

  @Override
  public Optional<Change> look(Duration limit) {
    return within(limit, () -> look(0), () -> look(WNOHANG));
  }

  @Override
  public Optional<Change> change(int thread) {
    return wait(thread, WNOHANG);
  }

  private interface Waiting {
    Optional<Change> once();
  }

  private Optional<Change> within(Duration limit, Waiting wait, Waiting ask) {
    if (limit.isZero() || limit.isNegative()) {
      return ask.once();
    }
    var alarm = alarm();
    if (alarm.isEmpty()) {
      return ask(limit, ask);
    }
    alarm.get().set(limit.toNanos());
    try {
      return wait.once();
    } finally {
      alarm.get().clear();
    }
  }

  private Optional<Alarm> alarm() {
    var own = alarms.get();
    if (own == null) {
      own = Alarm.Functions.load().map(Alarm::new);
      alarms.set(own);
    }
    return own;
  }

  @Override
  public void leave() {
    var own = alarms.get();
    alarms.remove();
    if (own != null) {
      own.ifPresent(Alarm::close);
    }
  }

  /** Where the C library has no timers, as glibc before 2.34 has them elsewhere. */
  private static Optional<Change> ask(Duration limit, Waiting ask) {
    long deadline = System.nanoTime() + limit.toNanos();
    var change = ask.once();
    while (change.isEmpty() && System.nanoTime() - deadline < 0) {
      LockSupport.parkNanos(NAP_NANOS);
      change = ask.once();
    }
    return change;
  }

  private Optional<Change> wait(int which, int options) {
    try {
      var state = scratches.get().state;
      var status = scratches.get().status;
      while (true) {
        int thread =
            (int) library().waitpid().invokeExact(state, which, status, WALL | WNOTHREAD | options);
        if (thread > 0) {
          return Optional.of(change(thread, status.get(JAVA_INT, 0)));
        }
        if (thread == 0 || isOver(LibC.errno(state), options)) {
          return Optional.empty();
        }
      }
    } catch (TargetException e) {
      throw e;
    } catch (Throwable e) {
      throw LibC.failed(e);
    }
  }

  private Optional<Change> look(int options) {
    try {
      var state = scratches.get().state;
      var info = scratches.get().words;
      info.set(JAVA_INT, CHILD_THREAD, 0); // It is left alone where there is nothing to tell.
      int wanted = WALL | WNOTHREAD | WEXITED | WSTOPPED | WNOWAIT | options;
      while (true) {
        int failed = (int) library().waitid().invokeExact(state, 0, 0, info, wanted);
        if (failed == 0) {
          int thread = info.get(JAVA_INT, CHILD_THREAD);
          return thread == 0 ? Optional.empty() : Optional.of(change(thread, info));
        }
        if (isOver(LibC.errno(state), options)) {
          return Optional.empty();
        }
      }
    } catch (TargetException e) {
      throw e;
    } catch (Throwable e) {
      throw LibC.failed(e);
    }
  }

  /** Whether a wait that failed is not to be tried again. */
  private static boolean isOver(int errno, int options) {
    boolean waited = (options & WNOHANG) == 0;
    return switch (errno) {
      case ECHILD -> {
        if (waited) {
          LockSupport.parkNanos(NAP_NANOS); // Nothing is traced, and whoever waits asks again.
        }
        yield true;
      }
      case EINTR -> waited;
      default -> throw new TargetException("cannot wait for traced threads: error number " + errno);
    };
  }

  private static Change change(int thread, MemorySegment info) {
    int status = info.get(JAVA_INT, CHILD_STATUS);
    return switch (info.get(JAVA_INT, CHILD_CODE)) {
      case CHILD_EXITED -> new Exited(thread, status);
      case CHILD_KILLED, CHILD_DUMPED -> new Killed(thread, status & 0x7f);
      default -> new Stopped(thread, status & 0xff, status >> 8 & 0xff);
    };
  }

  /** A status of waitpid(2), as {@code WIFEXITED} and its like take it apart. */
  private static Change change(int thread, int status) {
    int low = status & 0x7f;
    if (low == 0) {
      return new Exited(thread, status >> 8 & 0xff);
    }
    if (low == 0x7f) {
      return new Stopped(thread, status >> 8 & 0xff, status >> 16 & 0xff);
    }
    return new Killed(thread, low);
  }

  @Override
  public Will will(Path directory, List<String> command) {
    return new ShellWill(directory, command);
  }

  @Override
  public boolean load(int process, long address, byte[] into) {
    if (into.length > GENERAL_LIMIT) {
      throw new IllegalArgumentException("more than " + GENERAL_LIMIT + " bytes: " + into.length);
    }
    var scratch = scratches.get();
    fill(scratch.here, scratch.words, into.length);
    fill(scratch.there, MemorySegment.ofAddress(address), into.length);
    try {
      long done =
          (long)
              library()
                  .vmRead()
                  .invokeExact(scratch.state, process, scratch.here, 1L, scratch.there, 1L, 0L);
      MemorySegment.copy(scratch.words, JAVA_BYTE, 0, into, 0, into.length);
      return done == into.length;
    } catch (Throwable e) {
      throw LibC.failed(e);
    }
  }

  @Override
  public boolean store(int process, long address, byte[] bytes) {
    if (bytes.length > GENERAL_LIMIT) {
      throw new IllegalArgumentException("more than " + GENERAL_LIMIT + " bytes: " + bytes.length);
    }
    var scratch = scratches.get();
    MemorySegment.copy(bytes, 0, scratch.words, JAVA_BYTE, 0, bytes.length);
    fill(scratch.here, scratch.words, bytes.length);
    fill(scratch.there, MemorySegment.ofAddress(address), bytes.length);
    try {
      long done =
          (long)
              library()
                  .vmWrite()
                  .invokeExact(scratch.state, process, scratch.here, 1L, scratch.there, 1L, 0L);
      return done == bytes.length;
    } catch (Throwable e) {
      throw LibC.failed(e);
    }
  }

  @Override
  public boolean signal(int process, int thread, int signal) {
    try (var arena = Arena.ofConfined()) {
      var state = LibC.state(arena);
      long value =
          (long)
              library()
                  .syscall()
                  .invokeExact(state, tgkill(), (long) process, (long) thread, (long) signal);
      return done(
          new Result(value, value == -1 ? LibC.errno(state) : 0), "send a signal to", thread);
    } catch (TargetException e) {
      throw e;
    } catch (Throwable e) {
      throw LibC.failed(e);
    }
  }

  /** The number of the system call tgkill(2). */
  private static long tgkill() {
    return switch (System.getProperty("os.arch")) {
      case "amd64", "x86_64" -> 234;
      case "aarch64" -> 131;
      default -> throw new UnsupportedException("signals are not sent on this architecture");
    };
  }

  /**
   * {@inheritDoc} A shell stops itself and then becomes the program: so nothing has to run between
   * fork and exec here, and the program itself is traced from its first instruction on.
   */
  @Override
  public int start(List<String> command, int options) {
    if (command.isEmpty()) {
      throw new TargetException("no program to start");
    }
    keepDescriptors();
    var words = new ArrayList<>(List.of("/bin/sh", "-c", "kill -STOP $$; exec \"$@\"", "sh"));
    words.addAll(command);
    int process = spawn(words);
    try {
      if (!seize(process, options | TRACE_EXEC)) {
        throw new TargetException(command.getFirst() + ": the program ended before it began");
      }
      return begun(process, command.getFirst());
    } catch (RuntimeException | Error e) {
      signal(process, process, SIGKILL);
      throw e;
    }
  }

  /**
   * Keeps the files that this process has open from programs that it starts: close_range(2), which
   * has the same number on all architectures. Linux before 5.11 does not know it, and programs
   * inherit them there.
   */
  private void keepDescriptors() {
    try (var arena = Arena.ofConfined()) {
      long done =
          (long)
              library()
                  .syscall()
                  .invokeExact(
                      LibC.state(arena),
                      CLOSE_RANGE,
                      FIRST_DESCRIPTOR,
                      0xffff_ffffL,
                      CLOSE_RANGE_CLOEXEC);
      if (done != 0 && done != -1) {
        throw new TargetException("close_range: " + done);
      }
    } catch (TargetException e) {
      throw e;
    } catch (Throwable e) {
      throw LibC.failed(e);
    }
  }

  /**
   * Follows the shell through its stop until it has become the program. The start of the shell
   * itself may be seen too: posix_spawn(3) returns before that is complete.
   */
  private int begun(int process, String name) {
    boolean released = false;
    for (int i = 0; i < START_LIMIT; i++) {
      var change = wait(process, WNOHANG);
      if (change.isEmpty()) {
        pause();
        continue;
      }
      switch (change.get()) {
        case Exited(int _, int status) ->
            throw new TargetException(
                name + ": cannot be started" + (status == 127 ? ": no such program" : ""));
        case Killed(int _, int signal) ->
            throw new TargetException(name + ": signal " + signal + " came before it began");
        case Stopped(int _, int signal, int event) -> {
          if (event == EVENT_EXEC && released) {
            return process;
          }
          if (event == EVENT_STOP && signal == SIGSTOP) {
            if (!released) {
              released = true;
              signal(process, process, SIGCONT);
            }
            listen(process);
          } else {
            resume(process, event == 0 ? signal : 0);
          }
        }
      }
    }
    throw new TargetException(name + ": did not begin in time");
  }

  private static void pause() {
    try {
      Thread.sleep(java.time.Duration.ofNanos(100_000));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new TargetException("interrupted while a program was started", e);
    }
  }

  private int spawn(List<String> words) {
    try (var arena = Arena.ofConfined()) {
      var arguments = arena.allocate(ADDRESS, words.size() + 1L);
      for (int i = 0; i < words.size(); i++) {
        arguments.setAtIndex(ADDRESS, i, arena.allocateFrom(words.get(i)));
      }
      var process = arena.allocate(JAVA_INT);
      int error =
          (int)
              library()
                  .spawn()
                  .invokeExact(
                      process,
                      arena.allocateFrom(words.getFirst()),
                      MemorySegment.NULL,
                      MemorySegment.NULL,
                      arguments,
                      library().environ());
      if (error != 0) {
        throw new TargetException(words.getFirst() + ": cannot start: error number " + error);
      }
      return process.get(JAVA_INT, 0);
    } catch (TargetException e) {
      throw e;
    } catch (Throwable e) {
      throw LibC.failed(e);
    }
  }
}
