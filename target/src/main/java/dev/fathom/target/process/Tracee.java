// SPDX-License-Identifier: Apache-2.0
package dev.fathom.target.process;

import dev.fathom.model.Registers;
import java.util.ArrayDeque;
import java.util.Optional;
import java.util.OptionalLong;

/** A traced thread, as far as it is known by what was waited for. */
final class Tracee {
  private final int id;

  /** Whether it stands in a stop of ptrace's. */
  boolean stopped;

  /** Whether it is new and has not come to its first stop. */
  boolean fresh;

  /** Whether it has been asked to stop and has not yet. */
  boolean interrupted;

  /** Whether its process was stopped by its job's signal: it stays so when it goes on here. */
  boolean jobStopped;

  /** Whether it waits for its child of vfork(2): it cannot be stopped. */
  boolean lending;

  /** Whether it executes a single instruction, and then no signal is delivered. */
  boolean stepping;

  /** Whether it stands before a signal, the only place where the kernel takes another for it. */
  boolean atSignal;

  /** The number of the system call that it is in, where that is known. */
  OptionalLong call = OptionalLong.empty();

  /** What it gets when it goes on; 0 for nothing. */
  int deliver;

  /** Signals that came at a bad time, to be delivered one by one. */
  final ArrayDeque<Integer> held = new ArrayDeque<>();

  /** Its registers as the kernel lays them out, once read in this stop. */
  Optional<byte[]> raw = Optional.empty();

  Optional<Registers> registers = Optional.empty();

  /** Whether its registers were changed here and not in it: they are set when it goes on. */
  boolean changed;

  /** Whether it can be made to carry out a system call where it stands. */
  boolean mayCall;

  /** {@code si_code} of the signal that it stands before, once asked for in this stop. */
  Optional<Integer> code = Optional.empty();

  /** Whether it stands at a breakpoint, and its pc is there again. */
  boolean sentBack;

  Tracee(int id) {
    this.id = id;
  }

  int id() {
    return id;
  }

  /** It goes on. */
  void runs() {
    stopped = false;
    sentBack = false;
    code = Optional.empty();
    raw = Optional.empty();
    registers = Optional.empty();
  }
}
