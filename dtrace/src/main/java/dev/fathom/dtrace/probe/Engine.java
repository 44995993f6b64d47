// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.probe;

import dev.fathom.dtrace.ir.Builtin;
import dev.fathom.dtrace.ir.Stmt;
import dev.fathom.dtrace.ir.Subroutine;
import dev.fathom.dtrace.record.RecordSink;
import java.util.List;
import java.util.Set;

/**
 * Runs programs at probes: by stopping the target, over a recording, as eBPF, as code placed in a
 * guest. Confined to one platform thread, except {@link #interrupt}. The order of calls is {@link
 * #start}, {@link #work} any number of times, {@link #stop}, {@link #close}.
 */
public interface Engine extends AutoCloseable {
  /** For messages: {@code stop}, {@code replay}, {@code ebpf}. */
  String name();

  /**
   * The providers, each with ids of its own range. The {@code dtrace} provider is not among them:
   * every engine has {@code BEGIN}, {@code END} and {@code ERROR}.
   */
  List<Provider> providers();

  /** The built-in variables that it can supply. */
  Set<Builtin> builtins();

  /** The subroutines that it can serve; most engines have all that the interpreter has. */
  Set<Subroutine> subroutines();

  Set<Stmt.Destruction> destructions();

  /** How many CPUs there are; CPUs of firings are below that. */
  int cpus();

  /**
   * Fires {@code BEGIN}, then enables every probe of the plan. A probe that cannot be enabled is
   * told and left out.
   *
   * @return those that could not be enabled and why, a line each
   */
  List<String> start(Plan plan, RecordSink sink);

  /**
   * Lets the target run and handles what fires, for about {@code nanos} nanoseconds.
   *
   * @return false when nothing more will fire: the recording is at its end, the target is gone, or
   *     an {@code exit()} was carried out
   */
  boolean work(long nanos);

  /** What the user should know of what happened since this was asked last, a line each. */
  default List<String> notices() {
    return List.of();
  }

  /**
   * Removes every probe, fires {@code END} and hands over what is still to be merged. The target
   * runs on as it did before.
   */
  void stop();

  /** Makes {@link #work} return soon. From any thread. */
  void interrupt();

  /** Removes every probe that is still there, whatever happened. */
  @Override
  void close();
}
