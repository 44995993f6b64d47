// SPDX-License-Identifier: Apache-2.0
package dev.fathom.testkit.lab;

/** How a guest is made to panic, if at all. */
public enum Fault {
  /** Not at all: the guest sits and waits. */
  NONE,
  /** A process writes {@code c} to {@code /proc/sysrq-trigger}: a panic in process context. */
  SYSRQ,
  /** A break and {@code c} on the serial line: a panic in the interrupt handler of the idle CPU. */
  SYSRQ_IN_INTERRUPT,
  /** A module's function, three calls deep, writes through NULL in the process that loads it. */
  NULL_IN_MODULE,
  /** The same functions called in a hard interrupt. */
  NULL_IN_INTERRUPT,
  /** A module's function calls itself until the stack ends: a double fault. */
  STACK_OVERFLOW;

  /** Whether a module of the lab's own makes the fault. */
  boolean inModule() {
    return switch (this) {
      case NULL_IN_MODULE, NULL_IN_INTERRUPT, STACK_OVERFLOW -> true;
      case NONE, SYSRQ, SYSRQ_IN_INTERRUPT -> false;
    };
  }
}
