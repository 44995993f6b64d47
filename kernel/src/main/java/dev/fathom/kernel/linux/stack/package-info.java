/**
 * The stacks of a Linux kernel: where they are, how they lead from one to the other, where a task's
 * innermost frame is. Enters: a program, the CPUs' per-CPU bases, unwind sources, tasks' addresses.
 * May use base, model and kernel.linux.data; the walking itself is model.unwind's.
 */
package dev.fathom.kernel.linux.stack;
