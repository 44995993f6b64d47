// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.probe;

import dev.fathom.dtrace.ir.Stmt;
import dev.fathom.model.Memory;
import java.util.Optional;

/**
 * A probe that fires: what the engine knows there and then. Everything is computed when asked for
 * and stays the same for one firing. Strings are byte strings, a {@code char} per byte. An engine
 * is asked only for built-in variables that it claims ({@link Engine#builtins}); what a single
 * firing lacks is a {@link dev.fathom.base.FathomException}, which ends the clause and fires {@code
 * ERROR}. Used by the engine's thread only, and not after the firing.
 */
public interface ProbeContext {
  /** From 0. */
  int cpu();

  /** What thread-local variables belong to: unique among the threads that are alive. */
  long thread();

  long timestamp();

  long vtimestamp();

  long walltimestamp();

  /** {@code arg0} to {@code arg9}; 0 for those that the probe does not have. */
  long argument(int index);

  /** {@code uregs[index]}. */
  long register(int index);

  long pid();

  long tid();

  long ppid();

  long uid();

  long gid();

  String execname();

  /** The working directory of the process on the CPU. */
  String cwd();

  /** The root directory of the process on the CPU. */
  String root();

  /** The words that the process on the CPU was started with, with blanks between them. */
  String execargs();

  /** The address of the running thread's structure. */
  long curthread();

  long errno();

  long ipl();

  long caller();

  long ucaller();

  /** Kernel return addresses, the probe's pc first, at most {@code frames}; may be empty. */
  long[] stack(int frames);

  long[] ustack(int frames);

  Memory kernel();

  /** The memory of the process on the CPU. */
  Memory user();

  /** Whether the process descends from {@code pid} or is it. */
  boolean progenyOf(long pid);

  /** The path of a {@code struct path} at a kernel address. */
  String path(long address);

  /** The words that the process of the thread with that structure was started with. */
  String arguments(long thread);

  /** The file that the process on the CPU has open under a number. */
  Optional<TracedFile> file(long descriptor);

  /** The address of the structure of the file that is open under a number; 0 where none is. */
  long fileObject(long descriptor);

  /** The file whose content is in the page with that structure. */
  Optional<TracedFile> fileOfPage(long page);

  /** Writes to the process on the CPU; called only under {@code -w}. */
  void copyOut(long userAddress, byte[] bytes);

  /** Carries out a destructive action; called only under {@code -w}. */
  void destroy(Stmt.Destruction what, long argument);
}
