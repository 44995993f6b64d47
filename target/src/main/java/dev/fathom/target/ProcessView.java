// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target;

import dev.fathom.base.Range;
import dev.fathom.base.UnsupportedException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;

/**
 * The target is a process of Linux, alive or as it was when it left its core: what the kernel knows
 * of it. {@link Target#cpus} are its threads, and a {@link Cpu#id} is a thread's id.
 */
public non-sealed interface ProcessView extends Capability {
  /**
   * A mapping.
   *
   * @param protection as in {@code /proc/PID/maps}: {@code r-xp}; a core file tells less
   * @param offset where in the file the mapping begins
   * @param name the file's path as the process sees it, {@code [stack]}, {@code [vdso]}; empty for
   *     anonymous memory
   */
  record Mapped(Range range, String protection, long offset, String name) {
    /** Whether there is a file behind it. */
    public boolean isFile() {
      return name.startsWith("/");
    }
  }

  /**
   * A thread.
   *
   * @param name its own name; empty where only the process's is known
   * @param state the letter of {@code ps}; {@code ?} where it is not known
   * @param signal the signal that stopped or ended it, where one did
   */
  record ThreadState(
      long id, String name, char state, OptionalInt cpu, Optional<SignalState> signal) {}

  /**
   * A signal.
   *
   * @param code {@code si_code}: who sent it
   * @param address where it was raised, for faults
   * @param sender the process that sent it
   */
  record SignalState(int number, int code, OptionalLong address, OptionalLong sender) {
    /** {@code si_code} of what the kernel sends without saying why. */
    private static final int SI_KERNEL = 0x80;

    /** SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV: of the CPU's own, where the code is positive. */
    private static final Set<Integer> FAULTS = Set.of(4, 5, 7, 8, 11);

    /**
     * By a {@code siginfo_t}: {@code { u32 si_signo, si_errno, si_code }}, then at 16 what depends
     * on the signal and on who sent it.
     *
     * @param info at least 24 bytes
     */
    public static SignalState of(byte[] info) {
      var words = ByteBuffer.wrap(info).order(ByteOrder.LITTLE_ENDIAN);
      int number = words.getInt(0);
      int code = words.getInt(8);
      boolean fault = code > 0 && code != SI_KERNEL && FAULTS.contains(number);
      return new SignalState(
          number,
          code,
          fault ? OptionalLong.of(words.getLong(16)) : OptionalLong.empty(),
          code <= 0 ? OptionalLong.of(words.getInt(16)) : OptionalLong.empty());
    }
  }

  /**
   * How the process ended.
   *
   * @param status what it gave to exit(2); 0 when a signal ended it
   * @param signal the signal that ended it
   */
  record Ending(int status, OptionalInt signal) {}

  /** How the process ended, when that was seen. */
  default Optional<Ending> ending() {
    return Optional.empty();
  }

  /** Whether there is, or was, such a process; false for a program that nobody has started. */
  default boolean isStarted() {
    return true;
  }

  /** The process's id; 0 for a program that nobody has started. */
  long process();

  OptionalLong parent();

  /** The name that the kernel keeps: at most 15 characters. */
  String name();

  /** The path of its program, as the process sees it. */
  Optional<String> program();

  /** The words that it was started with, as far as they are known. */
  List<String> arguments();

  /** Its working directory; empty where it cannot be told. */
  default Optional<String> directory() {
    return Optional.empty();
  }

  /** Its root directory; empty where it cannot be told. */
  default Optional<String> root() {
    return Optional.empty();
  }

  /**
   * The file that is open under a number; empty where none is.
   *
   * @throws UnsupportedException where that cannot be told
   */
  default Optional<OpenFile> openFile(long descriptor) {
    throw new UnsupportedException("open files cannot be told here");
  }

  /** Its mappings in the order of their addresses. */
  List<Mapped> mappings();

  /** Its threads, the first one first. */
  List<ThreadState> threads();

  /** The thread of that id; quicker than to list them all. */
  default Optional<ThreadState> thread(int id) {
    return threads().stream().filter(thread -> thread.id() == id).findFirst();
  }

  /**
   * The {@code siginfo_t} of the signal that stopped or ended a thread; empty where none is told.
   */
  default Optional<byte[]> signalInfo(int thread) {
    return Optional.empty();
  }

  /** The auxiliary vector that the kernel gave its program: values by type. */
  Map<Long, Long> auxiliary();

  /** The file behind a mapping, where it can be opened here; it may have been replaced since. */
  Optional<Path> file(Mapped mapping);
}
