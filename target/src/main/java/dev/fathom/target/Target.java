// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** Something to look at: a dump or a live machine. Used by one thread, which also closes it. */
public interface Target extends AutoCloseable {
  /** What this is, for people: put together when asked, which may take milliseconds. */
  TargetInfo info();

  /** {@link TargetInfo#architecture} alone. */
  default String architecture() {
    return info().architecture();
  }

  /** The files that are read here, and that nobody must write to. */
  default List<Path> files() {
    return List.of();
  }

  /**
   * The CPUs whose state the target has; empty when it has none. Of a {@link Live} target the state
   * now: registers of CPUs that run are of some moment during the call.
   */
  List<Cpu> cpus();

  /**
   * One of {@link #cpus}, which may cost less than all of them. A live target may tell fewer of its
   * system registers here.
   *
   * @param id a {@link Cpu#id}
   */
  default Optional<Cpu> cpu(int id) {
    for (Cpu cpu : cpus()) {
      if (cpu.id() == id) {
        return Optional.of(cpu);
      }
    }
    return Optional.empty();
  }

  /** The power {@code capability}, where this target has it. */
  <C extends Capability> Optional<C> find(Class<C> capability);

  /**
   * What the user should know about this target: truncated, incomplete, notes that could not be
   * read.
   */
  List<String> warnings();

  @Override
  void close();
}
