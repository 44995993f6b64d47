// SPDX-License-Identifier: Apache-2.0
package dev.fathom.dtrace.ir;

import java.util.Arrays;
import java.util.Optional;

/**
 * D's built-in variables that the engine supplies. Those that have another form here: {@code
 * arg0}..{@code arg9} and {@code args[]} are {@link Expr.Argument}, {@code uregs[]} is {@link
 * Expr.Register}. An engine says which it has; the compiler refuses the rest by name.
 */
public enum Builtin {
  /** Kernel text address that called the probe's function; 0 where there is none. */
  CALLER("caller", IrType.INT),
  CPU("cpu", IrType.INT),
  CURTHREAD("curthread", IrType.INT),
  /** The working directory of the process on the CPU. */
  CWD("cwd", IrType.STRING),
  EPID("epid", IrType.INT),
  ERRNO("errno", IrType.INT),
  /** The words that the process on the CPU was started with, with blanks between them. */
  EXECARGS("execargs", IrType.STRING),
  /** The name of the thread on the CPU, as the kernel has it (Linux: at most 15 bytes). */
  EXECNAME("execname", IrType.STRING),
  GID("gid", IrType.INT),
  ID("id", IrType.INT),
  IPL("ipl", IrType.INT),
  /** The process (thread group). */
  PID("pid", IrType.INT),
  PPID("ppid", IrType.INT),
  PROBEFUNC("probefunc", IrType.STRING),
  PROBEMOD("probemod", IrType.STRING),
  PROBENAME("probename", IrType.STRING),
  PROBEPROV("probeprov", IrType.STRING),
  /** The root directory of the process on the CPU. */
  ROOT("root", IrType.STRING),
  STACKDEPTH("stackdepth", IrType.INT),
  TID("tid", IrType.INT),
  /** Nanoseconds of a clock that never goes back, of the target where it can be read. */
  TIMESTAMP("timestamp", IrType.INT),
  UCALLER("ucaller", IrType.INT),
  UID("uid", IrType.INT),
  USTACKDEPTH("ustackdepth", IrType.INT),
  /** Nanoseconds that the thread has been on a CPU. */
  VTIMESTAMP("vtimestamp", IrType.INT),
  /** Nanoseconds since 1970-01-01 UTC. */
  WALLTIMESTAMP("walltimestamp", IrType.INT);

  private final String text;
  private final IrType type;

  Builtin(String text, IrType type) {
    this.text = text;
    this.type = type;
  }

  /** The name in D. */
  public String text() {
    return text;
  }

  public IrType type() {
    return type;
  }

  public static Optional<Builtin> named(String name) {
    return Arrays.stream(values()).filter(b -> b.text.equals(name)).findFirst();
  }
}
